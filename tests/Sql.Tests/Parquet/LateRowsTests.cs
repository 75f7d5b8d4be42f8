using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Parquet;
using Dataflow.Sql.Sources;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Parquet;

/// <summary>Filters that a scan works out itself, and columns that it reads only where rows are left.</summary>
public sealed unsafe class LateRowsTests : IDisposable
{
    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Rows_that_dynamic_filters_leave_are_those_that_a_second_look_leaves(int seed)
    {
        var path = Path.Combine(_folder.Path, "a.parquet");
        using (var task = new LoneTask())
        using (var arena = new TaskArena(task.Context, "rows"))
        {
            using var file = File.Create(path);
            using var writer = new ParquetWriter(file, RandomBatches.Schema, task.Context, new ParquetWriteOptions { RowGroupRows = 20_000, PageRows = seed == 1 ? 300 : 5000 });
            var batches = new RandomBatches(arena, new Random(seed));
            for (var i = 0; i < 4; i++) writer.Write(batches.Next(8000));
            writer.Complete();
        }
        var table = ParquetTable.Open(path);
        ValueList<int> fields = [.. Enumerable.Range(0, table.Schema.Count)];
        var all = TableRows.Of(table, new ScanRequest(fields, []));
        var random = new Random(seed);
        foreach (var name in (string[])["n3", "r3", "n4", "r8", "n14"])
        {
            var field = table.Schema.IndexOf(name);
            var values = all.Select(row => row[field]).OfType<string>().Distinct().ToArray();
            var share = random.Next(1, 40);
            var wanted = values.Where(_ => random.Next(share) == 0).ToHashSet();
            var filter = new TextFilter(field, wanted);
            var found = TableRows.Of(table, new ScanRequest(fields, []), filter);
            Assert.True(filter.Asked > 0, $"seed {seed}: nobody asked the filter of {name}");
            var expected = all.Where(row => row[field] is not { } text || wanted.Contains(text));
            Assert.True(TableRows.Joined(expected) == TableRows.Joined(found), $"seed {seed}: other rows with a filter of {name}");
        }
    }

    [Theory]
    [InlineData("duckdb-v1")]
    [InlineData("duckdb-v2")]
    [InlineData("duckdb-types")]
    [InlineData("arrow-delta")]
    [InlineData("arrow-split")]
    [InlineData("arrow-pages")]
    [InlineData("arrow-pages-v2")]
    [InlineData("tiny-arrow-lz4")]
    public void Rows_here_and_there_are_read_of_pages_in_any_encoding(string name)
    {
        var table = ParquetTable.Open(Path.Combine(RepositoryRoot.Path, "tests", "data", "parquet", $"{name}.parquet"));
        ValueList<int> fields = [.. Enumerable.Range(0, table.Schema.Count).Where(field => table.Schema[field].Type.Physical < PhysicalType.List)];
        var all = TableRows.Of(table, new ScanRequest(fields, []));
        for (var seed = 0; seed < 6; seed++)
        {
            using var task = new LoneTask();
            using var arena = new TaskArena(task.Context, "test");
            var pattern = new RunsOfRows(arena, new Random(seed));
            var found = new List<string?[]>();
            var scan = table.Scan(new ScanRequest(fields, []));
            foreach (var split in scan.Splits)
            {
                using var reader = scan.Open(split, task.Context, []);
                Assert.True(reader.TryTake(new FilterEvaluator([new Conjunct(pattern, [], MayFail: true)], arena)));
                while (reader.TryNext(out var batch))
                {
                    foreach (var row in batch.Selection) found.Add(Array.ConvertAll(batch.Columns, column => TableRows.Text(column, row)));
                }
            }
            Assert.Equal(all.Count, pattern.Rows.Count);
            Assert.True(TableRows.Joined(all.Where((_, row) => pattern.Rows[row])) == TableRows.Joined(found), $"seed {seed}: other rows of {name}");
        }
    }

    [Fact]
    public void A_filter_of_the_query_is_worked_out_by_the_scan()
    {
        var path = Numbers(60_000, new ParquetWriteOptions { RowGroupRows = 30_000, PageRows = 1000 });
        using var context = DataflowContext.Local(threads: 2);
        context.Read.Parquet(path).CreateTempView("t");
        var rows = context.Sql("SELECT count(*), sum(id), min(name), max(name) FROM t WHERE id % 7 = 3 AND name LIKE '%1' AND id > 20000").Collect();
        var ids = Enumerable.Range(0, 60_000).Where(id => id % 7 == 3 && id > 20_000 && Name(id).EndsWith('1')).ToArray();
        Assert.Equal((long)ids.Length, rows[0][0]);
        Assert.Equal(ids.Sum(id => (long)id), rows[0][1]);
        Assert.Equal(ids.Select(Name).Min(StringComparer.Ordinal), rows[0][2]);
        Assert.Equal(ids.Select(Name).Max(StringComparer.Ordinal), rows[0][3]);
    }

    [Fact]
    public void Pages_in_which_no_row_is_wanted_are_not_decompressed()
    {
        var path = Numbers(40_000, new ParquetWriteOptions { RowGroupRows = 40_000, PageRows = 8192, UseDictionaries = false, WriteChecksums = true, Compression = "none" });
        var table = ParquetTable.Open(path);
        SpoilName(path, row: 20_000);
        var wanted = new RangeFilter(0, 30_000, 31_000, hasBounds: false);
        Assert.Equal(1001, TableRows.Of(table, new ScanRequest([0, 1], []), wanted).Count);
        Assert.Throws<CorruptDataException>(() => TableRows.Of(table, new ScanRequest([0, 1], []), new RangeFilter(0, 19_000, 31_000, hasBounds: false)));
    }

