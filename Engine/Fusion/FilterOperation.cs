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

/// <summary>Runs one filter by itself.</summary>
internal sealed class FilterReader<T>(ChunkReader<T> source, Func<T, bool> predicate, TaskContext context) : ChunkReader<T>
{
    private OutputBuffer<T> _buffer = new();

    public override bool TryRead(out ReadOnlySpan<T> chunk)
    {
        _buffer.Clear();
        while (true)
        {
            context.ThrowIfCancelled();
            if (!source.TryRead(out var input))
            {
                _buffer.Free();
                chunk = default;
                return false;
            }

            var output = _buffer.Take(input.Length);
            var count = 0;
            foreach (var item in input)
            {
                if (predicate(item)) output[count++] = item;
            }
            if (count == 0) continue;
            chunk = _buffer.Lend(count);
            return true;
        }
    }

    protected override void Dispose(bool disposing)
    {
        _buffer.Free();
        source.Dispose();
    }
}
