using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Dataflow.Hashing;

/// <summary>
/// Merges values by key: one value a key, in the order in which keys first came. Fed by chunks of pairs; what comes out depends on what
/// came in and in which order, and on nothing else.
/// </summary>
/// <remarks>
/// If a function of the user throws, the pairs before the one it threw for are merged, that one and those after it are not; keys may have
/// been counted that have no value. The table is then good for <see cref="Clear"/> and for nothing else. For one thread at a time.
/// </remarks>
/// <param name="limit">How many keys the table takes before it asks to be emptied.</param>
internal sealed class AggregationTable<TKey, TValue>(int limit = int.MaxValue)
{
    private readonly KeyIndex<TKey> _index = KeyIndex<TKey>.Create();
    private TValue[] _values = [];

    /// <summary>How many keys there are.</summary>
    public int Count => _index.Count;

    /// <summary>The keys in order of first appearance. Valid until the table changes.</summary>
    public ReadOnlySpan<TKey> Keys => _index.Keys;

    /// <summary>The values of <see cref="Keys"/>, in place.</summary>
    public Span<TValue> Values => _values.AsSpan(0, Count);

    /// <summary>The hashes of <see cref="Keys"/>, for placing them without hashing again.</summary>
    public ReadOnlySpan<uint> Hashes => _index.Hashes;

    /// <summary>Bytes of the table's own arrays; objects that keys and values refer to come on top.</summary>
    public long EstimatedBytes => _index.ArrayBytes + (long)_values.Length * Unsafe.SizeOf<TValue>();

    /// <summary>Merges a chunk of pairs whose values are merged as they are.</summary>
    /// <param name="chunk">The pairs.</param>
    /// <param name="merge">Makes one value of two of the same key, the earlier one first.</param>
    /// <returns>How many pairs were taken: all, or those before the first new key beyond the limit.</returns>
    public int Combine(ReadOnlySpan<(TKey Key, TValue Value)> chunk, Func<TValue, TValue, TValue> merge)
    {
        Span<uint> hashes = stackalloc uint[KeyIndex<TKey>.Batch];
        Span<int> numbers = stackalloc int[KeyIndex<TKey>.Batch];
        var done = 0;
        while (done < chunk.Length)
        {
            var batch = chunk.Slice(done, Math.Min(hashes.Length, chunk.Length - done));
            StableHash<TKey>.OfMany(in batch[0].Key, Unsafe.SizeOf<(TKey, TValue)>(), hashes[..batch.Length]);
            var next = Count;
            var taken = Number(batch, hashes[..batch.Length], numbers);
            for (var i = 0; i < taken; i++)
            {
                var number = numbers[i];
                ref var value = ref _values[number];
                if (number == next)
                {
                    value = batch[i].Value;
                    next++;
                }
                else
                {
                    value = merge(value, batch[i].Value);
                }
            }
            done += taken;
            if (taken < batch.Length)
                break;
        }
        return done;
    }

    /// <summary>Merges a chunk of pairs into combined values of another type.</summary>
    /// <param name="chunk">The pairs.</param>
    /// <param name="create">Makes a combined value of the first value of a key.</param>
    /// <param name="merge">Adds a value to a combined one.</param>
    /// <returns>How many pairs were taken: all, or those before the first new key beyond the limit.</returns>
    public int Combine<TIn>(ReadOnlySpan<(TKey Key, TIn Value)> chunk, Func<TIn, TValue> create, Func<TValue, TIn, TValue> merge)
    {
        Span<uint> hashes = stackalloc uint[KeyIndex<TKey>.Batch];
        Span<int> numbers = stackalloc int[KeyIndex<TKey>.Batch];
        var done = 0;
        while (done < chunk.Length)
        {
            var batch = chunk.Slice(done, Math.Min(hashes.Length, chunk.Length - done));
            StableHash<TKey>.OfMany(in batch[0].Key, Unsafe.SizeOf<(TKey, TIn)>(), hashes[..batch.Length]);
            var next = Count;
            var taken = Number(batch, hashes[..batch.Length], numbers);
            for (var i = 0; i < taken; i++)
            {
                var number = numbers[i];
                ref var value = ref _values[number];
                if (number == next)
                {
                    value = create(batch[i].Value);
                    next++;
                }
                else
                {
                    value = merge(value, batch[i].Value);
                }
            }
            done += taken;
            if (taken < batch.Length)
                break;
        }
        return done;
    }

    /// <summary>The value of a key.</summary>
    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        Span<int> number = stackalloc int[1];
        _index.Find(in key, 0, [StableHash<TKey>.Of(key)], number);
        value = number[0] < 0 ? default : _values[number[0]];
        return number[0] >= 0;
    }

    /// <summary>Forgets all keys and values and keeps the memory.</summary>
    public void Clear()
    {
        if (RuntimeHelpers.IsReferenceOrContainsReferences<TValue>())
            Array.Clear(_values, 0, Count);
        _index.Clear();
    }

    private int Number<TIn>(ReadOnlySpan<(TKey Key, TIn Value)> batch, ReadOnlySpan<uint> hashes, Span<int> numbers)
    {
        var taken = _index.FindOrAdd(in batch[0].Key, Unsafe.SizeOf<(TKey, TIn)>(), hashes, numbers, limit);
        if (_values.Length < Count)
            Array.Resize(ref _values, Math.Max(Count, Math.Max(256, _values.Length * 2)));
        return taken;
    }
}
