using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.TreeGrowth;

namespace Dataflow.MLlib.Trees;

/// <summary>
/// Training under way in one shard: its rows' scores, and the trees so far. Every call is made in all shards of the group; each of them gets the same trees, with
/// the same bits for any number of shards, blocks and threads.
/// </summary>
internal sealed unsafe class TreeTraining : IDisposable
{
    private readonly TreeTrainingOptions options;
    private readonly TreeShard shard;
    private readonly ThreadTeam team;
    private readonly ITreeGroup group;
    private readonly TreeGrower grower;
    private readonly Gradients[] gradients;
    private readonly GradientPass pass;
    private readonly NativeArray<double> scores;
    private readonly List<Tree> trees = [];
    private readonly long globalRows;

    public TreeTraining(TreeTrainingOptions options, TreeShard shard, ThreadTeam team, ITreeGroup group)
    {
        (this.options, this.shard, this.team, this.group) = (options, shard, team, group);
        var (maxWeight, areWeighted) = LabelChecks.Check(options.Objective, shard, group);
        var counts = new long[] { shard.Rows.Rows };
        group.AllReduceSum(counts);
        globalRows = counts[0];
        grower = new(shard.Rows, options.Growth, team, group);
        gradients = [.. Enumerable.Range(0, options.Objective.Scores).Select(_ => new Gradients(shard.Rows.Rows))];
        pass = new(options.Objective, shard, team, group, maxWeight, areWeighted, globalRows);
        scores = new((long)shard.Rows.Rows * options.Objective.Scores);
        SetScores([]);
    }

    /// <summary>The trees so far, in order.</summary>
    public IReadOnlyList<Tree> Trees => trees;

    /// <summary>The rows' scores by the trees so far: all rows of the first score first.</summary>
    public double* Scores => scores.Pointer;

    /// <summary>Trains one iteration: a tree a score.</summary>
    /// <returns>False if no tree could be split any more; nothing is added then, except that the first iteration always is.</returns>
    public bool Iterate()
    {
        var objective = options.Objective;
        var isFirst = trees.Count == 0;
        var averages = isFirst && options.BoostFromAverage && !HasInitialScores() ? objective.Averages(shard, group) : new double[objective.Scores];
        if (isFirst) SetScores(averages);
        var iteration = trees.Count / objective.Scores;
        pass.Run(scores.Pointer, gradients, RowHash.Bits(options.Seed, iteration, 0x7EE5));

        // What the average adds is part of the first trees, and added with them: a model gives the scores that training had, bit for bit.
        if (isFirst) SetScores([]);
        var any = isFirst;
        var added = new List<Tree>();
        for (var score = 0; score < objective.Scores; score++)
        {
            var grown = grower.Grow(gradients[score], globalRows);
            var sums = LeafRows.Sums(grown, grower.Lists, team, group);
            var rules = options.Growth.Rules;
            var values = new double[grown.Leaves.Count];
            for (var leaf = 0; leaf < values.Length; leaf++)
            {
                values[leaf] = grown.Splits.Count == 0 ? 0
                    : rules.Output(sums[2 * leaf] * gradients[score].GradientUnit, sums[(2 * leaf) + 1] * gradients[score].HessianUnit, rules.L2);
            }
            var tree = TreeAssembly.Build(grown, shard.Rows.Layout, rules, sums, values, options.LearningRate, averages[score]);
            LeafRows.AddToScores(grown, grower.Lists, tree.LeafValues, scores.Pointer + ((long)score * shard.Rows.Rows), team);
            any |= grown.Splits.Count > 0;
            added.Add(tree);
        }
        if (any) trees.AddRange(added);
        return any;
    }

    public void Dispose()
    {
        grower.Dispose();
        foreach (var values in gradients) values.Dispose();
        scores.Dispose();
    }

    private bool HasInitialScores()
    {
        var any = new[] { shard.InitialScores is null ? 0L : 1 };
        group.AllReduceSum(any);
        return any[0] > 0;
    }

    private void SetScores(double[] averages)
    {
        var rows = shard.Rows.Rows;
        for (var score = 0; score < options.Objective.Scores; score++)
        {
            var target = scores.Span((long)score * rows, rows);
            if (shard.InitialScores is null) target.Fill(averages.Length == 0 ? 0 : averages[score]);
            else shard.InitialScores.AsSpan(score * rows, rows).CopyTo(target);
        }
    }
}
