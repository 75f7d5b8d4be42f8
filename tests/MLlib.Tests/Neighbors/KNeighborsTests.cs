using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Neighbors;

/// <summary>Labels from neighbours.</summary>
public sealed class KNeighborsTests
{
    private sealed record Point(double X, double Label);

    private static readonly Point[] Points = [new(0, 0), new(1, 0), new(2, 1), new(4, 1), new(8, 2), new(8, 0), new(20, 2)];

    private static DataFrame Frame(DataflowContext context) => context.FromRecords(Points, 2);

    [Fact]
    public void Classes_are_voted_for_and_a_tie_goes_to_the_smallest()
    {
        using var context = DataflowContext.Local(2);
        var learner = new KNeighborsClassifier { K = 3, FeatureColumns = ["X"], LabelColumn = "Label" };
        var model = learner.Fit(Frame(context));
        Assert.Equal(3, model.ClassCount);
        Assert.Equal([2.0 / 3, 1.0 / 3, 0], model.PredictProbabilities([0.4f]));
        Assert.Equal(0, model.Predict([0.4f]));
        Assert.Equal(0, (learner with { K = 2 }).Fit(Frame(context)).Predict([8f]));

        var rows = model.Transform(Frame(context)).Collect();
        foreach (var row in rows)
        {
            var x = (float)row.Get<double>("X");
            Assert.Equal(model.Predict([x]), row.Get<double>("prediction"));
            Assert.Equal(model.PredictProbabilities([x]), row.Get<Vector>("probability").ToArray());
        }
    }

    [Fact]
    public void Weights_by_distance_let_equal_rows_vote_alone()
    {
        using var context = DataflowContext.Local(1);
        var model = new KNeighborsClassifier { K = 5, FeatureColumns = ["X"], LabelColumn = "Label", Weights = NeighborWeights.Distance }.Fit(Frame(context));
        Assert.Equal([0.5, 0, 0.5], model.PredictProbabilities([8]));

        // 1/1, 1/1, 1/3, 1/2, 1/5 from 3: rows 2 and 4 are of class 1.
        var expected = new[] { (1.0 / 2) + (1.0 / 3) + 0.2, 2.0, 0.2 };
        var sum = (1.0 / 2) + (1.0 / 3) + 0.2 + 2;
        Assert.Equal([expected[0] - 0.2, 2.0, 0.2], Array.ConvertAll(model.PredictProbabilities([3]), each => Math.Round(each * sum, 12)), Near);
    }

    [Fact]
    public void Classes_may_be_far_apart()
    {
        using var context = DataflowContext.Local(1);
        var frame = context.FromRecords(Enumerable.Range(0, 40).Select(i => new Point(i, i < 20 ? 0 : 990_000)), 1);
        var model = new KNeighborsClassifier { K = 3, FeatureColumns = ["X"], LabelColumn = "Label" }.Fit(frame);
        var rows = model.Transform(frame).Collect();
        Assert.All(rows, row => Assert.Equal(row.Get<double>("Label"), row.Get<double>("prediction")));
        Assert.Equal(1, rows[39].Get<Vector>("probability")[990_000]);
    }

    [Theory]
    [InlineData("\"k\": 3", "\"k\": 2147483647", "'k' is 2147483647")]
    [InlineData("\"k\": 3", "\"k\": 0", "'k' is 0")]
    [InlineData("\"features\": 1", "\"features\": 2147483647", "no whole number of rows")]
    [InlineData("\"breadth\": 64", "\"breadth\": -1", "'breadth' is -1")]
    public void Numbers_of_a_saved_model_must_fit_its_arrays(string part, string other, string expected)
    {
        using var context = DataflowContext.Local(1);
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "m");
        new KNeighborsClassifier { K = 3, FeatureColumns = ["X"], LabelColumn = "Label" }.Fit(Frame(context)).Save(path);
        var text = File.ReadAllText(Path.Combine(path, "metadata.json"));
        Assert.Contains(part, text);
        File.WriteAllText(Path.Combine(path, "metadata.json"), text.Replace(part, other));
        Assert.Contains(expected, Assert.Throws<ModelFormatException>(() => KNeighborsClassifierModel.Load(path)).Message);
    }

    [Fact]
    public void Means_are_weighed_as_wished()
    {
        using var context = DataflowContext.Local(1);
        var learner = new KNeighborsRegressor { K = 3, FeatureColumns = ["X"], LabelColumn = "Label" };
        Assert.Equal(1.0 / 3, learner.Fit(Frame(context)).Predict([1]));
        var weighed = (learner with { WeightOf = distance => Math.Max(0, 2 - distance) }).Fit(Frame(context));
        Assert.Equal(1.0 / 4, weighed.Predict([1]));
        Assert.Equal([1.0 / 4], weighed.Transform(Frame(context).Where("X = 1")).Collect().Select(row => row.Get<double>("prediction")));
        Assert.Contains("sum to 0", Assert.Throws<QueryException>(() => weighed.Predict([100])).Message);
        Assert.Contains("gave -1", Assert.Throws<QueryException>(() => (learner with { WeightOf = _ => -1 }).Fit(Frame(context)).Predict([1])).Message);
        using var folder = new TempDirectory();
        Assert.Contains("can't be saved", Assert.Throws<InvalidOperationException>(() => weighed.Save(Path.Combine(folder.Path, "m"))).Message);
    }

    [Fact]
    public void Saved_models_predict_the_same()
    {
        using var context = DataflowContext.Local(1);
        using var folder = new TempDirectory();
        var classifier = new KNeighborsClassifier { K = 3, FeatureColumns = ["X"], LabelColumn = "Label", Weights = NeighborWeights.Distance }.Fit(Frame(context));
        classifier.Save(Path.Combine(folder.Path, "c"));
        Assert.Equal(classifier.PredictProbabilities([3.3f]), KNeighborsClassifierModel.Load(Path.Combine(folder.Path, "c")).PredictProbabilities([3.3f]));
        var regressor = new KNeighborsRegressor { K = 2, FeatureColumns = ["X"], LabelColumn = "Label" }.Fit(Frame(context));
        regressor.Save(Path.Combine(folder.Path, "r"));
        Assert.Equal(regressor.Predict([5]), KNeighborsRegressorModel.Load(Path.Combine(folder.Path, "r")).Predict([5]));
    }

    [Fact]
    public void Labels_that_are_no_classes_are_named()
    {
        using var context = DataflowContext.Local(1);
        var learner = new KNeighborsClassifier { K = 1, FeatureColumns = ["X"], LabelColumn = "Label" };
        Assert.Contains("holds the label 0.5", Assert.Throws<QueryException>(() => learner.Fit(context.FromRecords(new[] { new Point(1, 0.5) }))).Message);
        Assert.Contains("holds the label -1", Assert.Throws<QueryException>(() => learner.Fit(context.FromRecords(new[] { new Point(1, -1) }))).Message);
        Assert.Contains("NaN", Assert.ThrowsAny<DataflowException>(() => learner.Fit(context.FromRecords(new[] { new Point(1, double.NaN) }))).ToString());
        Assert.Equal([1.0], (learner with { K = 1 }).Fit(context.FromRecords(new[] { new Point(1, 0) })).PredictProbabilities([7]));
    }

    private static bool Near(double left, double right) => Math.Abs(left - right) < 1e-9;
}
