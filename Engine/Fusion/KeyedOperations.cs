using System.Reflection.Emit;
using Dataflow.Tasks;

namespace Dataflow.Fusion;

/// <summary>Pairs each element with its key: <c>KeyBy</c>. The same as a map whose lambda calls the user's, but without that second call.</summary>
internal sealed class KeyByOperation<T, TKey>(Func<T, TKey> by) : NarrowOperation<T, (TKey Key, T Value)>(by)
{
    protected override ChunkReader<(TKey Key, T Value)> Plain(ChunkReader<T> source, Rdd rdd, TaskContext context) =>
        new MapReader<T, (TKey Key, T Value)>(source, item => (by(item), item), context);

    public override void Emit(KernelEmitter emitter)
    {
        emitter.LoadLambda();
        emitter.LoadElement();
        emitter.CallLambda();
        emitter.LoadElement();
        emitter.StorePair(typeof(TKey), typeof(T));
    }
}

/// <summary>Makes one value of each and leaves keys as they are: <c>MapValues</c>.</summary>
internal sealed class MapValuesOperation<TKey, TValue, TOut>(Func<TValue, TOut> selector)
    : NarrowOperation<(TKey Key, TValue Value), (TKey Key, TOut Value)>(selector)
{
    protected override ChunkReader<(TKey Key, TOut Value)> Plain(ChunkReader<(TKey Key, TValue Value)> source, Rdd rdd, TaskContext context) =>
        new MapReader<(TKey Key, TValue Value), (TKey Key, TOut Value)>(source, pair => (pair.Key, selector(pair.Value)), context);

    public override void Emit(KernelEmitter emitter)
    {
        emitter.LoadElement("Item1");
        emitter.LoadLambda();
        emitter.LoadElement("Item2");
        emitter.CallLambda();
        emitter.StorePair(typeof(TKey), typeof(TOut));
    }
}

/// <summary>Makes zero or more values of each and gives each the key of the one it came from: <c>FlatMapValues</c>.</summary>
internal sealed class FlatMapValuesOperation<TKey, TValue, TOut>(Func<TValue, IEnumerable<TOut>> selector)
    : NarrowOperation<(TKey Key, TValue Value), (TKey Key, TOut Value)>(selector)
{
    public override (Type Element, Type? Carried)? Expansion => (typeof(TOut), typeof(TKey));

    protected override ChunkReader<(TKey Key, TOut Value)> Plain(ChunkReader<(TKey Key, TValue Value)> source, Rdd rdd, TaskContext context) =>
        new FlatMapReader<(TKey Key, TValue Value), (TKey Key, TOut Value)>(
            source, pair => selector(pair.Value) is { } values ? Pairs(pair.Key, values) : null!, rdd, context);

    public override void Emit(KernelEmitter emitter)
    {
        emitter.LoadLambda();
        emitter.LoadElement("Item2");
        emitter.CallLambda();
        var key = emitter.Expand(typeof(TOut), carried: "Item1");
        emitter.Il.Emit(OpCodes.Ldloc, key!);
        emitter.LoadElement();
        emitter.StorePair(typeof(TKey), typeof(TOut));
    }

    private static IEnumerable<(TKey Key, TOut Value)> Pairs(TKey key, IEnumerable<TOut> values)
    {
        foreach (var value in values) yield return (key, value);
    }
}
