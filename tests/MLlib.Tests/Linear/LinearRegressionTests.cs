using Dataflow.MLlib.Optimization;
using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Linear;

/// <summary>Linear regression against known coefficients and scikit-learn.</summary>
public sealed class LinearRegressionTests
{
    private static readonly LinearRegression Plain = new() { FeaturesColumn = "Features", LabelColumn = "Label", Standardize = false, Tolerance = 0, MaxIterations = 5000 };

    [Theory]
    [InlineData("ordinary", LinearSolver.Auto, 1e-10)]
    [InlineData("ordinary", LinearSolver.Normal, 1e-10)]
    [InlineData("ordinary", LinearSolver.Lbfgs, 1e-6)]
    [InlineData("ordinary_weighted", LinearSolver.Auto, 1e-10)]
    [InlineData("ordinary_weighted", LinearSolver.Lbfgs, 1e-6)]
    [InlineData("ordinary_through_0", LinearSolver.Auto, 1e-10)]
    [InlineData("ordinary_through_0", LinearSolver.Lbfgs, 1e-6)]
    [InlineData("ridge_7", LinearSolver.Auto, 1e-10)]
    [InlineData("ridge_7", LinearSolver.Lbfgs, 1e-6)]
    [InlineData("ridge_7_weighted", LinearSolver.Auto, 1e-10)]
    [InlineData("lasso_0.3", LinearSolver.Auto, 1e-6)]
    [InlineData("lasso_0.3", LinearSolver.Lbfgs, 1e-6)]
    [InlineData("elastic_0.4_0.7", LinearSolver.Auto, 1e-6)]
    [InlineData("elastic_0.4_0.7", LinearSolver.Lbfgs, 1e-6)]
    [InlineData("elastic_0.4_0.7_weighted", LinearSolver.Auto, 1e-6)]
    [InlineData("huber_1.35_0.6", LinearSolver.Auto, 1e-4)]
    public void It_learns_what_scikit_learn_learns(string name, LinearSolver solver, double tolerance)
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(SklearnData.Points, 3);
        var parts = name.Split('_');
        var weight = name.EndsWith("weighted", StringComparison.Ordinal) ? SklearnData.Points.Sum(point => point.Weight) : SklearnData.Points.Length;
        var learner = Plain with
        {
            Solver = solver,
            WeightColumn = name.EndsWith("weighted", StringComparison.Ordinal) ? "Weight" : null,
            FitIntercept = !name.EndsWith("through_0", StringComparison.Ordinal),
            Loss = parts[0] == "huber" ? RegressionLoss.Huber : RegressionLoss.Squared,
            ElasticNet = parts[0] switch { "lasso" => 1, "elastic" => 0.7, _ => 0 },

            // scikit-learn weighs squares by rows for ridge and Huber, and means of squares for the others.
            Regularization = parts[0] switch { "ridge" => 7 / weight, "lasso" => 0.3, "elastic" => 0.4, "huber" => 0.6 / weight, _ => 0 },
        };
        var model = learner.Fit(frame);
        SklearnData.AssertClose(SklearnData.Get<double[]>(name, "coefficients"), model.Coefficients, tolerance, name);
        SklearnData.AssertClose([SklearnData.Get<double>(name, "intercept")], [model.Intercept], 10 * tolerance, $"{name} intercept");
        if (parts[0] == "huber") SklearnData.AssertClose([SklearnData.Get<double>(name, "scale")], [model.Scale], tolerance, "scale");
    }

    [Fact]
    public void The_model_predicts_a_row_as_it_transforms_a_frame_before_and_after_it_is_saved()
    {
        using var context = DataflowContext.Local(2);
        using var folder = new TempDirectory();
        var frame = context.FromRecords(SklearnData.Points, 2);
        var model = (Plain with { PredictionColumn = "p" }).Fit(frame);
        model.Save(Path.Combine(folder.Path, "m"));
        var loaded = LinearRegressionModel.Load(Path.Combine(folder.Path, "m"));
        var rows = loaded.Transform(frame).Collect();
        Assert.Equal(SklearnData.X.Select(row => model.Predict(row)), rows.Select(row => row.Get<double>("p")));
        Assert.Equal(model.ToString(), loaded.ToString());
        Assert.Null(loaded.Summary);
        var errors = rows.Select(row => row.Get<double>("p") - row.Get<double>("Label")).ToArray();
        Assert.Equal(Math.Sqrt(errors.Average(error => error * error)), model.Summary!.RootMeanSquaredError, 10);
        var mean = SklearnData.Points.Average(point => point.Label);
        Assert.Equal(1 - (errors.Sum(error => error * error) / SklearnData.Points.Sum(point => Math.Pow(point.Label - mean, 2))), model.Summary.R2, 10);
        var iterated = (Plain with { Solver = LinearSolver.Lbfgs }).Fit(frame);
        Assert.Equal(model.Summary.RootMeanSquaredError, iterated.Summary!.RootMeanSquaredError, 10);
        Assert.Equal(model.Summary.R2, iterated.Summary.R2, 10);
        Assert.Contains("needs rows of 6", Assert.Throws<ArgumentException>(() => model.Predict([1, 2])).Message);
        Assert.Contains("'p'", Assert.Throws<QueryException>(() => model.Transform(loaded.Transform(frame))).Message);
    }

    [Fact]
    public void Features_that_depend_on_each_other_share_their_coefficient_or_are_an_error()
    {
        using var context = DataflowContext.Local(2);
        var random = new Random(4);
        var rows = Enumerable.Range(0, 200).Select(_ => (A: random.NextDouble(), B: random.NextDouble())).Select(x => (x.A, x.B, Twice: x.A, One: 1.0, y: (3 * x.A) - x.B + 2)).ToArray();
        var frame = context.FromRecords(rows, 2).Select(Functions.Col("Item1").As("a"), Functions.Col("Item2").As("b"), Functions.Col("Item3").As("c"), Functions.Col("Item4").As("one"), Functions.Col("Item5").As("label"));
        var learner = new LinearRegression { FeatureColumns = ["a", "b", "c", "one"], Tolerance = 0 };
        var model = learner.Fit(frame);
        SklearnData.AssertClose([1.5, -1, 1.5, 0], model.Coefficients, 1e-7);
        Assert.Equal(2, model.Intercept, 7);
        var error = Assert.Throws<QueryException>(() => (learner with { Solver = LinearSolver.Normal }).Fit(frame));
        Assert.Contains("follow from others", error.Message);

        // A constant is the intercept where there is no other.
        SklearnData.AssertClose([3, -1, 2], (learner with { FeatureColumns = ["a", "b", "one"], FitIntercept = false }).Fit(frame).Coefficients, 1e-9);
    }

    [Fact]
    public void Large_means_cost_no_digits()
    {
        using var context = DataflowContext.Local(2);
        var random = new Random(5);
        var rows = Enumerable.Range(0, 1000).Select(_ => random.NextDouble()).Select(x => (X: 1e6 + x, Y: (5 * x) - 7)).ToArray();
        var model = new LinearRegression { FeatureColumns = ["Item1"], LabelColumn = "Item2" }.Fit(context.FromRecords(rows, 3));
        Assert.Equal(5, model.Coefficients[0], 8);
    }

    [Fact]
    public void Frames_that_nothing_can_be_learned_from_are_named_errors()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(SklearnData.Points, 7);
        Assert.Contains("without rows", Assert.ThrowsAny<DataflowException>(() => Plain.Fit(frame.Where("Label > 1e9"))).ToString());
        Assert.Contains("without rows", Assert.ThrowsAny<DataflowException>(() => (Plain with { Loss = RegressionLoss.Huber }).Fit(frame.Where("Label > 1e9"))).ToString());
        Assert.Contains("'nothing'", Assert.Throws<QueryException>(() => (Plain with { LabelColumn = "nothing" }).Fit(frame)).Message);
        Assert.Contains("'Features'", Assert.Throws<QueryException>(() => (Plain with { LabelColumn = "Features" }).Fit(frame)).Message);
        var broken = context.FromRecords(new[] { (A: 1.0, Y: 2.0), (A: double.NaN, Y: 1), (A: 2, Y: double.PositiveInfinity) }, 3);
        var learner = new LinearRegression { FeatureColumns = ["Item1"], LabelColumn = "Item2" };
        Assert.Contains("Item1", Assert.ThrowsAny<DataflowException>(() => learner.Fit(broken.Where("Item2 < 100"))).ToString());
        Assert.Contains("Item2", Assert.ThrowsAny<DataflowException>(() => learner.Fit(broken.Where("Item1 = 2"))).ToString());
        Assert.Throws<ArgumentOutOfRangeException>(() => Plain with { ElasticNet = 1.5 });
        Assert.Throws<ArgumentOutOfRangeException>(() => Plain with { Regularization = double.NaN });

        // Most partitions are empty: what is left counts. One row is its own mean.
        var one = learner.Fit(broken.Where("Item1 = 1"));
        Assert.Equal((0, 2), (one.Coefficients[0], one.Intercept));
    }

    [Fact]
    public void Wide_sparse_rows_go_by_LBFGS()
    {
        using var context = DataflowContext.Local(2);
        var random = new Random(6);
        var rows = Enumerable.Range(0, 300).Select(_ =>
        {
            int[] at = [.. Enumerable.Range(0, 12).Select(_ => random.Next(20)).Append(4999).Distinct().Order()];
            double[] values = [.. at.Select(_ => random.NextDouble())];
            return (X: Vector.Sparse(5000, at, values), Y: at.Zip(values, (i, value) => i < 5 ? (i + 1) * value : i == 4999 ? -value : 0).Sum() + 3);
        }).ToArray();
        var model = new LinearRegression { FeaturesColumn = "Item1", LabelColumn = "Item2", Tolerance = 0 }.Fit(context.FromRecords(rows, 3));
        double[] expected = new double[5000];
        for (var i = 0; i < 5; i++) expected[i] = i + 1;
        expected[4999] = -1;
        SklearnData.AssertClose(expected, model.Coefficients, 1e-6);
        Assert.Equal(StopReason.Converged, model.Summary!.Reason);
        Assert.Equal(model.Predict(rows[0].X.ToArray()), model.Transform(context.FromRecords(rows.Take(1))).Collect()[0].Get<double>("prediction"));
    }
}
