using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Sources;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Parquet;

public class TpchFileTests
{
    private static string Folder => Path.Combine(RepositoryRoot.Path, "tests", "data", "tpch", "sf0.01");

    private static ParquetTable Open(string name) => ParquetTable.Open(Path.Combine(Folder, $"{name}.parquet"));

    [Fact]
    public void The_regions_are_read()
    {
        var rows = TableRows.Of(Open("region"), "r_regionkey", "r_name");
        Assert.Equal("0,AFRICA\n1,AMERICA\n2,ASIA\n3,EUROPE\n4,MIDDLE EAST\n", TableRows.Joined(rows));
    }

    [Fact]
    public void The_schema_has_the_types_of_the_file()
    {
        Assert.Equal(
            "l_orderkey bigint, l_partkey bigint, l_suppkey bigint, l_linenumber bigint, l_quantity decimal(15,2), l_extendedprice decimal(15,2), l_discount decimal(15,2), "
            + "l_tax decimal(15,2), l_returnflag string, l_linestatus string, l_shipdate date, l_commitdate date, l_receiptdate date, l_shipinstruct string, l_shipmode string, l_comment string",
            Open("lineitem").Schema.ToString());
    }

    [Fact]
    public void Statistics_come_from_the_footer()
    {
        var statistics = Open("lineitem").Statistics;
        Assert.Equal(60175, statistics.Rows);
        Assert.Equal(new ValueBounds(1, 60000), statistics.Columns[0].Bounds);
        Assert.Equal(0, statistics.Columns[0].Nulls);
        Assert.Equal(new ValueBounds(100, 5000), statistics.Columns[4].Bounds);
    }

    [Fact]
    public void Sums_over_all_rows_of_lineitem_are_those_of_the_file()
    {
        // Q1's lines of the stored answers hold the same sums, by return flag and line status.
        var sums = new Dictionary<(string, string), (long Quantity, long Price, long Rows)>();
        foreach (var row in TableRows.Of(Open("lineitem"), "l_returnflag", "l_linestatus", "l_quantity", "l_extendedprice", "l_shipdate"))
        {
            if (string.CompareOrdinal(row[4], "1998-09-02") > 0) continue;
            var key = (row[0]!, row[1]!);
            var (quantity, price, count) = sums.GetValueOrDefault(key);
            sums[key] = (quantity + Cents(row[2]), price + Cents(row[3]), count + 1);
        }
        Assert.Equal((38045600L, 53234821165L, 14876L), sums[("A", "F")]);
        Assert.Equal(4, sums.Count);

        static long Cents(string? text) => long.Parse(text!.Replace(".", "", StringComparison.Ordinal));
    }

    [Fact]
    public void Columns_with_few_values_stay_codes_of_one_dictionary()
    {
        using var task = new LoneTask();
        var table = Open("lineitem");
        var scan = table.Scan(new ScanRequest([table.Schema.IndexOf("l_shipmode")], []));
        var dictionaries = new HashSet<ColumnDictionary>(ReferenceEqualityComparer.Instance);
        var batches = 0;
        using var reader = scan.Open(scan.Splits[0], task.Context, []);
        while (reader.TryNext(out var batch))
        {
            Assert.Equal(VectorForm.Dictionary, batch.Columns[0].Form);
            Assert.True(batch.Columns[0].HasNoNulls);
            dictionaries.Add(batch.Columns[0].Dictionary!);
            batches++;
        }
        Assert.True(batches > 1);
        Assert.Equal(7, Assert.Single(dictionaries).Count);
    }

    [Fact]
    public void A_row_group_that_can_hold_no_wanted_row_is_not_read()
    {
        var table = Open("lineitem");
        var field = table.Schema.IndexOf("l_orderkey");
        Assert.Empty(table.Scan(new ScanRequest([0], [new ScanFilter(field, ScanOperator.Greater, [new Literal(60000L, DataType.BigInt)])])).Splits);
        Assert.NotEmpty(table.Scan(new ScanRequest([0], [new ScanFilter(field, ScanOperator.GreaterOrEqual, [new Literal(60000L, DataType.BigInt)])])).Splits);
        var flag = table.Schema.IndexOf("l_returnflag");
        Assert.Empty(table.Scan(new ScanRequest([0], [new ScanFilter(flag, ScanOperator.Equal, [new Literal("S", DataType.String)])])).Splits);
        Assert.Empty(table.Scan(new ScanRequest([0], [new ScanFilter(flag, ScanOperator.IsNull, [])])).Splits);
    }

    [Fact]
    public void A_limit_ends_reading_early()
    {
        var rows = TableRows.Of(Open("lineitem"), new ScanRequest([0], [], Limit: 10));
        Assert.Equal(10, rows.Count);
    }

    [Fact]
    public void A_missing_file_is_an_error_with_similar_names()
    {
        var error = Assert.Throws<InputException>(() => ParquetTable.Open(Path.Combine(Folder, "lineitems.parquet")));
        Assert.Contains("'lineitem.parquet'", error.Message);
    }

    [Fact]
    public void Several_files_and_patterns_are_one_table()
    {
        var table = ParquetTable.Open($"{Path.Combine(Folder, "nation.parquet")},{Path.Combine(Folder, "n*.parquet")}");
        Assert.Equal(25, table.Statistics.Rows);
        using var folder = new TempDirectory();
        File.Copy(Path.Combine(Folder, "nation.parquet"), Path.Combine(folder.Path, "a.parquet"));
        File.Copy(Path.Combine(Folder, "nation.parquet"), Path.Combine(folder.Path, "b.parquet"));
        File.WriteAllText(Path.Combine(folder.Path, "_SUCCESS"), "");
        Assert.Equal(50, TableRows.Of(ParquetTable.Open(folder.Path), "n_name").Count);
    }

    [Fact]
    public void A_file_that_changed_since_it_was_planned_is_an_error()
    {
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "a.parquet");
        File.Copy(Path.Combine(Folder, "nation.parquet"), path);
        var table = ParquetTable.Open(path);
        using (var file = File.OpenWrite(path)) file.SetLength(file.Length + 1);
        Assert.Contains("when the query was planned", Assert.Throws<InputException>(() => TableRows.Of(table)).Message);
    }
}
