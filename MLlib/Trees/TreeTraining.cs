using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.TreeGrowth;
using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.TreeObjectives;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.Trees;

/// <summary>
/// Training under way in one shard: its rows' scores, and the trees so far. Every call is made in all shards of the group; each of them gets the same trees, with
/// the same bits for any number of shards, blocks and threads. Training that goes on from the trees of another that was interrupted gives what that would have given.
/// </summary>
internal sealed unsafe partial class TreeTraining : IDisposable
{
    private readonly TreeTrainingOptions options;
    private readonly TreeShard shard;
    private readonly ThreadTeam team;
    private readonly ITreeGroup group;
    private readonly TreeGrower grower;
    private readonly Gradients[] gradients;
    private readonly GradientPass pass;
    private readonly NativeArray<double> scores;
    private readonly NativeArray<int>? drawn;
    private readonly TreeProgress progress;
    private readonly List<Tree> trees = [];
    private readonly long globalRows;
    private readonly double grid;
    private double[] averages = [];

    /// <summary>Begins, or goes on.</summary>
    /// <param name="options">The same in all shards.</param>
    /// <param name="shard">The rows of this one.</param>
    /// <param name="team">Threads of this one.</param>
    /// <param name="group">The others.</param>
    /// <param name="validation">Rows that metrics are measured on, of the same bins; null measures on the rows that are trained on, if metrics are asked for.</param>
    /// <param name="before">Trees of an earlier training of the same rows, bins and options.</param>
    /// <exception cref="ArgumentException">A label, weight or option is not what the objective takes: the message names the row.</exception>
    public TreeTraining(TreeTrainingOptions options, TreeShard shard, ThreadTeam team, ITreeGroup group, TreeShard? validation = null, IReadOnlyList<Tree>? before = null)
    {
        (this.options, this.shard, this.team, this.group) = (options, shard, team, group);
        var objective = options.Objective;
        var rows = shard.Rows.Rows;
        var (maxWeight, areWeighted) = LabelChecks.Check(objective, shard, group);
        if (validation is not null) LabelChecks.Check(objective, validation, group);
        var counts = new long[] { rows };
        group.AllReduceSum(counts);
        globalRows = counts[0];
        grower = new(shard.Rows, options.Growth, team, group);
        gradients = [.. Enumerable.Range(0, objective.Scores).Select(_ => new Gradients(rows))];
        pass = new(objective, shard, team, group, maxWeight, areWeighted, globalRows, options.Sampling);
        scores = new((long)rows * objective.Scores);
        if (objective.Scores > 1 && options.Sampling.DrawsSome) drawn = new(rows);
        grid = options.Boosting == Boosting.Dart ? ScoreGrid.For(objective, shard, group) : 0;
        SetScores(shard, scores, []);
        progress = new(options, shard, validation, team, group);
        Resume(before ?? []);
    }

    /// <summary>The trees so far, in order.</summary>
    public IReadOnlyList<Tree> Trees => trees;

    /// <summary>What was measured, and when it was best.</summary>
    public TreeProgress Progress => progress;

    /// <summary>Iterations so far.</summary>
    public int Iterations => trees.Count / options.Objective.Scores;

    /// <summary>The rows' scores by the trees so far: all rows of the first score first. Of a forest, the sum over the trees.</summary>
    public ReadOnlySpan<double> Scores(int score) => new(scores.Pointer + ((long)score * shard.Rows.Rows), shard.Rows.Rows);

    /// <summary>Trains until all iterations are done or training ends early.</summary>
    /// <param name="onIteration">Called after each iteration.</param>
    public TreeEnsemble Run(Action<TreeProgress>? onIteration = null)
    {
        while (Iterations < options.Iterations && Iterate()) onIteration?.Invoke(progress);
        return Finish();
    }

    /// <summary>Trains one iteration: a tree a score.</summary>
    /// <returns>False if nothing was added: no tree could be split any more, or the metric did not get better for long enough.</returns>
    public bool Iterate()
    {
        if (progress.IsOver) return false;
        var objective = options.Objective;
        var iteration = Iterations;
        var dropped = Drop(iteration);
        ComputeGradients(iteration);
        var (count, globalCount) = Draw(iteration);
        var any = trees.Count == 0 || options.Boosting == Boosting.Forest;
        var added = new List<Tree>();
        var rate = options.Boosting switch
        {
            Boosting.Forest => 1,
            Boosting.Dart => options.LearningRate / (1 + dropped.Count),
            _ => options.LearningRate,
        };
        for (var score = 0; score < objective.Scores; score++)
        {
            if (score > 0) Redraw(count);
            var grown = grower.Grow(gradients[score], count, globalCount, trees.Count + score);
            var tree = Assemble(grown, score, rate);
            AddToScores(grown, tree, score, count);
            any |= grown.Splits.Count > 0;
            added.Add(tree);
        }
        Restore(dropped);
        if (!any)
        {
            TakeBack(added);
            return false;
        }
        trees.AddRange(added);
        progress.Add(added, dropped.Count > 0 ? trees : null, scores.Pointer);
        return true;
    }

    /// <summary>The model of the trees so far.</summary>
    public TreeEnsemble Finish() => new(trees, shard.Rows.Layout.Features, options.Objective.Scores, options.Objective.Text)
    {
        AverageOutput = options.Boosting == Boosting.Forest,
        ClassCount = options.Objective.Scores,
        BestIteration = options.EarlyStopping > 0 ? progress.BestIteration : 0,
        FeatureInfos = [.. shard.Rows.Layout.Mappers.Select(Info)],
    };

    public void Dispose()
    {
        grower.Dispose();
        foreach (var values in gradients) values.Dispose();
        scores.Dispose();
        drawn?.Dispose();
        progress.Dispose();
    }

    private static FeatureInfo Info(TreeBins.BinMapper mapper) => mapper.IsConstant ? FeatureInfo.Unused
        : mapper.Categories is { } categories ? FeatureInfo.Categorical(categories)
        : double.IsFinite(mapper.Minimum) || double.IsFinite(mapper.Maximum) ? FeatureInfo.Numeric(mapper.Minimum, mapper.Maximum) : FeatureInfo.Unused;

    private void Resume(IReadOnlyList<Tree> before)
    {
        var perIteration = options.Objective.Scores;
        if (before.Count % perIteration != 0)
            throw new ArgumentException($"{before.Count} trees are not a multiple of {perIteration} trees an iteration.", nameof(before));
        for (var i = 0; i < before.Count; i += perIteration)
        {
            var added = before.Skip(i).Take(perIteration).ToArray();
            for (var score = 0; score < perIteration; score++) TreeOnBins.Add(added[score], shard.Rows, ScoresOf(score), 1, team);
            trees.AddRange(added);
            progress.Add(added, null, scores.Pointer);
        }
    }

    private double* ScoresOf(int score) => scores.Pointer + ((long)score * shard.Rows.Rows);
}
