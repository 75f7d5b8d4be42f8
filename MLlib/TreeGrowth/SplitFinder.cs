using Dataflow.MLlib.TreeBins;

namespace Dataflow.MLlib.TreeGrowth;

/// <summary>Finds the best split of a node in its histogram. Safe to share between threads; sees whole numbers only, so every shard finds the same.</summary>
internal sealed unsafe class SplitFinder
{
    private readonly BinLayout layout;
    private readonly bool[] hasMissing;
    private readonly SplitRules rules;

    public SplitFinder(BinLayout layout, bool[] hasMissing, SplitRules rules)
    {
        this.layout = layout;
        this.hasMissing = hasMissing;
        this.rules = rules;
    }

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
        var hessian = (uint)node.Total;
        if (hessian == 0 || node.Count < 2 * rules.MinLeafRows) return best;
        var terms = new SplitScan.Terms
        {
            Total = node.Total,
            GradientCell = gradients.GradientCell,
            HessianCell = gradients.HessianCell,
            L2 = rules.L2,
            MinHessian = Math.Max(1, rules.MinLeafWeight / gradients.HessianCell),
            RowsPerUnit = (double)node.Count / hessian,
            MinRows = rules.MinLeafRows - 0.5,
        };
        var gradient = (int)(node.Total >> 32) * gradients.GradientCell;
        var parent = gradient * gradient / ((hessian * gradients.HessianCell) + rules.L2);
        var least = parent + rules.MinGain;
        var digits = stackalloc long[BinLayout.ColumnBins + 8];
        var running = stackalloc long[BinLayout.ColumnBins + 8];
        for (var column = from; column < to; column++)
        {
            var features = layout.FeaturesOf[column];
            var source = cells + ((long)column * BinLayout.ColumnBins);
            foreach (var feature in features)
            {
                if (allowed is not null && !allowed[feature]) continue;
                var bins = source;
                if (features.Length > 1)
                {
                    Digits(source, layout.BinsOf[column], layout.MultiplierOf[feature], layout.Mappers[feature].Bins, digits);
                    bins = digits;
                }
                var candidate = Numeric(feature, bins, running, terms);
                if (!(candidate.Gain > least)) continue;
                candidate.Gain -= parent;
                if (candidate.IsBetterThan(best)) best = candidate;
            }
        }
        return best;
    }

    /// <summary>What a split does with the numbers of its column: 1 sends right.</summary>
    public void Table(in SplitCandidate split, byte* goesRight)
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

    private SplitCandidate Numeric(int feature, long* bins, long* running, in SplitScan.Terms terms)
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
            // What was never missing goes where most rows go.
            var found = SplitScan.Find(running, values - 1, 0, terms, out var gain);
            if (found < 0) return best;
            var left = running[found];
            return new() { Feature = feature, Bin = found, Gain = gain, Left = left, MissingLeft = (uint)left >= (uint)(terms.Total - left) };
        }

        // The last threshold parts what is there from what is missing.
        var right = SplitScan.Find(running, values, 0, terms, out var rightGain);
        var missingLeft = SplitScan.Find(running, values - 1, missing, terms, out var leftGain);
        if (right >= 0) best = new() { Feature = feature, Bin = right, Gain = rightGain, Left = running[right] };
        if (missingLeft >= 0 && leftGain > best.Gain)
            best = new() { Feature = feature, Bin = missingLeft, Gain = leftGain, Left = running[missingLeft] + missing, MissingLeft = true };
        return best;
    }

    /// <summary>The histogram of one feature of a column that holds several.</summary>
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
