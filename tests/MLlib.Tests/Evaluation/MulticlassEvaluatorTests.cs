using System.Text.Json;

namespace Dataflow.MLlib.Tests.Evaluation;

/// <summary>Predicted classes, and predicted numbers.</summary>
public sealed class MulticlassEvaluatorTests
{
    private static readonly JsonElement Peers = PeerFile.Open("evaluators.json");

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 7)]
    public void Metrics_of_classes_are_those_of_scikit_learn(int which, int partitions)
    {
        var peer = Peers.GetProperty("multiclass")[which];
        var (labels, predictions, weights, probabilities) =
            (peer.GetProperty("labels").Numbers(), peer.GetProperty("predictions").Numbers(), peer.GetProperty("weights").Numbers(), peer.GetProperty("probabilities").Rows());
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(labels.Select((label, i) => (label, predictions[i], weights[i], Vector.Dense(probabilities[i]))), partitions).ToDataFrame("label", "prediction", "w", "probability");
        var evaluator = new MulticlassClassificationEvaluator { WeightColumn = "w" };
        foreach (var (metric, name) in new[]
        {
            (MulticlassMetric.Accuracy, "accuracy"), (MulticlassMetric.F1, "f1"), (MulticlassMetric.WeightedPrecision, "weightedPrecision"),
            (MulticlassMetric.WeightedRecall, "weightedRecall"), (MulticlassMetric.HammingLoss, "hammingLoss"), (MulticlassMetric.LogLoss, "logLoss"),
        })
            Assert.Equal(peer.GetProperty(name).GetDouble(), (evaluator with { Metric = metric }).Evaluate(frame), 12);
        for (var label = 0; label < 4; label++)
        {
            foreach (var (metric, name) in new[] { (MulticlassMetric.PrecisionByLabel, "precision"), (MulticlassMetric.RecallByLabel, "recall"), (MulticlassMetric.FMeasureByLabel, "fMeasure") })
                Assert.Equal(peer.GetProperty(name)[label].GetDouble(), (evaluator with { Metric = metric, MetricLabel = label }).Evaluate(frame), 12);
        }
        var measured = evaluator.Measure(frame);
        Assert.Equal(peer.GetProperty("confusion").Rows().SelectMany(row => row), measured.Confusion.Cast<double>());
        Assert.Equal([0.0, 1, 2, 3], measured.Labels.ToArray());
        Assert.Equal(peer.GetProperty("logLoss").GetDouble(), measured.LogLoss, 12);
        Assert.Matches(@"^MulticlassMetrics \{ Accuracy = 0\.\d+, F1 = 0\.\d+, .*Labels = \[0, 1, 2, 3\] \}$", measured.ToString());
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 5)]
    public void Metrics_of_numbers_are_those_of_scikit_learn(int which, int partitions)
    {
        var peer = Peers.GetProperty("regression")[which];
        var (labels, predictions, weights) = (peer.GetProperty("labels").Numbers(), peer.GetProperty("predictions").Numbers(), peer.GetProperty("weights").Numbers());
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(labels.Select((label, i) => (label, predictions[i], weights[i])), partitions).ToDataFrame("label", "prediction", "w");
        foreach (var (metric, name) in new[]
        {
            (RegressionMetric.RootMeanSquaredError, "rmse"), (RegressionMetric.MeanSquaredError, "mse"), (RegressionMetric.MeanAbsoluteError, "mae"),
            (RegressionMetric.R2, "r2"), (RegressionMetric.ExplainedVariance, "explainedVariance"),
        })
            Assert.Equal(peer.GetProperty(name).GetDouble(), new RegressionEvaluator { Metric = metric, WeightColumn = "w" }.Evaluate(frame), 9);
    }

    [Fact]
    public void Large_labels_close_together_lose_nothing_and_bits_do_not_depend_on_partitions()
    {
        using var context = DataflowContext.Local(2);
        RegressionMetrics? first = null;
        foreach (var partitions in new[] { 1, 3, 8 })
        {
            var frame = context.FromRecords(Enumerable.Range(0, 1000).Select(i => (1e12 + (i % 4), 1e12 + (i % 4) + (i % 2 == 0 ? 0.25 : -0.25), 1 + (i % 3 / 3.0))), partitions).ToDataFrame("label", "prediction", "w");
            var metrics = new RegressionEvaluator { WeightColumn = "w" }.Measure(frame);
            Assert.Equal(first ??= metrics, metrics);
            Assert.Equal(0.0625, metrics.MeanSquaredError, 12);
            Assert.Equal(1 - (0.0625 / 1.25), new RegressionEvaluator().Measure(frame).R2, 12);
        }
    }

    [Fact]
    public void Constant_labels_one_row_and_wrong_columns()
    {
        using var context = DataflowContext.Local(1);
        var evaluator = new RegressionEvaluator();
        Assert.Equal(1, evaluator.Measure(context.FromRecords(new[] { (5.0, 5.0) }).ToDataFrame("label", "prediction")).R2);
        Assert.Equal(double.NegativeInfinity, evaluator.Measure(context.FromRecords(new[] { (5.0, 6.0), (5.0, 5.0) }).ToDataFrame("label", "prediction")).R2);
        Assert.Contains("without rows", Assert.ThrowsAny<DataflowException>(() => evaluator.Evaluate(context.FromRecords(Array.Empty<(double, double)>()).ToDataFrame("label", "prediction"))).Message);
        Assert.Contains("Unknown column 'label'", Assert.ThrowsAny<DataflowException>(() => evaluator.Evaluate(context.FromRecords([1.0]))).Message);
        var multi = new MulticlassClassificationEvaluator { Metric = MulticlassMetric.PrecisionByLabel, MetricLabel = 9 };
        Assert.Contains("No row has the class 9", Assert.Throws<ArgumentException>(() => multi.Evaluate(context.FromRecords(new[] { (1.0, 1.0) }).ToDataFrame("label", "prediction"))).Message);
        Assert.Contains("infinite", Assert.ThrowsAny<DataflowException>(() => evaluator.Evaluate(context.FromRecords(new[] { (1.0, double.PositiveInfinity) }).ToDataFrame("label", "prediction"))).ToString());
    }
}
