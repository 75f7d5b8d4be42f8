using System.Numerics;

namespace Dataflow.Sketches;

/// <summary>Estimates how many distinct values it has seen, in a few kilobytes.</summary>
/// <remarks>HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007) over 64-bit hashes, with the estimator of Ertl (2017, "New cardinality
/// estimation algorithms for HyperLogLog sketches", algorithm 6), which needs no bias tables and no switch between ranges.</remarks>
internal sealed class HyperLogLog
{
    private readonly byte[] _registers;
    private readonly int _precision;

    /// <param name="precision">2^precision registers of one byte; relative error about 1.04 / sqrt(2^precision).</param>
    public HyperLogLog(int precision)
    {
        _precision = precision;
        _registers = new byte[1 << precision];
    }

    /// <summary>The smallest precision, from 4 to 18, whose relative standard deviation is at most <paramref name="error"/>.</summary>
    public static int PrecisionFor(double error)
    {
        if (!(error > 0 && error <= 0.5))
            throw new ArgumentOutOfRangeException(nameof(error), error, "The relative standard deviation must be above 0 and at most 0.5.");
        var precision = (int)Math.Ceiling(2 * Math.Log2(1.04 / error));
        return precision <= 18
            ? Math.Max(precision, 4)
            : throw new ArgumentOutOfRangeException(nameof(error), error, "The relative standard deviation must be at least 0.00204: a smaller one needs more than 2^18 registers. Count exactly with Distinct().Count().");
    }

    public void Add(ulong hash)
    {
        var index = (int)(hash >> (64 - _precision));
        // The guard bit ends the run of zeros where the hash does.
        var rank = (byte)(BitOperations.LeadingZeroCount((hash << _precision) | (1UL << (_precision - 1))) + 1);
        if (rank > _registers[index]) _registers[index] = rank;
    }

    public HyperLogLog Merge(HyperLogLog other)
    {
        for (var i = 0; i < _registers.Length; i++)
        {
            if (other._registers[i] > _registers[i]) _registers[i] = other._registers[i];
        }
        return this;
    }

    public long Estimate()
    {
        var q = 64 - _precision;
        var m = (double)_registers.Length;
        var counts = new int[q + 2];
        foreach (var register in _registers) counts[register]++;

        var z = m * Tau(1 - counts[q + 1] / m);
        for (var k = q; k >= 1; k--) z = 0.5 * (z + counts[k]);
        z += m * Sigma(counts[0] / m);
        return (long)Math.Round(m * m / (2 * Math.Log(2) * z));
    }

    private static double Sigma(double x)
    {
        if (x == 1) return double.PositiveInfinity;
        double y = 1, z = x, previous;
        do
        {
            x *= x;
            previous = z;
            z += x * y;
            y += y;
        }
        while (z != previous);
        return z;
    }

    private static double Tau(double x)
    {
        if (x is 0 or 1) return 0;
        double y = 1, z = 1 - x, previous;
        do
        {
            x = Math.Sqrt(x);
            previous = z;
            y *= 0.5;
            z -= (1 - x) * (1 - x) * y;
        }
        while (z != previous);
        return z / 3;
    }
}
