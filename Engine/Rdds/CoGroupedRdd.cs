using Dataflow.Shuffle;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>Pairs of two inputs brought together by key. An input that is placed already is read where it is.</summary>
internal sealed class CoGroupedRdd<TKey, TLeft, TRight, TRow> : Rdd<TRow>
{
    private readonly PairInput<TKey, TLeft> _left;
    private readonly PairInput<TKey, TRight>? _right;
    private readonly Partitioner<TKey> _partitioner;
    private readonly Func<IReadOnlyList<InputSegment>[], IReadOnlyList<InputSegment>[], TaskContext, ChunkReader<TRow>> _read;
    private readonly Dependency[] _dependencies;

    public CoGroupedRdd(
        string operation,
        Rdd<(TKey Key, TLeft Value)> left,
        Rdd<(TKey Key, TRight Value)>? right,
        Partitioner<TKey> partitioner,
        Func<IReadOnlyList<InputSegment>[], IReadOnlyList<InputSegment>[], TaskContext, ChunkReader<TRow>> read,
        Delegate? lambda = null) : base(left.Context, operation, lambda)
    {
        ArgumentNullException.ThrowIfNull(partitioner);
        Placement.CheckKey<TKey>();
        _partitioner = partitioner;
        _read = read;
        _left = new PairInput<TKey, TLeft>(left, partitioner);
        if (right is not null)
        {
            left.Own(right);
            _right = new PairInput<TKey, TRight>(right, partitioner);
        }
        _dependencies = _right is null ? [_left.Dependency] : [_left.Dependency, _right.Dependency];
    }

    public override IReadOnlyList<Dependency> Dependencies => _dependencies;

    public override Partitioner? Partitioner => _partitioner;

    protected internal override Partition[] GetPartitions()
    {
        var result = new Partition[_partitioner.PartitionCount];
        for (var i = 0; i < result.Length; i++)
            result[i] = new CompositePartition(i, _right is null ? [_left.PartitionOf(i)] : [_left.PartitionOf(i), _right.PartitionOf(i)]);
        return result;
    }

    protected internal override ChunkReader<TRow> Compute(Partition partition, TaskContext context)
    {
        var parents = ((CompositePartition)partition).Parents;
        var left = _left.Ranges(parents[0]!, context);
        var right = _right is null ? [.. left.Select(_ => (IReadOnlyList<InputSegment>)[])] : _right.Ranges(parents[1]!, context);
        return _read(left, right, context);
    }
}
