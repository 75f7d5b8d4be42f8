using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Dataflow.Errors;
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

/// <summary>Runs one expansion by itself. An element may expand without bound: it is resumed where the last chunk ended.</summary>
internal sealed class FlatMapReader<TIn, TOut>(
    ChunkReader<TIn> source, Func<TIn, IEnumerable<TOut>> selector, Rdd rdd, TaskContext context) : ChunkReader<TOut>
{
    private readonly HeldChunk<TIn> _held = new();
    private OutputBuffer<TOut> _buffer = new();
    private IEnumerator<TOut>? _iterator;
    private TOut[]? _array;
    private int _next;

    public override bool TryRead(out ReadOnlySpan<TOut> chunk)
    {
        _buffer.Clear();
        while (true)
        {
            context.ThrowIfCancelled();
            var output = _buffer.Take(Expansion.ChunkLength<TOut>());
            int count;
            if (_array is not null || _iterator is not null || _held.Any)
            {
                count = Fill(output, _held.Rest, out var consumed);
                _held.Skip(consumed);
            }
            else if (source.TryRead(out var input))
            {
                count = Fill(output, input, out var consumed);
                _held.Hold(input[consumed..]);
            }
            else
            {
                _buffer.Free();
                chunk = default;
                return false;
            }

            if (count == 0) continue;
            chunk = _buffer.Lend(count);
            return true;
        }
    }

    protected override void Dispose(bool disposing)
    {
        _buffer.Free();
        _held.Free();
        _array = null;
        try
        {
            EndIterator();
        }
        finally
        {
            source.Dispose();
        }
    }

    // Ends when the output is full or the input is used up, whichever is first.
    private int Fill(TOut[] output, ReadOnlySpan<TIn> input, out int consumed)
    {
        var count = 0;
        consumed = 0;
        while (true)
        {
            if (_array is { } array)
            {
                // Not AsSpan: an array of a derived type is welcome.
                var some = new ReadOnlySpan<TOut>(array, _next, Math.Min(array.Length - _next, output.Length - count));
                some.CopyTo(output.AsSpan(count));
                count += some.Length;
                _next += some.Length;
                if (_next < array.Length) return count;
                _array = null;
            }
            else if (_iterator is { } iterator)
            {
                while (true)
                {
                    if (count == output.Length) return count;
                    if (!iterator.MoveNext()) break;
                    output[count++] = iterator.Current;
                }
                EndIterator();
            }

            if (consumed == input.Length) return count;
            Begin(selector(input[consumed++]));
        }
    }

    private void Begin(IEnumerable<TOut>? items)
    {
        if (items is null) Expansion.ThrowNull(rdd);
        if (items is TOut[] array)
        {
            _array = array;
            _next = 0;
        }
        else
        {
            _iterator = Expansion.Open(items, rdd);
        }
    }

    // Forgotten first: it must not be disposed a second time when disposing throws.
    private void EndIterator()
    {
        var iterator = _iterator;
        _iterator = null;
        iterator?.Dispose();
    }
}

/// <summary>What plain and fused expansions have in common.</summary>
internal static class Expansion
{
    private const int MostBytes = 64 << 10;

    /// <summary>Length of an output chunk of an expansion: the usual one, or fewer elements where they are large.</summary>
    public static int ChunkLength<T>() => Math.Clamp(MostBytes / Unsafe.SizeOf<T>(), 16, ChunkReader<T>.DefaultLength);

    /// <summary>Starts to iterate over what a lambda gave.</summary>
    public static IEnumerator<T> Open<T>(IEnumerable<T> items, Rdd rdd) =>
        items.GetEnumerator() ?? throw new VerbException($"GetEnumerator of what the lambda of {rdd} returned gave null.");

    /// <summary>A lambda gave null where it must give a sequence.</summary>
    [DoesNotReturn]
    public static void ThrowNull(Rdd rdd) => throw new VerbException(
        $"The lambda of {rdd} returned null in place of a sequence. Return an empty array where an element has nothing to give.");
}
