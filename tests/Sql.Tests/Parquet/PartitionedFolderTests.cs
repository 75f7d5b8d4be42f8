using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Sources;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Parquet;

public sealed class PartitionedFolderTests : IDisposable
{
    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Names_of_folders_are_columns()
    {
        Put("year=2023/month=1", "a");
        Put("year=2023/month=12", "a");
        Put("year=2024/month=1", "b");
        Put("year=2024/month=1", "c");
        var table = ParquetTable.Open(_folder.Path);
        Assert.Equal("r_regionkey int, r_name string, r_comment string, year int not null, month int not null", table.Schema.ToString());
        Assert.Equal(20, table.Statistics.Rows);
        Assert.Equal(new ValueBounds(2023, 2024), table.Statistics.Columns[3].Bounds);
        Assert.Equal(2, table.Statistics.Columns[4].Distinct);
        var rows = TableRows.Of(table, "month", "r_name", "year");
        Assert.Equal("1,AFRICA,2023\n", TableRows.Joined(rows.Take(1)));
        Assert.Equal(10, rows.Count(row => row[2] == "2024"));
    }

    [Fact]
    public void Only_folders_that_can_hold_wanted_rows_are_read()
    {
        Put("day=2024-01-01", "a");
        Put("day=2024-01-02", "a");
        Put("day=__HIVE_DEFAULT_PARTITION__", "a");
        var table = ParquetTable.Open(_folder.Path);
        Assert.Equal("day date", table.Schema[3].ToString());
        Assert.Equal(1, table.Statistics.Columns[3].Nulls / 5);
        int Splits(ScanOperator comparison, params object[] values) =>
            table.Scan(new ScanRequest([0], [new ScanFilter(3, comparison, [.. values.Select(value => new Literal(value, DataType.Date))])])).Splits.Count;
        var second = CivilDate.DaysOf(2024, 1, 2);
        Assert.Equal(1, Splits(ScanOperator.Equal, second));
        Assert.Equal(2, Splits(ScanOperator.LessOrEqual, second));
        Assert.Equal(0, Splits(ScanOperator.Greater, second));
        Assert.Equal(1, Splits(ScanOperator.IsNull));
        Assert.Equal(2, Splits(ScanOperator.In, second, second - 1));
        Assert.Equal(5, TableRows.Of(table, "day").Count(row => row[0] is null));
    }

    [Fact]
    public void Values_of_no_other_type_are_text_with_escapes_undone()
    {
        Put("city=New%20York", "a");
        Put("city=7", "a");
        var table = ParquetTable.Open(_folder.Path);
        Assert.Equal(["7", "New York"], TableRows.Of(table, "city").Select(row => row[0]).Distinct().Order());
        Assert.Empty(table.Scan(new ScanRequest([0], [new ScanFilter(3, ScanOperator.StartsWith, [new Literal("Old", DataType.String)])])).Splits);
    }

    [Fact]
    public void A_dynamic_filter_passes_over_folders()
    {
        for (var part = 0; part < 4; part++) Put($"part={part}", "a");
        var table = ParquetTable.Open(_folder.Path);
        var rows = TableRows.Of(table, new ScanRequest([3], []), new Wanted(3, new ValueBounds(1, 2)));
        Assert.Equal(["1", "2"], rows.Select(row => row[0]).Distinct());
    }

    [Fact]
    public void Folders_of_different_columns_are_an_error_that_names_both()
    {
        Put("year=2023", "a");
        Put("month=1", "a");
        var error = Assert.Throws<QueryException>(() => ParquetTable.Open(_folder.Path));
        Assert.Contains("(month)", error.Message);
        Assert.Contains("(year)", error.Message);
    }

    private void Put(string folder, string name)
    {
        var path = Path.Combine(_folder.Path, folder);
        Directory.CreateDirectory(path);
        File.Copy(Path.Combine(RepositoryRoot.Path, "tests", "data", "tpch", "sf0.01", "region.parquet"), Path.Combine(path, $"{name}.parquet"));
    }

    private sealed class Wanted(int position, ValueBounds bounds) : IDynamicFilter
    {
        public int Field => position;

        public ValueBounds? Bounds => bounds;

        public unsafe void Apply(ColumnVector values, int rows, ulong* mask)
        {
            for (var i = 0; i < rows; i++) Assert.InRange(values.Value<int>(i), (int)bounds.Min, (int)bounds.Max);
        }
    }
}
