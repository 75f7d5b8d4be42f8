using System.Text.Json;

namespace Dataflow.MLlib.Tests.Evaluation;

/// <summary>Scores of two classes.</summary>
public sealed class BinaryEvaluatorTests
{
    private sealed record Scored(double Label, double Score, double Weight, Vector Pair);

    private static readonly JsonElement[] Peers = [.. PeerFile.Open("evaluators.json").GetProperty("binary").EnumerateArray()];

    private static readonly BinaryClassificationEvaluator Evaluator = new() { LabelColumn = "Label", ScoreColumn = "Score", CurvePoints = 0 };

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Areas_curves_and_log_loss_are_those_of_scikit_learn_with_ties_and_weights(int which)
    {
        var peer = Peers[which];
        using var context = DataflowContext.Local(2);
        var metrics = (Evaluator with { WeightColumn = "Weight" }).Measure(Frame(context, peer, 3));
        PeerFile.AssertClose(
            [Number("areaUnderRoc"), Number("areaUnderPrecisionRecall"), Number("averagePrecision"), Number("logLoss")],
            [metrics.AreaUnderRoc, metrics.AreaUnderPrecisionRecall, metrics.AveragePrecision, metrics.LogLoss], 1e-12);
        Assert.Matches(@"^BinaryMetrics \{ AreaUnderRoc = 0\.\d+, .*Positives = [\d.]+, Negatives = [\d.]+ \}$", metrics.ToString());
        PeerFile.AssertClose(peer.GetProperty("falsePositiveRate").Numbers(), [.. metrics.Roc.Select(point => point.X)], 1e-12);
        PeerFile.AssertClose(peer.GetProperty("truePositiveRate").Numbers(), [.. metrics.Roc.Select(point => point.Y)], 1e-12);
        PeerFile.AssertClose(peer.GetProperty("recall").Numbers(), [.. metrics.PrecisionRecall.Select(point => point.X)], 1e-12);
        PeerFile.AssertClose(peer.GetProperty("precision").Numbers(), [.. metrics.PrecisionRecall.Select(point => point.Y)], 1e-12);

        double Number(string name) => peer.GetProperty(name).GetDouble();
    }

    [Theory]
    [InlineData("Weight")]
    [InlineData(null)]
    public void Bits_do_not_depend_on_partitions(string? weight)
    {
        using var context = DataflowContext.Local(2);
        foreach (var metric in Enum.GetValues<BinaryMetric>())
        {
            double? first = null;
            foreach (var partitions in new[] { 1, 2, 7, 300 })
            {
                var value = (Evaluator with { WeightColumn = weight, Metric = metric }).Evaluate(Frame(context, Peers[3], partitions));
                Assert.Equal(first ??= value, value);
            }
        }
    }

    [Fact]
    public void Scores_come_from_vectors_too_and_curves_may_have_fewer_points()
    {
        using var context = DataflowContext.Local(2);
        var frame = Frame(context, Peers[0], 2);
        var all = Evaluator.Measure(frame);
        var few = (Evaluator with { ScoreColumn = "Pair", CurvePoints = 20 }).Measure(frame);
        Assert.Equal(all.AreaUnderRoc, few.AreaUnderRoc);
        Assert.InRange(few.Points.Count, 10, 21);
        Assert.Equal((1.0, 1.0), few.Roc[^1]);
        Assert.Equal(few.Points, few.Points.Intersect(all.Points));
        Assert.True(Evaluator.IsLargerBetter);
        Assert.False((Evaluator with { Metric = BinaryMetric.LogLoss }).IsLargerBetter);
    }

    [Fact]
    public void Perfect_worst_and_useless_scores()
    {
        using var context = DataflowContext.Local(1);
        double Area(params (double Label, double Score)[] rows) => (Evaluator with { LabelColumn = "Item1", ScoreColumn = "Item2" }).Evaluate(context.FromRecords(rows));
        Assert.Equal(1, Area((0, -3), (0, 1), (1, 2), (1, 1e300)));
        Assert.Equal(0, Area((1, -3), (0, 1)));
        Assert.Equal(0.5, Area((1, 0), (0, -0.0), (1, 0), (0, 0), (0, 0)));
        var loss = (Evaluator with { LabelColumn = "Item1", ScoreColumn = "Item2", Metric = BinaryMetric.LogLoss }).Evaluate(context.FromRecords(new[] { (1.0, 0.0) }));
        Assert.Equal(-Math.Log(1e-15), loss, 10);
    }

    [Fact]
    public void What_has_no_answer_is_a_named_error()
    {
        using var context = DataflowContext.Local(1);
        var evaluator = Evaluator with { LabelColumn = "Item1", ScoreColumn = "Item2" };
        string Error(params (double? Label, double? Score)[] rows) => Assert.ThrowsAny<DataflowException>(() => evaluator.Evaluate(context.FromRecords(rows))).ToString();
        Assert.Contains("All rows have label 1", Error((1, 0.5), (1, 0.7)));
        Assert.Contains("'Item2' holds null or NaN", Error((1, null)));
        Assert.Contains("'Item1' holds 2", Error((2, 0.3)));
        Assert.Contains("'Item1' holds null", Error((null, 0.3)));
        Assert.Contains("without rows", Error());
        Assert.Contains("needs numbers", Assert.Throws<QueryException>(() => evaluator.Evaluate(context.FromRecords(new[] { (1, "x") }))).Message);
        evaluator = evaluator with { Metric = BinaryMetric.LogLoss };
        Assert.Contains("holds 3, and log loss needs probabilities", Error((1, 3), (0, 0.5)));
        Assert.Contains("vector of 3", Assert.ThrowsAny<DataflowException>(() => evaluator.Evaluate(context.FromRecords(new[] { (1, Vector.Dense(1.0, 2, 3)) }))).ToString());
        Assert.Contains("weights of 0 or more", Assert.ThrowsAny<DataflowException>(() => (evaluator with { WeightColumn = "Item3" }).Evaluate(context.FromRecords(new[] { (1, 0.5, -1) }))).ToString());
    }

    private static DataFrame Frame(DataflowContext context, JsonElement peer, int partitions)
    {
        var (labels, scores, weights) = (peer.GetProperty("labels").Numbers(), peer.GetProperty("scores").Numbers(), peer.GetProperty("weights").Numbers());
        return context.FromRecords(labels.Select((label, i) => new Scored(label, scores[i], weights[i], Vector.Dense(1 - scores[i], scores[i]))), partitions);
    }
}
