using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Features;

/// <summary>Sparse vectors of categories, and putting them together.</summary>
public sealed class OneHotEncoderTests
{
    [Fact]
    public void Categories_become_ones_as_in_scikit_learn_with_or_without_the_last()
    {
        var peer = PeerFile.Open("features.json");
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(peer.GetProperty("categories").Numbers(), 3);
        var expected = peer.GetProperty("oneHot").Rows();
        var encoder = new OneHotEncoder { InputColumns = ["value"], OutputColumns = ["v"] };
        var all = (encoder with { DropLast = false }).Fit(frame).Transform(frame).Collect().Select(row => row.Get<Vector>("v")).ToArray();
        Assert.Equal(expected, all.Select(vector => vector.ToArray()));
        Assert.All(all, vector => Assert.True(vector.IsSparse));
        Assert.Equal(expected.Select(row => row[..^1]), encoder.Fit(frame).Transform(frame).Collect().Select(row => row.Get<Vector>("v").ToArray()));
    }

    [Fact]
    public void Unknown_categories_fail_or_have_a_place_of_their_own()
    {
        using var context = DataflowContext.Local(1);
        using var folder = new TempDirectory();
        var known = context.FromRecords([0.0, 1]);
        var frame = context.FromRecords(new double?[] { 1, 5, null });
        var model = new OneHotEncoder { InputColumns = ["value"] }.Fit(known);
        Assert.Contains("holds category 5", Assert.ThrowsAny<DataflowException>(() => model.Transform(frame).Collect()).ToString());
        (model with { HandleInvalid = InvalidValues.Keep, DropLast = false }).Save(Path.Combine(folder.Path, "m"));
        var keeping = PipelineStage.Load<OneHotEncoderModel>(Path.Combine(folder.Path, "m"));
        Assert.Equal(["(3,[1],[1])", "(3,[2],[1])", "(3,[2],[1])"], keeping.Transform(frame).Collect().Select(row => row["value_vector"]!.ToString()));
        Assert.Equal(["(2,[1],[1])", "(2,[],[])", "(2,[],[])"], (keeping with { DropLast = true }).Transform(frame).Collect().Select(row => row["value_vector"]!.ToString()));
        Assert.Contains("holds 0.5", Assert.ThrowsAny<DataflowException>(() => new OneHotEncoder { InputColumns = ["value"] }.Fit(context.FromRecords([0.5]))).ToString());
        Assert.Contains("holds -1", Assert.ThrowsAny<DataflowException>(() => new OneHotEncoder { InputColumns = ["value"] }.Fit(context.FromRecords([-1]))).ToString());
        Assert.Throws<ArgumentOutOfRangeException>(() => new OneHotEncoder { HandleInvalid = InvalidValues.Skip });
        Assert.Contains("no value", Assert.ThrowsAny<DataflowException>(() => new OneHotEncoder { InputColumns = ["value"] }.Fit(known.Where("value > 3"))).Message);
    }

    [Fact]
    public void Sizes_that_no_vector_can_have_are_refused()
    {
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "m");
        new OneHotEncoderModel([12_345]) { InputColumns = ["value"] }.Save(path);
        var file = Path.Combine(path, "metadata.json");
        File.WriteAllText(file, File.ReadAllText(file).Replace("12345", "2147483647"));
        Assert.Contains("2147483647", Assert.Throws<ModelFormatException>(() => PipelineStage.Load<OneHotEncoderModel>(path)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new OneHotEncoderModel([0]));

        using var context = DataflowContext.Local(1);
        var wide = new OneHotEncoderModel([2_000_000_000, 2_000_000_000]) { InputColumns = ["Item1", "Item2"], OutputColumns = ["a", "b"] }
            .Transform(context.FromRecords(new[] { (1.0, 2.0) }));
        var error = Assert.ThrowsAny<DataflowException>(() => new VectorAssembler { InputColumns = ["a", "b"] }.Transform(wide).Collect());
        Assert.Contains("that a vector can have", error.ToString());
    }

    [Fact]
    public void A_million_categories_stay_sparse_all_the_way()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.Range(0, 30_000, partitions: 3).Map(i => (Id: (double)i, Category: (double)(i * 33 % 1_000_000), Half: 0.5)).ToDataFrame();
        var encoded = new OneHotEncoderModel([1_000_000]) { InputColumns = ["Item2"], OutputColumns = ["one"], DropLast = false }.Transform(frame);
        var assembled = new VectorAssembler { InputColumns = ["Item1", "one", "Item3"] }.Transform(encoded).OrderBy("Item1");
        var rows = assembled.Select("features").Collect();
        Assert.Equal(30_000, rows.Count);
        var vector = rows[29_999].Get<Vector>("features");
        Assert.Equal(Vector.Sparse(1_000_002, [0, 1 + 989_967, 1_000_001], [29_999, 1, 0.5]).ToString(), vector.ToString());
    }
}
