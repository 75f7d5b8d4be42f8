using Dataflow.Tasks;

namespace Dataflow.Fusion;

/// <summary>What a narrow verb does with each element, apart from any data: the user's lambda and the shape around it.</summary>
/// <remarks>
/// Each operation can be run in two ways that give the same: by a reader of its own (<see cref="OpenPlain"/>), or as a few instructions
/// inside a loop that it shares with its neighbours. The untyped members are how a run of operations of different element types is put
/// together; readers travel through them as <see cref="IDisposable"/>.
/// </remarks>
internal abstract class NarrowOperation
{
    private protected NarrowOperation(Delegate? lambda) => Lambda = lambda;

    /// <summary>The user's lambda, or null where the shape alone says what to do.</summary>
    public Delegate? Lambda { get; }

    /// <summary>For an expansion: the element type of its sequences and, if their elements need more to become elements of the output, the
    /// type of that; otherwise null.</summary>
    public virtual (Type Element, Type? Carried)? Expansion => null;

    /// <summary>Reads the partition of the Rdd that this operation takes its elements from.</summary>
    public abstract IDisposable ReadSource(Rdd source, Partition partition, TaskContext context);

    /// <summary>A reader of the first chunks of a source.</summary>
    /// <param name="source">A reader of the operation's input; not disposed with the result.</param>
    /// <param name="pipeline">What is to be warm at the end.</param>
    /// <param name="context">The running task.</param>
    public abstract IHeadReader OpenHead(IDisposable source, NarrowPipeline pipeline, TaskContext context);

    /// <summary>A reader that runs this operation alone.</summary>
    /// <param name="source">A reader of the operation's input; disposed with the result.</param>
    /// <param name="rdd">The Rdd of the operation, for errors.</param>
    /// <param name="context">The running task.</param>
    public abstract IDisposable OpenPlain(IDisposable source, Rdd rdd, TaskContext context);

    /// <summary>A reader that runs a plan of which this is the first operation.</summary>
    /// <param name="source">A reader of this operation's input; disposed with the result.</param>
    /// <param name="plan">What is fused.</param>
    /// <param name="context">The running task.</param>
    public abstract IDisposable OpenFused(IDisposable source, KernelPlan plan, TaskContext context);

    /// <summary>As <see cref="OpenFused"/>, for the last operation of the plan: the types of both ends are known here.</summary>
    protected internal abstract IDisposable OpenFusedFrom<TFirst>(ChunkReader<TFirst> source, KernelPlan plan, TaskContext context);

    /// <summary>Writes what is done with the element, whose lambda is the emitter's current one.</summary>
    public abstract void Emit(KernelEmitter emitter);
}

/// <inheritdoc/>
/// <typeparam name="TIn">Element type of the input.</typeparam>
/// <typeparam name="TOut">Element type of the output.</typeparam>
internal abstract class NarrowOperation<TIn, TOut>(Delegate? lambda) : NarrowOperation(lambda)
{
    public sealed override IDisposable ReadSource(Rdd source, Partition partition, TaskContext context) =>
        ((Rdd<TIn>)source).Read(partition, context);

    public sealed override IHeadReader OpenHead(IDisposable source, NarrowPipeline pipeline, TaskContext context) =>
        new HeadReader<TIn>((ChunkReader<TIn>)source, pipeline, context);

    public sealed override IDisposable OpenPlain(IDisposable source, Rdd rdd, TaskContext context) =>
        Plain((ChunkReader<TIn>)source, rdd, context);

    public sealed override IDisposable OpenFused(IDisposable source, KernelPlan plan, TaskContext context) =>
        plan.Last.OpenFusedFrom((ChunkReader<TIn>)source, plan, context);

    protected internal sealed override IDisposable OpenFusedFrom<TFirst>(ChunkReader<TFirst> source, KernelPlan plan, TaskContext context) =>
        plan.Expands ? new ExpandingReader<TFirst, TOut>(source, plan, context) : new FusedReader<TFirst, TOut>(source, plan, context);

    protected abstract ChunkReader<TOut> Plain(ChunkReader<TIn> source, Rdd rdd, TaskContext context);
}
