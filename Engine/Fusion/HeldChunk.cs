using System.Runtime.CompilerServices;

namespace Dataflow.Fusion;

/// <summary>What is left of an input chunk when an operator's output was full before the input was used up.</summary>
/// <remarks>A copy, since a span can't be kept from one call to the next. The source is not asked for more before it is used up, so what
/// the elements lend stays valid.</remarks>
internal sealed class HeldChunk<T>
{
    private T[] _items = [];
    private int _start;
    private int _end;

    public bool Any => _start < _end;

    public ReadOnlySpan<T> Rest => _items.AsSpan(_start, _end - _start);

    /// <summary>Keeps a copy of what is left.</summary>
    public void Hold(ReadOnlySpan<T> rest)
    {
        if (_items.Length < rest.Length) _items = new T[rest.Length];
        rest.CopyTo(_items);
        _start = 0;
        _end = rest.Length;
    }

    /// <summary>Forgets the elements that have been used.</summary>
    public void Skip(int count)
    {
        if (RuntimeHelpers.IsReferenceOrContainsReferences<T>()) Array.Clear(_items, _start, count);
        _start += count;
    }

    public void Free()
    {
        _items = [];
        _start = _end = 0;
    }
}
