using Dataflow.Shuffle;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>What all Rdds that read one shuffle of pairs share: one partition per reduce partition.</summary>
internal abstract class ShuffleReadingRdd<TKey, TRow> : Rdd<TRow>
{
    private readonly Partitioner<TKey> _partitioner;
    private readonly ShuffleDependency _dependency;

    private protected ShuffleReadingRdd(string operation, ShuffleDependency dependency, Partitioner<TKey> partitioner, Delegate? lambda)
        : base(dependency.Rdd.Context, operation, lambda)
    {
        _dependency = dependency;
        _partitioner = partitioner;
    }

    public ShuffleDependency Shuffle => _dependency;

    public override IReadOnlyList<Dependency> Dependencies => [_dependency];

    public override Partitioner? Partitioner => _partitioner;

    protected int Tags => PairPlacer<TKey>.TagsFor(_partitioner.PartitionCount);

    protected internal override Partition[] GetPartitions()
    {
        var result = new Partition[_dependency.ReducePartitions];
        for (var i = 0; i < result.Length; i++) result[i] = new ShuffleReadPartition(i, i, i + 1);
        return result;
    }

    protected internal override ChunkReader<TRow> Compute(Partition partition, TaskContext context) =>
        Read(ShuffleInput.Open(_dependency.ShuffleId, (ShuffleReadPartition)partition, context), context);

    protected abstract ChunkReader<TRow> Read(ShuffleInput input, TaskContext context);
}

/// <summary>Pairs moved to where a partitioner places their keys.</summary>
internal sealed class ShuffledRdd<TKey, TValue>(string operation, Rdd<(TKey Key, TValue Value)> parent, Partitioner<TKey> partitioner)
    : ShuffleReadingRdd<TKey, (TKey Key, TValue Value)>(
        operation, new PairShuffleDependency<TKey, TValue>(parent, partitioner, tags: 1), partitioner, null)
{
    protected override ChunkReader<(TKey Key, TValue Value)> Read(ShuffleInput input, TaskContext context)
    {
        var segments = new List<InputSegment>();
        for (var reduce = input.ReduceStart; reduce < input.ReduceEnd; reduce++) segments.AddRange(input.Segments(reduce));
        return new SegmentReader<(TKey Key, TValue Value)>(segments);
    }
}

/// <summary>The combined value of each key.</summary>
internal sealed class AggregatedRdd<TKey, TValue, TCombined>(
    string operation,
    Rdd<(TKey Key, TValue Value)> parent,
    Partitioner<TKey> partitioner,
    Aggregator<TValue, TCombined> aggregator,
    bool mapSideCombine,
    Delegate lambda)
    : ShuffleReadingRdd<TKey, (TKey Key, TCombined Value)>(
        operation, new CombinedShuffleDependency<TKey, TValue, TCombined>(parent, partitioner, aggregator, mapSideCombine), partitioner, lambda)
{
    protected override ChunkReader<(TKey Key, TCombined Value)> Read(ShuffleInput input, TaskContext context) =>
        HashAggregation.Combine<TKey, TCombined>(input, Tags, aggregator.MergeCombined, context);
}
