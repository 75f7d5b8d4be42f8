using System.Runtime.CompilerServices;

namespace Dataflow.MLlib.Numerics;

/// <summary>
/// Random numbers that belong to a row: made of a seed, the row's number in the whole data set and a stream (what they are used for). Which rows are drawn does
/// not depend on how rows are shared out among partitions, threads and machines.
/// </summary>
/// <remarks>Three rounds of the 64-bit mix of SplitMix64 (Steele, Lea and Flood 2014, section 4). About 3 ns; the same on every machine.</remarks>
public static class RowHash
{
    private const ulong Golden = 0x9E3779B97F4A7C15;

    /// <summary>64 random bits of the row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Bits(ulong seed, long row, ulong stream) => Mix(Mix(Mix(seed + Golden) ^ (stream + Golden)) ^ (ulong)row);

    /// <summary>What <see cref="Bits(ulong, long, ulong)"/> needs of seed and stream; worked out once, it makes rows cheaper.</summary>
    public static ulong Key(ulong seed, ulong stream) => Mix(Mix(seed + Golden) ^ (stream + Golden));

    /// <summary>64 random bits of the row, by the key of seed and stream.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Bits(ulong key, long row) => Mix(key ^ (ulong)row);

    /// <summary>A number from 0 to below 1, with 53 random bits, by the key of seed and stream.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Uniform(ulong key, long row) => (Mix(key ^ (ulong)row) >> 11) * (1.0 / (1UL << 53));

    /// <summary>A number from 0 to below 1, with 53 random bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Uniform(ulong seed, long row, ulong stream) => (Bits(seed, row, stream) >> 11) * (1.0 / (1UL << 53));

    /// <summary>A whole number from 0 to below <paramref name="count"/>, by the key of seed and stream.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Below(ulong key, long row, int count) => (int)Math.BigMul(Mix(key ^ (ulong)row), (ulong)count, out _);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong x)
    {
        x += Golden;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
