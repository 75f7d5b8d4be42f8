using System.Buffers.Binary;
using Dataflow.Files;
using Dataflow.Sql.Csv;
using Dataflow.Sql.Json;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Receivers;

/// <summary>What of a record a column has.</summary>
internal enum ReceivedPart
{
    /// <summary>All its bytes, as text.</summary>
    Whole,

    /// <summary>When it came.</summary>
    Time,

    /// <summary>Of an event: its headers, as JSON.</summary>
    Headers,

    /// <summary>Of an event: its text.</summary>
    Body,
}

/// <summary>An event: its headers and its text, one behind the other.</summary>
internal static class ReceivedEvent
{
    public static byte[] Write(ReadOnlySpan<byte> headers, ReadOnlySpan<byte> body)
    {
        var record = new byte[sizeof(int) + headers.Length + body.Length];
        BinaryPrimitives.WriteInt32LittleEndian(record, headers.Length);
        headers.CopyTo(record.AsSpan(sizeof(int)));
        body.CopyTo(record.AsSpan(sizeof(int) + headers.Length));
        return record;
    }

    public static ReadOnlySpan<byte> Part(ReadOnlySpan<byte> record, ReceivedPart part)
    {
        if (part == ReceivedPart.Whole) return record;
        var headers = BinaryPrimitives.ReadInt32LittleEndian(record);
        return part == ReceivedPart.Headers ? record.Slice(sizeof(int), headers) : record[(sizeof(int) + headers)..];
    }
}

/// <summary>Records as texts, and when they came.</summary>
/// <param name="columns">The columns, and what each has.</param>
internal sealed class TextFormat(params (string Name, ReceivedPart Part)[] columns) : ReceivedFormat
{
    /// <summary>Lines, as <c>value</c>; with <c>timestamp</c> if wanted.</summary>
    public static TextFormat Lines(bool withTime) => withTime ? new(("value", ReceivedPart.Whole), ("timestamp", ReceivedPart.Time)) : new(("value", ReceivedPart.Whole));

    public override Schema Schema => new(columns.Select(column => new Field(column.Name, column.Part == ReceivedPart.Time ? DataType.Timestamp : DataType.String, Nullable: false)).ToArray());

    public override BatchReader Open(ReceivedRecords records, ValueList<int> fields, TaskContext context) => new Reader(records, [.. fields.Select(field => columns[field].Part)], context);

    private sealed unsafe class Reader : BatchReader
    {
        private readonly ReceivedRecords _records;
        private readonly TaskContext _context;
        private readonly ReceivedPart[] _parts;
        private readonly TaskArena _arena;
        private readonly FlatVector[] _vectors;
        private readonly TextHeap _heap;
        private readonly ColumnBatch _batch;

        public Reader(ReceivedRecords records, ReceivedPart[] parts, TaskContext context)
        {
            (_records, _parts, _context) = (records, parts, context);
            _arena = new TaskArena(context, "received texts");
            _heap = new TextHeap(_arena);
            _vectors = [.. parts.Select(part => new FlatVector(_arena, part == ReceivedPart.Time ? DataType.Timestamp : DataType.String))];
            _batch = new ColumnBatch([.. _vectors.Select(vector => vector.Vector)]);
        }

        public override bool TryNext(out ColumnBatch batch)
        {
            _context.CancellationToken.ThrowIfCancellationRequested();
            batch = _batch;
            _heap.Clear();
            var rows = 0;
            while (rows < ColumnBatch.MaxRows && _records.TryRead(out var record))
            {
                for (var i = 0; i < _parts.Length; i++)
                {
                    if (_parts[i] == ReceivedPart.Time) ((long*)_vectors[i].Data)[rows] = record.Received;
                    else ((StringView*)_vectors[i].Data)[rows] = _heap.Add(TextRepair.Right(ReceivedEvent.Part(record.Bytes.Span, _parts[i])));
                }
                rows++;
            }
            foreach (var vector in _vectors) vector.Set(rows, hasNulls: false);
            _batch.Set(rows);
            return rows > 0;
        }

        public override void Dispose()
        {
            _arena.Dispose();
            base.Dispose();
        }
    }
}

/// <summary>Records as JSON objects, whose fields are the columns.</summary>
/// <param name="name">How errors call the source.</param>
/// <param name="schema">The columns.</param>
/// <param name="timeZone">The zone of timestamps that name none.</param>
/// <param name="part">What of a record is the object.</param>
internal sealed class JsonFormat(string name, Schema schema, string timeZone, ReceivedPart part) : ReceivedFormat
{
    // A field that is not there is null.
    public override Schema Schema { get; } = new(schema.Fields.ConvertAll(field => field with { Nullable = true }));

    public override BatchReader Open(ReceivedRecords records, ValueList<int> fields, TaskContext context) => new Reader(this, records, fields, context);

    private sealed class Reader : BatchReader
    {
        private readonly ReceivedPart _part;
        private readonly ReceivedRecords _records;
        private readonly TaskContext _context;
        private readonly TaskArena _arena;
        private readonly LineRows _rows;
        private readonly ColumnBatch _batch;

        public Reader(JsonFormat format, ReceivedRecords records, ValueList<int> fields, TaskContext context)
        {
            (_part, _records, _context) = (format.Part, records, context);
            _arena = new TaskArena(context, "received objects");
            _rows = format.Parser(fields).Open(_arena, new FileSlice(format.Name, 0, 0, 0));
            _batch = new ColumnBatch(_rows.Columns);
        }

        public override bool TryNext(out ColumnBatch batch)
        {
            _context.CancellationToken.ThrowIfCancellationRequested();
            batch = _batch;
            _rows.Clear();
            var rows = 0;
            while (rows < ColumnBatch.MaxRows && _records.TryRead(out var record))
            {
                if (_rows.Add(ReceivedEvent.Part(record.Bytes.Span, _part), record.Number, rows)) rows++;
            }
            _rows.End(rows);
            _batch.Set(rows);
            return rows > 0;
        }

        public override void Dispose()
        {
            _arena.Dispose();
            base.Dispose();
        }
    }

    private string Name => name;

    private ReceivedPart Part => part;

    private JsonParser Parser(ValueList<int> fields) => new(Schema, fields, MalformedMode.Permissive, timeZone, isGuess: false, isModeOpen: true);
}
