using System.Runtime.CompilerServices;

namespace Dataflow.Benchmarks.TpchData;

/// <summary>
/// One stream of random numbers of dbgen. Every column has its own, and takes as many numbers of it for each row as it may ever need, so that any row
/// can be made without those before it. (S. Park and K. Miller, "Random Number Generators", 1988: 16807 modulo 2^31 - 1)
/// </summary>
/// <param name="seed">Where dbgen starts it.</param>
/// <param name="perRow">Numbers that belong to a row.</param>
internal sealed class Draws(long seed, int perRow = 1)
{
    private const long Multiplier = 16807;
    private const long Modulus = int.MaxValue;

    private long _state = seed;
    private int _used;

    /// <summary>A number between two, both included. dbgen lets the range overflow when it is 0 to the largest, and counts on what comes out.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Next(int low, int high)
    {
        _state = Reduce(_state * Multiplier);
        _used++;
        double range = unchecked(high - low + 1);
        return low + (int)((double)_state / Modulus * range);
    }

    /// <summary>Passes over the numbers that the row did not need.</summary>
    public void EndRow()
    {
        for (; _used < perRow; _used++) _state = Reduce(_state * Multiplier);
        _used = 0;
    }

    /// <summary>Passes over rows.</summary>
    public void Skip(long rows)
    {
        var power = Multiplier;
        for (var count = rows * perRow; count > 0; count >>= 1)
        {
            if ((count & 1) != 0) _state = power * _state % Modulus;
            power = power * power % Modulus;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Reduce(long product)
    {
        var sum = (product & Modulus) + (product >> 31);
        return sum >= Modulus ? sum - Modulus : sum;
    }
}
