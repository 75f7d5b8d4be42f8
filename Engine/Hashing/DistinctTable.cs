namespace Dataflow.Hashing;

/// <summary>Keeps each key once, in the order in which they first came.</summary>
/// <param name="limit">How many keys the table takes before it asks to be emptied.</param>
internal sealed class DistinctTable<TKey>(int limit = int.MaxValue)
{
    private readonly KeyIndex<TKey> _index = KeyIndex<TKey>.Create();

    /// <summary>How many keys there are.</summary>
    public int Count => _index.Count;

    /// <summary>The keys in order of first appearance. Valid until the table changes.</summary>
    public ReadOnlySpan<TKey> Keys => _index.Keys;

    /// <summary>The hashes of <see cref="Keys"/>.</summary>
    public ReadOnlySpan<uint> Hashes => _index.Hashes;

    /// <summary>Bytes of the table's own arrays; objects that keys refer to come on top.</summary>
    public long EstimatedBytes => _index.ArrayBytes;

    /// <summary>Takes a chunk of keys.</summary>
    /// <returns>How many were taken: all, or those before the first new one beyond the limit.</returns>
    public int Add(ReadOnlySpan<TKey> keys)
    {
        Span<uint> hashes = stackalloc uint[KeyIndex<TKey>.Batch];
        Span<int> numbers = stackalloc int[KeyIndex<TKey>.Batch];
        for (var done = 0; done < keys.Length;)
        {
            var batch = keys.Slice(done, Math.Min(hashes.Length, keys.Length - done));
            var taken = _index.FindOrAdd(batch, hashes[..batch.Length], numbers, limit);
            done += taken;
            if (taken < batch.Length)
                return done;
        }
        return keys.Length;
    }

    /// <summary>Whether a key is there.</summary>
    public bool Contains(TKey key) => _index.Find(key) >= 0;

    /// <summary>Forgets all keys and keeps the memory.</summary>
    public void Clear() => _index.Clear();
}
