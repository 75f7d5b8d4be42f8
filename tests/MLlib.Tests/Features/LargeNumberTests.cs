namespace Dataflow.MLlib.Tests.Features;

/// <summary>Numbers whose squares or ranges are beyond 64 bits are named errors, or give what is right.</summary>
public sealed class LargeNumberTests
{
    private static readonly (Vector V, double A, double Label)[] Rows = [.. Enumerable.Range(0, 12).Select(i => (Vector.Dense(i, i == 7 ? -1e160 : i * 3), i == 7 ? 1e160 : i, (double)(i % 2)))];

    [Fact]
    public void Scalers_name_the_column()
    {
        using var context = DataflowContext.Local(1);
        var frame = context.FromRecords(Rows, 2).ToDataFrame("V", "A", "label");
        Assert.Contains("column 'V_1'", Error(() => new StandardScaler { InputColumns = ["V"] }.Fit(frame)), StringComparison.Ordinal);
        Assert.Contains("column 'A'", Error(() => new StandardScaler { InputColumns = ["A"] }.Fit(frame)), StringComparison.Ordinal);
        var wide = context.FromRecords(new[] { -1.7e308, 1.7e308, 1, -1.7e308, 1.7e308 }.Select(x => (A: x, B: 1.0)), 1).ToDataFrame("A", "B");
        Assert.Contains("column 'A'", Error(() => new MinMaxScaler { InputColumns = ["B", "A"] }.Fit(wide)), StringComparison.Ordinal);
        Assert.Contains("column 'A'", Error(() => new RobustScaler { InputColumns = ["B", "A"] }.Fit(wide)), StringComparison.Ordinal);
        Assert.Equal(1, new MaxAbsScaler { InputColumns = ["A", "B"] }.Fit(wide).Transform(wide).Collect()[1].Get<Vector>("scaled")[0], 1e-15);
        Assert.Equal([0, 1], new MinMaxScaler { InputColumns = ["V"] }.Fit(frame).Transform(frame).Collect().Select(row => row.Get<Vector>("scaled")[1]).Where(x => x is 0 or 1).Distinct().Order());
        var tiny = context.FromRecords(new[] { 0, 1e-310, 2e-310 }.Select(x => (A: x, B: 1.0)), 1).ToDataFrame("A", "B");
        Assert.All(new MaxAbsScaler { InputColumns = ["A"] }.Fit(tiny).Transform(tiny).Collect(), row => Assert.True(double.IsFinite(row.Get<Vector>("scaled")[0])));
    }

    [Fact]
    public void K_means_names_the_column_or_the_feature()
    {
        using var context = DataflowContext.Local(1);
        var frame = context.FromRecords(Rows, 2).ToDataFrame("V", "A", "label");
        var learner = new KMeans { FeaturesColumn = "V" };
        Assert.Contains("column 'V_1'", Error(() => learner.Fit(frame)), StringComparison.Ordinal);
        var model = learner.Fit(frame.Where("A < 1e9"));
        Assert.Contains("feature 1 (-1E+160)", Error(() => model.Transform(frame).Collect()), StringComparison.Ordinal);
        Assert.Contains("feature 1 (1E+160)", Error(() => model.Predict([1, 1e160])), StringComparison.Ordinal);
        Assert.Contains("Feature 0 of a row is null or NaN", Error(() => model.Predict([double.NaN, 1])), StringComparison.Ordinal);
        Assert.Contains("column 'V_1'", Error(() => model.Cost(frame)), StringComparison.Ordinal);
    }

    [Fact]
    public void Cosine_clusters_take_any_size_and_refuse_zeros_in_fit_and_transform_alike()
    {
        using var context = DataflowContext.Local(1);
        var frame = context.FromRecords(new[] { (1e160, 1e160), (2e-170, 2e-170), (1, 1), (-1e200, 1e200), (-3, 3) }.Select(pair => (V: Vector.Dense(pair.Item1, pair.Item2), K: 1)), 1).ToDataFrame("V", "K");
        var learner = new KMeans { FeaturesColumn = "V", Clusters = 2, Distance = ClusterDistance.Cosine };
        var model = learner.Fit(frame);
        var groups = model.Transform(frame).Collect().Select(row => row.Get<double>("prediction")).ToArray();
        Assert.Equal([groups[0], groups[0], groups[0], groups[3], groups[3]], groups);
        Assert.NotEqual(groups[0], groups[3]);
        Assert.Equal(0, model.Summary!.Cost, 1e-12);
        var zeros = context.FromRecords(Enumerable.Range(0, 20).Select(i => (V: Vector.Dense(i == 13 ? 0 : 1, 0), K: 1)), 1).ToDataFrame("V", "K");
        Assert.Contains("all zeros", Error(() => learner.Fit(zeros)), StringComparison.Ordinal);
        Assert.Contains("all zeros", Error(() => model.Transform(zeros).Collect()), StringComparison.Ordinal);
        Assert.Contains("all zeros", Error(() => model.Predict([0, 0])), StringComparison.Ordinal);
        Assert.Contains("all zeros", Error(() => model.Cost(zeros)), StringComparison.Ordinal);
    }

    [Fact]
    public void Evaluators_name_the_columns_or_are_right()
    {
        using var context = DataflowContext.Local(1);
        var frame = context.FromRecords(Rows, 2).ToDataFrame("V", "A", "label");
        Assert.Contains("'label' and 'A'", Error(() => new RegressionEvaluator { PredictionColumn = "A" }.Evaluate(frame)), StringComparison.Ordinal);
        Assert.Contains("'A' and 'label'", Error(() => new RegressionEvaluator { LabelColumn = "A", PredictionColumn = "label" }.Evaluate(frame)), StringComparison.Ordinal);
        var clusters = new ClusteringEvaluator { FeatureColumns = ["V"], PredictionColumn = "label" };
        Assert.Contains("overflow", Error(() => clusters.Evaluate(frame)), StringComparison.Ordinal);
        var directions = context.FromRecords(new[] { (1e170, 1e170, 0.0), (1, 1.01, 0), (-1e-180, 1e-180, 1), (-1, 1, 1) }.Select(each => (V: Vector.Dense(each.Item1, each.Item2), each.Item3)), 1).ToDataFrame("V", "label");
        Assert.InRange((clusters with { Distance = SilhouetteDistance.Cosine }).Evaluate(directions), 0.99, 1);
    }

    private static string Error(Action act) => Assert.Throws<QueryException>(act).Message;
}
