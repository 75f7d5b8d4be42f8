using Dataflow.Tasks;

namespace Dataflow.Fusion;

/// <summary>Zero or more elements of each: <c>FlatMap</c>.</summary>
internal sealed class FlatMapOperation<TIn, TOut>(Func<TIn, IEnumerable<TOut>> selector) : NarrowOperation<TIn, TOut>(selector)
{
    public override (Type Element, Type? Carried)? Expansion => (typeof(TOut), null);

    protected override ChunkReader<TOut> Plain(ChunkReader<TIn> source, Rdd rdd, TaskContext context) =>
        new FlatMapReader<TIn, TOut>(source, selector, rdd, context);

    public override void Emit(KernelEmitter emitter)
    {
        emitter.LoadLambda();
        emitter.LoadElement();
        emitter.CallLambda();
        emitter.Expand(typeof(TOut));
    }
}
