using Dataflow.MLlib.TreeBins;
using Dataflow.MLlib.TreeGrowth;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.Trees;

/// <summary>Makes the <see cref="Tree"/> that predicts on raw values of one that was grown on bins.</summary>
internal static class TreeAssembly
{
    /// <param name="grown">The shape.</param>
    /// <param name="layout">The bins.</param>
    /// <param name="rules">How sums become values.</param>
    /// <param name="sums">Exact sums of the leaves.</param>
    /// <param name="values">The leaves' values as they are added to scores.</param>
    /// <param name="shrinkage">The learning rate.</param>
    /// <param name="bias">What was added to all values, after the learning rate.</param>
    public static Tree Build(GrownTree grown, BinLayout layout, SplitRules rules, long[] sums, double[] values, double shrinkage, double bias)
    {
        var gradients = grown.Gradients;
        var nodes = grown.Splits;
        var thresholds = new double[nodes.Count];
        var decisions = new byte[nodes.Count];
        var bounds = new List<int> { 0 };
        var words = new List<uint>();
        for (var i = 0; i < nodes.Count; i++)
        {
            var split = nodes[i].Split;
            var mapper = layout.Mappers[split.Feature];
            if (split.LeftBins is { } left)
            {
                (decisions[i], thresholds[i]) = (Tree.Categorical | Tree.MissingNaN, bounds.Count - 1);
                AddCategories(left, mapper, words);
                bounds.Add(words.Count);
                continue;
            }
            decisions[i] = (byte)(Tree.MissingNaN | (split.MissingLeft ? Tree.DefaultLeft : 0));
            thresholds[i] = split.Bin < mapper.Bounds.Length ? mapper.Bounds[split.Bin] : double.PositiveInfinity;
        }
        return new()
        {
            Features = [.. nodes.Select(node => node.Split.Feature)],
            Thresholds = thresholds,
            Decisions = decisions,
            Left = [.. nodes.Select(node => node.Left!.Place)],
            Right = [.. nodes.Select(node => node.Right!.Place)],
            Gains = [.. nodes.Select(node => node.Split.Gain)],
            InternalValues = [.. nodes.Select(node => (Value(node) * shrinkage) + bias)],
            InternalWeights = [.. nodes.Select(node => (uint)node.Sums.Total * gradients.HessianCell)],
            InternalCounts = [.. nodes.Select(node => node.Sums.Count)],
            LeafValues = values,
            LeafWeights = [.. grown.Leaves.Select((_, leaf) => sums[(2 * leaf) + 1] * gradients.HessianUnit)],
            LeafCounts = [.. grown.Leaves.Select(leaf => leaf.Sums.Count)],
            CategoryBounds = bounds.Count > 1 ? [.. bounds] : [],
            CategoryWords = [.. words],
            Shrinkage = shrinkage,
        };

        double Value(GrowthNode node) =>
            rules.Output((int)(node.Sums.Total >> 32) * gradients.GradientCell, (uint)node.Sums.Total * gradients.HessianCell, rules.L2 + node.ExtraL2);
    }

    /// <summary>The same tree with other values in its leaves.</summary>
    public static Tree WithValues(Tree tree, double[] leafValues, double[] internalValues, double shrinkage) => new()
    {
        Features = tree.Features,
        Thresholds = tree.Thresholds,
        Decisions = tree.Decisions,
        Left = tree.Left,
        Right = tree.Right,
        Gains = tree.Gains,
        InternalValues = internalValues,
        InternalWeights = tree.InternalWeights,
        InternalCounts = tree.InternalCounts,
        LeafValues = leafValues,
        LeafWeights = tree.LeafWeights,
        LeafCounts = tree.LeafCounts,
        CategoryBounds = tree.CategoryBounds,
        CategoryWords = tree.CategoryWords,
        Shrinkage = shrinkage,
    };

    private static void AddCategories(uint[] leftBins, BinMapper mapper, List<uint> words)
    {
        var start = words.Count;
        for (var bin = 0; bin < mapper.ValueBins; bin++)
        {
            if ((leftBins[bin >> 5] >> (bin & 31) & 1) == 0) continue;
            var category = mapper.Categories![bin];
            while (words.Count <= start + (category >> 5)) words.Add(0);
            words[start + (category >> 5)] |= 1u << (category & 31);
        }
    }
}
