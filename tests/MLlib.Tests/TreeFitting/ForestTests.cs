using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.TreeFitting;

/// <summary>Forests and single trees as users fit them.</summary>
public sealed class ForestTests
{
    private sealed record Sample(double A, double B, int? C, double Y, double Two, double Three, double Weight);

    private static readonly Sample[] Samples = Make(3000, 11);

    [Fact]
    public void A_forest_of_classes_is_no_model_of_LightGBM()
    {
        using var context = DataflowContext.Local(1);
        var rows = Enumerable.Range(0, 100).Select(i => (X: (double)i, Y: i > 50 ? 1.0 : 0));
        var forest = new RandomForestClassifier { FeatureColumns = ["Item1"], LabelColumn = "Item2", Trees = 2 }.Fit(context.FromRecords(rows));
        Assert.Contains("class_shares", Assert.Throws<InvalidOperationException>(() => forest.ToLightGbm("never-written.txt")).Message, StringComparison.Ordinal);
        Assert.False(File.Exists("never-written.txt"));
    }

    [Fact]
    public void A_forest_tells_two_classes_apart_and_its_rows_agree_with_frames()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Samples, 3);
        var model = new RandomForestClassifier { FeatureColumns = ["A", "B", "C"], LabelColumn = "Two", Trees = 20 }.Fit(frame);
        var scored = model.Transform(frame);
        Assert.True(new BinaryClassificationEvaluator { LabelColumn = "Two", ScoreColumn = "probability" }.Evaluate(scored) > 0.97);
        var probabilities = new double[2];
        foreach (var (row, i) in scored.Collect().Take(50).Select((row, i) => (row, i)))
        {
            double[] features = [Samples[i].A, Samples[i].B, Samples[i].C ?? double.NaN];
            model.PredictProbabilities(features, probabilities);
            Assert.Equal(row.Get<Vector>("probability")[1], probabilities[1]);
            Assert.Equal(row.Get<double>("prediction"), model.Predict(features));
            Assert.InRange(probabilities[1], 0, 1);
        }
        Assert.Equal(20, model.Ensemble.IterationCount);
    }

    [Fact]
    public void Several_classes_have_shares_that_add_up_to_one()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Samples, 3);
        var model = new RandomForestClassifier { FeatureColumns = ["A", "B", "C"], LabelColumn = "Three", Trees = 10 }.Fit(frame);
        Assert.Equal(3, model.ClassCount);
        var scored = model.Transform(frame);
        Assert.True(new MulticlassClassificationEvaluator { LabelColumn = "Three" }.Evaluate(scored) > 0.9);
        var probability = scored.Collect()[0].Get<Vector>("probability");
        Assert.Equal(1, probability[0] + probability[1] + probability[2], 12);
    }

    [Fact]
    public void A_leaf_holds_the_mean_label_of_its_rows_by_weight()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Samples, 2);
        var model = new DecisionTreeRegressor { FeatureColumns = ["A", "B"], LabelColumn = "Y", WeightColumn = "Weight", MaxDepth = 3 }.Fit(frame);
        foreach (var leaf in Samples.GroupBy(row => model.Leaves([row.A, row.B])[0]))
        {
            var first = leaf.First();
            Assert.Equal(leaf.Sum(row => row.Y * row.Weight) / leaf.Sum(row => row.Weight), model.Predict([first.A, first.B]), 5);
        }
    }

    [Fact]
    public void A_full_tree_learns_its_rows_by_heart_and_a_share_is_exact()
    {
        using var context = DataflowContext.Local(2);
        Sample[] few = [.. Samples.Take(200)];
        var frame = context.FromRecords(few, 2);
        var full = new DecisionTreeClassifier { FeatureColumns = ["A", "B"], LabelColumn = "Two" }.Fit(frame);
        Assert.All(few, row => Assert.Equal(row.Two, full.Predict([row.A, row.B])));
        var shallow = new DecisionTreeClassifier { FeatureColumns = ["A", "B"], LabelColumn = "Two", MaxDepth = 1 }.Fit(frame);
        var probabilities = new double[2];
        foreach (var leaf in few.GroupBy(row => shallow.Leaves([row.A, row.B])[0]))
        {
            shallow.PredictProbabilities([leaf.First().A, leaf.First().B], probabilities);
            Assert.Equal(leaf.Average(row => row.Two), probabilities[1], 15);
        }
    }

    [Fact]
    public void The_model_is_the_same_for_any_partitions_and_threads()
    {
        var learner = new RandomForestRegressor { FeatureColumns = ["A", "B", "C"], LabelColumn = "Y", Trees = 5, CategoricalColumns = ["C"], Seed = 3 };
        var texts = new List<string>();
        foreach (var (threads, partitions) in new[] { (1, 1), (2, 3), (3, 7) })
        {
            using var context = DataflowContext.Local(threads);
            texts.Add(learner.Fit(context.FromRecords(Samples, partitions)).ToDebugText());
        }
        Assert.Equal(texts[0], texts[1]);
        Assert.Equal(texts[0], texts[2]);
        using var other = DataflowContext.Local(2);
        Assert.NotEqual(texts[0], (learner with { Seed = 4 }).Fit(other.FromRecords(Samples, 3)).ToDebugText());
    }

    [Fact]
    public void Rows_of_a_bootstrap_count_as_often_as_they_are_drawn_for_any_partitions_and_threads()
    {
        var learner = new RandomForestClassifier { FeatureColumns = ["A", "B", "C"], LabelColumn = "Three", Trees = 4, Bootstrap = true, Impurity = ClassImpurity.Entropy, Seed = 3 };
        string? first = null;
        foreach (var (threads, partitions) in new[] { (1, 1), (2, 2), (2, 7) })
        {
            using var context = DataflowContext.Local(threads);
            var model = learner.Fit(context.FromRecords(Samples, partitions));
            first ??= model.ToDebugText();
            Assert.Equal(first, model.ToDebugText());
            foreach (var tree in model.Ensemble.Trees)
            {
                // 3,000 draws, and of each row e^-1 that it is not drawn; within five standard deviations.
                Assert.InRange(tree.InternalWeights[0], 3000 - (5 * Math.Sqrt(3000)), 3000 + (5 * Math.Sqrt(3000)));
                Assert.InRange(tree.InternalCounts[0], (0.632 * 3000) - 133, (0.632 * 3000) + 133);
            }
        }
    }

    [Fact]
    public void Entropy_leaves_rows_of_one_class_together_also_if_weights_are_rounded()
    {
        using var context = DataflowContext.Local(2);
        var tree = new DecisionTreeClassifier { FeatureColumns = ["Item1", "Item2"], LabelColumn = "Item3", Impurity = ClassImpurity.Entropy };
        for (var seed = 0; seed < 8; seed++)
        {
            var random = new Random(seed);
            var rows = Enumerable.Range(0, 3000).Select(_ => (A: random.Next(100) / 100.0, B: random.NextDouble(), W: 0.1 + random.NextDouble())).Select(row => (row.A, row.B, Y: row.A > 0.5 ? 1.0 : 0, row.W));
            var frame = context.FromRecords(rows.ToArray(), 3);
            var leaves = (tree with { WeightColumn = "Item4" }).Fit(frame).Ensemble.Trees[0].LeafCount;
            Assert.True(leaves == 2, $"seed {seed}: {leaves} leaves");
            Assert.Equal(2, tree.Fit(frame).Ensemble.Trees[0].LeafCount);
        }
    }

    [Fact]
    public void A_bootstrap_of_one_row_is_that_row()
    {
        using var context = DataflowContext.Local(1);
        var frame = context.FromRecords(new[] { (A: 1.0, Y: 1.0) });
        var model = new RandomForestClassifier { FeatureColumns = ["Item1"], LabelColumn = "Item2", Trees = 10, Bootstrap = true, Impurity = ClassImpurity.Entropy }.Fit(frame);
        Assert.All(model.Ensemble.Trees, tree => Assert.Equal(1, tree.LeafValues[0]));
    }

    [Fact]
    public void Models_come_back_from_folders()
    {
        using var folder = new TempDirectory();
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Samples, 2);
        var forest = new RandomForestClassifier { FeatureColumns = ["A", "B"], LabelColumn = "Three", Trees = 3, MaxDepth = 4 }.Fit(frame);
        forest.Save(Path.Combine(folder.Path, "forest"));
        var loaded = RandomForestClassificationModel.Load(Path.Combine(folder.Path, "forest"));
        var tree = new DecisionTreeRegressor { FeatureColumns = ["A", "B"], LabelColumn = "Y", MaxDepth = 4 }.Fit(frame);
        tree.Save(Path.Combine(folder.Path, "tree"));
        var loadedTree = DecisionTreeRegressionModel.Load(Path.Combine(folder.Path, "tree"));
        double[] before = new double[3], after = new double[3];
        foreach (var row in Samples.Take(100))
        {
            forest.PredictProbabilities([row.A, row.B], before);
            loaded.PredictProbabilities([row.A, row.B], after);
            Assert.Equal(before, after);
            Assert.Equal(tree.Predict([row.A, row.B]), loadedTree.Predict([row.A, row.B]));
        }
    }

    [Fact]
    public void Wrong_labels_and_columns_are_named()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Samples, 2);
        Assert.Contains("Y", Assert.ThrowsAny<ArgumentException>(() => new RandomForestClassifier { FeatureColumns = ["A"], LabelColumn = "Two", CategoricalColumns = ["Y"] }.Fit(frame)).Message, StringComparison.Ordinal);
        Assert.Contains("quantities are for a regressor", Assert.Throws<QueryException>(() => new DecisionTreeClassifier { FeatureColumns = ["A"], LabelColumn = "Y" }.Fit(frame)).Message, StringComparison.Ordinal);
        Assert.Contains("quantities are for a regressor", Assert.Throws<QueryException>(() => new GradientBoostedTreesClassifier { FeatureColumns = ["A"], LabelColumn = "Y" }.Fit(frame)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new RandomForestClassifier { RowFraction = 0 });
    }

    private static Sample[] Make(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            double a = random.NextDouble(), b = random.NextDouble();
            int? c = random.Next(10) == 0 ? null : random.Next(6);
            return new Sample(a, b, c, (3 * a) + Math.Sin(6 * b) + ((c ?? 2) * 0.1), a + b > 1 ? 1 : 0, a > 0.6 ? 2 : b > 0.5 ? 1 : 0, 1 + random.Next(3));
        })];
    }
}
