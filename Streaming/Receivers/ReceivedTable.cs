using Dataflow.Sql.Records;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Receivers;

/// <summary>Records of a log from one number to another, and the groups that have them.</summary>
/// <param name="Pieces">The groups, in order.</param>
/// <param name="Start">The first record.</param>
/// <param name="End">Behind the last one.</param>
internal sealed record ReceivedRange(ReceivedPiece[] Pieces, long Start, long End)
{
    public long Count => End - Start;

    public long Bytes => Pieces.Sum(piece => (long)piece.Length);
}

/// <summary>Makes rows of what was received. It travels to the tasks that read.</summary>
internal abstract class ReceivedFormat
{
    /// <summary>The columns.</summary>
    public abstract Schema Schema { get; }

    /// <summary>Begins to read, in a task.</summary>
    /// <param name="records">The records.</param>
    /// <param name="fields">The wanted columns.</param>
    /// <param name="context">The task.</param>
    public abstract BatchReader Open(ReceivedRecords records, ValueList<int> fields, TaskContext context);
}

/// <summary>Makes objects of what was received, whose properties are the columns.</summary>
/// <typeparam name="T">A record, as for <see cref="MemorySource{T}"/>.</typeparam>
internal abstract class ReceivedFormat<T> : ReceivedFormat
{
    public sealed override Schema Schema => RecordShape<T>.Find().Schema;

    /// <summary>Makes an object, in a task.</summary>
    public abstract T Read(in ReceivedRecord record);

    public sealed override BatchReader Open(ReceivedRecords records, ValueList<int> fields, TaskContext context)
    {
        var shape = RecordShape<T>.Find();
        return new RecordBatches<T>(new Reader(records, this), [.. fields.Select(shape.Column)], context);
    }

    private sealed class Reader(ReceivedRecords records, ReceivedFormat<T> format) : ChunkReader<T>
    {
        private readonly T[] _chunk = new T[DefaultLength];

        public override bool TryRead(out ReadOnlySpan<T> chunk)
        {
            var count = 0;
            while (count < _chunk.Length && records.TryRead(out var record)) _chunk[count++] = format.Read(record);
            chunk = _chunk.AsSpan(0, count);
            return count > 0;
        }
    }
}

/// <summary>What was received, as a table: a task for about <see cref="SplitBytes"/> of it. What the driver has in memory is read from there by tasks of its own process, else from the files.</summary>
internal sealed class ReceivedTable(string name, ReceivedRange range, ReceivedFormat format) : ITable
{
    private const long SplitBytes = 2L << 20;

    public string Name => name;

    public Schema Schema => format.Schema;

    public TableStatistics Statistics => new(range.Count, range.Bytes);

    public ITableScan Scan(ScanRequest request)
    {
        var splits = new List<Split>();
        for (var first = 0; first < range.Pieces.Length;)
        {
            var (next, bytes) = (first, 0L);
            while (next < range.Pieces.Length && bytes < SplitBytes) bytes += range.Pieces[next++].Length;
            var pieces = range.Pieces[first..next];
            splits.Add(new Split(pieces, Math.Max(range.Start, pieces[0].First), Math.Min(range.End, pieces[^1].End)));
            first = next;
        }
        return new ReceivedScan([.. splits], format, request.Fields);
    }

    private sealed record Split(ReceivedPiece[] Pieces, long Start, long End) : TableSplit(End - Start, []);

    private sealed class ReceivedScan(Split[] splits, ReceivedFormat format, ValueList<int> fields) : ITableScan
    {
        public IReadOnlyList<TableSplit> Splits => splits;

        public BatchReader Open(TableSplit split, TaskContext context, IReadOnlyList<IDynamicFilter> dynamic)
        {
            var part = (Split)split;
            return format.Open(new ReceivedRecords(part.Pieces, part.Start, part.End), fields, context);
        }
    }
}
