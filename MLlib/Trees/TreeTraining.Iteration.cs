using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.TreeGrowth;
using Dataflow.MLlib.TreeObjectives;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.Trees;

/// <summary>The steps of an iteration.</summary>
internal sealed unsafe partial class TreeTraining
{
    /// <summary>Fills the gradients by the scores so far.</summary>
    private void ComputeGradients(int iteration)
    {
        var seed = RowHash.Bits(options.Seed, iteration, 0x7EE5);
        var isForest = options.Boosting == Boosting.Forest;
        if (iteration == 0 || averages.Length == 0 || isForest)
        {
            var fromAverage = (iteration == 0 || isForest) && options.BoostFromAverage && !HasInitialScores();
            averages = fromAverage ? options.Objective.Averages(shard, group) : new double[options.Objective.Scores];
        }
        else
        {
            Array.Clear(averages);
        }
        if (iteration > 0 && !isForest)
        {
            pass.Run(scores.Pointer, gradients, seed);
            return;
        }

        // What the average adds is part of the trees, and added with them: a model gives the scores that training had, bit for bit.
        using var kept = isForest && iteration > 0 ? Copy() : null;
        SetScores(shard, scores, averages);
        pass.Run(scores.Pointer, gradients, seed);
        if (kept is null) SetScores(shard, scores, []);
        else Buffer.MemoryCopy(kept.Pointer, scores.Pointer, scores.Length * sizeof(double), scores.Length * sizeof(double));
    }

    private NativeArray<double> Copy()
    {
        var copy = new NativeArray<double>(scores.Length);
        Buffer.MemoryCopy(scores.Pointer, copy.Pointer, scores.Length * sizeof(double), scores.Length * sizeof(double));
        return copy;
    }

    /// <summary>Draws the rows of the iteration.</summary>
    private (int Count, long GlobalCount) Draw(int iteration)
    {
        var count = RowSampling.Draw(options.Sampling, iteration, grower.Lists, shard.Rows, gradients, team, group);
        var counts = new long[] { count };
        if (options.Sampling.DrawsSome) group.AllReduceSum(counts);
        else counts[0] = globalRows;
        if (counts[0] == 0 && options.Boosting == Boosting.Forest)
        {
            // A tree of no rows would know nothing, and still have a vote.
            grower.Lists.Reset(count = shard.Rows.Rows);
            counts[0] = globalRows;
        }
        if (options.Sampling.Multiplies(iteration))
        {
            foreach (var values in gradients) values.Scale(grower.Lists.Rows, count, counts[0], group);
        }
        if (drawn is not null) Buffer.MemoryCopy(grower.Lists.Rows, drawn.Pointer, drawn.Length * sizeof(int), drawn.Length * sizeof(int));
        return (count, counts[0]);
    }

    /// <summary>The rows of the iteration again, in the order in which they were drawn.</summary>
    private void Redraw(int count)
    {
        if (drawn is null) grower.Lists.Reset(count);
        else Buffer.MemoryCopy(drawn.Pointer, grower.Lists.Rows, drawn.Length * sizeof(int), drawn.Length * sizeof(int));
    }

    /// <summary>Gives the leaves their values, from exact sums.</summary>
    private Tree Assemble(GrownTree grown, int score, double rate)
    {
        var sums = LeafRows.Sums(grown, grower.Lists, team, group);
        var rules = options.Growth.Rules;
        var values = new double[grown.Leaves.Count];
        if (grown.Splits.Count > 0 || options.Boosting == Boosting.Forest)
        {
            for (var leaf = 0; leaf < values.Length; leaf++)
            {
                var node = grown.Leaves[leaf];
                var output = rules.Output(sums[2 * leaf] * gradients[score].GradientUnit, sums[(2 * leaf) + 1] * gradients[score].HessianUnit, rules.L2 + node.ExtraL2);
                values[leaf] = Math.Min(node.Sums.Upper, Math.Max(node.Sums.Lower, output));
            }
            if (options.Objective.RenewalQuantile is { } quantile) values = Renewed(grown, score, quantile);
        }
        for (var leaf = 0; leaf < values.Length; leaf++) values[leaf] = ScoreGrid.Round((values[leaf] * rate) + averages[score], grid);
        return TreeAssembly.Build(grown, shard.Rows.Layout, rules, sums, values, rate, averages[score]);
    }

