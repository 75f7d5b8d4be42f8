using Dataflow.Fusion;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>What every element-by-element verb becomes. Runs of them are computed together, see <see cref="NarrowPipeline"/>.</summary>
/// <param name="parent">What it reads, partition by partition.</param>
/// <param name="verb">The verb that the user wrote.</param>
/// <param name="operation">What it does with each element.</param>
/// <param name="keepsPartitioner">Whether keys stay as they are.</param>
internal sealed class NarrowRdd<TIn, TOut>(Rdd<TIn> parent, string verb, NarrowOperation<TIn, TOut> operation, bool keepsPartitioner = false)
    : Rdd<TOut>(parent.Context, verb, operation.Lambda), INarrowOperator
{
    private readonly Dependency[] _dependencies = [new OneToOneDependency(parent)];

    // Found again wherever the Rdd travels to.
    [NonSerialized]
    private NarrowPipeline? _pipeline;

    public Rdd Parent => parent;

    public NarrowOperation Operation => operation;

    public bool KeepsPartitioner => keepsPartitioner;

    public override IReadOnlyList<Dependency> Dependencies => _dependencies;

    public override Partitioner? Partitioner
    {
        get
        {
            Rdd rdd = this;
            while (rdd is INarrowOperator { KeepsPartitioner: true } step) rdd = step.Parent;
            return rdd is INarrowOperator ? null : rdd.Partitioner;
        }
    }

    protected internal override Partition[] GetPartitions() => parent.PartitionArray;

    // Tasks of a stage come here at once; they may each find the same pipeline, and the last one stays.
    protected internal override ChunkReader<TOut> Compute(Partition partition, TaskContext context) =>
        (_pipeline = NarrowPipeline.EndingWith(this, _pipeline)).Open<TOut>(partition, context);
}
