using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Dataflow.Hashing;

/// <summary>The hash of keys of one type: equal keys hash equal in every process and on every machine.</summary>
/// <remarks>
/// <para>What "equal" means is <see cref="KeyEquality{TKey}"/>, which is .NET's own default equality: <c>1.0m</c> equals <c>1.00m</c>, NaN
/// equals NaN, texts compare ordinally, tuples and records part by part. Types whose equality is not known are refused:
/// <see cref="StableHash.CanHash"/> says why.</para>
/// <para><b>Which bits serve what.</b> All 32 bits of <see cref="Of"/> are mixed evenly. Tables take their slots from the low bits and tell
/// keys apart by the rest. Spilled runs may be cut by the top bits, 4 at a time, or by mixing once more. Partitions come from
/// <see cref="StableHash.PartitionOf"/>, which does mix once more: the keys of one partition still differ in all bits, so that neither
/// slots nor runs are left empty.</para>
/// <para>The values are part of no file format, but a partitioner's placement rests on them: they stay the same within a version of
/// Dataflow, whatever the machine.</para>
/// </remarks>
/// <typeparam name="TKey">The key type.</typeparam>
public static class StableHash<TKey>
{
    // Read-only, so that compiled code knows its exact type and calls it directly. A refusal is kept here too and thrown when used.
    private static readonly KeyHasher<TKey> Hasher = KeyHashers.Create<TKey>(RuntimeFeature.IsDynamicCodeSupported);

    /// <summary>The hash of a key; that of null is 0.</summary>
    /// <remarks>About 1 ns for numbers, 2 to 4 ns for short texts and small tuples; allocates nothing.</remarks>
    /// <param name="key">The key; may be null where the type allows it.</param>
    /// <exception cref="KeyException">The type can't be a key, or the key is of a derived type that can't.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Of(TKey? key) => (uint)Of64(key);

    /// <summary>The hash of a key in 64 bits, the low half of which is <see cref="Of"/>: for sketches and filters, where 32 would collide.</summary>
    /// <inheritdoc cref="Of"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Of64(TKey? key) => key is null ? 0 : Mixing.Finish(Add(Mixing.Seed, key));

    /// <summary>The hashes of many keys: one call for a chunk instead of one a key.</summary>
    /// <param name="keys">The keys.</param>
    /// <param name="hashes">Receives as many hashes.</param>
    /// <exception cref="ArgumentException"><paramref name="hashes"/> is shorter than <paramref name="keys"/>.</exception>
    /// <exception cref="KeyException">As in <see cref="Of"/>.</exception>
    public static void OfMany(ReadOnlySpan<TKey> keys, Span<uint> hashes)
    {
        if (hashes.Length < keys.Length)
            throw new ArgumentException($"{keys.Length} keys need as many places for their hashes; there are {hashes.Length}.", nameof(hashes));
        if (keys.Length > 0)
            OfMany(in keys[0], Unsafe.SizeOf<TKey>(), hashes[..keys.Length]);
    }

    /// <summary>The hashes of keys that lie <paramref name="stride"/> bytes apart, as in a chunk of pairs.</summary>
    internal static void OfMany(ref readonly TKey first, int stride, Span<uint> hashes)
    {
        // Code for reference types is shared by all of them and can't inline anything of their own: there the hasher has the loop.
        if (!typeof(TKey).IsValueType)
        {
            Hasher.AddMany(in first, stride, hashes);
            return;
        }
        ref var key = ref Unsafe.AsRef(in first);
        if (RuntimeHelpers.IsReferenceOrContainsReferences<TKey>() && Hasher is TupleHasher<TKey> tuple)
            tuple.Fetch(ref key, stride, hashes.Length);
        ref var hash = ref MemoryMarshal.GetReference(hashes);
        ref var end = ref Unsafe.Add(ref hash, hashes.Length);
        while (Unsafe.IsAddressLessThan(ref hash, ref end))
        {
            hash = Of(key);
            hash = ref Unsafe.Add(ref hash, 1);
            key = ref Unsafe.AddByteOffset(ref key, stride)!;
        }
    }

    /// <summary>Fetches what some keys refer to ahead of its use, where that is known.</summary>
    /// <param name="keys">The key of number 0.</param>
    /// <param name="numbers">Which keys; a negative one stands for 0.</param>
    internal static void Fetch(ref TKey keys, ReadOnlySpan<int> numbers)
    {
        if (!typeof(TKey).IsValueType)
        {
            foreach (var number in numbers)
                Prefetch.ObjectOf(ref Unsafe.Add(ref keys, Math.Max(number, 0)));
        }
        else if (RuntimeHelpers.IsReferenceOrContainsReferences<TKey>() && Hasher is TupleHasher<TKey> tuple)
        {
            tuple.Fetch(ref keys, numbers);
        }
    }

    /// <summary>Adds a key, or a part of one, to the state of a hash.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Add(ulong state, TKey? key)
    {
        // For value types the compiler keeps just the branch that applies.
        if (typeof(TKey) == typeof(int)) return Mixing.Add(state, (ulong)(int)(object)key!);
        if (typeof(TKey) == typeof(long)) return Mixing.Add(state, (ulong)(long)(object)key!);
        if (typeof(TKey) == typeof(uint)) return Mixing.Add(state, (uint)(object)key!);
        if (typeof(TKey) == typeof(ulong)) return Mixing.Add(state, (ulong)(object)key!);
        if (typeof(TKey) == typeof(short)) return Mixing.Add(state, (ulong)(short)(object)key!);
        if (typeof(TKey) == typeof(ushort)) return Mixing.Add(state, (ushort)(object)key!);
        if (typeof(TKey) == typeof(sbyte)) return Mixing.Add(state, (ulong)(sbyte)(object)key!);
        if (typeof(TKey) == typeof(byte)) return Mixing.Add(state, (byte)(object)key!);
        if (typeof(TKey) == typeof(char)) return Mixing.Add(state, (char)(object)key!);
        if (typeof(TKey) == typeof(double)) return Mixing.Add(state, BuiltInHashes.Bits((double)(object)key!));
        if (typeof(TKey) == typeof(float)) return Mixing.Add(state, BuiltInHashes.Bits((float)(object)key!));
        if (typeof(TKey) == typeof(bool)) return Mixing.Add(state, (bool)(object)key! ? 1u : 0u);
        if (typeof(TKey) == typeof(Guid)) return BuiltInHashes.AddGuid(state, (Guid)(object)key!);
        if (typeof(TKey) == typeof(DateTime)) return Mixing.Add(state, (ulong)((DateTime)(object)key!).Ticks);
        if (typeof(TKey).IsEnum) return Mixing.Add(state, EnumBits(key!));
        return key is null ? Mixing.AddNull(state) : Hasher.Add(state, key);
    }

    private static ulong EnumBits(TKey value) => Unsafe.SizeOf<TKey>() switch
    {
        1 => Unsafe.As<TKey, byte>(ref value),
        2 => Unsafe.As<TKey, ushort>(ref value),
        4 => Unsafe.As<TKey, uint>(ref value),
        _ => Unsafe.As<TKey, ulong>(ref value),
    };
}
