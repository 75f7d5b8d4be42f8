using System.Runtime.CompilerServices;

namespace Dataflow.Fusion;

/// <summary>One compiled loop over a chunk.</summary>
/// <typeparam name="TIn">Type of the elements it reads.</typeparam>
/// <typeparam name="TResult">Type of what it writes: output elements, or an accumulator.</typeparam>
/// <param name="state">The lambdas' targets, and where to go on.</param>
/// <param name="source">The first element.</param>
/// <param name="count">How many elements there are from <paramref name="source"/> on.</param>
/// <param name="result">Where the first output element goes, or the accumulator.</param>
/// <returns>How many output elements were written.</returns>
internal delegate int ChunkKernel<TIn, TResult>(KernelState state, ref TIn source, int count, ref TResult result);

/// <summary>What a kernel remembers from one call to the next, for one reader.</summary>
/// <remarks>
/// Without expansions nothing but the lambdas. An expansion may stop in the middle of what an element expands to: it then leaves here, for
/// each expansion of the kernel (a level), the array or iterator it was in. A kernel is called again with the rest of the same chunk.
/// Kernels read and write the fields directly.
/// </remarks>
/// <param name="lambdas">What each lambda of the kernel needs for its call: target, delegate or nothing.</param>
/// <param name="levels">The Rdd of each expansion, for errors.</param>
internal sealed class KernelState(object?[] lambdas, Rdd[] levels)
{
    /// <summary>What each lambda needs for its call.</summary>
    public readonly object?[] Lambdas = lambdas;

    /// <summary>How many elements expansions may still take from their sequences before the kernel must stop.</summary>
    public int Budget;

    /// <summary>How many elements of the chunk were used when the kernel stopped.</summary>
    public int Position;

    /// <summary>Whether the kernel stopped before the end of the chunk and of all sequences.</summary>
    public bool Suspended;

    /// <summary>For a reduction: whether there has been an element yet.</summary>
    public bool Any;

    private readonly object?[] _arrays = levels.Length == 0 ? [] : new object?[levels.Length];
    private readonly IDisposable?[] _iterators = levels.Length == 0 ? [] : new IDisposable?[levels.Length];
    private readonly object?[] _carried = levels.Length == 0 ? [] : new object?[levels.Length];
    private readonly int[] _next = levels.Length == 0 ? [] : new int[levels.Length];

    /// <summary>Starts to iterate over what the lambda of a level gave.</summary>
    public IEnumerator<T> Open<T>(IEnumerable<T>? items, int level)
    {
        if (items is null) Expansion.ThrowNull(levels[level]);
        var iterator = Expansion.Open(items, levels[level]);
        _iterators[level] = iterator;
        return iterator;
    }

    /// <summary>Disposes the iterator of a level; forgotten first, so that it is never disposed twice.</summary>
    public void Close(int level)
    {
        var iterator = _iterators[level];
        _iterators[level] = null;
        iterator?.Dispose();
    }

    /// <summary>The iterator a level was in, or null.</summary>
    public IEnumerator<T>? Iterator<T>(int level) => Unsafe.As<IEnumerator<T>?>(_iterators[level]);

    /// <summary>Notes the array a level was in, or null, and where it was.</summary>
    public void PutArray(int level, object? array, int next)
    {
        _arrays[level] = array;
        _next[level] = next;
    }

    /// <summary>The array a level was in, or null. Not kept here any longer, so that it lives no longer than needed.</summary>
    public T[]? TakeArray<T>(int level, out int next)
    {
        var array = Unsafe.As<T[]?>(_arrays[level]);
        _arrays[level] = null;
        next = _next[level];
        return array;
    }

    /// <summary>Notes a value that belongs to the sequence of a level, such as the key of all its values.</summary>
    public void PutCarried<T>(int level, T value) => _carried[level] = value;

    /// <summary>The value noted for a level.</summary>
    public T? TakeCarried<T>(int level)
    {
        var value = _carried[level];
        _carried[level] = null;
        return value is null ? default : (T)value;
    }

    /// <summary>Disposes what is still open, innermost first.</summary>
    public void Close()
    {
        Array.Clear(_arrays);
        Array.Clear(_carried);
        Close(_iterators.Length - 1, this);

        // Every iterator is disposed, also when the disposal of another throws.
        static void Close(int level, KernelState state)
        {
            if (level < 0) return;
            try
            {
                state.Close(level);
            }
            finally
            {
                Close(level - 1, state);
            }
        }
    }
}
