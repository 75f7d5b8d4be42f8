using System.Text;
using Dataflow.Sql.Parquet;
using Dataflow.Sql.Tests.Frames;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Sources;

/// <summary>Files that are empty, wrong, gone, or not what the others of their folder are.</summary>
public sealed class OddFilesTests(PeopleContext rig) : IClassFixture<PeopleContext>, IDisposable
{
    private static readonly Schema TwoColumns = new(new Field("k", DataType.BigInt), new Field("t", DataType.String));

    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("csv, no bytes")]
    [InlineData("csv, a header")]
    [InlineData("json, no bytes")]
    [InlineData("parquet, no rows")]
    [InlineData("parquet, rows left out")]
    [InlineData("text, no bytes")]
    public void A_source_without_rows_goes_through_every_operator(string kind)
    {
        var none = Empty(kind);
        none.CreateTempView("none");
        rig.Context.Sql("SELECT id AS k, CAST(id AS STRING) AS t FROM range(5)").CreateTempView("some");
        Assert.Equal("[0, NULL, NULL]", Text("SELECT count(*), sum(k), max(t) FROM none"));
        Assert.Equal("", Text("SELECT k, count(*) FROM none GROUP BY k"));
        Assert.Equal("", Text("SELECT k FROM none JOIN some USING (k)"));
        Assert.Equal("", Text("SELECT k FROM some JOIN none USING (k)"));
        Assert.Equal("[5, 0]", Text("SELECT count(*), count(none.t) FROM some LEFT JOIN none USING (k)"));
        Assert.Equal("[5]", Text("SELECT count(*) FROM none FULL JOIN some USING (k)"));
        Assert.Equal("[5]", Text("SELECT count(*) FROM some WHERE k NOT IN (SELECT k FROM none)"));
        Assert.Equal("[5]", Text("SELECT count(*) FROM (SELECT k, t FROM none UNION ALL SELECT k, t FROM some)"));
        Assert.Equal("", Text("SELECT k, row_number() OVER (PARTITION BY t ORDER BY k) FROM none ORDER BY k LIMIT 3"));
        Assert.Equal("", Text("SELECT DISTINCT t FROM none WHERE k > 3 AND t LIKE 'a%'"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Bounds_that_only_some_row_groups_state_are_not_believed_of_the_others(bool isFirst)
    {
        // The second file's values lie far outside of what the first one's statistics say, and its own say nothing.
        Write("a", "SELECT id AS k, CAST(id AS DECIMAL(12, 2)) AS d FROM range(1000)", new() { WriteStatistics = isFirst });
        Write("b", "SELECT id * 1000000 AS k, CAST(id * 1000000 AS DECIMAL(12, 2)) AS d FROM range(1000)", new() { WriteStatistics = !isFirst });
        rig.Context.Read.Parquet(_folder.Path + "/*.parquet").CreateTempView("t");
        Assert.Equal("[2000, 1999, 499500499500, 499500499500.00]", Text("SELECT count(*), count(DISTINCT k), sum(k), sum(d) FROM t"));
        Assert.Equal("[1999]", Text("SELECT count(*) FROM (SELECT k, count(*) FROM t GROUP BY k)"));
        Assert.Equal("[2002]", Text("SELECT count(*) FROM t a JOIN t b USING (k)"));
        Assert.Equal("[999000000]", Text("SELECT k FROM t ORDER BY k DESC LIMIT 1"));
        Assert.Equal("[999]", Text("SELECT count(*) FROM t WHERE k >= 1000000"));
        Assert.Equal("[998001000000000000.0000]", Text("SELECT max(d * d) FROM t"));
    }

    [Fact]
    public void Files_of_other_column_order_are_read_by_name_and_columns_that_are_missing_are_null()
    {
        Write("a", "SELECT id AS k, concat('a', id) AS t FROM range(3)", new());
        Write("b", "SELECT concat('b', id) AS T, id + 10 AS k FROM range(2)", new());
        Write("c", "SELECT id + 20 AS k FROM range(1)", new());
        Assert.Equal("[0, a0] [1, a1] [2, a2] [10, b0] [11, b1] [20, NULL]", PeopleContext.Text(rig.Context.Read.Parquet(_folder.Path + "/*.parquet").OrderBy("k")));
        Write("d", "SELECT 'x' AS k", new());
        var error = Assert.Throws<QueryException>(() => rig.Context.Read.Parquet(_folder.Path + "/*.parquet"));
        Assert.Contains("'k' is bigint in '", error.Message);
        Assert.Contains("d.parquet", error.Message);
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("json")]
    [InlineData("parquet")]
    [InlineData("text")]
    public void A_file_that_is_gone_or_changed_since_the_query_was_planned_is_named(string format)
    {
        var path = Path.Combine(_folder.Path, "one." + format);
        if (format == "parquet") Write("one", "SELECT id AS k FROM range(10)", new());
        else File.WriteAllText(path, format == "json" ? "{\"k\":1}\n" : "1\n2\n");
        var frame = Read(format, path, null);
        var before = File.ReadAllBytes(path);
        File.WriteAllBytes(path, [.. before, .. "\n"u8]);
        Assert.Contains(path, Assert.ThrowsAny<DataflowException>(() => frame.Collect()).Message);
        File.Delete(path);
        Assert.Contains(path, Assert.ThrowsAny<DataflowException>(() => frame.Collect()).Message);
        File.WriteAllBytes(path, before);
        Assert.NotEmpty(frame.Collect());
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("json")]
    [InlineData("text")]
    public void What_is_no_utf_8_becomes_the_sign_for_it(string format)
    {
        var path = Path.Combine(_folder.Path, "odd." + format);
        byte[] odd = [(byte)'a', 0xFF, (byte)'b', 0xC3];
        byte[] rest = [.. "é"u8, 0xE2, 0x82, .. "z"u8];
        File.WriteAllBytes(path, format switch
        {
            "csv" => [.. "1,"u8, .. odd, .. "\n2,\""u8, .. rest, .. "\"\"\"\n3,fine\n"u8],
            "json" => [.. "{\"k\":1,\"t\":\""u8, .. odd, .. "\"}\n{\"k\":2,\"t\":\""u8, .. rest, .. "\\\"\"}\n{\"k\":3,\"t\":\"fine\"}\n"u8],
            _ => [.. odd, .. "\n"u8, .. rest, .. "\"\nfine\n"u8],
        });
        var frame = Read(format, path, TwoColumns);
        Assert.Equal(["a\uFFFDb\uFFFD", "é\uFFFDz\"", "fine"], frame.Select(format == "text" ? "value" : "t").Collect().Select(row => (string)row[0]!));
    }

    [Fact]
    public void A_json_line_with_half_a_character_does_not_fit()
    {
        var path = Path.Combine(_folder.Path, "half.json");
        File.WriteAllText(path, "{\"k\":1,\"t\":\"\\ud800\"}\n{\"k\":2,\"t\":\"x\"}\n");
        Assert.Equal("[NULL, NULL] [2, x]", PeopleContext.Text(Read("json", path, TwoColumns)));
    }

    [Theory]
    [InlineData(MalformedMode.Permissive, "[1, a, NULL] [NULL, b, x,b] [3, NULL, 3] [4, d, 4,d,more] [5, e, NULL]")]
    [InlineData(MalformedMode.DropMalformed, "[1, a, NULL] [5, e, NULL]")]
    public void Records_that_do_not_fit_are_shown_or_dropped(MalformedMode mode, string rows)
    {
        var path = Path.Combine(_folder.Path, "bad.csv");
        File.WriteAllText(path, "\uFEFFk,t\r\n1,a\r\nx,b\r\n3\r\n4,d,more\r\n\r\n5,e");
        var options = new CsvOptions { HasHeader = true, Schema = TwoColumns, Mode = mode, CorruptRecordColumn = "wrong" };
        Assert.Equal(rows, PeopleContext.Text(rig.Context.Read.Csv(path, options)));
        var error = Assert.Throws<QueryException>(() => rig.Context.Read.Csv(path, options with { Mode = MalformedMode.FailFast, CorruptRecordColumn = null }).Collect());
        Assert.Contains("at byte 13", error.Message);
        Assert.Contains("its field 'k' is no bigint", error.Message);
    }

    [Fact]
    public void A_field_of_some_megabytes_is_read()
    {
        var path = Path.Combine(_folder.Path, "long.csv");
        var text = new string('x', 5_000_000);
        File.WriteAllText(path, $"1,{text}\n2,\"{text}\n{text}\"\n3,y\n");
        Assert.Equal("[5000000] [10000001] [1]", PeopleContext.Text(rig.Context.Read.Csv(path, new() { SplitBytes = 1 << 20 }).Select(Functions.Expr("length(_c1)"))));
    }

    [Theory]
    [InlineData("csv", MalformedMode.Permissive)]
    [InlineData("csv", MalformedMode.FailFast)]
    [InlineData("json", MalformedMode.Permissive)]
    [InlineData("json", MalformedMode.DropMalformed)]
    public void Any_byte_of_a_text_may_be_another(string format, MalformedMode mode)
    {
        var path = Path.Combine(_folder.Path, "x." + format);
        var schema = new Schema(new("a", DataType.Int), new("b", DataType.String), new("c", DataType.Decimal(6, 2)), new("d", DataType.Date), new("e", DataType.Double), new("f", DataType.Boolean), new("g", DataType.Timestamp));
        var whole = Encoding.UTF8.GetBytes(format == "csv"
            ? "a,b,c,d,e,f,g\n1,\"x, \"\"é\"\"\ny\",1.25,2024-01-02,1e3,true,2024-01-02 03:04:05\r\n,,,,,,\n-7,z,-0.5,1999-12-31,.5,false,\n"
            : "{\"a\":1,\"b\":\"x\\u00e9\\ny\",\"c\":1.25,\"d\":\"2024-01-02\",\"e\":1e3,\"f\":true,\"g\":\"2024-01-02 03:04:05\"}\n{}\n{\"a\":null,\"b\":[1,{}]}\n");
        using var task = new LoneTask();
        for (var at = 0; at < whole.Length; at++)
        {
            foreach (var other in (byte[])[0, (byte)'"', (byte)'\n', (byte)',', (byte)'\\', 0xFF, (byte)'9', (byte)(whole[at] ^ 0x20)])
            {
                var bytes = whole.ToArray();
                bytes[at] = other;
                File.WriteAllBytes(path, bytes);
                try
                {
                    Sql.Sources.ITable table = format == "csv"
                        ? Sql.Sources.CsvTable.Open(path, new() { HasHeader = true, Schema = schema, Mode = mode, SplitBytes = 40 })
                        : Sql.Sources.JsonTable.Open(path, new() { Schema = schema, Mode = mode, SplitBytes = 40 });
                    var scan = table.Scan(new Sql.Sources.ScanRequest([.. Enumerable.Range(0, schema.Count)], []));
                    var rows = 0;
                    foreach (var split in scan.Splits)
                    {
                        using var reader = scan.Open(split, task.Context, []);
                        while (reader.TryNext(out var batch))
                        {
                            foreach (var row in batch.Selection)
                            {
                                rows++;
                                foreach (var column in batch.Columns) _ = Parquet.TableRows.Text(column, row);
                            }
                        }
                    }
                    Assert.InRange(rows, 0, 8);
                }
                catch (Exception error) when (error is DataflowException)
                {
                    Assert.True(mode == MalformedMode.FailFast, $"byte {at} as {other}: {error}");
                }
            }
        }
    }

    private string Text(string query) => PeopleContext.Text(rig.Context.Sql(query));

    private void Write(string name, string query, ParquetWriteOptions options)
    {
        var folder = Path.Combine(_folder.Path, "written");
        rig.Context.Sql(query).Write.RowsPerFile(1_000_000).Mode(SaveMode.Overwrite).Parquet(folder, options);
        File.Move(Directory.GetFiles(folder, "part-*").Single(file => new FileInfo(file).Length > 0), Path.Combine(_folder.Path, name + ".parquet"));
        Directory.Delete(folder, recursive: true);
    }

    private DataFrame Empty(string kind)
    {
        var path = Path.Combine(_folder.Path, "empty");
        switch (kind)
        {
            case "csv, no bytes" or "json, no bytes" or "text, no bytes":
                File.WriteAllText(path, "");
                return kind[0] == 't' ? rig.Context.Read.Text(path).Select(Functions.Expr("CAST(value AS BIGINT) AS k"), Functions.Expr("value AS t")) : Read(kind[..kind.IndexOf(',')], path, TwoColumns);
            case "csv, a header":
                File.WriteAllText(path, "k,t\n");
                return rig.Context.Read.Csv(path, new() { HasHeader = true, Schema = TwoColumns });
            default:
                rig.Context.Sql($"SELECT id AS k, CAST(id AS STRING) AS t FROM range({(kind.EndsWith("no rows", StringComparison.Ordinal) ? 0 : 10)})").Write.Parquet(path);
                return rig.Context.Read.Parquet(path).Where("k > 100");
        }
    }

    private DataFrame Read(string format, string path, Schema? schema) => format switch
    {
        "csv" => rig.Context.Read.Csv(path, new() { Schema = schema }),
        "json" => rig.Context.Read.Json(path, new() { Schema = schema }),
        "text" => rig.Context.Read.Text(path),
        _ => rig.Context.Read.Parquet(path),
    };
}
