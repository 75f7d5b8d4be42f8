using Dataflow.Sql.Sources;
using Dataflow.Sql.Tests.Frames;
using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Sql.Tests.Writing;

public sealed class PartitionedWriteTests(PeopleContext rig) : IClassFixture<PeopleContext>, IDisposable
{
    private readonly TempDirectory _folder = new();

    private string Out => Path.Combine(_folder.Path, "out");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("parquet")]
    [InlineData("csv")]
    [InlineData("json")]
    public void Folders_name_values_and_readers_get_them_back(string format)
    {
        var frame = rig.Context.Sql("SELECT id, concat('n', id) AS name, CAST(id % 3 AS INT) AS part, DATE '2024-01-01' + CAST(id % 2 AS INT) AS day FROM range(100)");
        Write(frame.Write.PartitionBy("day", "part"), format);
        Assert.Equal(
            ["day=2024-01-01/part=0", "day=2024-01-01/part=1", "day=2024-01-01/part=2", "day=2024-01-02/part=0", "day=2024-01-02/part=1", "day=2024-01-02/part=2"], FoldersWithFiles());
        var back = Read(format);
        Assert.Equal(["id", "name", "day", "part"], back.Columns);
        Assert.Equal([DataType.Date, DataType.Int], back.Schema.Skip(2).Select(field => field.Type));
        Assert.Equal(PeopleContext.Text(frame.Select("id", "name", "day", "part").OrderBy("id")), PeopleContext.Text(back.OrderBy("id")));
        Assert.Equal(17L, back.Where("day = DATE '2024-01-01' AND part = 0").Count());
    }

    [Fact]
    public void Nulls_empty_texts_and_signs_that_paths_know_come_back()
    {
        var frame = rig.Context.Sql("SELECT * FROM VALUES (1, 'a/b', 1), (2, NULL, 2), (3, '', 3), (4, '50% = half?', 4), (5, 'ü b.c', 5), (6, 'a\\nb', 6), (7, NULL, 7) AS t(id, `k=y`, v)");
        frame.Write.PartitionBy("k=y").Parquet(Out);
        Assert.Equal(
            ["k%3Dy=50%25 %3D half%3F", "k%3Dy=__HIVE_DEFAULT_PARTITION__", "k%3Dy=a%0Ab", "k%3Dy=a%2Fb", "k%3Dy=ü b.c"], FoldersWithFiles());
        var back = rig.Context.Read.Parquet(Out).OrderBy("id").Collect();
        Assert.Equal(["a/b", null, null, "50% = half?", "ü b.c", "a\nb", null], back.Select(row => row["k=y"]));
        Assert.Equal(3L, rig.Context.Read.Parquet(Out).Where(Col("`k=y`").IsNull()).Count());
    }

    [Theory]
    [InlineData("TIMESTAMP '2024-02-29 01:02:03.5'", "timestamp")]
    [InlineData("TIMESTAMP '1969-12-31 00:00:00'", "timestamp")]
    [InlineData("DATE '0001-01-01'", "date")]
    [InlineData("-5", "int")]
    [InlineData("5000000000", "bigint")]
    [InlineData("1.25", "double")]
    [InlineData("true", "string")]
    [InlineData("'2024-02'", "string")]
    public void Types_of_folders_are_found_again(string value, string type)
    {
        var query = $"SELECT 1 AS id, {value} AS k, {value} AS same";
        rig.Context.Sql(query).Write.PartitionBy("k").Parquet(Out);
        var back = rig.Context.Read.Parquet(Out);
        Assert.Equal(type, back.Schema[2].Type.SqlName);
        Assert.Equal("[1]", PeopleContext.Text(back.Where($"CAST(k AS STRING) = CAST(same AS STRING) AND k = {(type is "string" or "double" ? "CAST(same AS STRING)" : value)}").Select("id")));
        Assert.Equal(0L, back.Where($"k <> {(type is "string" or "double" ? "CAST(same AS STRING)" : value)}").Count());
    }

    [Fact]
    public void Only_folders_that_a_condition_leaves_are_read()
    {
        rig.Context.Sql("SELECT id, id % 4 AS part FROM range(40)").Write.PartitionBy("part").Parquet(Out);
        var table = ParquetTable.Open(Out);
        Assert.Equal(DataType.Int, table.Schema[1].Type);
        foreach (var file in Directory.GetFiles(Path.Combine(Out, "part=1"))) File.WriteAllBytes(file, [.. File.ReadAllBytes(file)[..20], .. new byte[100]]);
        Assert.Throws<CorruptDataException>(() => rig.Context.Read.Parquet(Out).Count());
        foreach (var file in Directory.GetFiles(Path.Combine(Out, "part=1"))) File.Delete(file);
        Assert.Equal(10L, rig.Context.Read.Parquet(Out).Where("part = 2").Count());
        Assert.Single(table.Scan(new ScanRequest([0], [new ScanFilter(1, ScanOperator.Equal, [new Expressions.Literal(2, DataType.Int)])])).Splits.Select(split => split.ToString()!.Contains("part=2")).Distinct());
    }

    [Fact]
    public void Files_end_where_they_should()
    {
        var frame = rig.Context.Sql("SELECT id, concat('row number ', id) AS name FROM range(20000)");
        frame.Write.RowsPerFile(3000).Parquet(Out);
        var counts = Files("part-*").Select(file => rig.Context.Read.Parquet(Path.Combine(Out, file)).Count()).ToArray();
        Assert.All(counts, count => Assert.InRange(count, 1, 3000));
        Assert.Contains(3000L, counts);
        Assert.Contains("part-00000-0001.parquet", Files("part-*"));
        Assert.Equal(20_000L, rig.Context.Read.Parquet(Out).Count());
        frame.Write.Mode(SaveMode.Overwrite).BytesPerFile(100_000).Csv(Out);
        Assert.All(Directory.GetFiles(Out, "part-*"), file => Assert.InRange(new FileInfo(file).Length, 1, 700_000));
        Assert.Equal(20_000L, rig.Context.Read.Csv(Out).Count());
    }

    [Fact]
    public void Appending_adds_to_folders_that_are_there()
    {
        var frame = rig.Context.Sql("SELECT id, id % 2 AS part FROM range(10)");
        frame.Write.PartitionBy("part").Parquet(Out);
        frame.Select(Col("id"), (Col("part") + 1).As("part")).Write.Mode(SaveMode.Append).PartitionBy("part").Parquet(Out);
        Assert.Equal(["part=0", "part=1", "part=2"], FoldersWithFiles());
        Assert.Equal("[[0,5], [1,10], [2,5]]", "[" + string.Join(", ", rig.Context.Read.Parquet(Out).GroupBy("part").Count().OrderBy("part").Collect().Select(row => $"[{row[0]},{row[1]}]")) + "]");
    }

    [Fact]
    public void Columns_that_can_not_name_folders_are_refused_before_anything_is_written()
    {
        var frame = rig.Context.Sql("SELECT 1 AS a, X'00' AS b, 2 AS c");
        Assert.Equal("UNRESOLVED_COLUMN", Assert.Throws<QueryException>(() => frame.Write.PartitionBy("d").Parquet(Out)).ErrorClass);
        Assert.Equal("INVALID_PARTITION_COLUMN_DATA_TYPE", Assert.Throws<QueryException>(() => frame.Write.PartitionBy("b").Parquet(Out)).ErrorClass);
        Assert.Equal("COLUMN_ALREADY_EXISTS", Assert.Throws<QueryException>(() => frame.Write.PartitionBy("a", "A").Parquet(Out)).ErrorClass);
        Assert.Equal("ALL_PARTITION_COLUMNS_NOT_ALLOWED", Assert.Throws<QueryException>(() => frame.Select("a", "c").Write.PartitionBy("a", "c").Parquet(Out)).ErrorClass);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    private static void Write(DataFrameWriter writer, string format, string path)
    {
        if (format == "parquet") writer.Parquet(path);
        else if (format == "csv") writer.Csv(path, new() { HasHeader = true });
        else writer.Json(path);
    }

    private void Write(DataFrameWriter writer, string format) => Write(writer, format, Out);

    private DataFrame Read(string format) => format switch
    {
        "parquet" => rig.Context.Read.Parquet(Out),
        "csv" => rig.Context.Read.Csv(Out, new() { HasHeader = true }),
        _ => rig.Context.Read.Json(Out),
    };

    private string[] Files(string pattern) => [.. Directory.GetFiles(Out, pattern).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    private string[] FoldersWithFiles() =>
        [.. Directory.GetFiles(Out, "part-*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Out, Path.GetDirectoryName(file)!)).Distinct().Order(StringComparer.Ordinal)];
}
