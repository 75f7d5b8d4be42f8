using System.Numerics;

namespace Dataflow.Sketches;

/// <summary>Estimates how many distinct values it has seen, in a few kilobytes.</summary>
/// <remarks>HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007) over 64-bit hashes, with the estimator of Ertl (2017, "New cardinality
/// estimation algorithms for HyperLogLog sketches", algorithm 6), which needs no bias tables and no switch between ranges.</remarks>
public sealed class HyperLogLog
{
    private readonly byte[] _registers;
    private readonly int _precision;

    /// <summary>A sketch that has seen nothing.</summary>
    /// <param name="precision">2^precision registers of one byte; relative error about 1.04 / sqrt(2^precision).</param>
    /// <exception cref="ArgumentOutOfRangeException">The precision is not from 4 to 18.</exception>
    public HyperLogLog(int precision)
    {
        if (precision is < 4 or > 18) throw new ArgumentOutOfRangeException(nameof(precision), precision, "The precision is from 4 to 18.");
        _precision = precision;
        _registers = new byte[1 << precision];
    }

    /// <summary>What it has seen, a byte for each register: with <see cref="Merge(ReadOnlySpan{byte})"/> all that another needs.</summary>
    public ReadOnlySpan<byte> Registers => _registers;

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

    /// <summary>Sees a value.</summary>
    /// <param name="hash">A hash of the value whose bits are all alike likely.</param>
    public void Add(ulong hash)
    {
        var index = (int)(hash >> (64 - _precision));
        // The guard bit ends the run of zeros where the hash does.
        var rank = (byte)(BitOperations.LeadingZeroCount((hash << _precision) | (1UL << (_precision - 1))) + 1);
        if (rank > _registers[index]) _registers[index] = rank;
    }

    /// <summary>Sees all that another has seen.</summary>
    /// <param name="other">One of the same precision.</param>
    public HyperLogLog Merge(HyperLogLog other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Merge(other._registers);
    }

    /// <summary>Sees all that another has seen.</summary>
    /// <param name="registers">Its <see cref="Registers"/>.</param>
    /// <exception cref="ArgumentException">It is of another precision.</exception>
    public HyperLogLog Merge(ReadOnlySpan<byte> registers)
    {
        if (registers.Length != _registers.Length) throw new ArgumentException($"A sketch of {_registers.Length} registers can't take in one of {registers.Length}.", nameof(registers));
        for (var i = 0; i < registers.Length; i++)
        {
            if (registers[i] > _registers[i]) _registers[i] = registers[i];
        }
        return this;
    }

    /// <summary>About how many distinct values it has seen.</summary>
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
