using System.Globalization;
using Dataflow.Sql.Sources;
using Dataflow.Streaming.Execution;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Sources;

/// <summary>
/// Rows by the clock: row N has the value N and a time N / rate after the query's first start. An offset is how many rows there were; which rows those are depends on nothing else.
/// </summary>
internal sealed class RateSource(long rowsPerSecond, int partitions, TimeProvider time) : IStreamSource
{
    public string Name => $"{rowsPerSecond:N0} rows a second";

    public Schema Schema { get; } = new(new Field("timestamp", DataType.Timestamp, Nullable: false), new Field("value", DataType.BigInt, Nullable: false));

    public IStreamReader Open(string folder)
    {
        var log = new DurableLog(folder);
        if (log.Numbers().Length == 0) log.Write(0, new Beginning((time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond, rowsPerSecond));
        var began = log.Read<Beginning>(0);
        if (began.RowsPerSecond != rowsPerSecond)
            throw new StreamingException("CHECKPOINT_OF_OTHER_QUERY", $"The query was begun with {began.RowsPerSecond:N0} rows a second, and is started with {rowsPerSecond:N0}: its rows would get other times. Start it as it was, or with another checkpoint.");
        return new Reader(this, began.Microseconds);
    }

    private TableSplit[] Cut(long start, long end)
    {
        var count = Math.Min(partitions, end - start);
        return [.. Enumerable.Range(0, (int)count).Select(i => new RateSplit(start + ((end - start) * i / count), start + ((end - start) * (i + 1) / count)))];
    }

    private sealed record Beginning(long Microseconds, long RowsPerSecond);

    private sealed record RateSplit(long Start, long End) : TableSplit(End - Start, []);

    private sealed class Reader(RateSource source, long began) : IStreamReader
    {
        public ValueTask<string?> FindEndAsync(string? start, long mostRows, CancellationToken cancellationToken)
        {
            // By milliseconds: who looks until nothing is new finds an end, too.
            var micros = (((source.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond) - began) / 1000 * 1000;
            var from = Number(start);
            var end = Math.Min((long)((Int128)micros * source.RowsPerSecond / 1_000_000), mostRows > long.MaxValue - from ? long.MaxValue : from + mostRows);
            return new(end <= from ? start : end.ToString(CultureInfo.InvariantCulture));
        }

        public ITable Read(string? start, string end) => new RateTable(source, Number(start), Number(end), began);

        public void Dispose() { }

        private static long Number(string? offset) => offset is null ? 0 : long.Parse(offset, CultureInfo.InvariantCulture);
    }

    private sealed class RateTable(RateSource source, long start, long end, long began) : ITable
    {
        public string Name => source.Name;

        public Schema Schema => source.Schema;

        public TableStatistics Statistics { get; } = new(end - start, -1);

        public ITableScan Scan(ScanRequest request) => new RateScan(source.Cut(start, end), request.Fields, began, source.RowsPerSecond);
    }

    private sealed class RateScan(TableSplit[] splits, ValueList<int> fields, long began, long rate) : ITableScan
    {
        public IReadOnlyList<TableSplit> Splits => splits;

        public BatchReader Open(TableSplit split, TaskContext context, IReadOnlyList<IDynamicFilter> dynamic) => new RateBatches((RateSplit)split, fields, began, rate, context);
    }

    private sealed unsafe class RateBatches : BatchReader
    {
        private readonly (long Began, long Rate, long End) _of;
        private readonly TaskArena _arena;
        private readonly FlatVector _times;
        private readonly FlatVector _values;
        private readonly ColumnBatch _batch;
        private long _next;

        public RateBatches(RateSplit split, ValueList<int> fields, long began, long rate, TaskContext context)
        {
            (_next, _of) = (split.Start, (began, rate, split.End));
            _arena = new TaskArena(context, "rate");
            _times = new FlatVector(_arena, DataType.Timestamp);
            _values = new FlatVector(_arena, DataType.BigInt);
            _batch = new ColumnBatch([.. fields.Select(field => field == 0 ? _times.Vector : _values.Vector)]);
        }

        public override bool TryNext(out ColumnBatch batch)
        {
            batch = _batch;
            var rows = (int)Math.Min(ColumnBatch.MaxRows, _of.End - _next);
            if (rows <= 0) return false;
            for (var i = 0; i < rows; i++, _next++)
            {
                ((long*)_values.Data)[i] = _next;
                ((long*)_times.Data)[i] = _of.Began + (long)((Int128)_next * 1_000_000 / _of.Rate);
            }
            _times.Set(rows, hasNulls: false);
            _values.Set(rows, hasNulls: false);
            _batch.Set(rows);
            return true;
        }

        public override void Dispose()
        {
            _arena.Dispose();
            base.Dispose();
        }
    }

    private long RowsPerSecond => rowsPerSecond;

    private TimeProvider Time => time;
}
