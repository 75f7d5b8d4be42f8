using Dataflow.Closures;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>Only some of the parent's partitions.</summary>
internal sealed class PrunedRdd<T> : Rdd<T>
{
    private readonly Rdd<T> _parent;
    [DriverOnly]
    private readonly Func<int, bool> _keep;
    private readonly ManyToOneDependency _dependency;

    public PrunedRdd(string operation, Rdd<T> parent, Func<int, bool> keep) : base(parent.Context, operation)
    {
        _parent = parent;
        _keep = keep;
        _dependency = new ManyToOneDependency(parent, i => [((CompositePartition)PartitionArray[i]).Parents[0]!.Index]);
    }

    public override IReadOnlyList<Dependency> Dependencies => [_dependency];

    protected internal override Partition[] GetPartitions() =>
        [.. _parent.PartitionArray.Where(partition => _keep(partition.Index)).Select((partition, i) => new CompositePartition(i, [partition]))];

    protected internal override ChunkReader<T> Compute(Partition partition, TaskContext context) =>
        _parent.Read(((CompositePartition)partition).Parents[0]!, context);
}
