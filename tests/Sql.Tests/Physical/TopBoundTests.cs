using System.Collections.Concurrent;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Sql.Tests.Physical;

/// <summary>ORDER BY with LIMIT tells the scan below how good rows must be, and LIMIT alone reads no more than it needs.</summary>
public sealed class TopBoundTests
{
    private const int RowsOfSplit = 40_000;
    private const int Splits = 4;

    [Theory]
    [InlineData("ORDER BY v DESC LIMIT 10", true)]
    [InlineData("ORDER BY v NULLS LAST LIMIT 10", true)]
    [InlineData("WHERE v % 3 = 1 ORDER BY v DESC, w LIMIT 7 OFFSET 2", true)]
    [InlineData("ORDER BY v LIMIT 10", false)]
    [InlineData("ORDER BY -v LIMIT 10", false)]
    [InlineData("ORDER BY v DESC", false)]
    public void Scans_see_the_bound_of_the_rows_found_so_far(string query, bool isSeen)
    {
        using var context = DataflowContext.Local(1);
        var table = new WatchedTable();
        context.Read.Table(table).CreateTempView("t");
        var text = $"SELECT * FROM t {query}";
        var actual = context.Sql(text).Collect().Select(row => $"{row[0]}|{row[1]}").ToList();
        Assert.Equal(isSeen, table.Seen.Any(bounds => bounds is not null));

        // Without the filter: by a key that is no column of the table.
        var expected = context.Sql(text.Replace("ORDER BY v", "ORDER BY v + 0", StringComparison.Ordinal)).Collect().Select(row => $"{row[0]}|{row[1]}");
        Assert.Equal(expected, actual);
    }

    [Theory]
    [InlineData(5, 1)]
    [InlineData(40_000, 2)]
    [InlineData(100_000, 4)]
    [InlineData(1_000_000, 4)]
    public void LIMIT_without_an_order_opens_no_more_splits_than_it_needs(int limit, int most)
    {
        using var context = DataflowContext.Local(1);
        var table = new WatchedTable();
        context.Read.Table(table).CreateTempView("t");
        var rows = context.Sql("SELECT * FROM t LIMIT " + limit).Collect();
        Assert.Equal(Math.Min(limit, RowsOfSplit * Splits), rows.Count);
        Assert.Equal(Enumerable.Range(0, rows.Count), rows.Select(row => (int)row[1]!));
        Assert.InRange(table.Opened, 1, most);
    }

    private sealed class WatchedTable : ITable, ITableScan
    {
        // Tasks hold copies of the table.
        private static readonly ConcurrentQueue<ValueBounds?> All = new();

        private static int _opened;

        public WatchedTable()
        {
            All.Clear();
            _opened = 0;
        }

        public int Opened => _opened;

        public IReadOnlyCollection<ValueBounds?> Seen => All;

        public string Name => "watched";

        public Schema Schema { get; } = new(new Field("v", DataType.BigInt), new Field("w", DataType.Int, Nullable: false));

        public TableStatistics Statistics => new(RowsOfSplit * TopBoundTests.Splits, RowsOfSplit * TopBoundTests.Splits * 12);

        public IReadOnlyList<TableSplit> Splits { get; } = [.. Enumerable.Range(0, TopBoundTests.Splits).Select(i => new Part(i))];

        public ITableScan Scan(ScanRequest request)
        {
            Assert.Equal([0, 1], request.Fields);
            return this;
        }

        public BatchReader Open(TableSplit split, TaskContext context, IReadOnlyList<IDynamicFilter> dynamic)
        {
            Interlocked.Increment(ref _opened);
            foreach (var filter in dynamic) All.Enqueue(filter.Bounds);
            return new Reader(((Part)split).Number, context, dynamic);
        }

        private sealed record Part(int Number) : TableSplit(RowsOfSplit, []);

        private sealed unsafe class Reader : BatchReader
        {
            private readonly IReadOnlyList<IDynamicFilter> _filters;
            private readonly int _part;
            private readonly FlatVector _values;
            private readonly FlatVector _numbers;
            private readonly ColumnBatch _batch;
            private readonly ulong* _mask;
            private int _next;

            public Reader(int part, TaskContext context, IReadOnlyList<IDynamicFilter> filters)
            {
                var arena = new TaskArena(context, "watched");
                (_part, _filters) = (part, filters);
                (_values, _numbers) = (new FlatVector(arena, DataType.BigInt), new FlatVector(arena, DataType.Int));
                _mask = (ulong*)arena.Rent(ColumnBatch.MaxRows / 8).Pointer;
                _batch = new ColumnBatch([_values.Vector, _numbers.Vector]);
            }

            public override bool TryNext(out ColumnBatch batch)
            {
                batch = _batch;
                while (_next < RowsOfSplit)
                {
                    var rows = Math.Min(ColumnBatch.MaxRows, RowsOfSplit - _next);
                    new Span<byte>(_values.Validity, ColumnBatch.MaxRows / 8).Fill(0xFF);
                    new Span<byte>(_mask, ColumnBatch.MaxRows / 8).Clear();
                    for (var i = 0; i < rows; i++)
                    {
                        var number = (_part * RowsOfSplit) + _next + i;
                        ((long*)_values.Data)[i] = number * 7919L % 50_021;
                        ((int*)_numbers.Data)[i] = number;
                        if (number % 1000 == 3) _values.Validity[i >> 6] &= ~(1UL << (i & 63));
                        _mask[i >> 6] |= 1UL << (i & 63);
                    }
                    _next += rows;
                    _values.Set(rows, true);
                    _numbers.Set(rows, false);
                    foreach (var filter in _filters) filter.Apply(_batch.Columns[filter.Field], rows, _mask);
                    _batch.Set(rows, _mask);
                    if (_batch.Alive > 0) return true;
                }
                return false;
            }
        }
    }
}
