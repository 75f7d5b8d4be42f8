using Dataflow.MLlib.Evaluation;
using Dataflow.MLlib.Numerics;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Physical;

namespace Dataflow.MLlib;

/// <summary>How well classes are predicted.</summary>
/// <remarks>One job that counts pairs of label and prediction in each partition: what comes to this process is the confusion matrix. Sums are exact: the same bits for any
/// partitions.</remarks>
public sealed record MulticlassClassificationEvaluator : ModelEvaluator
{
    /// <summary>The column of labels: numbers of classes.</summary>
    public string LabelColumn { get; init => field = Check.Name(value); } = "label";

    /// <summary>The column of predicted classes.</summary>
    public string PredictionColumn { get; init => field = Check.Name(value); } = "prediction";

    /// <summary>The column of probability vectors, for log loss: element k is of class k.</summary>
    public string ProbabilityColumn { get; init => field = Check.Name(value); } = "probability";

    /// <summary>The column of weights; null weighs all rows alike.</summary>
    public string? WeightColumn { get; init => field = value is null ? null : Check.Name(value); }

    /// <summary>What <see cref="ModelEvaluator.Evaluate"/> gives.</summary>
    public MulticlassMetric Metric { get; init => field = Check.Defined(value); } = MulticlassMetric.F1;

    /// <summary>The class that metrics by label are of.</summary>
    public double MetricLabel { get; init; }

    /// <summary>How much more recall counts than precision in F measures.</summary>
    public double Beta { get; init => field = Check.MoreThan(value, 0); } = 1;

    /// <inheritdoc/>
    public override bool IsLargerBetter => Metric is not (MulticlassMetric.LogLoss or MulticlassMetric.HammingLoss);

