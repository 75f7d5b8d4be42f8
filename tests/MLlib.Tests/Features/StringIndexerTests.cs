using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Features;

/// <summary>Numbers for texts, and texts for numbers.</summary>
public sealed class StringIndexerTests
{
    private sealed record Row(string? Color, int Size);

    private static readonly Row[] Rows = [new("red", 7), new("blue", 5), new("red", 7), new("Ähre", 5), new(null, 5), new("blue", 9), new("zoo", 9)];

    [Theory]
    [InlineData(StringOrder.FrequencyDescending, "blue,red,zoo,Ähre", "5,7,9")]
    [InlineData(StringOrder.FrequencyAscending, "zoo,Ähre,blue,red", "7,9,5")]
    [InlineData(StringOrder.AlphabetAscending, "blue,red,zoo,Ähre", "5,7,9")]
    [InlineData(StringOrder.AlphabetDescending, "Ähre,zoo,red,blue", "9,7,5")]
    public void Texts_are_numbered_by_frequency_or_alphabet_for_any_partitions(StringOrder order, string colors, string sizes)
    {
        using var context = DataflowContext.Local(2);
        foreach (var partitions in new[] { 1, 3, 7, 20 })
        {
            var model = new StringIndexer { InputColumns = ["Color", "Size"], Order = order }.Fit(context.FromRecords(Rows, partitions));
            Assert.Equal(colors.Split(','), model.Labels[0]);
            Assert.Equal(sizes.Split(','), model.Labels[1]);
        }
    }

    [Fact]
    public void Null_and_unknown_texts_fail_or_are_left_out_or_get_a_number_of_their_own()
    {
        using var context = DataflowContext.Local(2);
        using var folder = new TempDirectory();
        var indexer = new StringIndexer { InputColumns = ["Color"], OutputColumns = ["c"] };
        var model = indexer.Fit(context.FromRecords(Rows.Take(3)));
        var frame = context.FromRecords(Rows, 2);
        Assert.Contains("Column 'Color' holds the text 'Ähre'", Assert.ThrowsAny<DataflowException>(() => model.Transform(frame).Collect()).ToString());
        Assert.Contains("Column 'Color' holds null", Assert.ThrowsAny<DataflowException>(() => model.Transform(frame.Where("Color IS NULL")).Collect()).ToString());
        Assert.Equal([0.0, 1, 0, 2, 2, 1, 2], (model with { HandleInvalid = InvalidValues.Keep }).Transform(frame).Collect().Select(row => (double)row["c"]!));

        (model with { HandleInvalid = InvalidValues.Skip }).Save(Path.Combine(folder.Path, "model"));
        var loaded = PipelineStage.Load<StringIndexerModel>(Path.Combine(folder.Path, "model"));
        Assert.Equal([0.0, 1, 0, 1], loaded.Transform(frame).Collect().Select(row => (double)row["c"]!));
        Assert.Equal(1, loaded.IndexOf("blue"));
        Assert.Equal(-1, loaded.IndexOf("blu"));
    }

    [Fact]
    public void Columns_with_dictionaries_are_numbered_code_by_code()
    {
        using var context = DataflowContext.Local(2);
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "t.parquet");
        context.FromRecords(Enumerable.Range(0, 20_000).Select(i => new Row(i % 7 == 0 ? null : $"color number {i % 5}", i)), 2).Write.Parquet(path);
        var frame = context.Read.Parquet(path);
        var model = new StringIndexer { InputColumns = ["Color"], Order = StringOrder.AlphabetAscending, HandleInvalid = InvalidValues.Keep }.Fit(frame);
        Assert.All(model.Transform(frame).Collect(), row => Assert.Equal((int)row["Size"]! % 7 == 0 ? 5.0 : (int)row["Size"]! % 5, row["Color_index"]));
        Assert.Equal(2_858, model.Transform(frame).Where("Color_index = 5").Count());
    }

    [Fact]
    public void A_hundred_thousand_texts_find_their_numbers_and_their_numbers_the_texts()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.Range(0, 100_000, partitions: 4).Map(i => (Id: i, Text: $"user {i * 7919 % 100_003:x}")).ToDataFrame();
        var model = new StringIndexer { InputColumns = ["Item2"], OutputColumns = ["n"] }.Fit(frame);
        Assert.Equal(100_000, model.Labels[0].Count);
        var back = new IndexToString { InputColumn = "n", OutputColumn = "text", Labels = model.Labels[0] }.Transform(model.Transform(frame));
        Assert.Equal(100_000, back.Where("text = Item2").Count());
        Assert.Equal(100_000, back.Select("n").Distinct().Count());
    }

    [Fact]
    public void Numbers_without_labels_are_a_named_error_and_null_stays_null()
    {
        using var context = DataflowContext.Local(1);
        var labels = new IndexToString { InputColumn = "value", OutputColumn = "text", Labels = ["no", "yes"] };
        Assert.Equal(["yes", null, "no"], labels.Transform(context.FromRecords(new double?[] { 1, null, 0 })).Collect().Select(row => (string?)row["text"]));
        Assert.Contains("holds 0.5", Assert.ThrowsAny<DataflowException>(() => labels.Transform(context.FromRecords([0.5])).Collect()).ToString());
        Assert.Contains("holds 2", Assert.ThrowsAny<DataflowException>(() => labels.Transform(context.FromRecords([2])).Collect()).ToString());
        Assert.Contains("comes twice", Assert.Throws<ArgumentException>(() => new StringIndexerModel([["a", "a"]])).Message);
        Assert.Contains("one already", Assert.Throws<QueryException>(() => new StringIndexer { InputColumns = ["value"], OutputColumns = ["value"] }.Fit(context.FromRecords(["a"])).Transform(context.FromRecords(["a"]))).Message);
    }

    [Fact]
    public void The_number_of_what_is_kept_gets_a_text_or_an_error_that_says_how()
    {
        using var context = DataflowContext.Local(1);
        var model = new StringIndexer { InputColumns = ["A"], HandleInvalid = InvalidValues.Keep }.Fit(context.FromRecords([("x", 1), ("y", 2)], 1).ToDataFrame("A", "B"));
        var indexed = model.Transform(context.FromRecords([("x", 1), ("other", 2)], 1).ToDataFrame("A", "B"));
        var back = new IndexToString { InputColumn = "A_index", OutputColumn = "C", Labels = model.Labels[0] };
        Assert.Equal(["x", "?"], (back with { OtherLabel = "?" }).Transform(indexed).Collect().Select(row => row.Get<string>("C")));
        Assert.Contains("OtherLabel", Assert.Throws<QueryException>(() => back.Transform(indexed).Collect()).Message, StringComparison.Ordinal);
    }
}
