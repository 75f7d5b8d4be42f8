using Dataflow.Tasks;

namespace Dataflow.Fusion;

/// <summary>The elements for which a lambda gives true: <c>Filter</c>.</summary>
internal sealed class FilterOperation<T>(Func<T, bool> predicate) : NarrowOperation<T, T>(predicate)
{
    protected override ChunkReader<T> Plain(ChunkReader<T> source, Rdd rdd, TaskContext context) =>
        new FilterReader<T>(source, predicate, context);

    public override void Emit(KernelEmitter emitter)
    {
        emitter.LoadLambda();
        emitter.LoadElement();
        emitter.CallLambda();
        emitter.KeepIf();
    }
}
