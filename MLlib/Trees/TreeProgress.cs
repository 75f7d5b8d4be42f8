using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.TreeGrowth;
using Dataflow.MLlib.TreeObjectives;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.Trees;

/// <summary>A metric after an iteration.</summary>
/// <param name="Iteration">From 1: how many iterations the model had.</param>
/// <param name="Metric">Its name.</param>
/// <param name="IsValidation">Whether it was measured on validation rows.</param>
/// <param name="Value">Exact sums make it the same for any partitions.</param>
internal readonly record struct TreeMeasurement(int Iteration, string Metric, bool IsValidation, double Value);

/// <summary>What is measured while trees are trained, and whether it is time to end.</summary>
internal sealed unsafe class TreeProgress : IDisposable
{
    private readonly TreeTrainingOptions options;
    private readonly TreeShard shard;
    private readonly TreeShard? validation;
    private readonly ThreadTeam team;
    private readonly ITreeGroup group;
    private readonly NativeArray<double>? scores;
    private readonly List<TreeMeasurement> history = [];
    private double best = double.NaN;

    public TreeProgress(TreeTrainingOptions options, TreeShard shard, TreeShard? validation, ThreadTeam team, ITreeGroup group)
    {
        (this.options, this.shard, this.validation, this.team, this.group) = (options, shard, validation, team, group);
        Metrics = options.Metrics.Count > 0 ? options.Metrics : validation is null || options.Objective.Metric.Length == 0 ? [] : [options.Objective.Metric];
        foreach (var metric in Metrics) TreeMetrics.Check(metric, options.Objective);
        if (options.EarlyStopping > 0 && (validation is null || Metrics.Count == 0))
            throw new ArgumentException("Early stopping needs validation rows and a metric: name the column that marks the rows, or leave early stopping off.", nameof(options));
        if (validation is null) return;
        scores = new((long)validation.Rows.Rows * options.Objective.Scores);
        TreeTraining.SetScores(validation, scores, []);
    }

    /// <summary>What is measured; the first decides when training ends.</summary>
    public IReadOnlyList<string> Metrics { get; }

    public IReadOnlyList<TreeMeasurement> History => history;

    /// <summary>Iterations so far.</summary>
    public int Iteration { get; private set; }

    /// <summary>The iteration, from 1, after which the first metric was best on validation rows; 0 if nothing was measured.</summary>
    public int BestIteration { get; private set; }

    /// <summary>Whether the first metric has not become better for as long as the options say.</summary>
    public bool IsOver => options.EarlyStopping > 0 && Iteration - BestIteration >= options.EarlyStopping;

    /// <summary>Notes an iteration.</summary>
    /// <param name="added">Its trees.</param>
    /// <param name="all">All trees, if earlier ones have changed; else null.</param>
    /// <param name="trainingScores">Scores of the rows that are trained on.</param>
    public void Add(IReadOnlyList<Tree> added, IReadOnlyList<Tree>? all, double* trainingScores)
    {
        Iteration++;
        if (Metrics.Count == 0) return;
        if (validation is not null)
        {
            if (all is not null) TreeTraining.SetScores(validation, scores!, []);
            var trees = all ?? added;
            var perIteration = options.Objective.Scores;
            for (var i = 0; i < trees.Count; i++) TreeOnBins.Add(trees[i], validation.Rows, scores!.Pointer + ((long)(i % perIteration) * validation.Rows.Rows), 1, team);
        }
        var factor = options.Boosting == Boosting.Forest ? 1.0 / Iteration : 1;
        for (var i = 0; i < Metrics.Count; i++)
        {
            var metric = Metrics[i];
            if (options.Metrics.Count > 0) history.Add(new(Iteration, metric, false, TreeMetrics.Measure(metric, options.Objective, shard, trainingScores, factor, team, group)));
            if (validation is null) continue;
            var value = TreeMetrics.Measure(metric, options.Objective, validation, scores!.Pointer, factor, team, group);
            history.Add(new(Iteration, metric, true, value));
            if (i == 0 && options.EarlyStopping > 0 && double.IsNaN(value))
                throw new QueryException("INVALID_METRIC", $"The metric '{metric}' of the validation rows is no number, so training can't end by it: are they all of one class, or without weight? Mark other rows, or choose another metric.");
            if (i > 0 || !(double.IsNaN(best) || (TreeMetrics.IsHigherBetter(metric) ? value > best : value < best))) continue;
            (best, BestIteration) = (value, Iteration);
        }
    }

    public void Dispose() => scores?.Dispose();
}
