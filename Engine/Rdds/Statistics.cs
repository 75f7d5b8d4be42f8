namespace Dataflow;

/// <summary>Count, mean, variance, smallest and largest of numbers, gathered in one pass.</summary>
/// <remarks>Welford's update (1962) and the pairwise merge of Chan, Golub and LeVeque (1979): no cancellation for large means.</remarks>
/// <param name="Count">How many numbers.</param>
/// <param name="Mean">Their mean; 0 when there are none.</param>
/// <param name="SquaredDeviations">Sum of squared deviations from the mean.</param>
/// <param name="Min">The smallest; positive infinity when there are none.</param>
/// <param name="Max">The largest; negative infinity when there are none.</param>
public readonly record struct Statistics(long Count, double Mean, double SquaredDeviations, double Min, double Max)
{
    /// <summary>Of no numbers.</summary>
    public static Statistics Empty { get; } = new(0, 0, 0, double.PositiveInfinity, double.NegativeInfinity);

    /// <summary>Their sum.</summary>
    public double Sum => Mean * Count;

    /// <summary>Population variance: squared deviations over the count. NaN when there are none.</summary>
    public double Variance => Count == 0 ? double.NaN : SquaredDeviations / Count;

    /// <summary>Population standard deviation.</summary>
    public double StandardDeviation => Math.Sqrt(Variance);

    /// <summary>Sample variance: squared deviations over the count less one. NaN for fewer than two.</summary>
    public double SampleVariance => Count < 2 ? double.NaN : SquaredDeviations / (Count - 1);

    /// <summary>Sample standard deviation.</summary>
    public double SampleStandardDeviation => Math.Sqrt(SampleVariance);

    /// <summary>With one number more.</summary>
    /// <param name="value">The number.</param>
    public Statistics Add(double value)
    {
        var count = Count + 1;
        var delta = value - Mean;
        var mean = Mean + delta / count;
        return new Statistics(count, mean, SquaredDeviations + delta * (value - mean), Math.Min(Min, value), Math.Max(Max, value));
    }

    /// <summary>Of the numbers of both.</summary>
    /// <param name="other">Of other numbers.</param>
    public Statistics Merge(Statistics other)
    {
        if (other.Count == 0) return this;
        if (Count == 0) return other;
        var count = Count + other.Count;
        var delta = other.Mean - Mean;
        var share = (double)other.Count / count;
        return new Statistics(
            count,
            Mean + delta * share,
            SquaredDeviations + other.SquaredDeviations + delta * delta * Count * share,
            Math.Min(Min, other.Min),
            Math.Max(Max, other.Max));
    }
}
