using Dataflow.Shuffle;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>Elements dealt out evenly over partitions.</summary>
internal sealed class RepartitionedRdd<T> : Rdd<T>
{
    private readonly DealingDependency _dependency;

    public RepartitionedRdd(Rdd<T> parent, int partitions) : base(parent.Context, "Repartition") =>
        _dependency = new DealingDependency(parent, partitions);

    public override IReadOnlyList<Dependency> Dependencies => [_dependency];

    protected internal override Partition[] GetPartitions()
    {
        var result = new Partition[_dependency.ReducePartitions];
        for (var i = 0; i < result.Length; i++) result[i] = new ShuffleReadPartition(i, i, i + 1);
        return result;
    }

    // Who gets which element depends on the order of the parent.
    protected internal override Determinacy GetDeterminacy(Determinacy parents) =>
        parents == Determinacy.Unordered ? Determinacy.Indeterminate : parents;

    protected internal override ChunkReader<T> Compute(Partition partition, TaskContext context)
    {
        var input = ShuffleInput.Open(_dependency.ShuffleId, (ShuffleReadPartition)partition, context);
        var segments = new List<InputSegment>();
        for (var reduce = input.ReduceStart; reduce < input.ReduceEnd; reduce++) segments.AddRange(input.Segments(reduce));
        return new SegmentReader<T>(segments);
    }

    private sealed class DealingDependency(Rdd<T> parent, int partitions) : ShuffleDependency(RowBuckets<T>.Shuffles(parent), partitions)
    {
        public override void Write(Partition partition, MapOutputWriter output, TaskContext context)
        {
            // Each map partition starts at another reduce partition, or the first would get all the odd elements.
            var next = (int)new PartitionRandom(0, partition.Index).NextLong(ReducePartitions);
            using var buckets = RowBuckets<T>.Make(output, 1);
            using var reader = parent.Read(partition, context);
            var targets = new int[4 * ChunkReader<T>.DefaultLength];
            while (reader.TryRead(out var chunk))
            {
                for (; chunk.Length > 0; chunk = chunk[Math.Min(targets.Length, chunk.Length)..])
                {
                    var rows = chunk[..Math.Min(targets.Length, chunk.Length)];
                    for (var i = 0; i < rows.Length; i++)
                    {
                        targets[i] = next;
                        if (++next == ReducePartitions) next = 0;
                    }
                    buckets.Add(targets.AsSpan(0, rows.Length), rows);
                }
            }
            buckets.Finish();
        }
    }
}
