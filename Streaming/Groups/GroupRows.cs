using System.Collections;

namespace Dataflow.Streaming.Groups;

/// <summary>The rows of a group, as a function is given them: once, as they are read.</summary>
internal sealed class GroupRows<TKey, TRow>(GroupCursor<TKey, TRow> cursor) : IEnumerable<TRow>, IEnumerator<TRow>
{
    private readonly long _group = cursor.Groups;
    private bool _isAsked;

    public TRow Current { get; private set; } = default!;

    object? IEnumerator.Current => Current;

    public IEnumerator<TRow> GetEnumerator()
    {
        if (_isAsked) throw new InvalidOperationException("The rows of a group can be gone through once: they are read as they are asked for. Take ToList() of them where they are needed again.");
        _isAsked = true;
        return this;
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public bool MoveNext()
    {
        if (_group != cursor.Groups) throw new InvalidOperationException("The rows of a group can be gone through within the call that they are given to.");
        if (!cursor.TryRow(out var row)) return false;
        Current = row;
        return true;
    }

    public void Reset() => throw new NotSupportedException("The rows of a group can be gone through once.");

    public void Dispose() { }
}
