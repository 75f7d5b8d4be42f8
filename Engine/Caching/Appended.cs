namespace Dataflow.Caching;

/// <summary>Reads several readers one after the other, each disposed when it has ended.</summary>
internal sealed class Appended<T>(params ChunkReader<T>[] readers) : ChunkReader<T>
{
    private int _next;

    public override bool TryRead(out ReadOnlySpan<T> chunk)
    {
        for (; _next < readers.Length; _next++)
        {
            if (readers[_next].TryRead(out chunk)) return true;
            readers[_next].Dispose();
        }
        chunk = default;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        for (; _next < readers.Length; _next++) readers[_next].Dispose();
    }
}
