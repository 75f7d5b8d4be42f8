using Dataflow.MLlib.Data;

namespace Dataflow.MLlib.Regression;

/// <summary>Where most labels are, whatever a few outliers are. Found by counting, so that it is the same for all partitions.</summary>
/// <param name="Center">The median, to 11 digits.</param>
/// <param name="Spread">The median distance from it, as a power of two next below; 0 where most labels are equal.</param>
internal readonly record struct LabelSpread(double Center, double Spread)
{
    private const int Digit = 12;
    private const int CenterDigits = 4;

    /// <summary>Of all rows that have a weight; five passes over the labels, each of 4,096 counts a partition.</summary>
    public static async Task<LabelSpread> OfAsync(Rdd<FeatureBlock> blocks, CancellationToken cancellationToken)
    {
        var center = await MedianAsync(blocks, null, CenterDigits, cancellationToken).ConfigureAwait(false);

        // 12 bits are sign and exponent.
        return new LabelSpread(center, await MedianAsync(blocks, center, 1, cancellationToken).ConfigureAwait(false));
    }

    // The median of labels, or of their distances from a number: digit by digit of their order, each the one in which the middle row is.
    private static async Task<double> MedianAsync(Rdd<FeatureBlock> blocks, double? from, int digits, CancellationToken cancellationToken)
    {
        ulong prefix = 0;
        long before = 0, rank = -1;
        for (var digit = 0; digit < digits; digit++)
        {
            var (known, start) = (digit * Digit, prefix);
            var parts = await blocks.MapPartitions(items => Count(items, from, start, known)).CollectAsync(cancellationToken).ConfigureAwait(false);
            var counts = new long[1 << Digit];
            foreach (var part in parts)
            {
                for (var i = 0; i < counts.Length; i++) counts[i] += part[i];
            }
            if (rank < 0) rank = counts.Sum() / 2;
            var next = 0;
            while (next < counts.Length - 1 && before + counts[next] <= rank) before += counts[next++];
            prefix = (prefix << Digit) | (uint)next;
        }
        var key = prefix << (64 - (digits * Digit));
        return BitConverter.UInt64BitsToDouble((key >> 63) == 1 ? key ^ (1UL << 63) : ~key);
    }

    private static IEnumerable<long[]> Count(IEnumerable<FeatureBlock> blocks, double? from, ulong prefix, int known)
    {
        var counts = new long[1 << Digit];
        foreach (var block in blocks)
        {
            for (var row = 0; row < block.Rows; row++)
            {
                if (!(block.WeightOf(row) > 0)) continue;
                var label = block.Labels[row];
                var key = Order(from is { } center ? Math.Abs(label - center) : label);
                if (known == 0 || key >> (64 - known) == prefix) counts[(key >> (64 - Digit - known)) & ((1 << Digit) - 1)]++;
            }
        }
        return [counts];
    }

    // Unsigned numbers in the order of the numbers whose bits they are made of.
    private static ulong Order(double value)
    {
        var bits = BitConverter.DoubleToUInt64Bits(value);
        return (bits >> 63) == 1 ? ~bits : bits | (1UL << 63);
    }
}
