using Dataflow.Tasks;

namespace Dataflow;

/// <summary>Reads several partitions one after the other, each opened when its turn comes.</summary>
/// <param name="rdds">One Rdd that all partitions belong to, or one for each partition.</param>
/// <param name="partitions">What to read.</param>
/// <param name="context">The running task.</param>
internal sealed class ConcatenatedReader<T>(Rdd<T>[] rdds, Partition?[] partitions, TaskContext context) : ChunkReader<T>
{
    private ChunkReader<T>? _current;
    private int _next;

    public override bool TryRead(out ReadOnlySpan<T> chunk)
    {
        while (true)
        {
            if (_current is not null && _current.TryRead(out chunk)) return true;
            _current?.Dispose();
            _current = null;
            if (_next == partitions.Length)
            {
                chunk = default;
                return false;
            }
            var rdd = rdds.Length == 1 ? rdds[0] : rdds[_next];
            _current = rdd.Read(partitions[_next++]!, context);
        }
    }

    protected override void Dispose(bool disposing)
    {
        _current?.Dispose();
        _next = partitions.Length;
    }
}
