using System.Runtime.CompilerServices;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>
/// An immutable, lazy, partitioned dataset. Verbs that give an Rdd (transformations) only write down what to do; verbs that give a
/// value (actions) run it as a job.
/// </summary>
/// <remarks>Not an <see cref="IEnumerable{T}"/> on purpose: a stray <c>foreach</c> must not pull a cluster's data into one process.
/// <c>Collect</c>, <c>Take</c> and <c>ToEnumerable</c> say it out loud.</remarks>
/// <typeparam name="T">The element type.</typeparam>
public abstract partial class Rdd<T> : Rdd
{
    /// <summary>Makes an Rdd of a context.</summary>
    /// <param name="context">The context.</param>
    /// <param name="operation">The verb that the user wrote, for call sites.</param>
    /// <param name="lambda">The user's lambda, if the verb takes one: it places the verb exactly within a chain of calls.</param>
    protected Rdd(DataflowContext context, string operation, Delegate? lambda = null) : base(context, operation, lambda) { }

    /// <inheritdoc/>
    public sealed override Type ElementType => typeof(T);

    /// <summary>Computes one partition. Runs on an executor; called by <see cref="Read"/>.</summary>
    /// <param name="partition">One of this Rdd's partitions.</param>
    /// <param name="context">The running task.</param>
    /// <returns>A reader that the caller disposes.</returns>
    protected internal abstract ChunkReader<T> Compute(Partition partition, TaskContext context);

    /// <summary>Reads one partition: from where it is kept, or else by computing it (and keeping it, if asked to).</summary>
    /// <param name="partition">One of this Rdd's partitions.</param>
    /// <param name="context">The running task.</param>
    /// <returns>A reader that the caller disposes.</returns>
    public ChunkReader<T> Read(Partition partition, TaskContext context)
    {
        context.ThrowIfCancelled();
        RuntimeHelpers.EnsureSufficientExecutionStack();
        return IsKept
            ? context.Services.Blocks.GetOrCompute(
                new RddBlockId(Id, partition.Index), StorageLevel, () => ComputeOrRestore(partition, context), context)
            : ComputeOrRestore(partition, context);
    }
}
