using Dataflow.MLlib.Numerics;

namespace Dataflow.MLlib.Evaluation;

/// <summary>The sums that metrics of regressions are made of.</summary>
internal static class RegressionSums
{
    /// <summary>How many sums there are.</summary>
    public const int Count = 7;

    /// <summary>Adds a row.</summary>
    public static void Add(ExactSum[] sums, double label, double prediction, double weight)
    {
        var error = label - prediction;
        sums[0].Add(weight);
        sums[1].AddProduct(weight, error, error);
        sums[2].AddProduct(weight, Math.Abs(error));
        sums[3].AddProduct(weight, label);
        sums[4].AddProduct(weight, label, label);
        sums[5].AddProduct(weight, prediction);
        sums[6].AddProduct(weight, prediction, prediction);
    }

    /// <summary>The metrics.</summary>
    public static RegressionMetrics Finish(ExactSum[] sums)
    {
        var weight = sums[0].Value;
        var squares = sums[1].Value;
        var mean = sums[3].Value / weight;
        var labels = AboutMean(sums[4], sums[3], mean, weight);
        var predictions = AboutMean(sums[6], sums[5], mean, weight);
        return new RegressionMetrics(
            weight,
            squares / weight,
            sums[2].Value / weight,
            labels > 0 ? 1 - (squares / labels) : squares == 0 ? 1 : double.NegativeInfinity,
            predictions / weight);
    }

    // Sum of w (x - m)^2 = sum of w x^2 - 2 m sum of w x + m^2 sum of w, without rounding before the end: the terms may be far larger than their sum.
    private static double AboutMean(ExactSum squares, ExactSum values, double mean, double weight)
    {
        var (high, low) = Halves(values);
        var all = new ExactSum();
        all.Merge(squares);
        all.AddProduct(-2 * mean, high);
        all.AddProduct(-2 * mean, low);
        all.AddProduct(weight, mean, mean);
        return Math.Max(0, all.Value);
    }

    // A sum as two doubles: what the first leaves over is the second.
    private static (double High, double Low) Halves(ExactSum sum)
    {
        var high = sum.Value;
        var rest = new ExactSum();
        rest.Merge(sum);
        rest.Add(-high);
        return (high, rest.Value);
    }
}
