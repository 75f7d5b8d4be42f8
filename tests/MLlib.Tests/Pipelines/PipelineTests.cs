using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Pipelines;

/// <summary>Pipelines of stages, saved and loaded.</summary>
public sealed class PipelineTests
{
    private sealed record Point(double X, float Y, int Z, Vector? V);

    private static readonly Point[] Points =
    [
        new(1, 2, 3, Vector.Dense(10.0, 20)),
        new(2, 4, -3, Vector.Sparse(2, [1], [5])),
        new(6, 0.5f, 0, Vector.Dense([7f, 8f])),
    ];

    [Fact]
    public void Numbers_and_vectors_of_every_kind_are_put_together()
    {
        using var context = DataflowContext.Local(2);
        var assembled = new VectorAssembler { InputColumns = ["X", "Y", "V", "Z"] }.Transform(context.FromRecords(Points));
        Assert.Equal(
            [Vector.Dense(1.0, 2, 10, 20, 3), Vector.Dense(2.0, 4, 0, 5, -3), Vector.Dense(6, 0.5, 7, 8, 0)],
            assembled.Collect().Select(row => row.Get<Vector>("features")));
    }

    [Fact]
    public void A_pipeline_fits_stage_by_stage_and_gives_the_same_after_save_and_load()
    {
        using var context = DataflowContext.Local(2);
        using var folder = new TempDirectory();
        var frame = context.FromRecords(Points, 2);
        var model = new Pipeline(new VectorAssembler { InputColumns = ["X", "Y"] }, new StandardScaler { OutputColumn = "s" }).Fit(frame);
        var expected = model.Transform(frame).Collect().Select(row => row.Get<Vector>("s")).ToArray();
        Assert.Equal(-2.0 / Math.Sqrt(7), expected[0][0], 12);

        model.Save(Path.Combine(folder.Path, "model"));
        var loaded = PipelineModel.Load(Path.Combine(folder.Path, "model"));
        Assert.Equal(expected, loaded.Transform(frame).Collect().Select(row => row.Get<Vector>("s")));
        Assert.Equal(model.ToString(), loaded.ToString());
    }

    [Fact]
    public void Saving_never_replaces_what_is_not_meant()
    {
        using var folder = new TempDirectory();
        var stage = new StandardScaler { WithMean = false };
        var path = Path.Combine(folder.Path, "stage");
        stage.Save(path);
        Assert.Contains("overwrite: true", Assert.Throws<IOException>(() => stage.Save(path)).Message);
        (stage with { OutputColumn = "other" }).Save(path, overwrite: true);
        Assert.Equal("StandardScaler(OutputColumn = \"other\", WithMean = False)", PipelineStage.Load<StandardScaler>(path).ToString());

        File.WriteAllText(Path.Combine(folder.Path, "precious"), "x");
        Assert.Contains("no saved model", Assert.Throws<IOException>(() => stage.Save(folder.Path, overwrite: true)).Message);
        Assert.Single(Directory.GetDirectories(folder.Path));
    }

