using Dataflow.MLlib.Tests.Cluster;

namespace Dataflow.MLlib.Tests.TreeFitting;

/// <summary>Boosted trees as users fit them.</summary>
public sealed class GradientBoostedTreesTests
{
    private sealed record Sample(double A, float B, int? C, double Y, double Class, double Count, Vector V, double Weight, int Query, double Grade);

    private static readonly Sample[] Samples = Make(4000, 7);

    [Fact]
    public void Two_classes_are_told_apart()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Samples, 3);
        var model = new GradientBoostedTreesClassifier { FeatureColumns = ["A", "B", "C"], LabelColumn = "Class", Trees = 30 }.Fit(frame.Where("Class < 2"));
        var scored = model.Transform(frame.Where("Class < 2"));
        Assert.True(new BinaryClassificationEvaluator { LabelColumn = "Class" }.Evaluate(scored) > 0.95);
        var row = scored.Collect()[0];
        var probability = row.Get<Vector>("probability");
        Assert.Equal(1, probability[0] + probability[1], 12);
        Assert.Equal(row.Get<double>("prediction"), model.Predict([Samples.First(sample => sample.Class < 2).A, Samples.First(sample => sample.Class < 2).B, Samples.First(sample => sample.Class < 2).C ?? double.NaN]));
        Assert.Equal(["A", "B", "C"], model.FeatureImportances().Select(each => each.Feature));
    }

    [Fact]
    public void Several_classes_are_told_apart_by_vectors_of_features()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Samples, 3);
        var model = new GradientBoostedTreesClassifier { FeaturesColumn = "V", LabelColumn = "Class", Trees = 20, Leaves = 15 }.Fit(frame);
        Assert.Equal(3, model.ClassCount);
        Assert.True(new MulticlassClassificationEvaluator { LabelColumn = "Class" }.Evaluate(model.Transform(frame)) > 0.9);
    }

    [Theory]
    [InlineData(BoostingLoss.Squared, "Y", 0.15)]
    [InlineData(BoostingLoss.Huber, "Y", 0.15)]
    [InlineData(BoostingLoss.Absolute, "Y", 0.2)]
    [InlineData(BoostingLoss.Poisson, "Count", 1.3)]
    [InlineData(BoostingLoss.Tweedie, "Count", 1.3)]
    public void Numbers_are_predicted(BoostingLoss loss, string label, double most)
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Samples, 2);
        var model = new GradientBoostedTreesRegressor { FeatureColumns = ["A", "B", "C"], LabelColumn = label, Loss = loss, Trees = 60 }.Fit(frame);
        var error = new RegressionEvaluator { LabelColumn = label }.Evaluate(model.Transform(frame));
        Assert.True(error < most, $"{loss}: {error}");
    }

    [Fact]
    public void A_quantile_lies_above_its_part_of_the_rows()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Samples, 2);
        var model = new GradientBoostedTreesRegressor { FeatureColumns = ["A"], LabelColumn = "Y", Loss = BoostingLoss.Quantile, Quantile = 0.8, Trees = 50 }.Fit(frame);
        var part = model.Transform(frame).Where("Y <= prediction").Count() / (double)Samples.Length;
        Assert.InRange(part, 0.77, 0.83);
    }

    [Fact]
    public void A_loss_of_the_program_gives_what_the_built_in_one_gives()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Samples, 2);
        var plain = new GradientBoostedTreesRegressor { FeatureColumns = ["A", "B"], LabelColumn = "Y", Trees = 10, InitialScoreColumn = "A" };
        var own = plain with
        {
            CustomLoss = static (scores, labels, gradients, hessians) =>
            {
                for (var i = 0; i < scores.Length; i++) (gradients[i], hessians[i]) = (scores[i] - labels[i], 1);
            },
        };
        Assert.Equal(plain.Fit(frame).Predict([0.3, 0.4]), own.Fit(frame).Predict([0.3, 0.4]), 6);
    }

    [Fact]
    public void Weights_count_as_repeated_rows_do()
    {
        using var context = DataflowContext.Local(2);
        var weighted = context.FromRecords(Samples, 2);
        var repeated = context.FromRecords(Samples.SelectMany(sample => Enumerable.Repeat(sample, (int)sample.Weight)), 2);
        var learner = new GradientBoostedTreesRegressor { FeatureColumns = ["A", "B"], LabelColumn = "Y", Trees = 5, MinLeafRows = 0, MinLeafWeight = 30 };
        var (first, second) = ((learner with { WeightColumn = "Weight" }).Fit(weighted), learner.Fit(repeated));
        foreach (var sample in Samples.Take(50)) Assert.Equal(second.Predict([sample.A, sample.B]), first.Predict([sample.A, sample.B]), 1);
    }

    [Fact]
    public void Rows_of_queries_are_put_in_order()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Samples, 3);
        var model = new GradientBoostedTreesRanker { FeatureColumns = ["A", "B", "C"], LabelColumn = "Grade", QueryColumn = "Query", Trees = 20 }.Fit(frame);
        var good = Samples.GroupBy(sample => sample.Query).Count(query =>
            query.MaxBy(sample => model.Predict([sample.A, sample.B, sample.C ?? double.NaN]))!.Grade == query.Max(sample => sample.Grade));
        Assert.True(good > 0.8 * Samples.Select(sample => sample.Query).Distinct().Count(), $"{good} of {Samples.Select(sample => sample.Query).Distinct().Count()} queries");
    }

    [Fact]
    public void Wrong_data_is_a_named_error()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Samples.Take(100), 2);
        var classifier = new GradientBoostedTreesClassifier { FeatureColumns = ["A"], LabelColumn = "Y" };
        Assert.Contains("label", Message(() => classifier.Fit(frame)));
        Assert.Contains("'D'", Message(() => (classifier with { FeatureColumns = ["D"] }).Fit(frame)));
        Assert.Contains("without rows", Message(() => classifier.Fit(frame.Where("A > 5"))));
        Assert.Contains("StringIndexer", Message(() => (classifier with { FeatureColumns = ["S"] }).Fit(frame.WithColumn("S", Functions.Lit("x")))));
        Assert.Throws<ArgumentOutOfRangeException>(() => new GradientBoostedTreesClassifier { Leaves = 1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new GradientBoostedTreesRegressor { LearningRate = double.NaN });

        static string Message(Action action) => Assert.ThrowsAny<Exception>(action).ToString();
    }

    [Fact]
    public void One_row_and_constant_features_give_the_mean()
    {
        using var context = DataflowContext.Local(2);
        var regressor = new GradientBoostedTreesRegressor { FeatureColumns = ["A"], LabelColumn = "Y", Trees = 3 };
        Assert.Equal(Samples[0].Y, regressor.Fit(context.FromRecords(Samples.Take(1))).Predict([9]), 6);
        var frame = context.FromRecords(Samples, 4).Drop("A").WithColumn("A", Functions.Lit(1.0));
        Assert.Equal(Samples.Average(sample => (double)(float)sample.Y), regressor.Fit(frame).Predict([1]), 6);
    }

    [Fact]
    public async Task Executors_give_the_same_model_also_if_one_is_killed()
    {
        var learner = new GradientBoostedTreesRegressor { FeatureColumns = ["A", "B", "C"], LabelColumn = "Y", Trees = 40 };
        string expected;
        using (var context = DataflowContext.Local(2)) expected = learner.Fit(context.FromRecords(Samples, 5)).ToDebugText();
        await using var places = await ExecutorPlaces.StartAsync(3);
        var frame = places.Context.FromRecords(Samples, 5);
        Assert.Equal(expected, (await learner.FitAsync(frame)).ToDebugText());

        // One goes in the middle of many more trees; another takes its rows.
        var longer = learner with { Trees = 400 };
        using (var context = DataflowContext.Local(2)) expected = longer.Fit(context.FromRecords(Samples, 7)).ToDebugText();
        var fit = longer.FitAsync(frame);
        await Task.WhenAny(fit, Busy(places.Context));
        places.Workers[0].Dispose();
        Assert.Equal(expected, (await fit).ToDebugText());
    }

    // Until tasks of a barrier stage have run for some time.
    private static async Task Busy(DataflowContext context)
    {
        while (context.Cluster.Executors.Count(executor => executor.Metrics is { MemoryBytes: > 100_000 }) < 2) await Task.Yield();
    }

    private static Sample[] Make(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var (a, b, c) = (random.NextDouble(), random.NextSingle(), random.Next(10));
            var y = Math.Sin(6 * a) + (b * c / 5.0) + (0.05 * random.NextDouble());
            return new Sample(a, b, c == 3 ? null : c, y, y < 0.3 ? 0 : y < 1 ? 1 : 2, Math.Floor(Math.Exp(y) * (0.5 + random.NextDouble())), Vector.Dense(a, b, c), 1 + random.Next(3), i / 12, Math.Clamp(Math.Floor(y * 2), 0, 4));
        })];
    }
}
