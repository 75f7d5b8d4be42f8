using System.Runtime.CompilerServices;
namespace Dataflow.MLlib.TreeBins;

/// <summary>Sorts many doubles by their bits: passes of 11 bits, those in which all values agree left out (singles that were widened take four).</summary>
internal static class SortedValues
{
    private const int Bits = 11;
    private const int Buckets = 1 << Bits;

    /// <summary>Moves what is not NaN to the front, in any order. Minus zero becomes zero.</summary>
    /// <returns>How many there are.</returns>
    public static int MoveNaNToEnd(Span<double> values)
    {
        var count = 0;
        for (var i = 0; i < values.Length; i++)
        {
            var value = values[i] + 0.0;
            if (double.IsNaN(value)) continue;
            values[count++] = value;
        }
        return count;
    }

    /// <summary>Ascending order; without NaN.</summary>
    /// <param name="values">What is sorted.</param>
    /// <param name="from">Room for as many.</param>
    /// <param name="to">Room for as many.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Sort(Span<double> values, Span<ulong> from, Span<ulong> to)
    {
        if (values.Length < 2048)
        {
            values.Sort();
            return;
        }
        from = from[..values.Length];
        to = to[..values.Length];
        ulong all = ulong.MaxValue, any = 0;
        for (var i = 0; i < from.Length; i++)
        {
            // Negative numbers turned round, the others above them: the order of the bits is that of the values.
            var bits = BitConverter.DoubleToUInt64Bits(values[i]);
            var key = (bits & (1UL << 63)) != 0 ? ~bits : bits | (1UL << 63);
            from[i] = key;
            all &= key;
            any |= key;
        }
        Span<int> starts = stackalloc int[Buckets];
        for (var shift = 0; shift < 64; shift += Bits)
        {
            if ((((all ^ any) >> shift) & (Buckets - 1)) == 0) continue;
            starts.Clear();
            foreach (var key in from) starts[(int)(key >> shift) & (Buckets - 1)]++;
            var place = 0;
            for (var bucket = 0; bucket < Buckets; bucket++) (starts[bucket], place) = (place, place + starts[bucket]);
            foreach (var key in from) to[starts[(int)(key >> shift) & (Buckets - 1)]++] = key;
            var swapped = from;
            from = to;
            to = swapped;
        }
        for (var i = 0; i < from.Length; i++)
        {
            var key = from[i];
            values[i] = BitConverter.UInt64BitsToDouble((key & (1UL << 63)) != 0 ? key & ~(1UL << 63) : ~key);
        }
    }
}
