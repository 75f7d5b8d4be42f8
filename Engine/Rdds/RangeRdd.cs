using Dataflow.Tasks;

namespace Dataflow;

/// <summary>A part of an arithmetic sequence.</summary>
/// <param name="Index">Position among the partitions.</param>
/// <param name="Start">First number.</param>
/// <param name="Count">How many numbers.</param>
internal sealed record RangePartition(int Index, long Start, long Count) : Partition(Index);

/// <summary>The numbers start, start + step, ... below (or, for a negative step, above) an end; never materialised.</summary>
internal sealed class RangeRdd(DataflowContext context, long start, long count, long step, int partitions)
    : Rdd<long>(context, "Range")
{
    private readonly long _step = step;

    public override IReadOnlyList<Dependency> Dependencies => [];

    protected internal override Partition[] GetPartitions()
    {
        var result = new Partition[partitions];
        for (var i = 0; i < partitions; i++)
        {
            var first = (long)((Int128)i * count / partitions);
            var end = (long)((Int128)(i + 1) * count / partitions);
            result[i] = new RangePartition(i, unchecked(start + first * _step), end - first);
        }
        return result;
    }

    protected internal override ChunkReader<long> Compute(Partition partition, TaskContext context) =>
        new Reader((RangePartition)partition, _step, context);

    private sealed class Reader(RangePartition partition, long step, TaskContext context) : ChunkReader<long>
    {
        private readonly long[] _buffer = new long[(int)Math.Min(DefaultLength, Math.Max(partition.Count, 0))];
        private long _next = partition.Start;
        private long _left = partition.Count;

        public override bool TryRead(out ReadOnlySpan<long> chunk)
        {
            context.ThrowIfCancelled();
            var count = (int)Math.Min(_left, _buffer.Length);
            var buffer = _buffer.AsSpan(0, count);
            var value = _next;
            for (var i = 0; i < buffer.Length; i++)
            {
                buffer[i] = value;
                value = unchecked(value + step);
            }
            _next = value;
            _left -= count;
            chunk = buffer;
            return count > 0;
        }
    }
}
