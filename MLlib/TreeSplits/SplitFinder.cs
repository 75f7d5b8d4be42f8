using System.Runtime.CompilerServices;
using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.TreeBins;
using Dataflow.MLlib.TreeGrowth;

namespace Dataflow.MLlib.TreeSplits;

/// <summary>Finds the best split of a node in its histogram. Safe to share between threads; sees whole numbers only, so every shard finds the same.</summary>
internal sealed unsafe class SplitFinder(BinLayout layout, bool[] hasMissing, SplitRules rules)
{
    /// <summary>The best split by features of some columns.</summary>
    /// <param name="cells">The node's histogram.</param>
    /// <param name="from">The first column.</param>
    /// <param name="to">The column behind the last.</param>
    /// <param name="node">The node.</param>
    /// <param name="gradients">What cells are worth.</param>
    /// <param name="allowed">By feature: whether it may be asked; null allows all.</param>
    public SplitCandidate Find(long* cells, int from, int to, in NodeSums node, Gradients gradients, bool[]? allowed)
    {
        var best = SplitCandidate.None;
        if ((uint)node.Total == 0 || node.Count < 2 * rules.MinLeafRows) return best;
        var terms = SplitTerms.Of(node, gradients, rules);
        var parent = Parent(terms);
        var digits = stackalloc long[BinLayout.ColumnBins + 8];
        using var wide = layout.IsWide ? new NativeArray<long>(layout.MostBins + 8) : null;
        var narrow = stackalloc long[BinLayout.ColumnBins + 8];
        var running = wide is null ? narrow : wide.Pointer;
        for (var column = from; column < to; column++)
        {
            var features = layout.FeaturesOf[column];
            var source = cells + layout.FirstCell[column];
            foreach (var feature in features)
            {
                if (allowed is not null && !allowed[feature]) continue;
                var bins = source;
                if (features.Length > 1)
                {
                    Digits(source, layout.BinsOf[column], layout.MultiplierOf[feature], layout.Mappers[feature].Bins, digits);
                    bins = digits;
                }
                var candidate = layout.Mappers[feature].IsCategorical
                    ? CategorySplits.Find(feature, bins, layout.Mappers[feature].ValueBins, terms, rules)
                    : Numeric(feature, bins, running, terms);
                candidate.Gain -= parent;
                if (candidate.Gain > rules.MinGain && candidate.IsBetterThan(best)) best = candidate;
            }
        }
        return best;
    }

    /// <summary>What a split does with the numbers of its column: 1 sends right.</summary>
    public static void Table(BinLayout layout, in SplitCandidate split, byte* goesRight)
    {
        var mapper = layout.Mappers[split.Feature];
        var column = layout.ColumnOf[split.Feature];
        var multiplier = layout.MultiplierOf[split.Feature];
        for (var number = 0; number < layout.BinsOf[column]; number++)
        {
            var bin = number / multiplier % mapper.Bins;
            goesRight[number] = split.GoesLeft(bin, mapper.MissingBin) ? (byte)0 : (byte)1;
        }
    }

    private double Parent(in SplitTerms terms)
    {
        if (rules.IsEntropy) return -ClassEntropy.Of(terms.Total, terms);
        if (!rules.ArePlain) return terms.GainOf(terms.Total, rules, rules.L2, terms.Output(terms.Total, rules, rules.L2));
        var gradient = (int)(terms.Total >> 32) * terms.GradientCell;
        return gradient * gradient / (((uint)terms.Total * terms.HessianCell) + rules.L2);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private SplitCandidate Numeric(int feature, long* bins, long* running, in SplitTerms terms)
    {
        var values = layout.Mappers[feature].ValueBins;
        long sum = 0;
        for (var bin = 0; bin < values; bin++)
        {
            sum += bins[bin];
            running[bin] = sum;
        }
        var best = SplitCandidate.None;
        var missing = hasMissing[feature] ? bins[values] : 0;
        if (missing == 0)
        {
            // What is not missing in this node goes, should it come later, where most rows go.
            var found = Scan(feature, running, values - 1, 0, terms, out var gain);
            if (found < 0) return best;
            var left = running[found];
            return new() { Feature = feature, Bin = found, Gain = gain, Left = left, MissingLeft = (uint)left >= (uint)(terms.Total - left) };
        }

        // The last threshold parts what is there from what is missing.
        var right = Scan(feature, running, values, 0, terms, out var rightGain);
        var missingLeft = Scan(feature, running, values - 1, missing, terms, out var leftGain);
        if (right >= 0) best = new() { Feature = feature, Bin = right, Gain = rightGain, Left = running[right] };
        if (missingLeft >= 0 && leftGain > best.Gain)
            best = new() { Feature = feature, Bin = missingLeft, Gain = leftGain, Left = running[missingLeft] + missing, MissingLeft = true };
        return best;
    }

    private int Scan(int feature, long* running, int bins, long extra, in SplitTerms terms, out double best)
    {
        if (rules.ArePlain) return SplitScan.Find(running, bins, extra, terms, out best);
        if (rules.IsEntropy) return ClassEntropy.Find(running, bins, extra, terms, out best);
        best = double.NegativeInfinity;
        var found = -1;
        for (var bin = 0; bin < bins; bin++)
        {
            var gain = terms.Gain(feature, running[bin] + extra, rules, rules.L2);
            if (!(gain > best)) continue;
            best = gain;
            found = bin;
        }
        return found;
    }

    /// <summary>The histogram of one feature of a column that holds several.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Digits(long* cells, int count, int multiplier, int bins, long* digits)
    {
        for (var bin = 0; bin < bins; bin++) digits[bin] = 0;
        for (var start = 0; start < count; start += multiplier * bins)
        {
            for (var bin = 0; bin < bins; bin++)
            {
                var cell = cells + start + (bin * multiplier);
                long sum = 0;
                for (var i = 0; i < multiplier; i++) sum += cell[i];
                digits[bin] += sum;
            }
        }
    }
}
