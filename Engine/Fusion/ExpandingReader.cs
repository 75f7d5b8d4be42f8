using System.Runtime.InteropServices;
using Dataflow.Tasks;

namespace Dataflow.Fusion;

/// <summary>Runs a kernel with expansions, which may stop in the middle of an input chunk and even of one element, and go on there.</summary>
/// <remarks>
/// A kernel stops when its expansions have taken as many elements as there is room for in the output. If later filters dropped most of
/// them, it is called again until the chunk is at least half full; elements of two input chunks never share an output chunk.
/// </remarks>
internal sealed class ExpandingReader<TIn, TOut>(ChunkReader<TIn> source, KernelPlan plan, TaskContext context) : KernelReader<TOut>
{
    // How much a kernel that has no output to fill takes from its sequences between two checks for cancellation, in elements.
    private const int DrainBudget = 4096;

    private readonly HeldChunk<TIn> _held = new();
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
        var output = _buffer.Take(Expansion.ChunkLength<TOut>());
        var count = 0;
        while (true)
        {
            _state!.Budget = output.Length - count;
            if (!Step(_kernel, _state, ref output[count], out var written))
            {
                _buffer.Free();
                chunk = default;
                return false;
            }

            count += written;
            if (count == 0 || (_state.Suspended && count < output.Length / 2)) continue;
            chunk = _buffer.Lend(count);
            return true;
        }
    }

    public override void Drain<TResult>(KernelSink<TOut, TResult> sink, ref TResult result, ref bool any)
    {
        (var kernel, _state) = plan.End<TIn, TResult>(sink);
        _state.Any = any;
        do
        {
            _state.Budget = DrainBudget;
        }
        while (Step(kernel, _state, ref result, out _));
        any = _state.Any;
    }

    protected override void Dispose(bool disposing)
    {
        _buffer.Free();
        _held.Free();
        try
        {
            _state?.Close();
        }
        finally
        {
            source.Dispose();
        }
    }

    // Calls the kernel once, with what is left of a chunk or else with the next one. False at the end.
    private bool Step<TResult>(ChunkKernel<TIn, TResult> kernel, KernelState state, ref TResult result, out int written)
    {
        context.ThrowIfCancelled();
        written = 0;
        if (state.Suspended)
        {
            state.Suspended = false;
            var rest = _held.Rest;
            written = kernel(state, ref MemoryMarshal.GetReference(rest), rest.Length, ref result);
            _held.Skip(state.Suspended ? state.Position : rest.Length);
            return true;
        }

        if (!source.TryRead(out var input)) return false;
        written = kernel(state, ref MemoryMarshal.GetReference(input), input.Length, ref result);
        if (state.Suspended) _held.Hold(input[state.Position..]);
        return true;
    }
}
