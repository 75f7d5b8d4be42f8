using Dataflow.MLlib.TreeGrowth;

namespace Dataflow.MLlib.TreeSplits;

/// <summary>
/// Splits by category: one against the rest where there are few; else the categories in the order of their gradients, cut somewhere (Fisher 1958; as LightGBM does
/// it: G. Ke et al. 2017). Missing, rare and unknown categories go right.
/// </summary>
internal static unsafe class CategorySplits
{
    /// <summary>The best split; its gain without the parent's taken off.</summary>
    /// <param name="feature">The feature.</param>
    /// <param name="bins">Its histogram.</param>
    /// <param name="count">Bins of categories.</param>
    public static SplitCandidate Find(int feature, long* bins, int count, in SplitTerms terms, SplitRules rules) =>
        count <= rules.MaxOneVersusRest ? OneVersusRest(feature, bins, count, terms, rules) : ManyVersusMany(feature, bins, count, terms, rules);

    private static SplitCandidate OneVersusRest(int feature, long* bins, int count, in SplitTerms terms, SplitRules rules)
    {
        var best = SplitCandidate.None;
        for (var bin = 0; bin < count; bin++)
        {
            var gain = terms.Gain(feature, bins[bin], rules, rules.L2);
            if (gain > best.Gain) best = new() { Feature = feature, Gain = gain, Left = bins[bin], LeftBins = Bits([bin], 1, count) };
        }
        return best;
    }

    private static SplitCandidate ManyVersusMany(int feature, long* bins, int count, in SplitTerms terms, SplitRules rules)
    {
        var order = new int[count];
        var ratios = new double[count];
        var used = 0;

        // Rare categories are drawn to the node's mean. Gradients are centred on the root's, but for entropy.
        var prior = rules.IsEntropy ? rules.CategorySmoothing * (int)(terms.Total >> 32) * terms.GradientCell / ((uint)terms.Total * terms.HessianCell) : 0;
        for (var bin = 0; bin < count; bin++)
        {
            if (Rows(bins[bin], terms) < rules.CategorySmoothing) continue;
            order[used] = bin;
            ratios[used++] = (((int)(bins[bin] >> 32) * terms.GradientCell) + prior) / (((uint)bins[bin] * terms.HessianCell) + rules.CategorySmoothing);
        }
        Array.Sort(ratios, order, 0, used);
        for (var (start, end) = (0, 1); end <= used; end++)
        {
            // Equal ratios by the category's bin, whatever the sort did.
            if (end < used && ratios[end] == ratios[start]) continue;
            if (end - start > 1) Array.Sort(order, start, end - start);
            start = end;
        }
        var l2 = rules.L2 + rules.CategoryL2;
        var most = Math.Min(rules.MaxCategories, (used + 1) / 2);
        var best = SplitCandidate.None;
        var bestCount = 0;
        var fromEnd = false;
        for (var direction = 0; direction < 2; direction++)
        {
            long left = 0;
            double group = 0;
            for (var i = 0; i < used && i < most; i++)
            {
                var bin = order[direction == 0 ? i : used - 1 - i];
                left += bins[bin];
                group += Rows(bins[bin], terms);
                if (Rows(terms.Total - left, terms) < rules.MinCategoryGroup) break;
                if (group < rules.MinCategoryGroup) continue;
                var gain = terms.Gain(feature, left, rules, l2);
                if (double.IsNegativeInfinity(gain)) continue;
                group = 0;
                if (!(gain > best.Gain)) continue;
                best = new() { Feature = feature, Gain = gain, Left = left, ExtraL2 = rules.CategoryL2 };
                (bestCount, fromEnd) = (i + 1, direction == 1);
            }
        }
        if (best.Exists) best.LeftBins = Bits(fromEnd ? order.AsSpan(used - bestCount, bestCount) : order.AsSpan(0, bestCount), bestCount, count);
        return best;
    }

    private static double Rows(long sums, in SplitTerms terms) => Math.Floor(((uint)sums * terms.RowsPerUnit) + 0.5);

    private static uint[] Bits(ReadOnlySpan<int> left, int leftCount, int count)
    {
        var bits = new uint[(count / 32) + 1];
        foreach (var bin in left[..leftCount]) bits[bin >> 5] |= 1u << (bin & 31);
        return bits;
    }
}
