using System.Text;
using Dataflow.Sql.Tests.Frames;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Sources;

/// <summary>Files that are not what their first records, their names or their first bytes promise.</summary>
public sealed class InferredTypesTests(PeopleContext rig) : IClassFixture<PeopleContext>, IDisposable
{
    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1L << 20, "a.csv")]
    [InlineData(40L, "a.csv")]
    [InlineData(40L, "a.csv.gz")]
    public void A_csv_value_unlike_those_that_were_looked_at_is_an_error(long splitBytes, string name)
    {
        var path = Write("id,name\n" + string.Concat(Enumerable.Range(1, 50).Select(i => $"{(i == 42 ? "4x2" : i)},n{i}\r\n")), name);
        var options = new CsvOptions { HasHeader = true, InferRows = 10, SplitBytes = splitBytes };
        var frame = rig.Context.Read.Csv(path, options);
        foreach (var each in new[] { frame, frame.Where("id > 45"), frame.Select("id") })
        {
            var error = Assert.Throws<QueryException>(() => each.Collect());
            Assert.Equal("VALUE_NOT_OF_INFERRED_TYPE", error.ErrorClass);
            Assert.Contains($"'{path}', line 43 (byte", error.Message);
            Assert.Contains("column 'id' is '4x2', which is no bigint", error.Message);
        }
        Assert.Equal(50, frame.Select("name").Collect().Count);
        Assert.Equal("string", rig.Context.Read.Csv(path, options with { InferRows = 50 }).Schema[0].Type.SqlName);
        Assert.Equal(49L, rig.Context.Read.Csv(path, options with { Mode = MalformedMode.Permissive }).Where("id IS NOT NULL").Count());
        Assert.Equal(49L, rig.Context.Read.Csv(path, options with { CorruptRecordColumn = "bad" }).Where("bad IS NULL").Count());
        Assert.Equal(49L, rig.Context.Read.Csv(path, options with { Schema = frame.Schema }).Where("id IS NOT NULL").Count());
    }

    [Fact]
    public void A_value_of_a_second_file_is_an_error_too_and_other_numbers_of_fields_are_not()
    {
        Write("1,a\n", "1.csv");
        var second = Write("2\n3.5,b\n", "2.csv");
        var error = Assert.Throws<QueryException>(() => rig.Context.Read.Csv(_folder.Path).Collect());
        Assert.Contains($"'{second}', line 2 (byte 2): column '_c0' is '3.5'", error.Message);
        Write("2\n3,b\n", "2.csv");
        Assert.Equal("[1, a] [2, NULL] [3, b]", PeopleContext.Text(rig.Context.Read.Csv(_folder.Path).OrderBy("_c0")));
    }

    [Theory]
    [InlineData("{\"id\": [4, 2]}", "column 'id' is [4, 2], which is no bigint")]
    [InlineData("{\"id\": \"4x2\"}", "column 'id' is \"4x2\", which is no bigint")]
    [InlineData("{\"id\": 42, \"late\": {\"a\": 1}}", "the field 'late' is in none of the first objects")]
    public void A_json_value_or_field_unlike_those_that_were_looked_at_is_an_error(string odd, string problem)
    {
        var path = Write(string.Concat(Enumerable.Range(1, 50).Select(i => (i == 42 ? odd : $"{{\"id\": {i}, \"none\": null}}") + "\n")), "a.json");
        var options = new JsonOptions { InferRows = 10, SplitBytes = 100 };
        var frame = rig.Context.Read.Json(path, options);
        var error = Assert.Throws<QueryException>(() => frame.Collect());
        Assert.Equal("VALUE_NOT_OF_INFERRED_TYPE", error.ErrorClass);
        Assert.Contains($"'{path}', line 42 (byte", error.Message);
        Assert.Contains(problem, error.Message);
        Assert.Equal(50, rig.Context.Read.Json(path, options with { InferRows = 50 }).Collect().Count);
        Assert.Equal(50, rig.Context.Read.Json(path, options with { Mode = MalformedMode.Permissive }).Collect().Count);
        Assert.Equal(50, rig.Context.Read.Json(path, options with { Schema = frame.Schema }).Collect().Count);
        Assert.Equal(50, rig.Context.Read.Json(path, options with { CorruptRecordColumn = "bad" }).Collect().Count);
    }

    [Fact]
    public void Fields_that_only_case_tells_apart_are_an_error()
    {
        var path = Write("{\"a\": 1}\n{\"a\": 1, \"b\": 2, \"A\": 3}\n", "a.json");
        var error = Assert.Throws<QueryException>(() => rig.Context.Read.Json(path).Collect());
        Assert.Equal("COLUMN_ALREADY_EXISTS", error.ErrorClass);
        Assert.Contains("at byte 9 has the fields 'a' and 'A'", error.Message);
        Assert.Equal("[1, NULL] [NULL, 2]", PeopleContext.Text(rig.Context.Read.Json(path, new() { Mode = MalformedMode.Permissive })));
        Assert.Equal("[1, NULL]", PeopleContext.Text(rig.Context.Read.Json(path, new() { Mode = MalformedMode.DropMalformed })));
        Assert.Equal("[3]", PeopleContext.Text(rig.Context.Read.Json(Write("{\"a\": 1, \"a\": 3}\n", "b.json"))));
    }

    [Theory]
    [InlineData("utf-16", "UTF-16")]
    [InlineData("utf-16BE", "UTF-16")]
    [InlineData("utf-32", "UTF-32")]
    [InlineData("utf-32BE", "UTF-32")]
    public void Text_of_wider_characters_is_refused(string encoding, string name)
    {
        var path = Path.Combine(_folder.Path, "wide");
        var wide = Encoding.GetEncoding(encoding);
        File.WriteAllBytes(path, [.. wide.GetPreamble(), .. wide.GetBytes("{\"a\": 1}\n{\"a\": 2}\n")]);
        var schema = new Schema(new Field("a", DataType.String));
        foreach (var read in new Func<DataFrame>[]
        {
            () => rig.Context.Read.Csv(path), () => rig.Context.Read.Csv(path, new() { Schema = schema }),
            () => rig.Context.Read.Json(path), () => rig.Context.Read.Json(path, new() { Schema = schema }), () => rig.Context.Read.Text(path),
        })
        {
            var error = Assert.ThrowsAny<Exception>(() => read().Collect());
            Assert.Contains($"'{path}' begins with the mark of ", error.Message);
            Assert.Contains(name, error.Message);
        }
    }

    [Fact]
    public void What_is_appended_is_partitioned_as_what_is_there()
    {
        var frame = rig.Context.Sql("SELECT id, id % 2 AS k, id % 3 AS m FROM range(6)");
        var parts = Path.Combine(_folder.Path, "parts");
        var plain = Path.Combine(_folder.Path, "plain");
        frame.Write.PartitionBy("k", "m").Parquet(parts);
        frame.Write.Parquet(plain);
        var append = frame.Write.Mode(SaveMode.Append);
        Refused(() => append.Parquet(parts), "folders of the columns (k, m)", "Append with PartitionBy(k, m)");
        Refused(() => append.PartitionBy("k").Csv(parts), "folders of the columns (k, m)", "would append folders of the columns (k)");
        Refused(() => append.PartitionBy("m", "k").Parquet(parts), "folders of the columns (k, m)", "(m, k)");
        Refused(() => append.PartitionBy("k").Parquet(plain), "files that no column partitions", "Append without PartitionBy");
        append.PartitionBy("K", "m").Parquet(parts);
        append.Parquet(plain);
        Assert.Equal([12L, 12L], [rig.Context.Read.Parquet(parts + "/*/*").Count(), rig.Context.Read.Parquet(plain).Count()]);
    }

    private static void Refused(Action write, params string[] parts)
    {
        var error = Assert.Throws<QueryException>(write);
        Assert.Equal("PARTITIONS_DO_NOT_MATCH", error.ErrorClass);
        foreach (var part in parts) Assert.Contains(part, error.Message);
    }

    private string Write(string text, string name)
    {
        var path = Path.Combine(_folder.Path, name);
        using Stream file = File.Create(path);
        using var output = name.EndsWith(".gz", StringComparison.Ordinal) ? new System.IO.Compression.GZipStream(file, System.IO.Compression.CompressionLevel.Fastest) : file;
        output.Write(Encoding.UTF8.GetBytes(text));
        return path;
    }
}
