using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Linear;

/// <summary>Logistic regression against scikit-learn, and its edges.</summary>
public sealed class LogisticRegressionTests
{
    private static readonly LogisticRegression Plain = new() { FeaturesColumn = "Features", LabelColumn = "Binary", Standardize = false, Tolerance = 0, MaxIterations = 5000 };

    [Theory]
    [InlineData("logistic_2", 1e-6)]
    [InlineData("logistic_2_weighted", 1e-6)]
    [InlineData("logistic_2_through_0", 1e-6)]
    [InlineData("logistic_l1_0.5", 1e-4)]
    [InlineData("softmax_2", 1e-6)]
    public void It_learns_what_scikit_learn_learns(string name, double tolerance)
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(SklearnData.Points, 3);
        var isWeighted = name.EndsWith("weighted", StringComparison.Ordinal);
        var weight = isWeighted ? SklearnData.Points.Sum(point => point.Weight) : SklearnData.Points.Length;
        var model = (Plain with
        {
            LabelColumn = name == "softmax_2" ? "Three" : "Binary",
            WeightColumn = isWeighted ? "Weight" : null,
            FitIntercept = !name.EndsWith("through_0", StringComparison.Ordinal),
            ElasticNet = name.Contains("l1", StringComparison.Ordinal) ? 1 : 0,
            Regularization = 1 / (weight * (name.Contains("l1", StringComparison.Ordinal) ? 0.5 : 2)),
        }).Fit(frame);
        SklearnData.AssertClose(SklearnData.Get<double[]>(name, "coefficients"), model.Coefficients, tolerance, name);
        SklearnData.AssertClose(SklearnData.Get<double[]>(name, "intercepts"), model.Intercepts, tolerance * 10, $"{name} intercepts");
        var probabilities = new double[model.ClassCount];
        model.PredictProbabilities(SklearnData.X[0], probabilities);
        SklearnData.AssertClose(SklearnData.Get<double[]>(name, "first"), probabilities, tolerance * 10, $"{name} probabilities");
    }

    [Fact]
    public void Two_classes_by_softmax_say_the_same_as_one_vector()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(SklearnData.Points, 2);
        var one = Plain.Fit(frame);
        var two = (Plain with { Family = LogisticFamily.Multinomial }).Fit(frame);
        Assert.Equal(2, two.Intercepts.Length);
        double[] difference = [.. Enumerable.Range(0, 6).Select(i => two.Coefficients[6 + i] - two.Coefficients[i])];
        SklearnData.AssertClose(one.Coefficients, difference, 1e-6);
        Assert.Equal(0, two.Coefficients[0] + two.Coefficients[6], 12);
        Assert.Contains("one a class", Assert.Throws<InvalidOperationException>(() => two.Intercept).Message);
    }

    [Theory]
    [InlineData("Binary")]
    [InlineData("Three")]
    public void The_model_predicts_a_row_as_it_transforms_a_frame_before_and_after_it_is_saved(string label)
    {
        using var context = DataflowContext.Local(2);
        using var folder = new TempDirectory();
        var frame = context.FromRecords(SklearnData.Points, 2);
        var model = (Plain with { LabelColumn = label, MaxIterations = 20, Thresholds = label == "Three" ? [0.2, 0.5, 0.3] : [] }).Fit(frame);
        model.Save(Path.Combine(folder.Path, "m"));
        var loaded = LogisticRegressionModel.Load(Path.Combine(folder.Path, "m"));
        var rows = loaded.Transform(frame).Collect();
        Assert.Equal(SklearnData.X.Select(row => (double)model.Predict(row)), rows.Select(row => row.Get<double>("prediction")));
        var probabilities = new double[model.ClassCount];
        for (var i = 0; i < rows.Count; i++)
        {
            model.PredictProbabilities(SklearnData.X[i], probabilities);
            Assert.Equal(probabilities, rows[i].Get<Vector>("probability").ToArray());
            Assert.Equal(model.ClassCount, rows[i].Get<Vector>("rawPrediction").Size);
        }
        var bare = model with { RawPredictionColumn = null, ProbabilityColumn = null };
        Assert.Equal(rows.Select(row => row.Get<double>("prediction")), bare.Transform(frame).Collect().Select(row => row.Get<double>("prediction")));
        Assert.Equal(["Features", "Label", "Weight", "Binary", "Three", "prediction"], bare.Transform(frame).Schema.Select(column => column.Name));
    }

    [Fact]
    public void A_threshold_moves_rows_from_class_to_class()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(SklearnData.Points, 2);
        var model = Plain.Fit(frame);
        var ones = new[] { 0.0, 0.2, 0.5, 0.8, 1.0 }.Select(threshold => (model with { Threshold = threshold }).Transform(frame).Where("prediction = 1").Count()).ToArray();
        Assert.Equal(ones.OrderDescending(), ones);
        Assert.Equal((120, 0), (ones[0], ones[^1]));
        Assert.Equal(ones[3], (model with { Thresholds = [0.2, 0.8] }).Transform(frame).Where("prediction = 1").Count());
        Assert.Contains("3 thresholds", Assert.Throws<ArgumentException>(() => (model with { Thresholds = [1, 1, 1] }).Transform(frame)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => model with { Thresholds = [0, 0] });
    }

    [Fact]
    public void A_hundred_thousand_sparse_features_are_learned_from()
    {
        using var context = DataflowContext.Local(2);
        var random = new Random(7);
        var rows = Enumerable.Range(0, 2000).Select(_ =>
        {
            int[] at = [.. Enumerable.Range(0, 20).Select(i => i < 3 ? random.Next(10) : random.Next(100_000)).Distinct().Order()];
            return (X: Vector.Sparse(100_000, at, [.. at.Select(_ => 1.0)]), Y: at[0] < 4 ? 1 : 0);
        }).ToArray();
        var model = new LogisticRegression { FeaturesColumn = "Item1", LabelColumn = "Item2", Regularization = 0.01, Standardize = false, MaxIterations = 30 }.Fit(context.FromRecords(rows, 3));
        Assert.Equal(100_000, model.FeatureCount);
        Assert.True(model.Coefficients[1] > 0.5 && model.Coefficients[7] < 0, $"{model.Coefficients[1]} {model.Coefficients[7]}");

        // Zeros that are left out change no bit.
        var some = rows.Skip(5).Take(40).ToArray();
        var scored = model.Transform(context.FromRecords(some)).Collect();
        var probabilities = new double[2];
        for (var i = 0; i < some.Length; i++)
        {
            model.PredictProbabilities(some[i].X.ToArray(), probabilities);
            Assert.Equal(probabilities, scored[i].Get<Vector>("probability").ToArray());
            Assert.Equal(model.Predict(some[i].X.ToArray()), scored[i].Get<double>("prediction"));
        }
    }

    [Fact]
    public void Sparse_and_dense_rows_give_the_same_model()
    {
        using var context = DataflowContext.Local(2);
        var random = new Random(8);
        var rows = Enumerable.Range(0, 400).Select(_ =>
        {
            int[] at = [.. Enumerable.Range(0, 3).Select(_ => random.Next(30)).Distinct().Order()];
            return (X: Vector.Sparse(30, at, [.. at.Select(_ => 1 + random.NextDouble())]), Y: at[0] + random.Next(8) < 10 ? 1 : 0);
        }).ToArray();
        var learner = new LogisticRegression { FeaturesColumn = "Item1", LabelColumn = "Item2", Regularization = 0.01, Tolerance = 0 };
        var sparse = learner.Fit(context.FromRecords(rows, 2));
        var dense = learner.Fit(context.FromRecords(rows.Select(row => (Vector.Dense(row.X.ToArray()), row.Y)).ToArray(), 2));
        SklearnData.AssertClose(dense.Coefficients, sparse.Coefficients, 1e-8);
        var linear = new LinearRegression { FeaturesColumn = "Item1", LabelColumn = "Item2" };
        SklearnData.AssertClose(
            linear.Fit(context.FromRecords(rows.Select(row => (Vector.Dense(row.X.ToArray()), row.Y)).ToArray(), 2)).Coefficients, linear.Fit(context.FromRecords(rows, 2)).Coefficients, 1e-12);
    }

    [Fact]
    public void Labels_that_are_no_classes_are_named_errors()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(SklearnData.Points, 4);
        Assert.Contains("label 0", Assert.ThrowsAny<DataflowException>(() => Plain.Fit(frame.Where("Binary = 0"))).ToString());
        Assert.Contains("without rows", Assert.ThrowsAny<DataflowException>(() => Plain.Fit(frame.Where("Binary = 5"))).ToString());
        Assert.Contains("StringIndexer", Assert.ThrowsAny<DataflowException>(() => (Plain with { LabelColumn = "Label" }).Fit(frame)).ToString());
        Assert.Contains("3 classes", Assert.ThrowsAny<DataflowException>(() => (Plain with { LabelColumn = "Three", Family = LogisticFamily.Binomial }).Fit(frame)).ToString());
        Assert.Contains("weight", Assert.ThrowsAny<DataflowException>(() => (Plain with { WeightColumn = "w" }).Fit(frame.WithColumn("w", Functions.Col("Weight") - 1))).ToString());
    }

    [Fact]
    public void Classes_that_a_line_parts_end_in_certainty_not_in_an_error()
    {
        using var context = DataflowContext.Local(2);
        var rows = Enumerable.Range(0, 100).Select(i => (X: (double)i, Y: i < 40 ? 0 : 1)).ToArray();
        var model = new LogisticRegression { FeatureColumns = ["Item1"], LabelColumn = "Item2", Tolerance = 0 }.Fit(context.FromRecords(rows, 2));
        Assert.All(rows, row => Assert.Equal(row.Y, model.Predict([row.X])));
        Assert.All(model.Summary!.ObjectiveHistory.Zip(model.Summary.ObjectiveHistory.Skip(1)), pair => Assert.True(pair.Second <= pair.First));
    }
}
