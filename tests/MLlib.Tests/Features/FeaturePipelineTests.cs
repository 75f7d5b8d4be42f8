using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Features;

/// <summary>All kinds of features in one pipeline.</summary>
public sealed class FeaturePipelineTests
{
    [Fact]
    public void Bits_do_not_depend_on_partitions_or_threads_and_empty_partitions_change_nothing()
    {
        string? first = null;
        foreach (var (partitions, threads) in new[] { (1, 1), (2, 2), (7, 2), (40, 2) })
        {
            using var context = DataflowContext.Local(threads);
            var frame = FeatureChecks.Frame(context, partitions);
            var hash = FeatureChecks.Fingerprint(FeatureChecks.Pipeline.Fit(frame), frame);
            Assert.Equal(first ??= hash, hash);
            var gaps = frame.Where("Id >= 0 AND Id < 100").Union(frame.Where("Id > 1000")).Union(frame.Where("Id >= 100"));
            Assert.Equal(first, FeatureChecks.Fingerprint(FeatureChecks.Pipeline.Fit(gaps), gaps));
        }
    }

    [Fact]
    public void A_model_that_was_saved_gives_the_same_bits_in_another_process()
    {
        using var context = DataflowContext.Local(2);
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "model");
        var frame = FeatureChecks.Frame(context, 3);
        var model = FeatureChecks.Pipeline.Fit(frame);
        model.Save(path);
        Assert.Equal(FeatureChecks.Fingerprint(model, frame), Program.RunLoaded("features-loaded", path));
    }

    [Fact]
    public void Everything_travels_to_executors()
    {
        using var local = DataflowContext.Local(2);
        var expected = FeatureChecks.Fingerprint(FeatureChecks.Pipeline.Fit(FeatureChecks.Frame(local, 3)), FeatureChecks.Frame(local, 3));
        using var context = ShippingBackend.Context(DataflowOptions.Default with { Threads = 2 }, out _);
        var frame = FeatureChecks.Frame(context, 3);
        var model = FeatureChecks.Pipeline.Fit(frame);
        Assert.Equal(expected, FeatureChecks.Fingerprint(model, frame));

        var scored = model.Transform(frame).WithColumn("label", Functions.Expr("CAST(Id % 2 AS double)")).WithColumn("prediction", Functions.Expr("CAST(Id % 3 AS double)")).WithColumn("score", Functions.Expr("Id * 37 % 100 / 100.0"));
        Assert.InRange(new BinaryClassificationEvaluator { ScoreColumn = "score" }.Evaluate(scored), 0.4, 0.6);
        Assert.InRange(new MulticlassClassificationEvaluator { Metric = MulticlassMetric.Accuracy }.Evaluate(scored), 0.3, 0.4);
        Assert.InRange(new RegressionEvaluator().Evaluate(scored), 0.5, 2);
        Assert.InRange(new ClusteringEvaluator().Evaluate(scored), -1, 1);
        Assert.InRange(new RankingEvaluator { QueryColumn = "Class", PredictionColumn = "score" }.Evaluate(scored), 0.01, 1);
        Assert.Equal(3, new CrossValidator(new Tuning.TuningTests.OffMean(), new ParamGrid<Tuning.TuningTests.OffMean>(), new RegressionEvaluator()).Fit(scored).Candidates[0].Metrics.Count);
        var text = new IndexToString { InputColumn = "prediction", OutputColumn = "text", Labels = ["a", "b", "c"] }.Transform(scored);
        Assert.Equal(134, text.Where("text = 'a'").Count());
        using var folder = new TempDirectory();
        scored.Write.LibSvm(Path.Combine(folder.Path, "svm"));
        Assert.Equal(400, context.Read.LibSvm(Path.Combine(folder.Path, "svm")).Collect().Count);
    }

    [Fact]
    public void A_learner_behind_encoded_categories_is_searched_and_measured()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Enumerable.Range(0, 600).Select(i => (Color: $"c{i % 6}", Size: i * 37 % 101 / 100.0, label: (i % 6 < 3) ^ (i * 37 % 101 > 80) ? 1.0 : 0)), 3).ToDataFrame("Color", "Size", "label");
        var pipeline = new Pipeline(
            new StringIndexer { InputColumns = ["Color"] },
            new OneHotEncoder { InputColumns = ["Color_index"] },
            new LogisticRegression { FeatureColumns = ["Color_index_vector", "Size"] });
        var grid = new ParamGrid<Pipeline>().Add((LogisticRegression x) => x.Regularization, 0.001, 10);
        var model = new CrossValidator(pipeline, grid, new BinaryClassificationEvaluator { Metric = BinaryMetric.LogLoss }) { Parallelism = 2 }.Fit(frame);
        Assert.True(model.Candidates[0].Metric < model.Candidates[1].Metric);
        var metrics = new BinaryClassificationEvaluator().Measure(model.Transform(frame));
        Assert.InRange(metrics.AreaUnderRoc, 0.75, 1);
        Assert.InRange(metrics.LogLoss, 0.2, 0.6);
        Assert.InRange(new MulticlassClassificationEvaluator().Measure(model.Transform(frame)).Accuracy, 0.75, 1);
    }
}
