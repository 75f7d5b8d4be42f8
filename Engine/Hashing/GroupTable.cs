using System.Runtime.CompilerServices;

namespace Dataflow.Hashing;

/// <summary>
/// Gathers the values of each key: fed by chunks of pairs, then completed, then looked up. Groups come in the order in which their keys
/// first came, values of a group in the order in which they came.
/// </summary>
/// <remarks>For one thread at a time. After <see cref="Complete"/> the values of a group lie side by side.</remarks>
internal sealed class GroupTable<TKey, TValue> : IDisposable
{
    private readonly KeyIndex<TKey> _index = KeyIndex<TKey>.Create();
    private TValue[] _values = [];
    private int[] _groups = [];
    private int _count;
    private int[] _starts = [];

    /// <summary>How many keys there are.</summary>
    public int Count => _index.Count;

    /// <summary>Adds the values of a chunk to the groups of their keys.</summary>
    public void Add(ReadOnlySpan<(TKey Key, TValue Value)> chunk)
    {
        Reserve(_count + chunk.Length);
        Span<uint> hashes = stackalloc uint[KeyIndex<TKey>.Batch];
        while (chunk.Length > 0)
        {
            var batch = chunk[..Math.Min(hashes.Length, chunk.Length)];
            StableHash<TKey>.OfMany(in batch[0].Key, Unsafe.SizeOf<(TKey, TValue)>(), hashes[..batch.Length]);
            _index.FindOrAdd(
                in batch[0].Key, Unsafe.SizeOf<(TKey, TValue)>(), hashes[..batch.Length], _groups.AsSpan(_count, batch.Length), int.MaxValue);
            for (var i = 0; i < batch.Length; i++) _values[_count + i] = batch[i].Value;
            _count += batch.Length;
            chunk = chunk[batch.Length..];
        }
    }

    /// <summary>Lays the values of each group side by side. No value may follow.</summary>
    public void Complete()
    {
        // A counting sort by group: stable, one pass to count and one to move.
        _starts = new int[Count + 1];
        for (var i = 0; i < _count; i++) _starts[_groups[i] + 1]++;
        for (var group = 0; group < Count; group++) _starts[group + 1] += _starts[group];
        if (Count == _count) return;

        var sorted = new TValue[_count];
        var next = _starts.AsSpan(0, Count).ToArray();
        for (var i = 0; i < _count; i++) sorted[next[_groups[i]]++] = _values[i];
        _values = sorted;
        _groups = [];
    }

    /// <summary>The key of a group.</summary>
    public TKey KeyOf(int group) => _index.Keys[group];

    /// <summary>The values of a group.</summary>
    public ReadOnlySpan<TValue> ValuesOf(int group)
    {
        var start = _starts[group];
        return _values.AsSpan(start, _starts[group + 1] - start);
    }

    /// <summary>The group of a key, or -1.</summary>
    public int Find(TKey key)
    {
        Span<int> group = stackalloc int[1];
        _index.Find(in key, 0, [StableHash<TKey>.Of(key)], group);
        return group[0];
    }

    /// <summary>The groups of many keys, -1 for those that are not there.</summary>
    public void FindMany(ReadOnlySpan<TKey> keys, Span<int> groups)
    {
        Span<uint> hashes = stackalloc uint[KeyIndex<TKey>.Batch];
        for (var start = 0; start < keys.Length; start += hashes.Length)
        {
            var batch = keys[start..Math.Min(keys.Length, start + hashes.Length)];
            StableHash<TKey>.OfMany(batch, hashes);
            _index.Find(in batch[0], Unsafe.SizeOf<TKey>(), hashes[..batch.Length], groups.Slice(start, batch.Length));
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Dispose()
    {
        _index.Clear();
        _values = [];
        _groups = [];
        _count = 0;
    }

    private void Reserve(int count)
    {
        if (count <= _values.Length) return;
        var length = Math.Max(count, Math.Max(1024, _values.Length * 2));
        Array.Resize(ref _values, length);
        Array.Resize(ref _groups, length);
    }
}
