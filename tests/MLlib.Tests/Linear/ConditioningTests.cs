using Dataflow.MLlib.Data;
using Dataflow.MLlib.Linalg;
using Dataflow.MLlib.Optimization;
using Dataflow.MLlib.Regression;
using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Linear;

/// <summary>Units of labels and features, and outliers, change no more than they should.</summary>
public sealed class ConditioningTests
{
    private sealed record Point(Vector X, double Y);

    [Theory]
    [InlineData(1e-7)]
    [InlineData(1e4)]
    [InlineData(1e12)]
    public void Huber_loss_finds_coefficients_in_any_unit_of_the_label(double unit)
    {
        using var context = DataflowContext.Local(2);
        var learner = new LinearRegression { FeaturesColumn = "X", LabelColumn = "Y", Loss = RegressionLoss.Huber };
        var model = learner.Fit(context.FromRecords(Points(label => label * unit), 3));
        SklearnData.AssertClose([3 * unit, -2 * unit], model.Coefficients, 0.02);
        Assert.InRange(model.Intercept / unit, 0.95, 1.05);
        Assert.InRange(model.Scale / unit, 0.05, 0.15);
        Assert.Equal(StopReason.Converged, model.Summary!.Reason);
    }

    [Fact]
    public void Huber_loss_does_not_mind_one_outlier()
    {
        using var context = DataflowContext.Local(2);
        var points = Points(label => label);
        points[17] = points[17] with { Y = 1e6 };
        var model = new LinearRegression { FeaturesColumn = "X", LabelColumn = "Y", Loss = RegressionLoss.Huber }.Fit(context.FromRecords(points, 3));
        SklearnData.AssertClose([3, -2], model.Coefficients, 0.03);
        Assert.InRange(model.Intercept, 0.95, 1.05);
    }

    [Theory]
    [InlineData(LinearSolver.Auto)]
    [InlineData(LinearSolver.Lbfgs)]
    public void Elastic_net_keeps_its_objective_in_any_unit_of_the_label(LinearSolver solver)
    {
        using var context = DataflowContext.Local(2);

        // With penalties on absolute values only, labels and penalty times a number give coefficients times that number.
        var learner = new LinearRegression { FeaturesColumn = "X", LabelColumn = "Y", Solver = solver, Regularization = 0.5, ElasticNet = 1 };
        var expected = learner.Fit(context.FromRecords(Points(label => label), 3)).Coefficients.ToArray();
        foreach (var unit in new[] { 1e7, 1e10 })
        {
            var model = (learner with { Regularization = 0.5 * unit }).Fit(context.FromRecords(Points(label => label * unit), 3));
            SklearnData.AssertClose(expected, [.. model.Coefficients.ToArray().Select(value => value / unit)], 1e-3, $"{unit}");

            // A penalty that is nothing next to the label leaves least squares.
            var free = (learner with { Regularization = 0.01, ElasticNet = 0.5, Standardize = false }).Fit(context.FromRecords(Points(label => label * unit), 3));
            var ridge = (learner with { Regularization = 0.005, ElasticNet = 0, Standardize = false }).Fit(context.FromRecords(Points(label => label * unit), 3));
            SklearnData.AssertClose(ridge.Coefficients, free.Coefficients, 2e-3, $"{unit}");
        }
    }

    [Theory]
    [InlineData(LinearSolver.Auto)]
    [InlineData(LinearSolver.Lbfgs)]
    public void Elastic_net_goes_all_the_way_with_one_huge_label(LinearSolver solver)
    {
        using var context = DataflowContext.Local(2);
        var points = Points(label => label > 1 ? 1 : 0);
        points[5] = points[5] with { Y = 3e9 };
        var frame = context.FromRecords(points, 3);
        var learner = new LinearRegression { FeaturesColumn = "X", LabelColumn = "Y", Solver = solver, Regularization = 0.01 };
        SklearnData.AssertClose(learner.Fit(frame).Coefficients, (learner with { ElasticNet = 0.5, Regularization = 0.02 }).Fit(frame).Coefficients, 0.02);
    }

