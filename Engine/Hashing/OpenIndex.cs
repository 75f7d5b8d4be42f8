using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Dataflow.Hashing;

/// <summary>
/// A <see cref="KeyIndex{TKey}"/> by open addressing with linear probing. A slot is one word: the key's number plus one in as many low bits as
/// there are slots for, and above them the same high bits of its hash. The low bits of the hash choose the slot, so all of it is used.
/// </summary>
/// <remarks>
/// A batch goes through in passes: fetch the slots, guess each key's number from the hashes in its first four slots, fetch the guessed keys and
/// what they refer to, and only then compare. Each pass leaves many fetches under way at once, and the guess needs no branch, which
/// random keys would make the processor mispredict. What remains is probed one by one.
/// </remarks>
internal sealed class OpenIndex<TKey, TEquality> : KeyIndex<TKey>
    where TEquality : struct, IKeyEquality<TKey>
{
    private const int MinSlots = 512;

    // The first slots once more behind the last, so that five can be read at any of them.
    private const int Mirrored = 4;

    // Arrays of about this size stay in the second-level cache, where waiting costs less than fetching ahead.
    private const int CachedBytes = 1 << 20;

    // How many keys ahead of the one that is placed its slot is fetched when the slots grow.
    private const int Ahead = 32;

    private uint[] _slots = new uint[1 + Mirrored];
    private TKey[] _keys = [];
    private uint[] _hashes = [];

    public override ReadOnlySpan<TKey> Keys => _keys.AsSpan(0, Count);

    public override ReadOnlySpan<uint> Hashes => _hashes.AsSpan(0, Count);

    public override long ArrayBytes => (_slots.Length + _hashes.Length) * 4L + (long)_keys.Length * Unsafe.SizeOf<TKey>();

    private bool IsCached => _slots.Length * 4L + (long)Count * KeyBytes <= CachedBytes;

    // What a key takes of the cache, one object included if it is or holds any.
    private static int KeyBytes => Unsafe.SizeOf<TKey>() + (RuntimeHelpers.IsReferenceOrContainsReferences<TKey>() ? 64 : 0);

    private uint Mask => (uint)(_slots.Length - Mirrored - 1);

    public override int FindOrAdd(ref readonly TKey first, int stride, ReadOnlySpan<uint> hashes, Span<int> numbers, int limit)
    {
        numbers = numbers[..hashes.Length];
        Reserve(numbers.Length, limit);
        Guess(hashes, numbers);

        ref var keys = ref MemoryMarshal.GetArrayDataReference(_keys);
        ref var key = ref Unsafe.AsRef(in first);
        for (var i = 0; i < numbers.Length; i++)
        {
            var number = numbers[i];
            if (number < 0 || !default(TEquality).AreEqual(Unsafe.Add(ref keys, number), key))
            {
                numbers[i] = number = Place(in key, hashes[i], limit);
                if (number < 0)
                    return i;
            }
            key = ref Unsafe.AddByteOffset(ref key, stride)!;
        }
        return numbers.Length;
    }

    protected override int FindOrAdd(ref readonly TKey first, int stride, Span<uint> hashes, Span<int> numbers, int limit)
    {
        numbers = numbers[..hashes.Length];
        Reserve(numbers.Length, limit);
        if (RuntimeHelpers.IsReferenceOrContainsReferences<TKey>() || !IsCached)
            return base.FindOrAdd(in first, stride, hashes, numbers, limit);

        // Nothing to fetch ahead: hashing, guessing and comparing go in one pass.
        ref var slots = ref MemoryMarshal.GetArrayDataReference(_slots);
        ref var keys = ref MemoryMarshal.GetArrayDataReference(_keys);
        ref var key = ref Unsafe.AsRef(in first);
        var mask = Mask;
        for (var i = 0; i < numbers.Length; i++)
        {
            var hash = StableHash<TKey>.Of(key);
            var number = Guess(ref slots, mask, hash);
            if (number < 0 || !default(TEquality).AreEqual(Unsafe.Add(ref keys, number), key))
            {
                number = Place(in key, hash, limit);
                if (number < 0)
                    return i;
            }
            numbers[i] = number;
            key = ref Unsafe.AddByteOffset(ref key, stride)!;
        }
        return numbers.Length;
    }

    public override void Find(ref readonly TKey first, int stride, ReadOnlySpan<uint> hashes, Span<int> numbers)
    {
        numbers = numbers[..hashes.Length];
        Guess(hashes, numbers);

        ref var keys = ref MemoryMarshal.GetArrayDataReference(_keys);
        ref var key = ref Unsafe.AsRef(in first);
        for (var i = 0; i < numbers.Length; i++)
        {
            var number = numbers[i];
            if (number < 0 || !default(TEquality).AreEqual(Unsafe.Add(ref keys, number), key))
                numbers[i] = Place(in key, hashes[i], limit: 0);
            key = ref Unsafe.AddByteOffset(ref key, stride)!;
        }
    }

    public override void Clear()
    {
        Array.Clear(_slots);
        if (RuntimeHelpers.IsReferenceOrContainsReferences<TKey>())
            Array.Clear(_keys, 0, Count);
        Count = 0;
    }

    // The number in the first of four slots that has the right hash bits, or that in the fifth; -1 where it is empty.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Guess(ref uint slots, uint mask, uint hash)
    {
        ref var home = ref Unsafe.Add(ref slots, hash & mask);
        var differences = (Vector128.LoadUnsafe(ref home) ^ Vector128.Create(hash)) & Vector128.Create(~mask);
        var same = Vector128.Equals(differences, Vector128<uint>.Zero).ExtractMostSignificantBits();

        // If none of the four fits, the fifth is the guess: wrong or right, no branch was taken.
        return (int)(Unsafe.Add(ref home, BitOperations.TrailingZeroCount(same | 16)) & mask) - 1;
    }

    private void Guess(ReadOnlySpan<uint> hashes, Span<int> numbers)
    {
        ref var slots = ref MemoryMarshal.GetArrayDataReference(_slots);
        ref var keys = ref MemoryMarshal.GetArrayDataReference(_keys);
        var mask = Mask;
        if (IsCached)
        {
            for (var i = 0; i < hashes.Length; i++)
                numbers[i] = Guess(ref slots, mask, hashes[i]);
            return;
        }
        foreach (var hash in hashes)
            Prefetch.At(ref Unsafe.Add(ref slots, hash & mask));
        for (var i = 0; i < hashes.Length; i++)
        {
            var number = Guess(ref slots, mask, hashes[i]);
            numbers[i] = number;
            Prefetch.At(ref Unsafe.Add(ref keys, Math.Max(number, 0)));
        }
        StableHash<TKey>.Fetch(ref keys, numbers);
    }

    // The number of a key that was not guessed; -1 if it is new and there is no room for it.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private int Place(ref readonly TKey key, uint hash, int limit)
    {
        var slots = _slots;
        var mask = Mask;
        for (var at = hash & mask; ; at = (at + 1) & mask)
        {
            var word = slots[at];
            if (word == 0)
            {
                if (Count >= limit)
                    return -1;
                var number = Count++;
                _keys[number] = key;
                _hashes[number] = hash;
                Set(slots, mask, at, hash, number);
                return number;
            }
            if ((word ^ hash) <= mask && default(TEquality).AreEqual(_keys[(int)(word & mask) - 1], key))
                return (int)(word & mask) - 1;
        }
    }

    private static void Set(uint[] slots, uint mask, uint at, uint hash, int number)
    {
        slots[at] = (hash & ~mask) | (uint)(number + 1);
        if (at < Mirrored)
            slots[mask + 1 + at] = slots[at];
    }

    private static long Capacity(long slots) => slots / 3 * 2;

    // Room for a whole batch, so that nothing moves while it is probed.
    private void Reserve(int added, int limit)
    {
        var count = Count + Math.Min(added, Math.Max(limit - Count, 0));
        if (count > _keys.Length)
        {
            var length = (int)Math.Min(Array.MaxLength, Math.Max(MinSlots / 2, (long)BitOperations.RoundUpToPowerOf2((uint)count)));
            Array.Resize(ref _keys, length);
            Array.Resize(ref _hashes, length);
        }
        if (count > Capacity(_slots.Length - Mirrored))
            Grow(count);
    }

    private void Grow(int count)
    {
        var length = (long)Math.Max(BitOperations.RoundUpToPowerOf2((uint)count), MinSlots);
        if (count > Capacity(length))
            length *= 2;
        if (length > 1 << 30)
            throw new InvalidOperationException($"A table can't hold {count:N0} keys; its limit is {Capacity(1 << 30):N0}. Use more partitions.");

        var slots = new uint[length + Mirrored];
        var mask = (uint)length - 1;
        var hashes = Hashes;
        for (var number = 0; number < hashes.Length; number++)
        {
            if (number + Ahead < hashes.Length)
                Prefetch.At(ref slots[hashes[number + Ahead] & mask]);
            var at = hashes[number] & mask;
            while (slots[at] != 0) at = (at + 1) & mask;
            Set(slots, mask, at, hashes[number], number);
        }
        _slots = slots;
    }
}
