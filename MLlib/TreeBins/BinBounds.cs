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
        var values = new List<double>();
        var counts = new List<int>();
        foreach (var value in sorted)
        {
            if (values.Count > 0 && values[^1] == value)
            {
                counts[^1]++;
                continue;
            }
            values.Add(value);
            counts.Add(1);
        }
        var bounds = new List<double>(Math.Min(maxBins, values.Count));
        if (values.Count <= maxBins)
        {
            for (var i = 0; i + 1 < values.Count; i++) bounds.Add(Between(values[i], values[i + 1]));
            return [.. bounds];
        }

        // What is as frequent as the mean bin fills one alone; the mean of the others is corrected as bins close.
        var mean = (double)sorted.Length / maxBins;
        var rest = sorted.Length;
        var restBins = maxBins;
        var large = new bool[values.Count];
        for (var i = 0; i < large.Length; i++)
        {
            if (counts[i] < mean) continue;
            large[i] = true;
            restBins--;
            rest -= counts[i];
        }
        mean = restBins > 0 ? (double)rest / restBins : double.PositiveInfinity;
        var count = 0;
        for (var i = 0; i + 1 < values.Count && bounds.Count < maxBins - 1; i++)
        {
            if (!large[i]) rest -= counts[i];
            count += counts[i];
            if (!large[i] && count < mean && !(large[i + 1] && count >= Math.Max(1, mean * 0.5))) continue;
            bounds.Add(Between(values[i], values[i + 1]));
            count = 0;
            if (large[i]) continue;
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
