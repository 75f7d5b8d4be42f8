namespace Dataflow.MLlib.Tests.Evaluation;

/// <summary>Orders of groups, and clusters.</summary>
public sealed class RankingEvaluatorTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(10)]
    [InlineData(100)]
    public void Ndcg_is_that_of_scikit_learn_with_ties(int k)
    {
        var peer = PeerFile.Open("evaluators.json").GetProperty("ranking");
        var (labels, scores) = (peer.GetProperty("labels").Numbers(), peer.GetProperty("scores").Numbers());
        using var context = DataflowContext.Local(2);
        double? first = null;
        foreach (var partitions in new[] { 1, 4, 9 })
        {
            var frame = context.FromRecords(peer.GetProperty("groups").EnumerateArray().Select((group, i) => (labels[i], scores[i], group.GetString())), partitions).ToDataFrame("label", "prediction", "qid");
            var value = new RankingEvaluator { K = k }.Evaluate(frame);
            Assert.Equal(peer.GetProperty($"ndcg@{k}").GetDouble(), value, 12);
            Assert.Equal(first ??= value, value);
        }
    }

    [Fact]
    public void Tied_rows_count_as_the_mean_over_all_their_orders()
    {
        using var context = DataflowContext.Local(1);
        // One group with the scores 2, 1, 1, 1, 0: all orders of the three in the middle, one after the other.
        double[] labels = [0, 1, 0, 2, 1];
        int[][] orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        var tied = Frame(labels.Select((label, i) => (label, i == 0 ? 2.0 : i == 4 ? 0 : 1, "a")));
        foreach (var metric in Enum.GetValues<RankingMetric>())
        {
            for (var k = 1; k <= 6; k++)
            {
                var evaluator = new RankingEvaluator { Metric = metric, K = k };
                var mean = orders.Average(order => evaluator.Evaluate(Frame([(labels[0], 9, "a"), (labels[1], 5 + order[0], "a"), (labels[2], 5 + order[1], "a"), (labels[3], 5 + order[2], "a"), (labels[4], 0, "a")])));
                Assert.Equal(mean, evaluator.Evaluate(tied), 12);
            }
        }

        DataFrame Frame(IEnumerable<(double, double, string)> rows) => context.FromRecords(rows).ToDataFrame("label", "prediction", "qid");
    }

    [Fact]
    public void Precision_recall_and_average_precision_of_an_order_that_is_known()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(new[] { (1, 9.0, 1), (0, 8, 1), (1, 7, 1), (0, 6, 1), (1, 5, 2), (0, 9, 2), (0, 1, 3) }).ToDataFrame("label", "prediction", "qid");
        double At(RankingMetric metric, int k) => new RankingEvaluator { Metric = metric, K = k }.Evaluate(frame);
        Assert.Equal((((1 + (2 / 3.0)) / 2) + 0.5) / 2, At(RankingMetric.MeanAveragePrecision, 10), 12);
        Assert.Equal((1 + 0) / 2.0, At(RankingMetric.Precision, 1), 12);
        Assert.Equal(((2 / 4.0) + (1 / 4.0)) / 2, At(RankingMetric.Precision, 4), 12);
        Assert.Equal((0.5 + 1) / 2, At(RankingMetric.Recall, 2), 12);
        Assert.Contains("No group", Assert.ThrowsAny<DataflowException>(() => new RankingEvaluator().Evaluate(frame.Where("label = 0"))).Message);
        Assert.Contains("relevances of 0 or more", Assert.ThrowsAny<DataflowException>(() => new RankingEvaluator { LabelColumn = "Item1", PredictionColumn = "Item2", QueryColumn = "Item3" }.Evaluate(context.FromRecords(new[] { (-1, 1, 1) }))).ToString());
    }

    [Theory]
    [InlineData(SilhouetteDistance.SquaredEuclidean, "squaredEuclidean")]
    [InlineData(SilhouetteDistance.Cosine, "cosine")]
    public void Silhouettes_are_those_of_scikit_learn_also_far_from_the_origin(SilhouetteDistance distance, string name)
    {
        var peer = PeerFile.Open("evaluators.json").GetProperty("clustering");
        var (points, clusters) = (peer.GetProperty("points").Rows(), peer.GetProperty("clusters").Numbers());
        using var context = DataflowContext.Local(2);
        foreach (var partitions in new[] { 1, 2, 7 })
        {
            var shift = distance == SilhouetteDistance.Cosine ? 0 : 1e6;
            var frame = context.FromRecords(points.Select((point, i) => (Vector.Dense([.. point.Select(value => value + shift)]), clusters[i])), partitions).ToDataFrame("features", "prediction");
            Assert.Equal(peer.GetProperty(name).GetDouble(), new ClusteringEvaluator { Distance = distance }.Evaluate(frame), 9);
        }
    }

    [Fact]
    public void Lonely_rows_count_nothing_and_one_cluster_is_a_named_error()
    {
        using var context = DataflowContext.Local(1);
        var frame = context.FromRecords(new[] { (0.0, 0, 1.0), (1, 0, 1), (10, 1, 2) }).ToDataFrame("x", "prediction", "w");
        var evaluator = new ClusteringEvaluator { FeatureColumns = ["x"] };
        Assert.Equal((((100.0 - 1) / 100) + ((81.0 - 1) / 81)) / 3, evaluator.Evaluate(frame), 12);
        Assert.Contains("two clusters", Assert.ThrowsAny<DataflowException>(() => evaluator.Evaluate(frame.Where("x < 5"))).Message);
        Assert.Contains("without rows", Assert.ThrowsAny<DataflowException>(() => evaluator.Evaluate(frame.Where("x > 50"))).Message);
        Assert.Contains("all zeros", Assert.ThrowsAny<DataflowException>(() => (evaluator with { Distance = SilhouetteDistance.Cosine }).Evaluate(frame)).ToString());
        Assert.Equal((((100.0 - 1) / 100) + ((81.0 - 1) / 81)) / 4, (evaluator with { WeightColumn = "w" }).Evaluate(frame), 12);
    }
}
