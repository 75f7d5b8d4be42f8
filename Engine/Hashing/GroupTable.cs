using System.Runtime.CompilerServices;

namespace Dataflow.Hashing;

/// <summary>
/// All values of each key: the built side of a join, or one input of a cogroup. Groups are numbered in the order in which their keys first
/// came; the values of a group lie next to each other, in the order in which they came.
/// </summary>
/// <remarks>
/// Filled by <see cref="Add"/>, then turned once by <see cref="Complete"/>, which sorts the values by group if need be (one pass to count, one
/// to place; nothing to do when no key came twice). Then looked up. For one thread at a time.
/// </remarks>
/// <param name="capacity">How many values are expected; more or fewer may come.</param>
internal sealed class GroupTable<TKey, TValue>(int capacity = 0) : IDisposable
{
    private const int Batch = KeyIndex<TKey>.Batch;

    // How many values ahead of the one that is placed the counter of a group is fetched.
    private const int Ahead = 32;

    private KeyIndex<TKey> _index = KeyIndex<TKey>.Create();
    private TValue[] _values = new TValue[capacity];
    private int[] _groups = new int[capacity];
    private int[]? _starts;
    private int _count;
    private bool _complete;

    /// <summary>How many groups there are.</summary>
    public int Count => _index.Count;

    /// <summary>How many values there are in all.</summary>
    public int ValueCount => _count;

    /// <summary>The keys of the groups.</summary>
    public ReadOnlySpan<TKey> Keys => _index.Keys;

    /// <summary>Bytes of the table's own arrays; objects that keys and values refer to come on top.</summary>
    public long EstimatedBytes =>
        _index.ArrayBytes + (long)_values.Length * Unsafe.SizeOf<TValue>() + (_groups.Length + (_starts?.Length ?? 0)) * 4L;

    /// <summary>Takes a chunk of pairs.</summary>
    public void Add(ReadOnlySpan<(TKey Key, TValue Value)> rows)
    {
        if (_complete)
            throw new InvalidOperationException("A group table takes no more values once it is complete.");
        Reserve(_count + rows.Length);
        Span<uint> hashes = stackalloc uint[Batch];
        for (var done = 0; done < rows.Length; done += Batch)
        {
            var batch = rows.Slice(done, Math.Min(Batch, rows.Length - done));
            _index.FindOrAdd(batch, hashes[..batch.Length], _groups.AsSpan(_count, batch.Length), int.MaxValue);
            var values = _values.AsSpan(_count, batch.Length);
            for (var i = 0; i < batch.Length; i++) values[i] = batch[i].Value;
            _count += batch.Length;
        }
    }

    /// <summary>Makes the table ready to be looked up.</summary>
    public void Complete()
    {
        if (_complete)
            return;
        _complete = true;

        // If no key came twice, the values lie in the order of their groups as they are.
        if (Count != _count)
        {
            var starts = new int[Count + 1];
            foreach (var group in _groups.AsSpan(0, _count)) starts[group + 1]++;
            for (var group = 0; group < Count; group++) starts[group + 1] += starts[group];

            // Each start moves to its group's end while the group fills, which is the next one's start: shifted back afterwards.
            var values = new TValue[_count];
            var groups = _groups.AsSpan(0, _count);
            for (var i = 0; i < groups.Length; i++)
            {
                if (i + Ahead < groups.Length)
                    Prefetch.At(ref starts[groups[i + Ahead]]);
                values[starts[groups[i]]++] = _values[i];
            }
            Array.Copy(starts, 0, starts, 1, Count);
            starts[0] = 0;
            _values = values;
            _starts = starts;
        }
        _groups = [];
    }

    /// <summary>The group of a key, -1 if there is none.</summary>
    public int Find(TKey key) => _index.Find(key);

    /// <summary>The groups of many keys, -1 where there is none.</summary>
    public void FindMany(ReadOnlySpan<TKey> keys, Span<int> groups)
    {
        Span<uint> hashes = stackalloc uint[Batch];
        for (var done = 0; done < keys.Length; done += Batch)
        {
            var count = Math.Min(Batch, keys.Length - done);
            _index.Find(in keys[done], Unsafe.SizeOf<TKey>(), hashes[..count], groups.Slice(done, count));
        }
    }

    /// <summary>The groups of the keys of many pairs, -1 where there is none.</summary>
    public void FindMany<TOther>(ReadOnlySpan<(TKey Key, TOther Value)> rows, Span<int> groups)
    {
        Span<uint> hashes = stackalloc uint[Batch];
        for (var done = 0; done < rows.Length; done += Batch)
        {
            var count = Math.Min(Batch, rows.Length - done);
            _index.Find(in rows[done].Key, Unsafe.SizeOf<(TKey, TOther)>(), hashes[..count], groups.Slice(done, count));
        }
    }

    /// <summary>The key of a group.</summary>
    public TKey KeyOf(int group) => _index.Keys[group];

    /// <summary>The values of a group, in the order in which they came. Only once the table is complete.</summary>
    public ReadOnlySpan<TValue> ValuesOf(int group)
    {
        if (!_complete)
            throw new InvalidOperationException("A group table must be complete before its values are read.");
        return _starts is { } starts ? _values.AsSpan(starts[group], starts[group + 1] - starts[group]) : _values.AsSpan(group, 1);
    }

    /// <summary>Lets go of all keys and values: a reader that holds the table may outlive its use.</summary>
    public void Dispose()
    {
        (_index, _values, _groups, _starts, _count, _complete) = (KeyIndex<TKey>.Create(), [], [], null, 0, true);
    }

    private void Reserve(long count)
    {
        if (count <= _values.Length)
            return;
        if (count > Array.MaxLength)
            throw new InvalidOperationException($"A table can't hold {count:N0} values; its limit is {Array.MaxLength:N0}. Use more partitions.");
        var length = (int)Math.Clamp(_values.Length * 2L, Math.Max(count, Batch), Array.MaxLength);
        Array.Resize(ref _values, length);
        Array.Resize(ref _groups, length);
    }
}
