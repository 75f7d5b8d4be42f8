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

/// <summary>Runs one map by itself.</summary>
internal sealed class MapReader<TIn, TOut>(ChunkReader<TIn> source, Func<TIn, TOut> selector, TaskContext context) : ChunkReader<TOut>
{
    private OutputBuffer<TOut> _buffer = new();

    public override bool TryRead(out ReadOnlySpan<TOut> chunk)
    {
        _buffer.Clear();
        context.ThrowIfCancelled();
        if (!source.TryRead(out var input))
        {
            _buffer.Free();
            chunk = default;
            return false;
        }

        var output = _buffer.Take(input.Length).AsSpan(0, input.Length);
        for (var i = 0; i < output.Length; i++) output[i] = selector(input[i]);
        chunk = _buffer.Lend(input.Length);
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        _buffer.Free();
        source.Dispose();
    }
}
