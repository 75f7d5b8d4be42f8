using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parquet;
using Dataflow.Sql.Sources;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Parquet;

public class ParquetWriterTests
{
    [Theory]
    [InlineData(1, "snappy", 122_880, 16_384, true)]
    [InlineData(2, "none", 5000, 1000, true)]
    [InlineData(3, "gzip", 3000, 777, false)]
    [InlineData(4, "lz4", 8192, 8192, true)]
    [InlineData(5, "brotli", 4001, 500, true)]
    [InlineData(6, "snappy", 100, 7, true)]
    public void What_was_written_is_read_back(int seed, string compression, int rowGroupRows, int pageRows, bool dictionaries)
    {
        var options = new ParquetWriteOptions
        {
            Compression = compression, RowGroupRows = rowGroupRows, PageRows = pageRows, UseDictionaries = dictionaries, WriteChecksums = seed % 2 == 0, WriteStatistics = seed % 3 != 0,
            BloomFilterColumns = ["n4", "n12"],
        };
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "a.parquet");
        var (rows, written) = Write(path, seed, options, rowGroupRows < 1000 ? 1 : 3);
        var table = ParquetTable.Open(path);
        Assert.Equal(RandomBatches.Schema.ToString(), table.Schema.ToString());
        Assert.Equal(rows.Count, table.Statistics.Rows);
        Assert.Equal(new FileInfo(path).Length, written);
        Assert.Equal((rows.Count + rowGroupRows - 1) / rowGroupRows, table.Scan(new ScanRequest([0], [])).Splits.Count);
        var read = TableRows.Of(table);
        Assert.Equal(rows.Count, read.Count);
        for (var i = 0; i < rows.Count; i++) Assert.True(rows[i].AsSpan().SequenceEqual(read[i]), $"seed {seed}, row {i}:\n{TableRows.Joined([rows[i]])}{TableRows.Joined([read[i]])}");
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public void Statistics_never_leave_out_a_row_that_is_wanted(int seed)
    {
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "a.parquet");
        var (rows, _) = Write(path, seed, new ParquetWriteOptions { RowGroupRows = 700, PageRows = 50, BloomFilterColumns = ["n3", "n8", "n12"] }, 1);
        var table = ParquetTable.Open(path);
        var random = new Random(seed);
        for (var round = 0; round < 60; round++)
        {
            // A value of a row, looked up in its column, must come back as often as it is there.
            var (field, row) = (random.Next(table.Schema.Count), random.Next(rows.Count));
            if (rows[row][field] is not { } text || LiteralOf(table.Schema[field].Type, text) is not { } literal) continue;
            var wanted = rows.Count(other => other[field] == text);
            var found = TableRows.Of(table, new ScanRequest([field], [new ScanFilter(field, ScanOperator.Equal, [literal])])).Count(other => other[0] == text);
            Assert.True(wanted == found, $"seed {seed}, {table.Schema[field]} = {text}: {found} of {wanted} rows");
        }
    }

    [Fact]
    public void Sorted_rows_are_found_without_reading_other_pages()
    {
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "a.parquet");
        WriteNumbers(path, 100_000, new ParquetWriteOptions { PageRows = 1000 });
        var table = ParquetTable.Open(path);
        Assert.Equal(new ValueBounds(0, 99_999), table.Statistics.Columns[0].Bounds);
        var filter = new ScanFilter(0, ScanOperator.Equal, [new Literal(54_321L, DataType.BigInt)]);
        Assert.Equal(1000, TableRows.Of(table, new ScanRequest([0], [filter])).Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_large_row_group_is_read_by_several_tasks(bool withIndex)
    {
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "a.parquet");
        WriteNumbers(path, 400_000, new ParquetWriteOptions { RowGroupRows = 1_000_000, WriteStatistics = withIndex });
        var table = ParquetTable.Open(path);
        var scan = table.Scan(new ScanRequest([0], []));
        Assert.Equal(3, scan.Splits.Count);
        Assert.Equal(400_000, scan.Splits.Sum(split => split.Rows));
        Assert.Equal(Enumerable.Range(0, 400_000).Select(i => i.ToString()), TableRows.Of(table).Select(row => row[0]));
        Assert.Equal(200_000, TableRows.Of(table, new ScanRequest([0], [], Limit: 200_000)).Count);
    }

    [Fact]
    public void A_file_without_rows_has_its_schema()
    {
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "a.parquet");
        WriteNumbers(path, 0, new ParquetWriteOptions());
        var table = ParquetTable.Open(path);
        Assert.Equal("id bigint not null", table.Schema.ToString());
        Assert.Empty(TableRows.Of(table));
    }

    [Fact]
    public void A_null_where_none_may_be_is_an_error()
    {
        using var task = new LoneTask();
        using var writer = new ParquetWriter(new MemoryStream(), new Schema(new Field("id", DataType.BigInt, Nullable: false)), task.Context);
        var error = Assert.Throws<QueryException>(() => writer.Write(NullBatch(task)));
        Assert.Contains("'id'", error.Message);
    }

    [Fact]
    public void A_nested_column_is_refused_by_name()
    {
        using var task = new LoneTask();
        var error = Assert.Throws<QueryException>(() => new ParquetWriter(new MemoryStream(), new Schema(new Field("tags", new ArrayType(DataType.String))), task.Context));
        Assert.Contains("'tags' is array<string>", error.Message);
    }

    private static unsafe ColumnBatch NullBatch(LoneTask task)
    {
        var arena = new TaskArena(task.Context, "test");
        var vector = new FlatVector(arena, DataType.BigInt);
        *vector.Validity = 0;
        var batch = new ColumnBatch([vector.Set(1, hasNulls: true)]);
        batch.Set(1);
        return batch;
    }

    private static (List<string?[]> Rows, long Bytes) Write(string path, int seed, ParquetWriteOptions options, int batches)
    {
        var random = new Random(seed);
        using var task = new LoneTask();
        var arena = new TaskArena(task.Context, "test");
        var source = new RandomBatches(arena, random);
        using var file = File.Create(path);
        using var writer = new ParquetWriter(file, RandomBatches.Schema, task.Context, options);
        for (var i = 0; i < batches; i++) writer.Write(source.Next(random.Next(1000, 4000)));
        writer.Complete();
        return (source.Rows, writer.BytesWritten);
    }

    private static unsafe void WriteNumbers(string path, int rows, ParquetWriteOptions options)
    {
        using var task = new LoneTask();
        var arena = new TaskArena(task.Context, "test");
        var vector = new FlatVector(arena, DataType.BigInt);
        using var file = File.Create(path);
        using var writer = new ParquetWriter(file, new Schema(new Field("id", DataType.BigInt, Nullable: false)), task.Context, options);
        for (var at = 0; at < rows; at += ColumnBatch.MaxRows)
        {
            var count = Math.Min(ColumnBatch.MaxRows, rows - at);
            for (var i = 0; i < count; i++) ((long*)vector.Data)[i] = at + i;
            var batch = new ColumnBatch([vector.Set(count, hasNulls: false)]);
            batch.Set(count);
            writer.Write(batch);
        }
        writer.Complete();
    }

    private static Literal? LiteralOf(DataType type, string text) => type.Kind switch
    {
        TypeKind.TinyInt => new Literal(sbyte.Parse(text), type),
        TypeKind.SmallInt => new Literal(short.Parse(text), type),
        TypeKind.Int => new Literal(int.Parse(text), type),
        TypeKind.BigInt => new Literal(long.Parse(text), type),
        TypeKind.Decimal => new Literal(Int128.Parse(text.Replace(".", "", StringComparison.Ordinal)), type),
        TypeKind.String => new Literal(text, type),
        TypeKind.Binary => new Literal(Convert.FromHexString(text), type),
        TypeKind.Double => new Literal(double.Parse(text, System.Globalization.CultureInfo.InvariantCulture), type),
        _ => null,
    };
}
