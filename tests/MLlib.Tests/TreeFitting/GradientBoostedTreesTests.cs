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
        Assert.Equal(plain.Fit(frame).Predict([0.3, 0.4]), own.Fit(frame).Predict([0.3, 0.4]), 0.05);
    }

    [Fact]
    public void Weights_count_as_repeated_rows_do()
    {
        using var context = DataflowContext.Local(2);
        var weighted = context.FromRecords(Samples, 2);
        var repeated = context.FromRecords(Samples.SelectMany(sample => Enumerable.Repeat(sample, (int)sample.Weight)), 2);
        var learner = new GradientBoostedTreesRegressor { FeatureColumns = ["A", "B"], LabelColumn = "Y", Trees = 5, MinLeafRows = 0, MinLeafWeight = 30 };
        var (first, second) = ((learner with { WeightColumn = "Weight" }).Fit(weighted), learner.Fit(repeated));
        foreach (var sample in Samples.Take(50)) Assert.Equal(second.Predict([sample.A, sample.B]), first.Predict([sample.A, sample.B]), 0.1);
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
    public void Data_and_parameters_that_can_not_be_are_told_apart_from_failures()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Samples.Take(300), 2);
        var regressor = new GradientBoostedTreesRegressor { FeatureColumns = ["A", "C"], LabelColumn = "Y", Trees = 3 };
        var classifier = new GradientBoostedTreesClassifier { FeatureColumns = ["A"], LabelColumn = "Class", Trees = 2 };
        Refused<QueryException>("categories", () => (regressor with { CategoricalColumns = ["A"] }).Fit(frame));
        Refused<QueryException>("left with none", () => (regressor with { ValidationColumn = "W" }).Fit(frame.WithColumn("W", Functions.Lit(true))));
        Refused<QueryException>("no row is marked", () => (regressor with { ValidationColumn = "W" }).Fit(frame.WithColumn("W", Functions.Lit(false))));
        Refused<QueryException>("All weights are 0", () => (regressor with { WeightColumn = "W" }).Fit(frame.WithColumn("W", Functions.Lit(0.0))));
        Refused<QueryException>("initial score", () => (regressor with { InitialScoreColumn = "C" }).Fit(frame));
        Refused<QueryException>("NaN or null", () => (regressor with { LabelColumn = "C" }).Fit(frame));
        Refused<QueryException>("greater than 0", () => (regressor with { Loss = BoostingLoss.Gamma, LabelColumn = "Class" }).Fit(frame));
        Refused<QueryException>("say so in Classes", () => classifier.Fit(frame.WithColumn("Class", Functions.Expr("Query * 1000"))));
        Refused<QueryException>("no number", () => (classifier with { ValidationColumn = "W", EarlyStoppingRounds = 3, Metrics = ["auc"] }).Fit(
            frame.Where("Class < 2").WithColumn("W", Functions.Expr("Class = 1"))));
        Refused<QueryException>("10,000,000 features", () => (regressor with { FeatureColumns = ["W"] }).Fit(
            context.FromRecords(Samples.Take(20).Select((sample, i) => (V: Vector.Sparse(10_000_000, [i], [1]), sample.Y))).WithColumn("W", Functions.Col("Item1")).WithColumn("Y", Functions.Col("Item2"))));
        Refused<ArgumentException>("ValidationColumn", () => (regressor with { EarlyStoppingRounds = 3 }).Fit(frame));
        Refused<ArgumentException>("no metric 'AUC'", () => (regressor with { Metrics = ["AUC"] }).Fit(frame));
        Refused<ArgumentException>("twice", () => (regressor with { Metrics = ["l1", "l1"] }).Fit(frame));
        Refused<ArgumentException>("more than 1 together", () => (regressor with { GossTopShare = 0.9, GossOtherShare = 0.2 }).Fit(frame));
        Refused<ArgumentException>("in one of them", () => (regressor with { IncreasingColumns = ["A"], DecreasingColumns = ["a"] }).Fit(frame));
        Refused<ArgumentException>("no order", () => (regressor with { IncreasingColumns = ["C"], CategoricalColumns = ["C"] }).Fit(frame));
        Refused<ArgumentException>("same order", () => (regressor with { ContinueFrom = regressor.Fit(frame), FeatureColumns = ["C", "A"] }).Fit(frame));

        static void Refused<T>(string text, Action action) where T : Exception => Assert.Contains(text, Assert.Throws<T>(action).Message);
    }

    [Fact]
    public void A_split_that_parts_only_missing_values_is_saved_and_loaded()
    {
        using var context = DataflowContext.Local(1);
        using var folder = new Dataflow.TestKit.TempDirectory();
        var rows = Enumerable.Range(0, 400).Select(i => (X: i % 3 == 0 ? double.NaN : i % 2, Y: i % 3 == 0 ? 5.0 : 1));
        var model = new GradientBoostedTreesRegressor { FeatureColumns = ["Item1"], LabelColumn = "Item2", Trees = 3 }.Fit(context.FromRecords(rows));
        Assert.Contains(model.Ensemble.Trees, tree => tree.Thresholds.Contains(double.PositiveInfinity));
        model.Save(Path.Combine(folder.Path, "model"));
        var loaded = GradientBoostedTreesRegressionModel.Load(Path.Combine(folder.Path, "model"));
        foreach (var value in new[] { double.NaN, 0, 1, 1e300, double.PositiveInfinity, double.NegativeInfinity }) Assert.Equal(model.Predict([value]), loaded.Predict([value]));
        Assert.True(model.Predict([double.NaN]) > model.Predict([double.PositiveInfinity]));
    }

    [Fact]
    public void Many_classes_take_no_stack()
    {
        using var context = DataflowContext.Local(1);
        var rows = Enumerable.Range(0, 60).Select(i => (X: (double)i, Y: i * 50.0));
        var model = new GradientBoostedTreesClassifier { FeatureColumns = ["Item1"], LabelColumn = "Item2", Classes = 3000, Trees = 1 }.Fit(context.FromRecords(rows));
        Assert.Equal(3000, model.ClassCount);
    }

    [Fact]
    public void Queries_are_told_apart_by_any_value_and_null_is_refused()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Samples, 3);
        var learner = new GradientBoostedTreesRanker { FeatureColumns = ["A", "B", "C"], LabelColumn = "Grade", QueryColumn = "Q", Trees = 5 };
        string Of(string query) => learner.Fit(frame.WithColumn("Q", Functions.Expr(query))).ToDebugText();
        var expected = Of("Query");
        Assert.Equal(expected, Of("1152921504606846976L + Query"));
        Assert.Equal(expected, Of("concat('query ', lpad(CAST(Query AS STRING), 6, '0'))"));
        Assert.Contains("NULL", Assert.Throws<QueryException>(() => Of("CASE WHEN Query > 3 THEN Query END")).Message);
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
    public void Training_ends_when_watched_rows_are_not_predicted_better()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Samples, 3).WithColumn("Watched", Functions.Expr("Query % 4 = 0"));
        var rounds = new List<TreeRound>();
        var model = new GradientBoostedTreesRegressor
        {
            FeatureColumns = ["A", "B", "C"], LabelColumn = "Y", Trees = 1000, LearningRate = 0.3, ValidationColumn = "Watched", EarlyStoppingRounds = 5, Metrics = ["rmse"], Progress = rounds.Add,
        }.Fit(frame);
        Assert.InRange(rounds.Count, 10, 500);
        Assert.Equal(Enumerable.Range(1, rounds.Count), rounds.Select(round => round.Iteration));
        Assert.Equal(rounds.MinBy(round => round.ValidationMetric)!.Iteration, model.Ensemble.BestIteration);
        Assert.Equal(rounds.Count - 5, model.Ensemble.BestIteration);
        Assert.True(rounds[^1].TrainingMetric < rounds[0].TrainingMetric / 5);
        var watched = new RegressionEvaluator { LabelColumn = "Y" }.Evaluate(model.Transform(frame.Where("Watched")));
        Assert.Equal(rounds.Min(round => round.ValidationMetric)!.Value, watched, 6);
    }

    [Fact]
    public void Training_goes_on_from_a_model()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Samples, 3);
        var learner = new GradientBoostedTreesClassifier { FeatureColumns = ["A", "B", "C"], LabelColumn = "Class", Trees = 10 };
        var begun = learner.Fit(frame);
        var whole = (learner with { Trees = 20 }).Fit(frame);
        var further = (learner with { ContinueFrom = begun }).Fit(frame);
        Assert.Equal(60, further.Ensemble.Trees.Count);
        var evaluator = new MulticlassClassificationEvaluator { LabelColumn = "Class", Metric = MulticlassMetric.LogLoss };
        Assert.Equal(evaluator.Evaluate(whole.Transform(frame)), evaluator.Evaluate(further.Transform(frame)), 0.01);
        Assert.True(evaluator.Evaluate(further.Transform(frame)) < 0.7 * evaluator.Evaluate(begun.Transform(frame)));
    }

    [Fact]
    public void Predictions_do_not_fall_where_they_must_not()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Samples, 3);
        var model = new GradientBoostedTreesRegressor { FeatureColumns = ["A", "B", "C"], LabelColumn = "Y", Trees = 30, IncreasingColumns = ["A"], DecreasingColumns = ["b"] }.Fit(frame);
        foreach (var sample in Samples.Take(40))
        {
            var byA = Enumerable.Range(0, 50).Select(i => model.Predict([i / 50.0, sample.B, 5])).ToArray();
            var byB = Enumerable.Range(0, 50).Select(i => model.Predict([sample.A, i / 50.0, 5])).ToArray();
            Assert.Equal(byA.Order(), byA);
            Assert.Equal(byB.OrderDescending(), byB);
        }
    }

    [Fact]
    public void Categories_are_parted_as_sets_and_unseen_ones_are_predicted()
    {
        using var context = DataflowContext.Local(2);
        var random = new Random(4);
        var rows = Enumerable.Range(0, 6000).Select(_ => random.Next(60)).Select(c => (C: c, Y: ((c * 7) % 5 < 2 ? 3.0 : 0) + random.NextDouble())).ToArray();
        var frame = context.FromRecords(rows, 3);
        var learner = new GradientBoostedTreesRegressor { FeatureColumns = ["Item1"], LabelColumn = "Item2", Trees = 20, Leaves = 4 };
        var (asNumbers, asCategories) = (learner.Fit(frame), (learner with { CategoricalColumns = ["Item1"] }).Fit(frame));
        var error = new RegressionEvaluator { LabelColumn = "Item2" };
        Assert.True(error.Evaluate(asCategories.Transform(frame)) < 0.5 * error.Evaluate(asNumbers.Transform(frame)));
        Assert.InRange(asCategories.Predict([1e6]), 0, 4);
        Assert.InRange(asCategories.Predict([double.NaN]), 0, 4);
        Assert.Contains("no feature", Assert.Throws<ArgumentException>(() => (learner with { CategoricalColumns = ["Other"] }).Fit(frame)).Message);
    }

    [Fact]
    public void Sampling_and_DART_keep_their_quality_and_their_bits()
    {
        using var context = DataflowContext.Local(2);
        var plain = new GradientBoostedTreesRegressor { FeatureColumns = ["A", "B", "C"], LabelColumn = "Y", Trees = 40, Seed = 3 };
        GradientBoostedTreesRegressor[] learners =
        [
            plain with { BaggingFraction = 0.5, BaggingFrequency = 2 }, plain with { GossTopShare = 0.2, GossOtherShare = 0.2 }, plain with { FeatureFraction = 0.7, FeatureFractionByNode = 0.7 },
            plain with { Boosting = BoostingKind.Dart }, plain with { Growth = TreeGrowthOrder.LevelWise, MaxDepth = 4 }, plain with { InteractionColumns = [["A", "B"], ["C"]] },
        ];
        foreach (var learner in learners)
        {
            var model = learner.Fit(context.FromRecords(Samples, 2));
            var error = new RegressionEvaluator { LabelColumn = "Y" }.Evaluate(model.Transform(context.FromRecords(Samples, 2)));
            Assert.True(error < 0.35, $"{learner}: {error}");
            Assert.Equal(model.ToDebugText(), learner.Fit(context.FromRecords(Samples, 7)).ToDebugText());
        }
    }

    [Fact]
    public void Rows_that_do_not_fit_the_memory_budget_lie_in_files_and_give_the_same_model() =>
        Assert.Equal(BudgetChecks.Fit(DataflowOptions.Default with { Threads = 2 }, lookFor: null), Program.RunWithout("avx512", "budget"));

    [Fact]
    public void Parameters_are_saved_and_loaded()
    {
        using var folder = new Dataflow.TestKit.TempDirectory();
        var learner = new GradientBoostedTreesClassifier { Leaves = 7, InteractionColumns = [["A", "B"], ["C"]], CategoricalColumns = ["C"], Growth = TreeGrowthOrder.LevelWise };
        learner.Save(Path.Combine(folder.Path, "learner"));
        Assert.Equal(learner.ToString(), PipelineStage.Load<GradientBoostedTreesClassifier>(Path.Combine(folder.Path, "learner")).ToString());
    }

    [Fact]
    public async Task Executors_give_the_same_model_also_if_one_is_killed()
    {
        var rounds = 0;
        var learner = new GradientBoostedTreesRegressor { FeatureColumns = ["A", "B", "C"], LabelColumn = "Y", Trees = 60, Metrics = ["rmse"] };
        string expected;
        using (var context = DataflowContext.Local(2)) expected = learner.Fit(context.FromRecords(Samples, 5)).ToDebugText();
        await using var places = await ExecutorPlaces.StartAsync(3);
        var frame = places.Context.FromRecords(Samples, 5);
        Assert.Equal(expected, (await learner.FitAsync(frame)).ToDebugText());
        var fine = learner with { MaxBins = 2000, Trees = 10 };
        string finely;
        using (var context = DataflowContext.Local(2)) finely = fine.Fit(context.FromRecords(Samples, 5)).ToDebugText();
        Assert.Equal(finely, (await fine.FitAsync(frame)).ToDebugText());

        // Queries stay whole; rows that are only watched are of the same queries.
        var ranker = new GradientBoostedTreesRanker { FeatureColumns = ["A", "B", "C"], LabelColumn = "Grade", QueryColumn = "Query", Trees = 10, ValidationColumn = "Watched" };
        string ranked;
        using (var context = DataflowContext.Local(2)) ranked = ranker.Fit(context.FromRecords(Samples, 2).WithColumn("Watched", Functions.Expr("A < 0.2"))).ToDebugText();
        Assert.Equal(ranked, (await ranker.FitAsync(frame.WithColumn("Watched", Functions.Expr("A < 0.2")))).ToDebugText());

        var voting = learner with { Parallelism = TreeParallelism.Voting, VotingColumns = 1 };
        var voted = (await voting.FitAsync(frame)).Transform(frame);
        Assert.InRange(new RegressionEvaluator { LabelColumn = "Y" }.Evaluate(voted), 0, 0.15);

        // One goes when the first trees are there; another takes its rows.
        var model = await (learner with
        {
            Progress = _ =>
            {
                if (Interlocked.Increment(ref rounds) == 1) places.Workers[0].Kill();
            },
        }).FitAsync(frame);
        Assert.True(rounds > 0);
        Assert.Equal(expected, model.ToDebugText());
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
