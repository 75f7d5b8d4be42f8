using System.Text.Json;

namespace Dataflow.MLlib.Tests.TreeFitting;

/// <summary>Trees as scikit-learn grows them, and forests as good as its own whether rows are drawn with replacement, as there, or without, on the rows that tests/Peers/forest.py wrote.</summary>
public sealed class ScikitLearnForestTests
{
    private sealed record Sample(double A, double B, double C, double D, double Number, double Two, double Three, double Weight);

    private static readonly JsonElement Root = PeerFile.Open("forest.json");
    private static readonly Sample[] Train = [.. Root.GetProperty("train").Rows().Select(row => new Sample(row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7]))];
    private static readonly double[][] Test = Root.GetProperty("test").Rows();

    [Theory]
    [InlineData("gini", ClassImpurity.Gini)]
    [InlineData("entropy", ClassImpurity.Entropy)]
    [InlineData("log_loss", ClassImpurity.LogLoss)]
    public void A_tree_of_two_classes_is_the_one_that_exact_search_finds(string name, ClassImpurity impurity)
    {
        using var context = DataflowContext.Local(2);
        var learner = new DecisionTreeClassifier { FeatureColumns = ["A", "B", "C", "D"], LabelColumn = "Two", Impurity = impurity, MaxDepth = 4, MinLeafRows = 4 };
        var frame = context.FromRecords(Train, 3);
        Same(name, learner.Fit(frame));
        Same($"{name}, weighted", (learner with { WeightColumn = "Weight" }).Fit(frame));

        static void Same(string name, DecisionTreeClassificationModel model)
        {
            var shares = new double[2];
            var actual = Train.Select(row =>
            {
                model.PredictProbabilities([row.A, row.B, row.C, row.D], shares);
                return shares[1];
            }).ToArray();
            PeerFile.AssertClose(Root.GetProperty("trees").GetProperty(name).Numbers(), actual, 1e-6);
        }
    }

    [Fact]
    public void A_tree_of_numbers_is_the_one_that_exact_search_finds()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Train, 3);
        var learner = new DecisionTreeRegressor { FeatureColumns = ["A", "B", "C", "D"], LabelColumn = "Number", MaxDepth = 4, MinLeafRows = 4 };
        foreach (var (name, model) in new[] { ("squared", learner.Fit(frame)), ("squared, weighted", (learner with { WeightColumn = "Weight" }).Fit(frame)) })
            PeerFile.AssertClose(Root.GetProperty("trees").GetProperty(name).Numbers(), [.. Train.Select(row => model.Predict([row.A, row.B, row.C, row.D]))], 1e-6);
    }

    [Theory]
    [InlineData(ClassImpurity.Gini, true)]
    [InlineData(ClassImpurity.Gini, false)]
    [InlineData(ClassImpurity.Entropy, true)]
    [InlineData(ClassImpurity.Entropy, false)]
    public void A_forest_of_classes_is_as_good(ClassImpurity impurity, bool bootstrap)
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Train, 3);
        var learner = new RandomForestClassifier { FeatureColumns = ["A", "B", "C", "D"], LabelColumn = "Two", Impurity = impurity, Bootstrap = bootstrap, MinLeafRows = 2 };
        var (right, loss, rightOfThree) = (0.0, 0.0, 0.0);
        double[] shares = new double[2], three = new double[3];
        const int Seeds = 3;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var model = (learner with { Seed = seed }).Fit(frame);
            var ofThree = (learner with { Seed = seed, LabelColumn = "Three" }).Fit(frame);
            foreach (var row in Test)
            {
                model.PredictProbabilities(row.AsSpan(0, 4), shares);
                right += model.Predict(row.AsSpan(0, 4)) == row[5] ? 1 : 0;
                loss -= Math.Log(Math.Clamp(shares[(int)row[5]], 1e-6, 1 - 1e-6));
                rightOfThree += ofThree.Predict(row.AsSpan(0, 4)) == row[6] ? 1 : 0;
            }
        }
        var expected = Expected(impurity == ClassImpurity.Gini ? "gini" : "entropy");
        var count = Seeds * Test.Length;
        Near(expected, "accuracy", right / count, 0.02);
        Near(expected, "log_loss", loss / count, 0.03);
        Near(expected, "accuracy_of_three", rightOfThree / count, 0.03);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_forest_of_numbers_is_as_good(bool bootstrap)
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Train, 3);
        var learner = new RandomForestRegressor { FeatureColumns = ["A", "B", "C", "D"], LabelColumn = "Number", Bootstrap = bootstrap, MinLeafRows = 2, FeatureSubset = FeatureSubset.Sqrt };
        const int Seeds = 3;
        double squares = 0;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var model = (learner with { Seed = seed }).Fit(frame);
            squares += Math.Sqrt(Test.Average(row => Math.Pow(model.Predict(row.AsSpan(0, 4)) - row[4], 2)));
        }
        Near(Expected("squared"), "rmse", squares / Seeds, 0.05);
    }

    private static JsonElement Expected(string name) => Root.GetProperty("forests").GetProperty(name);

    private static void Near(JsonElement expected, string what, double actual, double tolerance)
    {
        var theirs = expected.GetProperty(what).GetDouble();
        Assert.True(Math.Abs(actual - theirs) <= tolerance, $"{what} {actual:F4}, scikit-learn's {theirs:F4}");
    }
}
