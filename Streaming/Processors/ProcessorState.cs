using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Dataflow.Streaming.Groups;
using Dataflow.Streaming.Processors;
using Dataflow.Streaming.Stored;

namespace Dataflow.Streaming;

/// <summary>One value that is kept of the group that is seen to. What it gives is a copy.</summary>
/// <typeparam name="T">The type of the value.</typeparam>
public sealed class ValueState<T>
{
    private readonly KeptParts<T> _parts;

    internal ValueState(GroupEntries? entries, GroupCell<T> cell, long? life) => _parts = new(entries, cell, life);

    /// <summary>Whether there is a value.</summary>
    public bool Exists => _parts.Find([]) is not null;

    /// <summary>The value; the default of the type if there is none.</summary>
    public T? Value => _parts.Find([]) is { } entry ? _parts.Read(entry) : default;

    /// <summary>The value.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public T Get() => _parts.Find([]) is { } entry ? _parts.Read(entry) : throw new InvalidOperationException("Nothing is kept of this group yet. Ask Exists before Get, or take Value, which is the default of the type then.");

    /// <summary>Keeps a value in the place of the one before.</summary>
    /// <param name="value">Not null.</param>
    public void Update(T value) => _parts.Set([], value);

    /// <summary>Keeps nothing any more.</summary>
    public void Clear() => _parts.Clear();
}

/// <summary>Values that are kept in order of the group that is seen to.</summary>
/// <typeparam name="T">The type of the values.</typeparam>
public sealed class ListState<T>
{
    private readonly KeptParts<T> _parts;

    internal ListState(GroupEntries? entries, GroupCell<T> cell, long? life) => _parts = new(entries, cell, life);

    /// <summary>How many there are.</summary>
    public int Count => _parts.All.Count();

    /// <summary>The values, in the order in which they were added.</summary>
    public IReadOnlyList<T> Values => [.. _parts.All.Select(_parts.Read)];

    /// <summary>Adds a value at the end.</summary>
    /// <param name="value">Not null.</param>
    public void Add(T value)
    {
        var next = _parts.All.LastOrDefault() is { } last ? BinaryPrimitives.ReadInt64BigEndian(last.Part) + 1 : 0;
        var part = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(part, next);
        _parts.Set(part, value);
    }

    /// <summary>Keeps other values in the place of all.</summary>
    /// <param name="values">None of them null.</param>
    public void Set(IEnumerable<T> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        T[] all = [.. values];
        _parts.Clear();
        foreach (var value in all) Add(value);
    }

    /// <summary>Keeps none any more.</summary>
    public void Clear() => _parts.Clear();
}

/// <summary>Values that are kept by key of the group that is seen to.</summary>
/// <typeparam name="TMapKey">The type of the keys.</typeparam>
/// <typeparam name="TValue">The type of the values.</typeparam>
public sealed class MapState<TMapKey, TValue> where TMapKey : notnull
{
    private readonly KeptParts<TValue> _parts;
    private readonly StoredCodec<TMapKey> _keys = StoredCodec<TMapKey>.Default;

    internal MapState(GroupEntries? entries, GroupCell<TValue> cell, long? life) => _parts = new(entries, cell, life);

    /// <summary>How many there are.</summary>
    public int Count => _parts.All.Count();

    /// <summary>Keys and values, in the order in which they were set first or since.</summary>
    public IReadOnlyList<KeyValuePair<TMapKey, TValue>> Items => [.. _parts.All.Select(entry => KeyValuePair.Create(_keys.Decode(entry.Part, []), _parts.Read(entry)))];

    /// <summary>The keys.</summary>
    public IReadOnlyList<TMapKey> Keys => [.. _parts.All.Select(entry => _keys.Decode(entry.Part, []))];

    /// <summary>Whether a key has a value.</summary>
    public bool ContainsKey(TMapKey key) => _parts.Find(_keys.Encode(key)) is not null;

    /// <summary>The value of a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <returns>False if there is none.</returns>
    public bool TryGet(TMapKey key, [MaybeNullWhen(false)] out TValue value)
    {
        var entry = _parts.Find(_keys.Encode(key));
        value = entry is null ? default : _parts.Read(entry);
        return entry is not null;
    }

    /// <summary>Keeps a value in the place of the one that the key has.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">Not null.</param>
    public void Set(TMapKey key, TValue value) => _parts.Set(_keys.Encode(key), value);

    /// <summary>Forgets the value of a key, if there is one.</summary>
    public void Remove(TMapKey key) => _parts.Remove(_keys.Encode(key));

    /// <summary>Keeps none any more.</summary>
    public void Clear() => _parts.Clear();
}
