using System.Runtime.InteropServices;
using Dataflow.Tasks;

namespace Dataflow.Fusion;

/// <summary>A reader whose elements come out of a loop that may as well end in something other than an output chunk.</summary>
internal abstract class KernelReader<TOut> : ChunkReader<TOut>
{
    /// <summary>Whether chunks have been read: then it is too late for another end.</summary>
    public bool Begun { get; protected set; }

    /// <summary>Runs the whole partition into a sink, in place of reading it.</summary>
    /// <typeparam name="TResult">The sink's accumulator.</typeparam>
    /// <param name="sink">What is done with the elements.</param>
    /// <param name="result">The accumulator.</param>
    /// <param name="any">Whether a reduction has had an element yet.</param>
    public abstract void Drain<TResult>(KernelSink<TOut, TResult> sink, ref TResult result, ref bool any);
}

/// <summary>Runs a kernel without expansions: at most one output element for each of the input, so each input chunk gives one chunk.</summary>
internal sealed class FusedReader<TIn, TOut>(ChunkReader<TIn> source, KernelPlan plan, TaskContext context) : KernelReader<TOut>
{
    private OutputBuffer<TOut> _buffer = new();
    private ChunkKernel<TIn, TOut>? _kernel;
    private KernelState? _state;

    public override bool TryRead(out ReadOnlySpan<TOut> chunk)
    {
        if (_kernel is null)
        {
            Begun = true;
            (_kernel, _state) = plan.Store<TIn, TOut>();
        }

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
            var count = _kernel(_state!, ref MemoryMarshal.GetReference(input), input.Length, ref MemoryMarshal.GetArrayDataReference(output));
            if (count == 0) continue;
            chunk = _buffer.Lend(count);
            return true;
        }
    }

    public override void Drain<TResult>(KernelSink<TOut, TResult> sink, ref TResult result, ref bool any)
    {
        var (kernel, state) = plan.End<TIn, TResult>(sink);
        state.Any = any;
        while (true)
        {
            context.ThrowIfCancelled();
            if (!source.TryRead(out var input)) break;
            kernel(state, ref MemoryMarshal.GetReference(input), input.Length, ref result);
        }
        any = state.Any;
    }

    protected override void Dispose(bool disposing)
    {
        _buffer.Free();
        source.Dispose();
    }
}
