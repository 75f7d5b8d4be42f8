using Dataflow.Tasks;

namespace Dataflow;

/// <summary>No partitions and no elements.</summary>
internal sealed class EmptyRdd<T>(DataflowContext context) : Rdd<T>(context, "Empty")
{
    public override IReadOnlyList<Dependency> Dependencies => [];

    protected internal override Partition[] GetPartitions() => [];

    protected internal override ChunkReader<T> Compute(Partition partition, TaskContext context) => ChunkReader<T>.Empty;
}
