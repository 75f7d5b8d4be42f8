using System.Collections;
using System.Runtime.CompilerServices;

namespace Dataflow.Sql;

/// <summary>An immutable list that is equal to another with equal elements: what plans and types are made of.</summary>
/// <typeparam name="T">The element type.</typeparam>
[CollectionBuilder(typeof(ValueList), nameof(ValueList.Create))]
public sealed class ValueList<T> : IReadOnlyList<T>, IEquatable<ValueList<T>>
{
    private readonly T[] _items;

    /// <summary>A list of the elements, which are copied.</summary>
    public ValueList(IEnumerable<T> items) => _items = [.. items];

    internal ValueList(T[] items, bool owned) => _items = owned ? items : [.. items];

    /// <summary>The list without elements.</summary>
    public static ValueList<T> Empty { get; } = new([], owned: true);

    /// <inheritdoc/>
    public int Count => _items.Length;

    /// <inheritdoc/>
    public T this[int index] => _items[index];

    /// <summary>The elements.</summary>
    public ReadOnlySpan<T> Span => _items;

    /// <summary>The position of an element, or -1.</summary>
    public int IndexOf(T item) => Array.IndexOf(_items, item);

    /// <summary>A list with one element more.</summary>
    public ValueList<T> Add(T item) => new([.. _items, item], owned: true);

    /// <summary>The list of what a function makes of each element.</summary>
    public ValueList<TResult> ConvertAll<TResult>(Func<T, TResult> convert) => new(Array.ConvertAll(_items, item => convert(item)), owned: true);

    /// <inheritdoc/>
    public bool Equals(ValueList<T>? other) => other is not null && _items.AsSpan().SequenceEqual(other._items);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ValueList<T>);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var item in _items) hash.Add(item);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)_items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The elements, comma between.</summary>
    public override string ToString() => string.Join(", ", _items);
}

/// <summary>Makes <see cref="ValueList{T}"/>s.</summary>
public static class ValueList
{
    /// <summary>A list of some elements.</summary>
    public static ValueList<T> Create<T>(ReadOnlySpan<T> items) => items.Length == 0 ? ValueList<T>.Empty : new ValueList<T>(items.ToArray(), owned: true);
}