    private double[] Renewed(GrownTree grown, int score, double quantile)
    {
        var scale = ExactQuantiles.WeightScale(shard, group);
        var current = options.Boosting == Boosting.Forest ? null : ScoresOf(score);
        var average = averages[score];
        var rows = grower.Lists.Rows;
        return ExactQuantiles.Find([.. grown.Leaves.Select(leaf => leaf.Rows)], RowOf, quantile, team, group);

        (double, long) RowOf(int leaf, int k)
        {
            var row = rows[grown.Leaves[leaf].Start + k];
            var before = (current is null ? 0 : current[row]) + average;
            return (shard.Labels[row] - before, ExactQuantiles.WeightOf(shard, row, scale));
        }
    }

    private void AddToScores(GrownTree grown, Tree tree, int score, int count)
    {
        LeafRows.AddToScores(grown, grower.Lists, tree.LeafValues, ScoresOf(score), team);
        TreeOnBins.Add(tree, shard.Rows, grower.Lists.Rows + count, shard.Rows.Rows - count, ScoresOf(score), team);
    }

    private void TakeBack(List<Tree> added)
    {
        // They are of one leaf with nothing in it.
        for (var score = 0; score < added.Count; score++) TreeOnBins.Add(added[score], shard.Rows, ScoresOf(score), -1, team);
    }

    /// <summary>DART: takes trees of some iterations out of the scores.</summary>
    /// <returns>The iterations.</returns>
    private List<int> Drop(int iteration)
    {
        var dropped = new List<int>();
        if (options.Boosting != Boosting.Dart) return dropped;
        var key = RowHash.Key(options.Seed, 0xDA27 + ((ulong)iteration << 16));
        if (RowHash.Uniform(key, -1) < options.SkipDrop) return dropped;

        // The first one holds the average.
        for (var i = 1; i < iteration && dropped.Count < options.MaxDrop; i++)
        {
            if (RowHash.Uniform(key, i) < options.DropRate) dropped.Add(i);
        }
        Each(dropped, (tree, score) => TreeOnBins.Add(trees[tree], shard.Rows, ScoresOf(score), -1, team));
        return dropped;
    }

    /// <summary>DART: puts the trees back with less weight, so that they and the new tree together have the weight they had.</summary>
    private void Restore(List<int> dropped)
    {
        if (dropped.Count == 0) return;
        var factor = dropped.Count / (1.0 + dropped.Count);
        Each(dropped, (tree, score) =>
        {
            var old = trees[tree];
            trees[tree] = TreeAssembly.WithValues(
                old, [.. old.LeafValues.Select(value => ScoreGrid.Round(value * factor, grid))], [.. old.InternalValues.Select(value => value * factor)], old.Shrinkage * factor);
            TreeOnBins.Add(trees[tree], shard.Rows, ScoresOf(score), 1, team);
        });
    }

    private void Each(List<int> iterations, Action<int, int> action)
    {
        var perIteration = options.Objective.Scores;
        foreach (var iteration in iterations)
        {
            for (var score = 0; score < perIteration; score++) action((iteration * perIteration) + score, score);
        }
    }

    private bool HasInitialScores()
    {
        var any = new[] { shard.InitialScores is null ? 0L : 1 };
        group.AllReduceSum(any);
        return any[0] > 0;
    }

    /// <summary>The scores before any tree.</summary>
    public static void SetScores(TreeShard shard, NativeArray<double> scores, double[] averages)
    {
        var rows = shard.Rows.Rows;
        for (var score = 0; (long)score * rows < scores.Length; score++)
        {
            var target = scores.Span((long)score * rows, rows);
            if (shard.InitialScores is null) target.Fill(averages.Length == 0 ? 0 : averages[score]);
            else shard.InitialScores.AsSpan(score * rows, rows).CopyTo(target);
        }
    }
}
