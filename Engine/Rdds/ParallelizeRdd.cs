using Dataflow.Closures;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>Elements of the driver program, cut into slices that travel with their tasks.</summary>
internal sealed class ParallelizeRdd<T> : Rdd<T>
{
    [DriverOnly]
    private readonly SlicePartition<T>[] _slices;

    public ParallelizeRdd(DataflowContext context, ReadOnlyMemory<T> items, int partitions) : base(context, "Parallelize")
    {
        _slices = new SlicePartition<T>[partitions];
        for (var i = 0; i < partitions; i++)
        {
            var start = (int)((long)i * items.Length / partitions);
            var end = (int)((i + 1L) * items.Length / partitions);
            _slices[i] = new SlicePartition<T>(i, items[start..end]);
        }
    }

    public override IReadOnlyList<Dependency> Dependencies => [];

    protected internal override Partition[] GetPartitions() => _slices;

    protected internal override ChunkReader<T> Compute(Partition partition, TaskContext context) =>
        new CheckedReader<T>(ChunkReader<T>.From(((SlicePartition<T>)partition).Slice), context);
}
