using Dataflow.Tasks;

namespace Dataflow;

/// <summary>Turns the reader of each partition into another: what every narrow verb that is not element by element becomes.</summary>
internal sealed class MapPartitionsRdd<TIn, TOut>(
    Rdd<TIn> parent,
    string operation,
    Func<Partition, ChunkReader<TIn>, TaskContext, ChunkReader<TOut>> transform,
    bool keepsPartitioner = false,
    Delegate? lambda = null,
    Func<Determinacy, Determinacy>? determinacy = null) : Rdd<TOut>(parent.Context, operation, lambda)
{
    private readonly OneToOneDependency _dependency = new(parent);

    public override IReadOnlyList<Dependency> Dependencies => [_dependency];

    public override Partitioner? Partitioner { get; } = keepsPartitioner ? parent.Partitioner : null;

    protected internal override Partition[] GetPartitions() => parent.PartitionArray;

    protected internal override Determinacy GetDeterminacy(Determinacy parents) => determinacy?.Invoke(parents) ?? parents;

    protected internal override ChunkReader<TOut> Compute(Partition partition, TaskContext context)
    {
        var reader = parent.Read(partition, context);
        try
        {
            return transform(partition, reader, context);
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }
}
