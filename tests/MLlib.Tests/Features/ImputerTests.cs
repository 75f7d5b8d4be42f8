using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Features;

/// <summary>Filling what is missing.</summary>
public sealed class ImputerTests
{
    private sealed record Row(double? A, int? B, string? C, float D);

    private static readonly Row[] Rows = [new(1, 10, "x", 1), new(null, 20, "?", float.NaN), new(3, null, null, -1), new(double.NaN, 20, "y", 5), new(8, 10, "y", 5)];

    [Theory]
    [InlineData(ImputerStrategy.Mean, 4.0, 15.0)]
    [InlineData(ImputerStrategy.Median, 3.0, 15.0)]
    [InlineData(ImputerStrategy.MostFrequent, 1.0, 10.0)]
    public void Nulls_and_NaN_become_the_mean_the_median_or_the_most_frequent_value(ImputerStrategy strategy, double a, double b)
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Rows, 3);
        var model = new Imputer { InputColumns = ["A", "B"], Strategy = strategy }.Fit(frame);
        var filled = model.Transform(frame).Collect();
        Assert.Equal([1, a, 3, a, 8], filled.Select(row => (double)row["A"]!));
        Assert.Equal([10, 20, b, 20, 10], filled.Select(row => (double)row["B"]!));
    }

    [Fact]
    public void Texts_and_numbers_that_mean_missing_are_filled_too()
    {
        using var context = DataflowContext.Local(1);
        using var folder = new TempDirectory();
        var frame = context.FromRecords(Rows, 2);
        var imputer = new Imputer { InputColumns = ["C", "D"], OutputColumns = ["text", "number"], Strategy = ImputerStrategy.MostFrequent, MissingText = "?", MissingValue = -1 };
        imputer.Save(Path.Combine(folder.Path, "imputer"));
        PipelineStage.Load<Imputer>(Path.Combine(folder.Path, "imputer")).Fit(frame).Save(Path.Combine(folder.Path, "model"));
        var filled = PipelineStage.Load<ImputerModel>(Path.Combine(folder.Path, "model")).Transform(frame).Collect();
        Assert.Equal(["x", "y", "y", "y", "y"], filled.Select(row => row["text"]));
        Assert.Equal([1.0, 5, 5, 5, 5], filled.Select(row => (double)row["number"]!));
    }

    [Fact]
    public void Statistics_are_those_of_scikit_learn_for_any_partitions()
    {
        var peer = PeerFile.Open("features.json");
        using var context = DataflowContext.Local(2);
        foreach (var (strategy, name) in new[] { (ImputerStrategy.Mean, "mean"), (ImputerStrategy.Median, "median"), (ImputerStrategy.MostFrequent, "mostFrequent") })
        {
            double[]? first = null;
            foreach (var partitions in new[] { 1, 2, 7, 200 })
            {
                var frame = context.FromRecords(peer.GetProperty("missing").Rows().Select(row => (row[0], row[1], row[2], row[3])), partitions);
                var model = new Imputer { InputColumns = ["Item1", "Item2", "Item3", "Item4"], Strategy = strategy }.Fit(frame);
                double[] values = [.. model.Values.Select(value => (double)value)];
                PeerFile.AssertClose(peer.GetProperty(name).Numbers(), values, 1e-14);
                Assert.Equal(first ??= values, values);
            }
        }
    }

    [Fact]
    public void A_column_of_which_nothing_is_known_is_a_named_error()
    {
        using var context = DataflowContext.Local(1);
        var frame = context.FromRecords(new[] { (A: (double?)null, B: "x") });
        foreach (var strategy in Enum.GetValues<ImputerStrategy>())
            Assert.Contains("Column 'Item1' has no value", Assert.ThrowsAny<DataflowException>(() => new Imputer { InputColumns = ["Item1"], Strategy = strategy }.Fit(frame)).Message);
        Assert.Contains("StringIndexer", Assert.ThrowsAny<DataflowException>(() => new Imputer { InputColumns = ["Item2"] }.Fit(frame)).Message);
        var infinite = context.FromRecords(new[] { 1, double.PositiveInfinity });
        Assert.Contains("infinite", Assert.ThrowsAny<DataflowException>(() => new Imputer { InputColumns = ["value"] }.Fit(infinite)).ToString());
    }
}
