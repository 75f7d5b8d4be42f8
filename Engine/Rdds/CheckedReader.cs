using Dataflow.Tasks;

namespace Dataflow;

/// <summary>Checks for cancellation before each chunk of a source.</summary>
internal sealed class CheckedReader<T>(ChunkReader<T> source, TaskContext context) : ChunkReader<T>
{
    public override bool TryRead(out ReadOnlySpan<T> chunk)
    {
        context.ThrowIfCancelled();
        return source.TryRead(out chunk);
    }

    protected override void Dispose(bool disposing) => source.Dispose();
}