    [Fact]
    public void Bounds_that_become_known_while_a_row_group_is_read_pass_over_its_pages()
    {
        var path = Numbers(100_000, new ParquetWriteOptions { RowGroupRows = 100_000, PageRows = 8192 });
        var table = ParquetTable.Open(path);
        var filter = new RangeFilter(0, 0, long.MaxValue, hasBounds: true);
        using var task = new LoneTask();
        var scan = table.Scan(new ScanRequest([0, 1], []));
        using var reader = scan.Open(Assert.Single(scan.Splits), task.Context, [filter]);
        Assert.True(reader.TryNext(out var batch));
        Assert.Equal(0, batch.Columns[0].Value<long>(0));
        filter.Bounds = new ValueBounds(90_000, 90_001);
        filter.Asked = 0;
        Assert.True(reader.TryNext(out batch));
        Assert.Equal(2, batch.Alive);
        Assert.Equal(Name(90_001), TableRows.Text(batch.Columns[1], batch.Selection[1]));
        Assert.False(reader.TryNext(out batch));
        Assert.InRange(filter.Asked, 1, 2);
    }

    [Fact]
    public void A_condition_that_fails_for_a_row_sees_only_rows_that_conditions_before_it_leave()
    {
        var path = Numbers(20_000, new ParquetWriteOptions());
        using var context = DataflowContext.Local(threads: 1);
        context.Read.Parquet(path).CreateTempView("t");
        Assert.Equal(19_999L, context.Sql("SELECT count(*) FROM t WHERE id <> 5 AND 100 / (id - 5) IS NOT NULL").Collect()[0][0]);
        Assert.Throws<QueryException>(() => context.Sql("SELECT count(*) FROM t WHERE id >= 5 AND 100 / (id - 5) IS NOT NULL").Collect());
    }

    private string Numbers(int count, ParquetWriteOptions options)
    {
        var path = Path.Combine(_folder.Path, "n.parquet");
        using var task = new LoneTask();
        using var arena = new TaskArena(task.Context, "rows");
        using var file = File.Create(path);
        using var writer = new ParquetWriter(file, new Schema(new Field("id", DataType.BigInt, false), new Field("name", DataType.String, false)), task.Context, options);
        var heap = new TextHeap(arena);
        var ids = (long*)arena.Rent(8000 * 8).Pointer;
        var names = (StringView*)arena.Rent(8000 * 16).Pointer;
        var batch = new ColumnBatch([new ColumnVector(DataType.BigInt) { Data = (byte*)ids }, new ColumnVector(DataType.String) { Data = (byte*)names }]);
        for (var at = 0; at < count; at += 8000)
        {
            var rows = Math.Min(8000, count - at);
            heap.Clear();
            for (var i = 0; i < rows; i++) (ids[i], names[i]) = (at + i, heap.Add(System.Text.Encoding.UTF8.GetBytes(Name(at + i))));
            foreach (var column in batch.Columns) column.Length = rows;
            batch.Set(rows);
            writer.Write(batch);
        }
        writer.Complete();
        return path;
    }

    private static string Name(int id) => $"the name of the row {id}";

    // Changes a byte of the page that holds a row's name.
    private static void SpoilName(string path, int row)
    {
        var bytes = File.ReadAllBytes(path);
        var at = bytes.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(Name(row)));
        Assert.True(at > 0);
        bytes[at] ^= 0x40;
        File.WriteAllBytes(path, bytes);
    }

    // True for runs of rows of any length, whatever is in them.
    private sealed class RunsOfRows(TaskArena arena, Random random) : Evaluator
    {
        private readonly FlatVector _vector = new(arena, DataType.Boolean);
        private readonly int _longest = random.Next(1, 4000);
        private int _left;
        private bool _value;

        public List<bool> Rows { get; } = [];

        public override ColumnVector Evaluate(ColumnBatch batch)
        {
            for (var i = 0; i < batch.Rows; i++)
            {
                if (_left-- == 0) (_left, _value) = (random.Next(_longest), random.Next(3) == 0);
                Rows.Add(_value);
                var bit = 1UL << (i & 63);
                ((ulong*)_vector.Data)[i >> 6] = _value ? ((ulong*)_vector.Data)[i >> 6] | bit : ((ulong*)_vector.Data)[i >> 6] & ~bit;
            }
            return _vector.Set(batch.Rows, hasNulls: false);
        }
    }

    private sealed class TextFilter(int position, HashSet<string> wanted) : IDynamicFilter
    {
        public int Field => position;

        public ValueBounds? Bounds => null;

        public int Asked { get; private set; }

        public void Apply(ColumnVector values, int rows, ulong* mask)
        {
            Asked++;
            for (var i = 0; i < rows; i++)
            {
                if (!values.IsNull(i) && !wanted.Contains(TableRows.Text(values, i)!)) mask[i >> 6] &= ~(1UL << (i & 63));
            }
        }
    }

    private sealed class RangeFilter(int position, long min, long max, bool hasBounds) : IDynamicFilter
    {
        public int Field => position;

        public ValueBounds? Bounds { get; set; } = hasBounds ? new ValueBounds(min, max) : null;

        public int Asked { get; set; }

        public void Apply(ColumnVector values, int rows, ulong* mask)
        {
            Asked++;
            var (low, high) = Bounds is { } bounds ? (bounds.Min, bounds.Max) : (min, max);
            for (var i = 0; i < rows; i++)
            {
                if (values.Value<long>(i) < low || values.Value<long>(i) > high) mask[i >> 6] &= ~(1UL << (i & 63));
            }
        }
    }
}
