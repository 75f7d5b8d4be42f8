using System.Runtime.CompilerServices;

namespace Dataflow.Fusion;

/// <summary>The memory behind an operator's output chunk, used again for each chunk.</summary>
/// <remarks>References in it are cleared before the next input is asked for, so that it keeps nothing alive that the consumer let go.</remarks>
internal struct OutputBuffer<T>
{
    private T[] _items;
    private int _count;

    public OutputBuffer() => _items = [];

    /// <summary>Forgets the last chunk.</summary>
    public void Clear()
    {
        if (RuntimeHelpers.IsReferenceOrContainsReferences<T>() && _count > 0) Array.Clear(_items, 0, _count);
        _count = 0;
    }

    /// <summary>Room for a chunk of at most <paramref name="length"/> elements.</summary>
    public T[] Take(int length)
    {
        if (_items.Length < length) _items = new T[length];
        return _items;
    }

    /// <summary>The first <paramref name="count"/> elements as a chunk.</summary>
    public ReadOnlySpan<T> Lend(int count)
    {
        _count = count;
        return _items.AsSpan(0, count);
    }

    /// <summary>Lets go of the memory.</summary>
    public void Free()
    {
        _items = [];
        _count = 0;
    }
}
