using System.Globalization;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Sources;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Parquet;

/// <summary>Files of other programs (tests/data/parquet), which hold the same rows in all encodings and most compressions there are.</summary>
public class OtherWritersTests
{
    private const int Rows = 10_000;

    private static ParquetTable Open(string name) => ParquetTable.Open(Path.Combine(RepositoryRoot.Path, "tests", "data", "parquet", $"{name}.parquet"));

    [Theory]
    [InlineData("duckdb-v1")]
    [InlineData("duckdb-v2")]
    [InlineData("arrow-delta")]
    [InlineData("arrow-split")]
    [InlineData("arrow-pages")]
    [InlineData("arrow-pages-v2")]
    public void All_rows_are_read(string name) => CheckAll(name);

    [FactRequiringNative("libzstd.so.1", "libzstd1")]
    public void All_rows_of_a_file_of_polars_are_read() => CheckAll("polars");

    [Theory]
    [InlineData("duckdb-v1", 1)]
    [InlineData("duckdb-v2", 3)]
    [InlineData("arrow-pages", 2)]
    public void Row_groups_are_tasks(string name, int tasks)
    {
        var table = Open(name);
        Assert.Equal(tasks, table.Scan(new ScanRequest([0], [])).Splits.Count);
    }

    [Theory]
    [InlineData("arrow-pages", 3000, 3010)]
    [InlineData("arrow-pages", 5990, 6010)]
    [InlineData("arrow-pages-v2", 0, 1)]
    [InlineData("arrow-pages-v2", 9999, 9999)]
    [InlineData("arrow-pages-v2", 2000, 7000)]
    [InlineData("duckdb-v2", 4000, 4100)]
    public void Only_pages_that_can_hold_wanted_rows_are_read(string name, int first, int last)
    {
        var table = Open(name);
        ScanFilter[] filters =
        [
            new(0, ScanOperator.GreaterOrEqual, [new Literal((long)first, DataType.BigInt)]),
            new(0, ScanOperator.LessOrEqual, [new Literal((long)last, DataType.BigInt)]),
        ];
        var rows = TableRows.Of(table, new ScanRequest([.. Enumerable.Range(0, table.Schema.Count)], [.. filters]));
        var ids = rows.ConvertAll(row => int.Parse(row[0]!, CultureInfo.InvariantCulture));
        Assert.Equal(TableRows.Joined(ids.Select(Expected)), TableRows.Joined(rows));
        Assert.Equal(Enumerable.Range(first, last - first + 1), ids.Where(id => id >= first && id <= last));
        if (name != "duckdb-v2") Assert.True(rows.Count < last - first + 2000, $"{rows.Count} rows were read for {last - first + 1}");
    }

    [Fact]
    public void Numbers_dates_and_times_of_all_kinds_get_the_nearest_type()
    {
        var table = Open("duckdb-types");
        Assert.Equal(
            "i8 tinyint, i16 smallint, u8 smallint, u16 int, u32 bigint, u64 decimal(20,0), f32 float, d4 decimal(4,1), d9 decimal(9,2), d18 decimal(18,4), d38 decimal(38,6), bin binary, "
            + "utc timestamp, ns timestamp_ntz, ms timestamp_ntz, nothing int, list array<bigint>, struct struct<a:bigint,b:string>, map map<bigint,string>, last bigint",
            table.Schema.ToString());
        var rows = TableRows.Of(table, "i8", "i16", "u8", "u16", "u32", "u64", "f32", "d4", "d9", "d18", "d38", "bin", "utc", "ns", "ms", "nothing", "last");
        Assert.Equal(201, rows.Count);
        Assert.Equal(
            "-97,300,3,600,60000000,270000000000000000,0.75,-97.0,3000.00,3000.0000,-97000000000000000000000.000000,44,1970-01-01 00:00:03,1969-12-31 23:59:59.999953,1970-01-01 00:00:03,null,3",
            string.Join(',', rows[3].Select(value => value ?? "null")));
        Assert.Equal(
            "100,20000,200,40000,4000000000,18000000000000000000,50,100.0,200000.00,200000.0000,100000000000000000000000.000000,null,1970-01-01 00:03:20,1970-01-01 00:00:00.00015,1970-01-01 00:03:20,null,200",
            string.Join(',', rows[200].Select(value => value ?? "null")));
    }

    [Fact]
    public void A_nested_column_is_named_when_it_is_wanted_and_passed_over_when_not()
    {
        var table = Open("duckdb-types");
        var error = Assert.Throws<QueryException>(() => TableRows.Of(table, "i8", "map"));
        Assert.Contains("Column 'map'", error.Message);
        Assert.Contains("map<bigint,string>", error.Message);
        Assert.Equal("200", TableRows.Of(table, "last")[^1][0]);
    }

    [Fact]
    public void A_bloom_filter_can_say_that_a_value_is_in_no_row()
    {
        // Bounds and dictionary do not tell: 'name-1' to 'name-96' are there, this one lies between them.
        var table = Open("duckdb-v1");
        var field = table.Schema.IndexOf("name");
        ScanRequest Wanted(string name) => new([field], [new ScanFilter(field, ScanOperator.Equal, [new Literal(name, DataType.String)])]);
        Assert.Empty(TableRows.Of(table, Wanted("name-33x")));
        Assert.Equal(Rows, TableRows.Of(table, Wanted("name-33")).Count);
    }

    private static void CheckAll(string name)
    {
        var rows = TableRows.Of(Open(name));
        Assert.Equal(Rows, rows.Count);
        Assert.Equal(TableRows.Joined(Enumerable.Range(0, Rows).Select(Expected)), TableRows.Joined(rows));
    }

    private static string?[] Expected(int i) =>
    [
        i.ToString(CultureInfo.InvariantCulture),
        i % 5 == 0 ? null : ((i * 7 % 1000) - 500).ToString(CultureInfo.InvariantCulture),
        i % 11 == 0 ? null : $"name-{i % 97}",
        $"row {i} with some text{(i % 3 == 0 ? " é" : "")}",
        i % 7 == 0 ? null : (i / 8.0).ToString("R", CultureInfo.InvariantCulture),
        i % 13 == 0 ? null : i % 3 == 0 ? "true" : "false",
        LiteralText.Date(i),
        LiteralText.Timestamp(i * 1000003L),
    ];
}
