using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Tasks;

namespace Dataflow.Sql.Sources;

/// <summary>Whole numbers from one to another: <c>range(10)</c> in FROM. One column <c>id</c>, in order within a split.</summary>
/// <param name="start">The first.</param>
/// <param name="end">Behind the last.</param>
/// <param name="step">From one to the next; not 0.</param>
/// <param name="parts">Most splits.</param>
internal sealed class RangeTable(long start, long end, long step, int parts) : ITable
{
    // Fewer rows than this are not worth a task.
    private const long LeastRows = 65_536;

    public string Name => $"range({start}, {end}, {step})";

    public Schema Schema { get; } = new(new Field("id", DataType.BigInt, Nullable: false));

    public TableStatistics Statistics => new(Rows, Rows * sizeof(long))
    {
        Columns = new Dictionary<int, ColumnStatistics> { [0] = new(null, Nulls: 0, Distinct: Rows) },
    };

    private long Rows => step > 0
        ? end <= start ? 0 : (long)UInt128.Min(long.MaxValue, (((UInt128)((Int128)end - start) - 1) / (UInt128)step) + 1)
        : start <= end ? 0 : (long)UInt128.Min(long.MaxValue, (((UInt128)((Int128)start - end) - 1) / (UInt128)(-(Int128)step)) + 1);

    /// <summary>The table of a call in FROM: range(end), range(start, end[, step[, parts]]); null if the arguments do not fit.</summary>
    public static RangeTable? Of(ValueList<Literal> arguments, int parallelism)
    {
        if (arguments.Count is < 1 or > 4) return null;
        var numbers = new long[arguments.Count];
        for (var i = 0; i < numbers.Length; i++)
        {
            if (!arguments[i].Type.IsInteger || arguments[i].Value is not { } value) return null;
            numbers[i] = System.Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture);
        }
        var step = numbers.Length > 2 ? numbers[2] : 1;
        if (step == 0 || (numbers.Length == 4 && numbers[3] is < 1 or > 1_000_000)) return null;
        return new RangeTable(numbers.Length == 1 ? 0 : numbers[0], numbers[numbers.Length == 1 ? 0 : 1], step, numbers.Length == 4 ? (int)numbers[3] : parallelism);
    }

    public ITableScan Scan(ScanRequest request)
    {
        var rows = Rows;
        var count = Math.Max(1, Math.Min(parts, (rows + LeastRows - 1) / LeastRows));
        var splits = new RangeSplit[count];
        for (var i = 0; i < count; i++)
        {
            var first = (long)((Int128)rows * i / count);
            var behind = (long)((Int128)rows * (i + 1) / count);
            splits[i] = new RangeSplit((long)(start + ((Int128)first * step)), step, behind - first);
        }
        return new RangeScan(splits, request.Fields.Count);
    }

    private sealed record RangeSplit(long First, long Step, long Count) : TableSplit(Count, []);

    private sealed class RangeScan(RangeSplit[] splits, int fields) : ITableScan
    {
        public IReadOnlyList<TableSplit> Splits => splits;

        public BatchReader Open(TableSplit split, TaskContext context, IReadOnlyList<IDynamicFilter> dynamic) => new RangeReader((RangeSplit)split, fields, context);
    }

    private sealed unsafe class RangeReader : BatchReader
    {
        private readonly RangeSplit _split;
        private readonly TaskArena _arena;
        private readonly FlatVector _ids;
        private readonly ColumnBatch _batch;
        private long _done;

        public RangeReader(RangeSplit split, int fields, TaskContext context)
        {
            _split = split;
            _arena = new TaskArena(context, "range");
            _ids = new FlatVector(_arena, DataType.BigInt);
            _batch = new ColumnBatch([.. Enumerable.Repeat(_ids.Vector, fields)]);
        }

        public override bool TryNext(out ColumnBatch batch)
        {
            batch = _batch;
            var rows = (int)Math.Min(ColumnBatch.MaxRows, _split.Count - _done);
            if (rows <= 0) return false;
            var values = (long*)_ids.Data;
            var value = _split.First + (_done * _split.Step);
            for (var i = 0; i < rows; i++, value += _split.Step) values[i] = value;
            _ids.Set(rows, hasNulls: false);
            _batch.Set(rows);
            _done += rows;
            return true;
        }

        public override void Dispose()
        {
            _arena.Dispose();
            base.Dispose();
        }
    }
}