    /// <inheritdoc/>
    protected override async Task<double> ScoreAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var metrics = await MeasureAsync(frame, Metric == MulticlassMetric.LogLoss, cancellationToken).ConfigureAwait(false);
        return Metric switch
        {
            MulticlassMetric.Accuracy => metrics.Accuracy,
            MulticlassMetric.WeightedPrecision => metrics.WeightedPrecision,
            MulticlassMetric.WeightedRecall => metrics.WeightedRecall,
            MulticlassMetric.PrecisionByLabel => metrics.Precision(MetricLabel),
            MulticlassMetric.RecallByLabel => metrics.Recall(MetricLabel),
            MulticlassMetric.FMeasureByLabel => metrics.FMeasure(MetricLabel, Beta),
            MulticlassMetric.HammingLoss => metrics.HammingLoss,
            MulticlassMetric.LogLoss => metrics.LogLoss,
            _ => metrics.WeightedFMeasure(Beta),
        };
    }

    /// <summary>Computes the confusion matrix, of which all metrics follow.</summary>
    /// <remarks>Action: one job. Log loss is computed if the frame has the column of probabilities.</remarks>
    /// <param name="frame">Rows with labels and predictions.</param>
    /// <exception cref="QueryException">As for <see cref="ModelEvaluator.Evaluate"/>.</exception>
    public MulticlassMetrics Measure(DataFrame frame) => MeasureAsync(frame).GetAwaiter().GetResult();

    /// <inheritdoc cref="Measure"/>
    /// <param name="cancellationToken">Ends the work.</param>
    public Task<MulticlassMetrics> MeasureAsync(DataFrame frame, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var at = frame.Schema.IndexOf(ProbabilityColumn);
        return QueryRunErrors.Unwrap(MeasureAsync(frame, at >= 0 && frame.Schema[at].Type.Kind == TypeKind.Vector, cancellationToken));
    }

    private async Task<MulticlassMetrics> MeasureAsync(DataFrame frame, bool withLoss, CancellationToken cancellationToken)
    {
        const string User = nameof(MulticlassClassificationEvaluator);
        List<Column> columns =
        [
            EvaluatedColumns.Number(frame, LabelColumn, User).As("label"),
            EvaluatedColumns.Number(frame, PredictionColumn, User).As("prediction"),
            EvaluatedColumns.Weight(frame, WeightColumn, User).As("weight"),
        ];
        if (withLoss) columns.Add(EvaluatedColumns.Vectors(frame, ProbabilityColumn, User).As("probability"));
        var (weighted, probability) = (WeightColumn is not null, ProbabilityColumn);
        var parts = await frame.Select([.. columns]).MapBatches(batches => Count(batches, weighted, withLoss, probability)).CollectAsync(cancellationToken).ConfigureAwait(false);
        var cells = new Dictionary<(double, double), RunningTotal>();
        foreach (var part in parts)
        {
            for (var i = 0; i < part.Pairs.Length; i++)
            {
                if (!cells.TryGetValue(part.Pairs[i], out var total)) cells.Add(part.Pairs[i], total = new RunningTotal(weighted));
                total.Add(part.Weights[i]);
            }
        }
        if (cells.Count == 0) throw EvaluatedColumns.NoRows(User);
        var loss = ExactSums.Merge(1, parts.Select(part => part.Loss))[0].Value;
        return new MulticlassMetrics(cells.ToDictionary(cell => cell.Key, cell => cell.Value.Value), withLoss ? loss : double.NaN);
    }

    private static IEnumerable<PairCounts> Count(IEnumerable<ColumnBatch> batches, bool weighted, bool withLoss, string probability)
    {
        double[] labels = [], predictions = [], weights = [];
        var cells = new Dictionary<(double, double), RunningTotal>();
        var loss = new ExactSum();
        foreach (var batch in batches)
        {
            EvaluatedColumns.Read(batch, 0, ref labels);
            EvaluatedColumns.Read(batch, 1, ref predictions);
            EvaluatedColumns.Read(batch, 2, ref weights);
            for (var i = 0; i < batch.Alive; i++)
            {
                if (weights[i] == 0) continue;
                var pair = (labels[i] + 0.0, predictions[i] + 0.0);
                if (!cells.TryGetValue(pair, out var total)) cells.Add(pair, total = new RunningTotal(weighted));
                total.Add(weights[i]);
            }
            if (withLoss) AddLoss(batch, labels, weights, loss, probability);
        }
        yield return new PairCounts([.. cells.Keys], [.. cells.Values.Select(total => total.State())], ExactSums.StatesOf([loss]));
    }

    private static unsafe void AddLoss(ColumnBatch batch, double[] labels, double[] weights, ExactSum loss, string name)
    {
        var column = batch.Columns[3];
        var at = 0;
        foreach (var row in batch.Selection)
        {
            var (label, weight) = (labels[at], weights[at++]);
            if (weight == 0) continue;
            if (column.IsNull(row)) throw CheckedNumber.Refused(name, nameof(MulticlassClassificationEvaluator), double.NaN, CheckedNumber.Rule.Finite);
            var vector = new VectorView(StringView.BytesOf((StringView*)column.ValueAt(row)));
            if (label < 0 || label >= vector.Size || label != Math.Truncate(label))
                throw new QueryException("INVALID_VALUE",
                    $"A row has label {label}, and its vector in column '{name}' has probabilities of classes 0 to {vector.Size - 1}.");
            var value = vector[(int)label];
            if (!(value >= 0 && value <= 1 + 1e-9))
                throw new QueryException("INVALID_VALUE",
                    $"Column '{name}' holds {value}, which is no probability. Name the column of probabilities in ProbabilityColumn.");
            loss.AddProduct(weight, -Elementary.Log(Math.Clamp(value, MulticlassMetrics.LeastProbability, 1)));
        }
    }

    private sealed record PairCounts((double, double)[] Pairs, long[][] Weights, long[] Loss);
}

/// <summary>Metrics of predicted classes.</summary>
public enum MulticlassMetric
{
    /// <summary>The F measure of each class, weighted by its share of the rows.</summary>
    F1,

    /// <summary>The share of rows whose class was predicted.</summary>
    Accuracy,

    /// <summary>The precision of each class, weighted by its share of the rows.</summary>
    WeightedPrecision,

    /// <summary>The recall of each class, weighted by its share of the rows.</summary>
    WeightedRecall,

    /// <summary>Of the rows that were predicted to be of a class, the share that are.</summary>
    PrecisionByLabel,

    /// <summary>Of the rows that are of a class, the share that were predicted to be.</summary>
    RecallByLabel,

    /// <summary>The F measure of a class.</summary>
    FMeasureByLabel,

    /// <summary>The share of rows whose class was not predicted.</summary>
    HammingLoss,

    /// <summary>Mean negative logarithm of the probability of the true class; probabilities are at least 1e-15.</summary>
    LogLoss,
}
