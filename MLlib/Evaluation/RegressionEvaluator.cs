using Dataflow.MLlib.Evaluation;
using Dataflow.MLlib.Numerics;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Physical;

namespace Dataflow.MLlib;

/// <summary>How close predicted numbers are.</summary>
/// <remarks>One job over the rows. All sums are exact: the same bits for any partitions, and no loss where labels are large and lie close together.</remarks>
public sealed record RegressionEvaluator : ModelEvaluator
{
    /// <summary>The column of labels.</summary>
    public string LabelColumn { get; init => field = Check.Name(value); } = "label";

    /// <summary>The column of predictions.</summary>
    public string PredictionColumn { get; init => field = Check.Name(value); } = "prediction";

    /// <summary>The column of weights; null weighs all rows alike.</summary>
    public string? WeightColumn { get; init => field = value is null ? null : Check.Name(value); }

    /// <summary>What <see cref="ModelEvaluator.Evaluate"/> gives.</summary>
    public RegressionMetric Metric { get; init => field = Check.Defined(value); } = RegressionMetric.RootMeanSquaredError;

    /// <inheritdoc/>
    public override bool IsLargerBetter => Metric is RegressionMetric.R2 or RegressionMetric.ExplainedVariance;

    /// <inheritdoc/>
    protected override async Task<double> ScoreAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        var metrics = await MeasureAsync(frame, cancellationToken).ConfigureAwait(false);
        return Metric switch
        {
            RegressionMetric.MeanSquaredError => metrics.MeanSquaredError,
            RegressionMetric.MeanAbsoluteError => metrics.MeanAbsoluteError,
            RegressionMetric.R2 => metrics.R2,
            RegressionMetric.ExplainedVariance => metrics.ExplainedVariance,
            _ => metrics.RootMeanSquaredError,
        };
    }

    /// <summary>Computes all metrics.</summary>
    /// <remarks>Action: one job.</remarks>
    /// <param name="frame">Rows with labels and predictions.</param>
    /// <exception cref="QueryException">As for <see cref="ModelEvaluator.Evaluate"/>.</exception>
    public RegressionMetrics Measure(DataFrame frame) => MeasureAsync(frame).GetAwaiter().GetResult();

    /// <inheritdoc cref="Measure"/>
    /// <param name="cancellationToken">Ends the work.</param>
    public async Task<RegressionMetrics> MeasureAsync(DataFrame frame, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(frame);
        const string User = nameof(RegressionEvaluator);
        var read = frame.Select(
            EvaluatedColumns.Number(frame, LabelColumn, User).As("label"),
            EvaluatedColumns.Number(frame, PredictionColumn, User).As("prediction"),
            EvaluatedColumns.Weight(frame, WeightColumn, User).As("weight"));
        var parts = await QueryRunErrors.Unwrap(read.MapBatches(Sum).CollectAsync(cancellationToken)).ConfigureAwait(false);
        var sums = ExactSums.Merge(RegressionSums.Count, parts);
        if (!(sums[0].Value > 0)) throw EvaluatedColumns.NoRows(User);
        foreach (var sum in sums) EvaluatedColumns.Finite(sum.Value, User, $"columns '{LabelColumn}' and '{PredictionColumn}'");
        return RegressionSums.Finish(sums);
    }

    private static IEnumerable<long[]> Sum(IEnumerable<ColumnBatch> batches)
    {
        double[] labels = [], predictions = [], weights = [];
        var sums = ExactSums.New(RegressionSums.Count);
        foreach (var batch in batches)
        {
            EvaluatedColumns.Read(batch, 0, ref labels);
            EvaluatedColumns.Read(batch, 1, ref predictions);
            EvaluatedColumns.Read(batch, 2, ref weights);
            for (var i = 0; i < batch.Alive; i++)
            {
                if (weights[i] > 0) RegressionSums.Add(sums, labels[i], predictions[i], weights[i]);
            }
        }
        yield return ExactSums.StatesOf(sums);
    }
}

/// <summary>Metrics of predicted numbers.</summary>
public enum RegressionMetric
{
    /// <summary>The root of the mean squared error.</summary>
    RootMeanSquaredError,

    /// <summary>The mean squared error.</summary>
    MeanSquaredError,

    /// <summary>The mean absolute error.</summary>
    MeanAbsoluteError,

    /// <summary>1 - squared errors / squared distances of the labels from their mean: 1 is perfect, 0 is as good as the mean.</summary>
    R2,

    /// <summary>The mean squared distance of predictions from the mean of the labels, as in Spark.</summary>
    ExplainedVariance,
}

/// <summary>How close predicted numbers are: what <see cref="RegressionEvaluator.Measure"/> gives.</summary>
/// <param name="Weight">Weight of the rows; their number, without weights.</param>
/// <param name="MeanSquaredError">The mean squared error.</param>
/// <param name="MeanAbsoluteError">The mean absolute error.</param>
/// <param name="R2">1 - squared errors / squared distances of the labels from their mean. For labels that are all the same, 1 if all errors are 0 and minus infinity
/// otherwise.</param>
/// <param name="ExplainedVariance">The mean squared distance of predictions from the mean of the labels.</param>
public sealed record RegressionMetrics(double Weight, double MeanSquaredError, double MeanAbsoluteError, double R2, double ExplainedVariance)
{
    /// <summary>The root of the mean squared error.</summary>
    public double RootMeanSquaredError => Math.Sqrt(MeanSquaredError);
}
