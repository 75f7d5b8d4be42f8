using Dataflow.Tasks;

namespace Dataflow.Fusion;

/// <summary>Runs one filter by itself.</summary>
internal sealed class FilterReader<T>(ChunkReader<T> source, Func<T, bool> predicate, TaskContext context) : ChunkReader<T>
{
    private OutputBuffer<T> _buffer = new();

    public override bool TryRead(out ReadOnlySpan<T> chunk)
    {
        _buffer.Clear();
        while (true)
        {
            context.ThrowIfCancelled();
            if (!source.TryRead(out var input))
            {
                _buffer.Free();
                chunk = default;
                return false;
            }

            var output = _buffer.Take(input.Length);
            var count = 0;
            foreach (var item in input)
            {
                if (predicate(item)) output[count++] = item;
            }
            if (count == 0) continue;
            chunk = _buffer.Lend(count);
            return true;
        }
    }

    protected override void Dispose(bool disposing)
    {
        _buffer.Free();
        source.Dispose();
    }
}
