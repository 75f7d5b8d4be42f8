using Dataflow.Shuffle;
using Dataflow.Sorting;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>Rows in key order: by range across partitions, sorted within each.</summary>
internal sealed class SortedRdd<TRow, TKey> : Rdd<TRow>
{
    private readonly SortShuffleDependency<TRow, TKey> _dependency;
    private readonly RangePartitioner<TKey> _partitioner;
    private readonly Func<TRow, TKey> _keyOf;
    private readonly bool _keyed;

    public SortedRdd(string operation, Rdd<TRow> parent, Func<TRow, TKey> keyOf, int partitions, KeyOrder<TKey> order, bool keyed, Delegate? lambda)
        : base(parent.Context, operation, lambda)
    {
        var site = CallSite;
        _keyOf = keyOf;
        _keyed = keyed;
        _partitioner = new RangePartitioner<TKey>(partitions, order, cancellation => parent.Context.RunJobAsync(
            parent, (reader, context) => KeySample<TKey>.Of(reader, keyOf, context), null, site, cancellation));
        _dependency = new SortShuffleDependency<TRow, TKey>(parent, keyOf, _partitioner);
    }

    public override IReadOnlyList<Dependency> Dependencies => [_dependency];

    public override Partitioner? Partitioner => _keyed ? _partitioner : null;

    protected internal override Partition[] GetPartitions()
    {
        var result = new Partition[_partitioner.PartitionCount];
        for (var i = 0; i < result.Length; i++) result[i] = new ShuffleReadPartition(i, i, i + 1);
        return result;
    }

    protected internal override ChunkReader<TRow> Compute(Partition partition, TaskContext context)
    {
        var input = ShuffleInput.Open(_dependency.ShuffleId, (ShuffleReadPartition)partition, context);
        return new SortedReader<TRow, TKey>(Parts(input), _keyOf, _partitioner.Order, context);
    }

    private IEnumerable<IReadOnlyList<InputSegment>> Parts(ShuffleInput input)
    {
        for (var reduce = input.ReduceStart; reduce < input.ReduceEnd; reduce++)
        {
            foreach (var part in HashRanges.Of(input.Segments(reduce), _partitioner.RangesPerPartition, 0)) yield return part;
        }
    }
}

/// <summary>Pairs placed by any partitioner and sorted by key within each partition.</summary>
internal sealed class SortedWithinRdd<TKey, TValue>(
    Rdd<(TKey Key, TValue Value)> parent, Partitioner<TKey> partitioner, KeyOrder<TKey> order, bool mergedInPlace = false)
    : ShuffleReadingRdd<TKey, (TKey Key, TValue Value)>(
        "RepartitionAndSortWithinPartitions", new PairShuffleDependency<TKey, TValue>(parent, partitioner, tags: 1, mergedInPlace), partitioner, null)
{
    protected override ChunkReader<(TKey Key, TValue Value)> Read(ShuffleInput input, TaskContext context) =>
        new SortedReader<(TKey Key, TValue Value), TKey>(
            Enumerable.Range(input.ReduceStart, input.ReduceEnd - input.ReduceStart).Select(input.Segments), static pair => pair.Key, order, context);
}
