using System.Text.Json;

namespace Dataflow.MLlib.Tests.Linear;

/// <summary>Bounds on coefficients and intercepts, against scikit-learn and scipy (tests/Peers/bounds_importances.py).</summary>
public sealed class BoundsTests
{
    private static readonly JsonElement Peer = PeerFile.Open("bounds_importances.json");
    private static readonly LinearRegression Linear = new() { FeaturesColumn = "Features", LabelColumn = "Label", Standardize = false, Tolerance = 0, MaxIterations = 10_000 };
    private static readonly LogisticRegression Logistic = new() { FeaturesColumn = "Features", LabelColumn = "Binary", Standardize = false, Tolerance = 0, MaxIterations = 10_000 };

    [Theory]
    [InlineData("linear_positive", 0, 0.0, double.PositiveInfinity, double.NegativeInfinity, double.PositiveInfinity)]
    [InlineData("linear_box", 0, -0.4, 0.5, double.NegativeInfinity, double.PositiveInfinity)]
    [InlineData("linear_box_ridge", 0.3, -0.4, 0.5, double.NegativeInfinity, double.PositiveInfinity)]
    [InlineData("linear_intercept", 0.1, -0.4, double.PositiveInfinity, 1.0, 2.0)]
    public void Regressions_inside_of_bounds_are_those_of_scikit_learn_and_scipy(string name, double penalty, double lower, double upper, double lowerIntercept, double upperIntercept)
    {
        using var context = DataflowContext.Local(2);
        foreach (var solver in new[] { LinearSolver.Auto, LinearSolver.Lbfgs })
        {
            var model = (Linear with { Regularization = penalty, LowerBounds = [lower], UpperBounds = [upper], LowerInterceptBound = lowerIntercept, UpperInterceptBound = upperIntercept, Solver = solver })
                .Fit(context.FromRecords(SklearnData.Points, 3));
            SklearnData.AssertClose(Peer.GetProperty(name).GetProperty("coefficients").Numbers(), model.Coefficients, 1e-6, $"{name} {solver}");
            Assert.Equal(Peer.GetProperty(name).GetProperty("intercept").GetDouble(), model.Intercept, 1e-5);
            foreach (var coefficient in model.Coefficients) Assert.InRange(coefficient, lower - 1e-15, upper + 1e-15);
        }
    }

    [Theory]
    [InlineData("logistic_box", 0.01, -0.4, 0.5, null, null)]
    [InlineData("logistic_positive", 0.0, 0.0, double.PositiveInfinity, null, null)]
    [InlineData("logistic_intercept", 0.01, -0.4, 0.5, 0.25, 0.5)]
    [InlineData("softmax_box", 0.02, -0.4, 0.5, null, null)]
    public void Classifiers_inside_of_bounds_are_those_of_scipy(string name, double penalty, double lower, double upper, double? lowerIntercept, double? upperIntercept)
    {
        using var context = DataflowContext.Local(2);
        var model = (Logistic with
        {
            Regularization = penalty,
            LabelColumn = name == "softmax_box" ? "Three" : "Binary",
            LowerBounds = [lower],
            UpperBounds = [upper],
            LowerInterceptBounds = lowerIntercept is { } least ? [least] : [],
            UpperInterceptBounds = upperIntercept is { } most ? [most] : [],
        }).Fit(context.FromRecords(SklearnData.Points, 3));
        SklearnData.AssertClose(Peer.GetProperty(name).GetProperty("coefficients").Numbers(), model.Coefficients, 1e-5, name);

        // The same number added to all intercepts changes nothing.
        var intercepts = model.Intercepts.ToArray();
        var mean = intercepts.Length == 1 ? 0 : intercepts.Average();
        SklearnData.AssertClose(Peer.GetProperty(name).GetProperty("intercepts").Numbers(), [.. intercepts.Select(intercept => intercept - mean)], 1e-5, name);
        Assert.Equal(Peer.GetProperty(name).GetProperty("value").GetDouble(), model.Summary!.ObjectiveHistory[^1], 1e-9);
    }

    [Fact]
    public void Bounds_of_each_coefficient_are_met_and_those_far_away_change_nothing()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(SklearnData.Points, 2);
        var free = (Linear with { Standardize = true }).Fit(frame);
        var far = (Linear with { Standardize = true, LowerBounds = [-1e6], UpperBounds = [1e6] }).Fit(frame);
        SklearnData.AssertClose(free.Coefficients, far.Coefficients, 1e-7);
        var fixedTo = (Linear with { LowerBounds = [2, -10, -10, 3, -10, -10], UpperBounds = [2, 10, 10, 3, 10, double.PositiveInfinity] }).Fit(frame);
        Assert.Equal((2.0, 3.0), (fixedTo.Coefficients[0], fixedTo.Coefficients[3]));
    }

    [Fact]
    public void Bounds_that_do_not_fit_are_named_errors()
    {
        using var context = DataflowContext.Local(1);
        var frame = context.FromRecords(SklearnData.Points, 1);
        Assert.Throws<ArgumentException>(() => Linear with { LowerBounds = [double.NaN] });
        Assert.Contains("6 coefficients, and 2 bounds", Assert.Throws<ArgumentException>(() => (Linear with { LowerBounds = [0, 0] }).Fit(frame)).Message, StringComparison.Ordinal);
        Assert.Contains("must not be above", Assert.Throws<ArgumentException>(() => (Linear with { LowerBounds = [1], UpperBounds = [0] }).Fit(frame)).Message, StringComparison.Ordinal);
        Assert.Contains("ElasticNet", Assert.Throws<ArgumentException>(() => (Logistic with { LowerBounds = [0], Regularization = 1, ElasticNet = 0.5 }).Fit(frame)).Message, StringComparison.Ordinal);
        Assert.Contains("FitIntercept", Assert.Throws<ArgumentException>(() => (Linear with { LowerInterceptBound = 0, FitIntercept = false }).Fit(frame)).Message, StringComparison.Ordinal);
        var constant = context.FromRecords(SklearnData.Points.Select(point => (Features: Vector.Dense([point.Features[0], 7.0]), point.Label)), 1).ToDataFrame("Features", "Label");
        Assert.Equal("CONSTANT_FEATURE", Assert.Throws<QueryException>(() => (Linear with { LowerBounds = [0.5] }).Fit(constant)).ErrorClass);
    }
}
