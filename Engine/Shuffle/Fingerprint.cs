using System.Runtime.CompilerServices;
using Dataflow.Hashing;
using Dataflow.Serialization;

namespace Dataflow.Shuffle;

/// <summary>
/// What a row adds to the checksum of a map output: a sum over all rows, so that neither their order nor how they were cut matters. Of its value every
/// bit counts if it holds no references. Values with references count for nothing: most of the cost would be fetching them from memory.
/// </summary>
/// <remarks>One multiplication for each 16 bytes, which do not wait for each other. For finding mistakes, not for telling keys apart.</remarks>
/// <typeparam name="T">The type of the value.</typeparam>
internal static class Fingerprint<T>
{
    private const ulong Seed = 0x9E3779B97F4A7C15, Factor = 0xBF58476D1CE4E5B9;

    // Gaps between fields may hold anything.
    private static readonly bool IsDense = !RuntimeHelpers.IsReferenceOrContainsReferences<T>() && IsPlain(typeof(T)) && MemoryLayout.Of(typeof(T)).IsDense;

    private static readonly bool HasHash = !RuntimeHelpers.IsReferenceOrContainsReferences<T>() && StableHash.CanHash(typeof(T), out _);

    /// <summary>The part of one row.</summary>
    /// <param name="key">A hash of its key.</param>
    /// <param name="value">Its value.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Of(ulong key, ref readonly T value)
    {
        // First what the compiler knows, so that code shared by all reference types looks nothing up.
        if (RuntimeHelpers.IsReferenceOrContainsReferences<T>()) return (key + Seed) * Factor;
        if (IsDense) return OfBytes(key + Seed, ref Unsafe.As<T, byte>(ref Unsafe.AsRef(in value)));
        return HasHash ? Fold(key + Seed, StableHash<T>.Of64(value)) : (key + Seed) * Factor;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong OfBytes(ulong key, ref byte value)
    {
        var size = Unsafe.SizeOf<T>();
        if (size < 2) return Fold(key, value);
        if (size < 4) return Fold(key, Read<ushort>(ref value, 0) | (ulong)Read<ushort>(ref value, size - 2) << 16);
        if (size < 8) return Fold(key, Read<uint>(ref value, 0) | (ulong)Read<uint>(ref value, size - 4) << 32);

        if (size == 8) return Fold(key, Read<ulong>(ref value, 0));
        if (size < 16) return Fold(key ^ Read<ulong>(ref value, 0), Read<ulong>(ref value, size - 8));

        // The last 16 bytes may overlap those before.
        var sum = Fold(key ^ Read<ulong>(ref value, size - 16), Read<ulong>(ref value, size - 8));
        for (var at = 0; at < size - 16; at += 16) sum += Fold((key += Factor) ^ Read<ulong>(ref value, at), Read<ulong>(ref value, at + 8));
        return sum;
    }

    // Both halves of the product: each bit of the result depends on all bits of both (wyhash; Wang Yi 2019).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fold(ulong key, ulong part) => Math.BigMul(key, part ^ Factor, out var low) ^ low;

    // An optional value that is none may hold anything, and a pointer says nothing.
    private static bool IsPlain(Type type) =>
        type.IsEnum || MemoryLayout.IsAtom(type) || MemoryLayout.IsFixedBuffer(type)
        || (Nullable.GetUnderlyingType(type) is null && type is { IsPointer: false, IsFunctionPointer: false } && TypeNames.FieldsOf(type).All(field => IsPlain(field.FieldType)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TPart Read<TPart>(ref byte value, int at) => Unsafe.ReadUnaligned<TPart>(ref Unsafe.AddByteOffset(ref value, at));
}
