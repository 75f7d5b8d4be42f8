using Dataflow.Tasks;

namespace Dataflow;

/// <summary>Reads partition i of several Rdds side by side; all must have as many partitions.</summary>
internal sealed class ZippedRdd<T>(
    string operation,
    Rdd[] inputs,
    Func<CompositePartition, TaskContext, ChunkReader<T>> read,
    bool keepsPartitioner = false,
    Delegate? lambda = null) : Rdd<T>(inputs[0].Context, operation, lambda)
{
    private readonly Dependency[] _dependencies = [.. inputs.Select(input => new OneToOneDependency(input))];

    public override IReadOnlyList<Dependency> Dependencies => _dependencies;

    // Known from the start, and asked for at each link of a long chain.
    public override Partitioner? Partitioner { get; } = keepsPartitioner
        ? inputs.Select(input => input.Partitioner).FirstOrDefault(partitioner => partitioner is not null)
        : null;

    protected internal override Partition[] GetPartitions()
    {
        var count = inputs[0].PartitionCount;
        foreach (var input in inputs)
        {
            if (input.PartitionCount != count)
            {
                throw new InvalidOperationException(
                    $"{CallSite} needs Rdds with equally many partitions, but {inputs[0]} has {count} and {input} has {input.PartitionCount}. "
                    + "Repartition one of them first.");
            }
        }
        var result = new Partition[count];
        for (var i = 0; i < count; i++) result[i] = new CompositePartition(i, [.. inputs.Select(input => (Partition?)input.PartitionArray[i])]);
        return result;
    }

    protected internal override ChunkReader<T> Compute(Partition partition, TaskContext context) =>
        read((CompositePartition)partition, context);
}
