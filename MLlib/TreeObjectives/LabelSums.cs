using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeObjectives;

/// <summary>Exact sums over the labels of all shards.</summary>
internal static class LabelSums
{
    /// <summary>The mean of a function of the labels, by weight; 0 if there are no rows.</summary>
    public static double WeightedMean(TreeShard shard, ITreeGroup group, Func<float, double> value)
    {
        var sum = new ExactSum();
        var weights = new ExactSum();
        for (var i = 0; i < shard.Labels.Length; i++)
        {
            var weight = shard.Weights is { } given ? given[i] : 1;
            sum.AddProduct(value(shard.Labels[i]), weight);
            weights.Add(weight);
        }
        var (total, totalWeight) = Reduce(group, sum, weights);
        return totalWeight > 0 ? total / totalWeight : 0;
    }

    /// <summary>Two sums over all shards, each rounded once.</summary>
    public static (double First, double Second) Reduce(ITreeGroup group, ExactSum first, ExactSum second)
    {
        if (group.Shards == 1) return (first.Value, second.Value);
        var state = new long[2 * ExactSum.StateLength];
        first.Save(state);
        second.Save(state.AsSpan(ExactSum.StateLength));
        ExactSum firstTotal = new(), secondTotal = new();
        foreach (var part in group.AllGather<long>(state))
        {
            firstTotal.Merge(ExactSum.Load(part));
            secondTotal.Merge(ExactSum.Load(part.AsSpan(ExactSum.StateLength)));
        }
        return (firstTotal.Value, secondTotal.Value);
    }
}