    [Fact]
    public void Penalties_on_features_as_they_are_do_not_stall_on_nearly_constant_ones()
    {
        using var context = DataflowContext.Local(2);
        var file = Path.Combine(RepositoryRoot.Path, "examples", "HandwrittenDigits", "data", "digits.csv");
        var points = File.ReadLines(file).Take(1300).Select(line => Array.ConvertAll(line.Split(','), int.Parse))
            .Select(row => new Point(Vector.Dense([.. row[..64].Select(value => value / 16.0)]), row[64])).ToArray();
        var model = new LogisticRegression { FeaturesColumn = "X", LabelColumn = "Y", Regularization = 0.001, Standardize = false }.Fit(context.FromRecords(points, 2));
        var history = model.Summary!.ObjectiveHistory;
        Assert.True(history[^1] < 0.23582 * 1.0005, $"{history[^1]} after {history.Count - 1}, {model.Summary.Reason}");
    }

    [Fact]
    public void Ridge_by_passes_does_not_stall_on_nearly_constant_features()
    {
        using var context = DataflowContext.Local(2);
        var random = new Random(8);
        var points = Enumerable.Range(0, 300).Select(_ => (double[])[.. Enumerable.Range(0, 20).Select(i => random.NextDouble() * Math.Pow(10, -i / 4.0))])
            .Select(x => new Point(Vector.Dense(x), x.Sum() + random.NextDouble())).ToArray();
        var frame = context.FromRecords(points, 2);
        var learner = new LinearRegression { FeaturesColumn = "X", LabelColumn = "Y", Regularization = 0.01, Standardize = false };
        SklearnData.AssertClose(learner.Fit(frame).Coefficients, (learner with { Solver = LinearSolver.Lbfgs, Tolerance = 1e-12, MaxIterations = 25 }).Fit(frame).Coefficients, 1e-4);
    }

    [Fact]
    public void Sums_that_overflow_are_named_errors()
    {
        using var context = DataflowContext.Local(2);
        double[][] rows = [[1e160, 1], [-1e160, 2], [3e160, 3]];
        var frame = context.FromRecords(rows.Select(row => new Point(Vector.Dense(row), row[1])), 2);
        foreach (var fit in new Action[]
        {
            () => new Pca { InputColumns = ["X"] }.Fit(frame),
            () => RowMatrix.Of(context.Parallelize(rows, 2)).Svd(1),
            () => RowMatrix.Of(context.Parallelize(new double[][] { [1e160, 1], [1e160, 2] }, 1)).Svd(1),
            () => new LinearRegression { FeaturesColumn = "X", LabelColumn = "Y" }.Fit(frame),
            () => new LinearRegression { FeaturesColumn = "X", LabelColumn = "Y", Solver = LinearSolver.Lbfgs }.Fit(frame),
        })
        {
            Assert.Contains("overflow", Assert.Throws<QueryException>(fit).Message);
        }
    }

    [Fact]
    public void Vectors_without_elements_are_named_errors()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Enumerable.Range(0, 4).Select(i => new Point(Vector.Dense(Array.Empty<double>()), i % 2)), 2);
        var linear = new LinearRegression { FeaturesColumn = "X", LabelColumn = "Y" };
        foreach (var fit in new Action[]
        {
            () => linear.Fit(frame),
            () => (linear with { Loss = RegressionLoss.Huber }).Fit(frame),
            () => new LogisticRegression { FeaturesColumn = "X", LabelColumn = "Y" }.Fit(frame),
        })
        {
            Assert.Contains("feature vectors without elements", Assert.ThrowsAny<DataflowException>(fit).ToString());
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public async Task Where_most_labels_are_does_not_depend_on_outliers_or_partitions(int partitions)
    {
        using var context = DataflowContext.Local(2);
        async Task<LabelSpread> Of(params double[] labels) => await LabelSpread.OfAsync(
            context.Parallelize(labels.Select(label => new FeatureBlock(1, [0], [label], [])), partitions), default);
        var spread = await Of(-1000.25, -1003, -996.5, -1001, -999, 1e9, -1e300);
        Assert.Equal(-1000.25, spread.Center, 6);
        Assert.Equal(2, spread.Spread);
        Assert.Equal(new LabelSpread(0, 0), await Of(0, 0, 0, 7));
        Assert.Equal(new LabelSpread(3, 0), await Of(3));
    }

    private static Point[] Points(Func<double, double> label)
    {
        var random = new Random(21);
        return [.. Enumerable.Range(0, 200).Select(_ => (A: random.NextDouble(), B: random.NextDouble() * 2, Noise: random.NextDouble() - 0.5))
            .Select(x => new Point(Vector.Dense([x.A, x.B]), label((3 * x.A) - (2 * x.B) + 1 + (x.Noise / 3))))];
    }
}
