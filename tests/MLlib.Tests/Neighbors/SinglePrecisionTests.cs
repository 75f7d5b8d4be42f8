namespace Dataflow.MLlib.Tests.Neighbors;

/// <summary>Features whose differences single precision loses.</summary>
public sealed class SinglePrecisionTests
{
    [Fact]
    public void Values_that_single_precision_can_not_tell_apart_are_an_error_with_the_column_and_a_way_out()
    {
        using var context = DataflowContext.Local(2);
        var rows = Enumerable.Range(0, 100).Select(i => (time: 1_750_000_000.0 + (i * 30), x: i / 7.0, label: i % 2)).ToArray();
        var frame = context.FromRecords(rows, 3).ToDataFrame("time", "x", "label");
        var learner = new NearestNeighbors { FeatureColumns = ["x", "time"], K = 1 };
        var error = Assert.Throws<QueryException>(() => learner.Fit(frame)).Message;
        Assert.Contains("Column 'time' holds values from 1750000000 to 1750002970", error, StringComparison.Ordinal);
        Assert.Contains("StandardScaler", error, StringComparison.Ordinal);
        Assert.Throws<QueryException>(() => new KNeighborsClassifier { FeatureColumns = ["time"], K = 1 }.Fit(frame));

        var model = new Pipeline(new StandardScaler { InputColumns = ["time", "x"] }, new NearestNeighbors { FeaturesColumn = "scaled", K = 1 }).Fit(frame);
        var found = model.Transform(frame).Collect().Select(row => row.Get<Vector>("neighbors")[0]).ToArray();
        Assert.Equal(rows.Select((_, i) => (double)i), found);
    }

    [Fact]
    public void Constants_years_and_numbers_of_few_digits_are_taken()
    {
        using var context = DataflowContext.Local(1);
        var rows = Enumerable.Range(0, 50).Select(i => (constant: 0.1 + 1e9, year: 1975.0 + i, day: 1_750_000_000.0 + (i * 86_400))).ToArray();
        var model = new NearestNeighbors { FeatureColumns = ["constant", "year", "day"], K = 1 }.Fit(context.FromRecords(rows, 2).ToDataFrame("constant", "year", "day"));
        Assert.Equal(7, model.Search([1e9f, 1982, 1_750_000_000f + (7 * 86_400)])[0].Id);
    }
}
