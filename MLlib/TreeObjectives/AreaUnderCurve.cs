using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeObjectives;

/// <summary>The weighted area under the ROC curve over all shards: how often a row of class 1 has a greater score than one of class 0; equal scores count half.</summary>
internal static unsafe class AreaUnderCurve
{
    private readonly record struct Scored(double Score, double Weight);

    /// <summary>O(n log n) over the rows of all shards, which every shard gets: 16 bytes a row.</summary>
    public static double Of(TreeShard shard, double* scores, ITreeGroup group)
    {
        var own = new Scored[shard.Rows.Rows];
        for (var row = 0; row < own.Length; row++)
        {
            var weight = shard.Weights is { } given ? given[row] : 1.0;

            // The label is the weight's sign; rows without weight do not count.
            own[row] = new(scores[row] + 0.0, shard.Labels[row] > 0 ? weight : -weight);
        }
        var all = group.Shards == 1 ? own : [.. group.AllGather<Scored>(own).SelectMany(part => part)];
        var keys = Array.ConvertAll(all, row => row.Score);
        Array.Sort(keys, all);
        ExactSum area = new(), positive = new(), negative = new();
        double below = 0;
        for (var i = 0; i < all.Length;)
        {
            if (i + 1 == all.Length || all[i + 1].Score != all[i].Score)
            {
                var weight = all[i++].Weight;
                if (weight < 0) AddBelow(-weight);
                else if (weight > 0) AddPair(weight, 0);
                continue;
            }
            ExactSum up = new(), down = new();
            var score = all[i].Score;
            for (; i < all.Length && all[i].Score == score; i++)
            {
                if (all[i].Weight > 0) up.Add(all[i].Weight);
                else down.Add(-all[i].Weight);
            }
            AddPair(up.Value, down.Value);
            AddBelow(down.Value);
        }
        return positive.Value > 0 && negative.Value > 0 ? area.Value / (positive.Value * negative.Value) : double.NaN;

        // A running sum rounds, but in the order of the scores, which is the same for any shards but for rows of equal scores, added up before.
        void AddBelow(double weight)
        {
            negative.Add(weight);
            below += weight;
        }

        void AddPair(double up, double down)
        {
            area.AddProduct(up, below + (0.5 * down));
            positive.Add(up);
        }
    }
}