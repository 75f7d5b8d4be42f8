using System.Globalization;
using Dataflow.Benchmarks.TpchData;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Sources;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Parquet;

/// <summary>The generator of TPC-H's tables in tests/Benchmarks makes the rows of dbgen, in its order.</summary>
public class TpchGeneratorTests
{
    private static string Data => Path.Combine(RepositoryRoot.Path, "tests", "data", "tpch");

    [Fact]
    public void Rows_of_the_smallest_scale_are_those_of_dbgen()
    {
        using var task = new LoneTask();
        foreach (var table in TpchTable.All)
        {
            var rows = new List<string?[]>();
            for (var part = 0; part < 3; part++)
                TpchFiles.Make(table, 0.01, part, 3, task.Context, batch => rows.AddRange(Enumerable.Range(0, batch.Rows).Select(row => Array.ConvertAll(batch.Columns, column => TableRows.Text(column, row)))));
            var expected = TableRows.Of(ParquetTable.Open(Path.Combine(Data, "sf0.01", $"{table.Name}.parquet")));
            Assert.Equal(expected.Count, rows.Count);
            for (var i = 0; i < rows.Count; i++) Assert.True(expected[i].AsSpan().SequenceEqual(rows[i]), $"{table.Name}, row {i}:\n{TableRows.Joined([expected[i]])}{TableRows.Joined([rows[i]])}");
        }
    }

    [Fact]
    public void Checksums_of_the_next_scale_are_those_of_dbgen()
    {
        var expected = File.ReadLines(Path.Combine(Data, "sf0.1", "checksums.txt")).Select(line => line.Split(' ')).ToDictionary(line => line[0], line => (Rows: long.Parse(line[1]), Sum: line[2]));
        using var task = new LoneTask();
        foreach (var table in TpchTable.All)
        {
            var (rows, sum) = (0L, 0UL);
            TpchFiles.Make(table, 0.1, 0, 1, task.Context, batch => (rows, sum) = (rows + batch.Rows, sum + Checksum(batch)));
            Assert.Equal((table.Name, expected[table.Name].Rows, expected[table.Name].Sum), (table.Name, rows, sum.ToString("x16", CultureInfo.InvariantCulture)));
        }
    }

    [Fact]
    public void Lines_of_csv_quote_text_with_commas()
    {
        using var task = new LoneTask();
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "lineitem.csv");
        var rows = TpchFiles.WriteCsv(TpchTable.All[0], 0.001, path, task.Context);
        var lines = File.ReadAllLines(path);
        Assert.Equal(rows + 1, lines.Length);
        Assert.StartsWith("l_orderkey,l_partkey,l_suppkey,", lines[0]);
        Assert.StartsWith("1,156,4,1,17.00,17954.55,0.04,0.02,N,O,1996-03-13,1996-02-12,1996-03-22,DELIVER IN PERSON,TRUCK,egular courts above the", lines[1]);
        Assert.All(lines, line => Assert.Equal(16, line.Split('"') is [var before, _, _] ? before.Split(',').Length : line.Split(',').Length));
        Assert.Contains(lines, line => line.EndsWith('"'));
    }

    // A sum over rows, so that batches may be cut anywhere; of a row, each value weighs by its column.
    private static unsafe ulong Checksum(ColumnBatch batch)
    {
        var sum = 0UL;
        for (var row = 0; row < batch.Rows; row++)
        {
            var hash = 0UL;
            foreach (var column in batch.Columns)
            {
                var value = column.Type.Physical switch
                {
                    PhysicalType.Int32 => (ulong)column.Value<int>(row),
                    PhysicalType.Int64 => (ulong)column.Value<long>(row),
                    _ => (ulong)Dataflow.Sql.Kernels.SparkHash.Xx(StringView.BytesOf((StringView*)column.ValueAt(row)), 0),
                };
                hash = (hash ^ value) * 0x9E3779B97F4A7C15;
                hash ^= hash >> 29;
            }
            sum += hash;
        }
        return sum;
    }
}
