using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Dataflow.Hashing;

/// <summary>
/// A <see cref="KeyIndex{TKey}"/> by open addressing with linear probing. A slot is one word: the key's number plus one in as many low bits as
/// there are slots for, and above them the same high bits of its hash. The low bits of the hash choose the slot, so all of it is used.
/// </summary>
/// <remarks>
/// A batch goes through in passes: fetch the slots, then the keys that they name, then what those refer to, then probe. Each pass leaves many
/// fetches under way at once. Slots small enough for the first cache are probed at once.
/// </remarks>
internal sealed class OpenIndex<TKey, TEquality> : KeyIndex<TKey>
    where TEquality : struct, IKeyEquality<TKey>
{
    private const int MinSlots = 512;

    // Slots and keys of about this many bytes stay in the second-level cache, where a miss is shorter than the passes.
    private const int CachedBytes = 256 << 10;

    private uint[] _slots = [];
    private TKey[] _keys = [];
    private uint[] _hashes = [];

    public override ReadOnlySpan<TKey> Keys => _keys.AsSpan(0, Count);

    public override ReadOnlySpan<uint> Hashes => _hashes.AsSpan(0, Count);

    public override long ArrayBytes => (_slots.Length + _hashes.Length) * 4L + (long)_keys.Length * Unsafe.SizeOf<TKey>();

    public override int FindOrAdd(ref readonly TKey first, int stride, ReadOnlySpan<uint> hashes, Span<int> numbers, int limit)
    {
        // Room for the whole batch, so that nothing moves while it is probed.
        Reserve(Count + Math.Min(hashes.Length, limit - Count));
        FetchAhead(in first, stride, hashes);

        ref var slots = ref MemoryMarshal.GetArrayDataReference(_slots);
        ref var keys = ref MemoryMarshal.GetArrayDataReference(_keys);
        ref var start = ref Unsafe.AsRef(in first);
        var mask = (uint)_slots.Length - 1;
        var count = Count;
        for (var i = 0; i < hashes.Length; i++)
        {
            var hash = hashes[i];
            ref var key = ref Unsafe.AddByteOffset(ref start, (nint)i * stride);
            for (var at = hash & mask; ; at = (at + 1) & mask)
            {
                ref var slot = ref Unsafe.Add(ref slots, at);
                var word = slot;
                if (word == 0)
                {
                    if (count == limit)
                    {
                        Count = count;
                        return i;
                    }
                    Unsafe.Add(ref keys, count) = key;
                    _hashes[count] = hash;
                    numbers[i] = count++;
                    slot = (hash & ~mask) | (uint)count;
                    break;
                }
                if ((word ^ hash) <= mask)
                {
                    var number = (int)(word & mask) - 1;
                    if (default(TEquality).AreEqual(Unsafe.Add(ref keys, number), key))
                    {
                        numbers[i] = number;
                        break;
                    }
                }
            }
        }
        Count = count;
        return hashes.Length;
    }

    public override void Find(ref readonly TKey first, int stride, ReadOnlySpan<uint> hashes, Span<int> numbers)
    {
        if (Count == 0)
        {
            numbers[..hashes.Length].Fill(-1);
            return;
        }
        FetchAhead(in first, stride, hashes);

        ref var slots = ref MemoryMarshal.GetArrayDataReference(_slots);
        ref var keys = ref MemoryMarshal.GetArrayDataReference(_keys);
        ref var start = ref Unsafe.AsRef(in first);
        var mask = (uint)_slots.Length - 1;
        for (var i = 0; i < hashes.Length; i++)
        {
            var hash = hashes[i];
            ref var key = ref Unsafe.AddByteOffset(ref start, (nint)i * stride);
            for (var at = hash & mask; ; at = (at + 1) & mask)
            {
                var word = Unsafe.Add(ref slots, at);
                var number = (int)(word & mask) - 1;
                if (word == 0 || ((word ^ hash) <= mask && default(TEquality).AreEqual(Unsafe.Add(ref keys, number), key)))
                {
                    numbers[i] = number;
                    break;
                }
            }
        }
    }

    public override void Clear()
    {
        Array.Clear(_slots);
        if (RuntimeHelpers.IsReferenceOrContainsReferences<TKey>())
            Array.Clear(_keys, 0, Count);
        Count = 0;
    }

    private void FetchAhead(ref readonly TKey first, int stride, ReadOnlySpan<uint> hashes)
    {
        if (ArrayBytes <= CachedBytes)
            return;

        ref var slots = ref MemoryMarshal.GetArrayDataReference(_slots);
        ref var keys = ref MemoryMarshal.GetArrayDataReference(_keys);
        var mask = (uint)_slots.Length - 1;
        foreach (var hash in hashes)
            Prefetch.At(ref Unsafe.Add(ref slots, hash & mask));

        // The first slot mostly names the right key. An empty one names none: the fetch of key 0 does no harm.
        foreach (var hash in hashes)
            Prefetch.At(ref Unsafe.Add(ref keys, Math.Max(Unsafe.Add(ref slots, hash & mask) & mask, 1) - 1));
        if (typeof(TKey).IsValueType)
            return;
        foreach (var hash in hashes)
            Prefetch.ObjectOf(ref Unsafe.Add(ref keys, Math.Max(Unsafe.Add(ref slots, hash & mask) & mask, 1) - 1));
    }

    private void Reserve(int count)
    {
        if (count > _keys.Length)
        {
            var length = (int)Math.Min(Array.MaxLength, Math.Max(MinSlots / 2, (long)BitOperations.RoundUpToPowerOf2((uint)count)));
            Array.Resize(ref _keys, length);
            Array.Resize(ref _hashes, length);
        }
        if (count > _slots.Length / 3 * 2)
            Grow(count);
    }

    private void Grow(int count)
    {
        var length = Math.Max(BitOperations.RoundUpToPowerOf2((uint)count), MinSlots);
        if (count > length / 3 * 2)
            length *= 2;
        if (length > 1 << 30)
            throw new InvalidOperationException($"A table can't hold {count:N0} keys; its limit is {(1 << 30) / 3 * 2:N0}. Use more partitions.");

        var slots = new uint[length];
        var mask = length - 1;
        for (var number = 0; number < Count; number++)
        {
            var hash = _hashes[number];
            var at = hash & mask;
            while (slots[at] != 0) at = (at + 1) & mask;
            slots[at] = (hash & ~mask) | (uint)(number + 1);
        }
        _slots = slots;
    }
}
