using System.Numerics;

namespace Dataflow;

/// <summary>
/// Random numbers of one partition: the same for the same seed and partition, in every process and .NET version.
/// SplitMix64 (Steele, Lea, Flood 2014, section 5) seeds xoshiro256** (Blackman, Vigna 2021).
/// </summary>
internal sealed class PartitionRandom
{
    private ulong _a;
    private ulong _b;
    private ulong _c;
    private ulong _d;

    public PartitionRandom(long seed, int partition)
    {
        var state = unchecked((ulong)seed * 0x9E3779B97F4A7C15UL + ((ulong)partition + 1) * 0xD1B54A32D192ED03UL);
        _a = SplitMix(ref state);
        _b = SplitMix(ref state);
        _c = SplitMix(ref state);
        _d = SplitMix(ref state);
    }

    /// <summary>A number from 0 to 1, 1 excluded.</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>A number from 0 to <paramref name="exclusiveMax"/> - 1 (Lemire 2019: multiply and shift; the bias is below 2^-32).</summary>
    public long NextLong(long exclusiveMax) => (long)Math.BigMul(Next(), (ulong)exclusiveMax, out _);

    /// <summary>How often an event of this mean rate happens (Knuth 1969, 3.4.1, by halving large means).</summary>
    public int NextPoisson(double mean)
    {
        var total = 0;
        // exp(-mean) must not underflow.
        for (; mean > 500; mean -= 500) total += NextPoisson(500.0, Math.Exp(-500.0));
        return total + NextPoisson(mean, Math.Exp(-mean));
    }

    public ulong Next()
    {
        var result = BitOperations.RotateLeft(_b * 5, 7) * 9;
        var t = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= t;
        _d = BitOperations.RotateLeft(_d, 45);
        return result;
    }

    private int NextPoisson(double mean, double limit)
    {
        if (mean <= 0) return 0;
        var count = 0;
        for (var product = NextDouble(); product > limit; product *= NextDouble()) count++;
        return count;
    }

    private static ulong SplitMix(ref ulong state)
    {
        var z = state += 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
