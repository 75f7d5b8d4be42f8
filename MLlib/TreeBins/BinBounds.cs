using System.Buffers;

namespace Dataflow.MLlib.TreeBins;

/// <summary>Where numeric bins end: values that are frequent have a bin each, the others share bins of about equal counts.</summary>
/// <remarks>After G. Ke et al. 2017 (LightGBM), greedy over distinct values; here zero is a value like any other.</remarks>
internal static class BinBounds
{
    /// <summary>The largest value of each bin but the last.</summary>
    /// <param name="sorted">The values of a sample, ascending, not empty.</param>
    /// <param name="maxBins">At most so many bins; at least 2.</param>
    public static double[] Find(ReadOnlySpan<double> sorted, int maxBins)
    {
        var distinct = 1;
        for (var i = 1; i < sorted.Length; i++) distinct += sorted[i] == sorted[i - 1] ? 0 : 1;
        var values = ArrayPool<double>.Shared.Rent(distinct);
        var counts = ArrayPool<int>.Shared.Rent(distinct);
        try
        {
            var count = 0;
            foreach (var value in sorted)
            {
                if (count > 0 && values[count - 1] == value)
                {
                    counts[count - 1]++;
                    continue;
                }
                (values[count], counts[count]) = (value, 1);
                count++;
            }
            return Find(values.AsSpan(0, count), counts.AsSpan(0, count), sorted.Length, maxBins);
        }
        finally
        {
            ArrayPool<double>.Shared.Return(values);
            ArrayPool<int>.Shared.Return(counts);
        }
    }

    private static double[] Find(ReadOnlySpan<double> values, ReadOnlySpan<int> counts, int total, int maxBins)
    {
        var bounds = new List<double>(Math.Min(maxBins, values.Length));
        if (values.Length <= maxBins)
        {
            for (var i = 0; i + 1 < values.Length; i++) bounds.Add(Between(values[i], values[i + 1]));
            return [.. bounds];
        }

        // What is as frequent as the mean bin fills one alone; the mean of the others is corrected as bins close.
        var mean = (double)total / maxBins;
        var rest = total;
        var restBins = maxBins;
        var least = mean;
        foreach (var each in counts)
        {
            if (each < least) continue;
            restBins--;
            rest -= each;
        }
        mean = restBins > 0 ? (double)rest / restBins : double.PositiveInfinity;
        var count = 0;
        for (var i = 0; i + 1 < values.Length && bounds.Count < maxBins - 1; i++)
        {
            var isLarge = counts[i] >= least;
            if (!isLarge) rest -= counts[i];
            count += counts[i];
            if (!isLarge && count < mean && !(counts[i + 1] >= least && count >= Math.Max(1, mean * 0.5))) continue;
            bounds.Add(Between(values[i], values[i + 1]));
            count = 0;
            if (isLarge) continue;
            restBins--;
            mean = restBins > 0 ? (double)rest / restBins : double.PositiveInfinity;
        }
        return [.. bounds];
    }

    /// <summary>A number that is not below <paramref name="low"/> and below <paramref name="high"/>: the middle if there is one.</summary>
    public static double Between(double low, double high)
    {
        // Infinite values are apart from every finite one.
        if (double.IsNegativeInfinity(low)) return high > -double.MaxValue ? -double.MaxValue : low;
        if (double.IsPositiveInfinity(high)) return double.MaxValue;
        var middle = (low * 0.5) + (high * 0.5);
        return middle >= low && middle < high ? middle : low;
    }
}
