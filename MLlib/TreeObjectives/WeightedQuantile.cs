using Dataflow.MLlib.Numerics;

namespace Dataflow.MLlib.TreeObjectives;

/// <summary>Quantiles of values by weight, the same for any order of the values.</summary>
internal static class WeightedQuantile
{
    /// <summary>The quantile: without weights linear between the two values beside it, as NumPy's; by weight the first value at which the weight reaches its part.</summary>
    /// <param name="values">Sorted by the call.</param>
    /// <param name="weights">One a value; empty if all are 1.</param>
    /// <param name="alpha">Between 0 and 1.</param>
    /// <returns>0 of no values.</returns>
    public static double Of(double[] values, float[] weights, double alpha)
    {
        if (values.Length == 0) return 0;
        if (weights.Length == 0)
        {
            Array.Sort(values);
            var place = alpha * (values.Length - 1);
            var below = (int)place;
            return below + 1 == values.Length ? values[below] : values[below] + ((place - below) * (values[below + 1] - values[below]));
        }
        Array.Sort(values, weights);
        var total = new ExactSum();
        foreach (var weight in weights) total.Add(weight);
        var wanted = alpha * total.Value;
        var (reached, at) = (new ExactSum(), 0);
        while (at < values.Length)
        {
            // Equal values count together, whatever the order of their weights.
            var value = values[at];
            for (; at < values.Length && values[at] == value; at++) reached.Add(weights[at]);
            if (reached.Value >= wanted) return value;
        }
        return values[^1];
    }
}
