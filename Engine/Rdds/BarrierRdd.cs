using Dataflow.Tasks;

namespace Dataflow;

/// <summary>Turns the iterator of each partition into another, in tasks that start together and may wait for each other.</summary>
internal sealed class BarrierRdd<TIn, TOut>(
    Rdd<TIn> parent, string operation, Func<BarrierTaskContext, IEnumerable<TIn>, IEnumerable<TOut>> transform, bool keepsPartitioner, Delegate lambda)
    : Rdd<TOut>(parent.Context, operation, lambda)
{
    private readonly OneToOneDependency _dependency = new(parent);

    public override IReadOnlyList<Dependency> Dependencies => [_dependency];

    public override Partitioner? Partitioner { get; } = keepsPartitioner ? parent.Partitioner : null;

    internal override bool IsBarrier => true;

    protected internal override Partition[] GetPartitions() => parent.PartitionArray;

    protected internal override ChunkReader<TOut> Compute(Partition partition, TaskContext context)
    {
        var barrier = context.Barrier ?? throw new InvalidOperationException(
            $"{CallSite} was computed by a task of an ordinary stage. This is a mistake in Dataflow: please report it with this text.");
        var reader = parent.Read(partition, context);
        try
        {
            return ChunkReader<TOut>.From(Rdd<TOut>.NotNull(transform(barrier, reader.AsEnumerable()), CallSite.Operation), reader);
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }
}
