using Dataflow.MLlib.TreeBins;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeGrowth;

/// <summary>Makes the <see cref="Tree"/> that predicts on raw values of one that was grown on bins.</summary>
internal static class TreeAssembly
{
    /// <param name="grown">The shape.</param>
    /// <param name="layout">The bins.</param>
    /// <param name="rules">How sums become values.</param>
    /// <param name="sums">Exact sums of the leaves.</param>
    /// <param name="values">The leaves' values, before the learning rate.</param>
    /// <param name="shrinkage">The learning rate.</param>
    /// <param name="bias">Is added to all values, after the learning rate.</param>
    public static Tree Build(GrownTree grown, BinLayout layout, SplitRules rules, long[] sums, double[] values, double shrinkage, double bias)
    {
        var gradients = grown.Gradients;
        var nodes = grown.Splits.Count;
        var tree = new Tree
        {
            Features = new int[nodes],
            Thresholds = new double[nodes],
            Decisions = new byte[nodes],
            Left = new int[nodes],
            Right = new int[nodes],
            Gains = new double[nodes],
            InternalValues = new double[nodes],
            InternalWeights = new double[nodes],
            InternalCounts = new long[nodes],
            LeafValues = [.. values.Select(value => (value * shrinkage) + bias)],
            LeafWeights = [.. grown.Leaves.Select((_, leaf) => sums[(2 * leaf) + 1] * gradients.HessianUnit)],
            LeafCounts = [.. grown.Leaves.Select(leaf => leaf.Sums.Count)],
            Shrinkage = shrinkage,
        };
        for (var i = 0; i < nodes; i++)
        {
            var node = grown.Splits[i];
            var mapper = layout.Mappers[node.Split.Feature];
            tree.Features[i] = node.Split.Feature;
            tree.Thresholds[i] = node.Split.Bin < mapper.Bounds.Length ? mapper.Bounds[node.Split.Bin] : double.PositiveInfinity;
            tree.Decisions[i] = (byte)(Tree.MissingNaN | (node.Split.MissingLeft ? Tree.DefaultLeft : 0));
            tree.Left[i] = node.Left!.Place;
            tree.Right[i] = node.Right!.Place;
            tree.Gains[i] = node.Split.Gain;
            var gradient = (int)(node.Sums.Total >> 32) * gradients.GradientCell;
            var hessian = (uint)node.Sums.Total * gradients.HessianCell;
            tree.InternalValues[i] = (rules.Output(gradient, hessian, rules.L2) * shrinkage) + bias;
            tree.InternalWeights[i] = hessian;
            tree.InternalCounts[i] = node.Sums.Count;
        }
        return tree;
    }
}
