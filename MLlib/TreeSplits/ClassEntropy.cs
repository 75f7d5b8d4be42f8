using Dataflow.MLlib.Numerics;

namespace Dataflow.MLlib.TreeSplits;

/// <summary>Entropy of a class's share, times the rows' weight: the log loss of a leaf that predicts its share (Quinlan 1986; Breiman et al. 1984, section 4.3).</summary>
internal static unsafe class ClassEntropy
{
    // Rounding goes up or down at random: sums of n rows are off by less than so many times its square root.
    private const double Deviations = 4;

    /// <summary>In nats. 0 if all rows are of one class, also where sums are known up to rounding only: else a node of one class would be split on and on.</summary>
    /// <param name="sums">A histogram's cell: minus the weight of the class, and the weight of all.</param>
    public static double Of(long sums, in SplitTerms terms)
    {
        double weight = (uint)sums;
        var all = weight * terms.HessianCell;
        var inside = -(int)(sums >> 32) * terms.GradientCell;
        var outside = all - inside;
        var least = terms.Rounding == 0 ? 0 : terms.Rounding * Deviations * Math.Sqrt(weight * terms.RowsPerUnit);
        if (!(inside > least) || !(outside > least)) return 0;
        return -((inside * Elementary.Log(inside / all)) + (outside * Elementary.Log(outside / all)));
    }

    /// <summary>Finds the first bin with the greatest gain, the parent's not taken off.</summary>
    /// <param name="running">Sums over the bins up to each.</param>
    /// <param name="bins">How many thresholds there are.</param>
    /// <param name="extra">What goes left besides: the sums of missing values, or 0.</param>
    /// <returns>The bin, or -1 if no threshold leaves both sides enough.</returns>
    public static int Find(long* running, int bins, long extra, in SplitTerms terms, out double best)
    {
        best = double.NegativeInfinity;
        var found = -1;
        for (var bin = 0; bin < bins; bin++)
        {
            // A bin without rows parts nothing that the one before it did not; of small nodes nearly all are.
            if (bin > 0 && running[bin] == running[bin - 1]) continue;
            var left = running[bin] + extra;
            var right = terms.Total - left;
            if (!terms.Allows(left, right)) continue;
            var gain = -(Of(left, terms) + Of(right, terms));
            if (!(gain > best)) continue;
            best = gain;
            found = bin;
        }
        return found;
    }
}
