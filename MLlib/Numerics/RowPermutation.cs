using System.Numerics;

namespace Dataflow.MLlib.Numerics;

/// <summary>
/// A random order of the numbers from 0 to below a count, made of a seed: where each goes is worked out by itself, so nothing is sorted or kept, and it is the same on
/// every machine and for any partitions.
/// </summary>
/// <remarks>A Feistel network of six rounds (Luby and Rackoff 1988) on the next power of four, walked until it comes out below the count (Black and Rogaway 2002). About 50 ns.</remarks>
internal sealed class RowPermutation
{
    private const int Rounds = 6;

    private readonly ulong _key;
    private readonly long _count;
    private readonly int _bits;

    /// <summary>An order of so many numbers.</summary>
    public RowPermutation(ulong key, long count)
    {
        _key = key;
        _count = count;
        _bits = Math.Max(1, (65 - BitOperations.LeadingZeroCount((ulong)Math.Max(1, count - 1))) / 2);
    }

    /// <summary>Where a number goes; no two go to the same place.</summary>
    public long this[long number]
    {
        get
        {
            do number = Encrypt(number);
            while (number >= _count);
            return number;
        }
    }

    private long Encrypt(long number)
    {
        var mask = (1L << _bits) - 1;
        var (left, right) = (number >> _bits, number & mask);
        for (var round = 0; round < Rounds; round++)
            (left, right) = (right, left ^ ((long)(RowHash.Bits(_key + (ulong)round, right) >> 8) & mask));
        return (left << _bits) | right;
    }
}