    [Theory]
    [InlineData("\"version\": 1", "\"version\": 2", "reads up to 1")]
    [InlineData("\"StandardScaler\"", "\"System.Diagnostics.Process, System.Diagnostics.Process\"", "knows no stage")]
    [InlineData("\"scaled\"", "\"\"", "OutputColumn")]
    [InlineData("\"scaled\"", "12", "OutputColumn")]
    [InlineData("dataflow-mllib", "else", "not of the format")]
    [InlineData("{", "", "damaged")]
    [InlineData("\"format\":", "\"format\": \"x\", \"format\":", "damaged")]
    [InlineData("\"WithMean\":", "\"WithMean\": true, \"WithMean\":", "damaged")]
    [InlineData("\"StandardScaler\"", "\"System.String, System.Private.CoreLib, Version=a.b\"", "knows no stage")]
    [InlineData("\"StandardScaler\"", "\"\\ud800\"", "knows no stage")]
    [InlineData("\"StandardScaler\"", "\"[[[,\"", "knows no stage")]
    [InlineData("\"WithMean\":", "\"\\ud800\":", "can't be read|damaged")]
    [InlineData("\"WithMean\"", "\"WithMeam\"", "no parameter 'WithMeam'")]
    [InlineData("\"WithMean\": true,", "", "'WithMean' of StandardScaler is missing")]
    [InlineData("\"parameters\"", "\"parameterz\"", "'parameters' is missing")]
    public void A_damaged_folder_is_a_named_error(string part, string other, string expected)
    {
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "stage");
        new StandardScaler().Save(path);
        var file = Path.Combine(path, "metadata.json");
        var text = File.ReadAllText(file);
        Assert.Contains(part, text);
        File.WriteAllText(file, text.Replace(part, other));
        Assert.Matches(string.Join('|', expected.Split('|').Select(System.Text.RegularExpressions.Regex.Escape)), Assert.Throws<ModelFormatException>(() => PipelineStage.Load<StandardScaler>(path)).Message);
    }

    [Theory]
    [InlineData("..", "'..' is no name")]
    [InlineData(".", "'.' is no name")]
    [InlineData("", "'' is no name")]
    [InlineData("../../..", "is no name")]
    [InlineData("a/../..", "is no name")]
    [InlineData("1_StandardScaler", "named twice")]
    public void A_pipeline_never_reads_itself_as_its_stage(string name, string expected)
    {
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "p");
        new Pipeline(new MaxAbsScaler(), new StandardScaler()).Save(path);
        Replace(Path.Combine(path, "metadata.json"), "\"0_MaxAbsScaler\"", $"\"{name}\"");
        Assert.Contains(expected, Assert.Throws<ModelFormatException>(() => Pipeline.Load(path)).Message);
    }

    [Fact]
    public void Stages_in_stages_have_a_limit()
    {
        using var folder = new TempDirectory();
        Pipeline Nested(int depth) => Enumerable.Range(0, depth).Aggregate(new Pipeline(), (inner, _) => new Pipeline(inner));
        Nested(64).Save(Path.Combine(folder.Path, "64"));
        Assert.Equal(Nested(64).ToString(), Pipeline.Load(Path.Combine(folder.Path, "64")).ToString());
        Nested(65).Save(Path.Combine(folder.Path, "65"));
        Assert.Contains("64 deep", Assert.Throws<ModelFormatException>(() => Pipeline.Load(Path.Combine(folder.Path, "65"))).Message);
    }

    private static void Replace(string file, string part, string other)
    {
        var text = File.ReadAllText(file);
        Assert.Contains(part, text);
        File.WriteAllText(file, text.Replace(part, other));
    }

    [Fact]
    public void Wrong_columns_are_refused_when_the_plan_is_made()
    {
        using var context = DataflowContext.Local(1);
        var frame = context.FromRecords(new[] { (A: 1.0, B: "x") }).WithColumn("A", Functions.Col("Item1")).WithColumn("B", Functions.Col("Item2"));
        Assert.Contains("StringIndexer", Assert.Throws<QueryException>(() => new VectorAssembler { InputColumns = ["A", "B"] }.Transform(frame)).Message);
        Assert.Contains("'C'", Assert.Throws<QueryException>(() => new VectorAssembler { InputColumns = ["C"] }.Transform(frame)).Message);
        Assert.Contains("twice", Assert.Throws<ArgumentException>(() => new VectorAssembler { InputColumns = ["A", "a"] }.Transform(frame)).Message);
        Assert.Throws<ArgumentException>(() => new VectorAssembler { InputColumns = [""] });
    }

    [Fact]
    public void Nulls_and_NaN_are_an_error_unless_they_are_kept_or_skipped()
    {
        using var context = DataflowContext.Local(1);
        var frame = context.FromRecords(new double?[] { 1, null, 3 });
        var assembler = new VectorAssembler { InputColumns = ["value"] };
        Assert.Contains("HandleInvalid", Assert.ThrowsAny<DataflowException>(() => assembler.Transform(frame).Collect()).ToString());
        Assert.Equal(2, (assembler with { HandleInvalid = InvalidValues.Skip }).Transform(frame).Collect().Count);
        Assert.Equal(double.NaN, (assembler with { HandleInvalid = InvalidValues.Keep }).Transform(frame).Collect()[1].Get<Vector>("features")[0]);
        Assert.Contains("Column 'value' holds null or NaN", Assert.ThrowsAny<DataflowException>(() => new StandardScaler { InputColumns = ["value"] }.Fit(frame)).ToString());
        Assert.Contains("without rows", Assert.ThrowsAny<DataflowException>(() => new StandardScaler { InputColumns = ["value"] }.Fit(frame.Where("value > 5"))).Message);
    }
}
