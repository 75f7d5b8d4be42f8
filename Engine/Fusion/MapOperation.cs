using Dataflow.Tasks;

namespace Dataflow.Fusion;

/// <summary>One element of each: <c>Map</c>.</summary>
internal sealed class MapOperation<TIn, TOut>(Func<TIn, TOut> selector) : NarrowOperation<TIn, TOut>(selector)
{
    protected override ChunkReader<TOut> Plain(ChunkReader<TIn> source, Rdd rdd, TaskContext context) =>
        new MapReader<TIn, TOut>(source, selector, context);

    public override void Emit(KernelEmitter emitter)
    {
        emitter.LoadLambda();
        emitter.LoadElement();
        emitter.CallLambda();
        emitter.StoreElement(typeof(TOut));
    }
}
