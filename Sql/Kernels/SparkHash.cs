using System.Buffers.Binary;
using System.Numerics;

namespace Dataflow.Sql.Kernels;

/// <summary>The hashes that Spark's <c>hash</c> and <c>xxhash64</c> give, value by value: files that were bucketed by them can be read and written.</summary>
/// <remarks>MurmurHash3 x86 32 (A. Appleby), but for the last bytes, each of which is mixed as a word of its own; and XXH64 (Y. Collet).</remarks>
internal static class SparkHash
{
    private const ulong Prime1 = 0x9E3779B185EBCA87, Prime2 = 0xC2B2AE3D27D4EB4F, Prime3 = 0x165667B19E3779F9, Prime4 = 0x85EBCA77C2B2AE63, Prime5 = 0x27D4EB2F165667C5;

    public static int Murmur(int value, int seed) => Finish(Mix((uint)seed, (uint)value), 4);

    public static int Murmur(long value, int seed) => Finish(Mix(Mix((uint)seed, (uint)value), (uint)((ulong)value >> 32)), 8);

    public static int Murmur(ReadOnlySpan<byte> bytes, int seed)
    {
        var hash = (uint)seed;
        var rest = bytes;
        for (; rest.Length >= 4; rest = rest[4..]) hash = Mix(hash, BinaryPrimitives.ReadUInt32LittleEndian(rest));
        foreach (var each in rest) hash = Mix(hash, (uint)(sbyte)each);
        return Finish(hash, (uint)bytes.Length);
    }

    public static long Xx(int value, long seed)
    {
        var hash = (ulong)seed + Prime5 + 4;
        hash ^= (uint)value * Prime1;
        return Avalanche((BitOperations.RotateLeft(hash, 23) * Prime2) + Prime3);
    }

    public static long Xx(long value, long seed)
    {
        var hash = (ulong)seed + Prime5 + 8;
        hash ^= BitOperations.RotateLeft((ulong)value * Prime2, 31) * Prime1;
        return Avalanche((BitOperations.RotateLeft(hash, 27) * Prime1) + Prime4);
    }

    public static long Xx(ReadOnlySpan<byte> bytes, long seed)
    {
        ulong hash;
        var rest = bytes;
        if (bytes.Length >= 32)
        {
            ulong a = (ulong)seed + Prime1 + Prime2, b = (ulong)seed + Prime2, c = (ulong)seed, d = (ulong)seed - Prime1;
            for (; rest.Length >= 32; rest = rest[32..])
            {
                a = Round(a, BinaryPrimitives.ReadUInt64LittleEndian(rest));
                b = Round(b, BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]));
                c = Round(c, BinaryPrimitives.ReadUInt64LittleEndian(rest[16..]));
                d = Round(d, BinaryPrimitives.ReadUInt64LittleEndian(rest[24..]));
            }
            hash = BitOperations.RotateLeft(a, 1) + BitOperations.RotateLeft(b, 7) + BitOperations.RotateLeft(c, 12) + BitOperations.RotateLeft(d, 18);
            hash = Merge(Merge(Merge(Merge(hash, a), b), c), d);
        }
        else
        {
            hash = (ulong)seed + Prime5;
        }
        hash += (ulong)bytes.Length;
        for (; rest.Length >= 8; rest = rest[8..])
            hash = (BitOperations.RotateLeft(hash ^ Round(0, BinaryPrimitives.ReadUInt64LittleEndian(rest)), 27) * Prime1) + Prime4;
        if (rest.Length >= 4)
        {
            hash = (BitOperations.RotateLeft(hash ^ (BinaryPrimitives.ReadUInt32LittleEndian(rest) * Prime1), 23) * Prime2) + Prime3;
            rest = rest[4..];
        }
        foreach (var each in rest) hash = BitOperations.RotateLeft(hash ^ (each * Prime5), 11) * Prime1;
        return Avalanche(hash);
    }

    private static uint Mix(uint hash, uint value)
    {
        hash ^= BitOperations.RotateLeft(value * 0xcc9e2d51, 15) * 0x1b873593;
        return (BitOperations.RotateLeft(hash, 13) * 5) + 0xe6546b64;
    }

    private static int Finish(uint hash, uint length)
    {
        hash ^= length;
        hash = (hash ^ (hash >> 16)) * 0x85ebca6b;
        hash = (hash ^ (hash >> 13)) * 0xc2b2ae35;
        return (int)(hash ^ (hash >> 16));
    }

    private static ulong Round(ulong hash, ulong value) => BitOperations.RotateLeft(hash + (value * Prime2), 31) * Prime1;

    private static ulong Merge(ulong hash, ulong part) => ((hash ^ Round(0, part)) * Prime1) + Prime4;

    private static long Avalanche(ulong hash)
    {
        hash = (hash ^ (hash >> 33)) * Prime2;
        hash = (hash ^ (hash >> 29)) * Prime3;
        return (long)(hash ^ (hash >> 32));
    }
}
