using Dataflow.MLlib.Evaluation;
using Dataflow.MLlib.Numerics;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Physical;

namespace Dataflow.MLlib;

/// <summary>How well scores tell class 1 from class 0.</summary>
/// <remarks>
/// The areas need the rows in order of their scores: they are sorted across the cluster by one shuffle of 16 bytes a row, and two jobs go over what was sorted. Rows of one
/// score count as one step, so ties are exact. Sums are exact: the same bits for any partitions. Log loss takes one pass and no shuffle.
/// </remarks>
public sealed record BinaryClassificationEvaluator : ModelEvaluator
{
    /// <summary>The column of labels, 0 or 1.</summary>
    public string LabelColumn { get; init => field = Check.Name(value); } = "label";

    /// <summary>The column of scores: vectors of two (probabilities or raw scores, of which element 1 counts), or numbers that are larger for class 1. Log loss needs
    /// probabilities.</summary>
    public string ScoreColumn { get; init => field = Check.Name(value); } = "probability";

    /// <summary>The column of weights; null weighs all rows alike.</summary>
    public string? WeightColumn { get; init => field = value is null ? null : Check.Name(value); }

    /// <summary>What <see cref="ModelEvaluator.Evaluate"/> gives.</summary>
    public BinaryMetric Metric { get; init => field = Check.Defined(value); } = BinaryMetric.AreaUnderRoc;

    /// <summary>About how many points the curves of <see cref="Measure"/> have at most; 0 gives one for each score. The areas take all scores in any case.</summary>
    public int CurvePoints { get; init => field = Check.AtLeast(value, 0); } = 1000;

    /// <inheritdoc/>
    public override bool IsLargerBetter => Metric != BinaryMetric.LogLoss;

    /// <inheritdoc/>
    protected override async Task<double> ScoreAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        if (Metric == BinaryMetric.LogLoss)
        {
            var (loss, outside) = await LogLossAsync(Rows(frame), cancellationToken).ConfigureAwait(false);
            return outside is not { } score ? loss : throw new QueryException("INVALID_VALUE",
                $"Column '{ScoreColumn}' holds {score}, and log loss needs probabilities from 0 to 1. Name the column of probabilities in ScoreColumn.");
        }
        var metrics = await MeasureAsync(frame, withLoss: false, cancellationToken).ConfigureAwait(false);
        var value = Metric switch
        {
            BinaryMetric.AreaUnderPrecisionRecall => metrics.AreaUnderPrecisionRecall,
            BinaryMetric.AveragePrecision => metrics.AveragePrecision,
            _ => metrics.AreaUnderRoc,
        };
        return !double.IsNaN(value) ? value : throw new QueryException("ONE_CLASS",
            $"All rows have label {(metrics.Positives > 0 ? 1 : 0)} in column '{LabelColumn}', for which {Metric} is not defined. Evaluate rows of both classes.");
    }

    /// <summary>Computes all metrics and the curves.</summary>
    /// <remarks>Action: two jobs over sorted scores and one for log loss.</remarks>
    /// <param name="frame">Rows with labels and scores.</param>
    /// <exception cref="QueryException">As for <see cref="ModelEvaluator.Evaluate"/>; what is not defined for one class is NaN here.</exception>
    public BinaryMetrics Measure(DataFrame frame) => MeasureAsync(frame).GetAwaiter().GetResult();

    /// <inheritdoc cref="Measure"/>
    /// <param name="cancellationToken">Ends the work.</param>
    public Task<BinaryMetrics> MeasureAsync(DataFrame frame, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(frame);
        return QueryRunErrors.Unwrap(MeasureAsync(frame, withLoss: true, cancellationToken));
    }

    // Sorting goes over the scores more than once: what made them is not asked for them again.
    private async Task<BinaryMetrics> MeasureAsync(DataFrame frame, bool withLoss, CancellationToken cancellationToken)
    {
        var rows = Rows(frame).Cache();
        try
        {
            var (loss, outside) = withLoss ? await LogLossAsync(rows, cancellationToken).ConfigureAwait(false) : (double.NaN, null);
            var metrics = await ThresholdSweep.MeasureAsync(rows, WeightColumn is not null, CurvePoints, outside is null ? loss : double.NaN, cancellationToken).ConfigureAwait(false);
            return metrics.Positives + metrics.Negatives > 0 ? metrics : throw EvaluatedColumns.NoRows(nameof(BinaryClassificationEvaluator));
        }
        finally
        {
            rows.Unpersist();
        }
    }

    // Scores, with weights that are negative for class 0.
    private Rdd<(double Key, double Value)> Rows(DataFrame frame)
    {
        const string User = nameof(BinaryClassificationEvaluator);
        var read = frame.Select(
            EvaluatedColumns.BinaryScore(frame, ScoreColumn, User).As("score"),
            EvaluatedColumns.BinaryLabel(frame, LabelColumn, User).As("label"),
            EvaluatedColumns.Weight(frame, WeightColumn, User).As("weight"));
        return read.MapBatches(Signed);
    }

    private static IEnumerable<(double Key, double Value)> Signed(IEnumerable<ColumnBatch> batches)
    {
        double[] scores = [], labels = [], weights = [];
        foreach (var batch in batches)
        {
            EvaluatedColumns.Read(batch, 0, ref scores);
            EvaluatedColumns.Read(batch, 1, ref labels);
            EvaluatedColumns.Read(batch, 2, ref weights);
            var count = batch.Alive;
            for (var i = 0; i < count; i++)
            {
                // Adding 0 makes one zero of both.
                if (weights[i] > 0) yield return (scores[i] + 0.0, labels[i] == 1 ? weights[i] : -weights[i]);
            }
        }
    }

    private static async Task<(double Loss, double? Outside)> LogLossAsync(Rdd<(double Key, double Value)> rows, CancellationToken cancellationToken)
    {
        var parts = await rows.MapPartitions(Losses).CollectAsync(cancellationToken).ConfigureAwait(false);
        var sums = ExactSums.Merge(2, parts.Select(part => part.Sums));
        if (sums[1].Value == 0) throw EvaluatedColumns.NoRows(nameof(BinaryClassificationEvaluator));
        return (sums[0].Value / sums[1].Value, parts.Select(part => part.Outside).FirstOrDefault(score => score is not null));
    }

    private static IEnumerable<LossSums> Losses(IEnumerable<(double Key, double Value)> rows)
    {
        var sums = ExactSums.New(2);
        double? outside = null;
        foreach (var (score, weight) in rows)
        {
            if (score is < 0 or > 1) outside ??= score;
            else sums[0].AddProduct(Math.Abs(weight), -Elementary.Log(Math.Clamp(weight > 0 ? score : 1 - score, MulticlassMetrics.LeastProbability, 1)));
            sums[1].Add(Math.Abs(weight));
        }
        yield return new LossSums(ExactSums.StatesOf(sums), outside);
    }

    private sealed record LossSums(long[] Sums, double? Outside);
}

/// <summary>Metrics of scores of two classes.</summary>
public enum BinaryMetric
{
    /// <summary>The area under the ROC curve: the probability that a row of class 1 has a larger score than one of class 0, ties counting half.</summary>
    AreaUnderRoc,

    /// <summary>The area under precision over recall, with straight lines between the points, from recall 0 with the first precision: as in Spark.</summary>
    AreaUnderPrecisionRecall,

    /// <summary>Mean of the precisions, weighted by the gain in recall: without lines between points, as in scikit-learn.</summary>
    AveragePrecision,

    /// <summary>Mean negative logarithm of the probability of the true class; probabilities are at least 1e-15.</summary>
    LogLoss,
}
