using System.Text.Json;
using Dataflow.Sql.Columns;
using static Dataflow.Streaming.Kafka.Librdkafka;

namespace Dataflow.Streaming.Kafka;

/// <summary>Messages as columns: bytes are copied from where librdkafka has them into the batch, and nothing else is made of a message.</summary>
internal sealed unsafe class KafkaColumns
{
    private const int Key = 0;
    private const int Value = 1;
    private const int Topic = 2;
    private const int Partition = 3;
    private const int Offset = 4;
    private const int Timestamp = 5;
    private const int TimestampType = 6;
    private const int Headers = 7;

    private readonly FlatVector?[] _vectors = new FlatVector?[8];
    private readonly TextHeap _heap;
    private readonly StringView* _keys;
    private readonly StringView* _values;
    private readonly long* _offsets;
    private readonly long* _times;
    private readonly int* _timeTypes;
    private readonly StringView* _headers;

    public KafkaColumns(TaskArena arena, ValueList<int> fields)
    {
        _heap = new TextHeap(arena);
        var schema = Schema(withHeaders: true);
        foreach (var field in fields) _vectors[field] ??= new FlatVector(arena, schema[field].Type);
        _keys = (StringView*)DataOf(Key);
        _values = (StringView*)DataOf(Value);
        _offsets = (long*)DataOf(Offset);
        _times = (long*)DataOf(Timestamp);
        _timeTypes = (int*)DataOf(TimestampType);
        _headers = (StringView*)DataOf(Headers);
        Columns = [.. fields.Select(field => _vectors[field]!.Vector)];
    }

    public ColumnVector[] Columns { get; }

    public static Schema Schema(bool withHeaders)
    {
        Field[] fields =
        [
            new("key", DataType.Binary, true), new("value", DataType.Binary, true), new("topic", DataType.String, false), new("partition", DataType.Int, false),
            new("offset", DataType.BigInt, false), new("timestamp", DataType.Timestamp, true), new("timestamp_type", DataType.Int, true), new("headers", DataType.String, true),
        ];
        return new Schema(withHeaders ? fields : fields[..Headers]);
    }

    /// <summary>Begins a batch.</summary>
    public void Clear()
    {
        _heap.Clear();
        foreach (var field in (ReadOnlySpan<int>)[Key, Value, Timestamp, TimestampType, Headers])
        {
            if (_vectors[field] is { } vector) new Span<ulong>(vector.Validity, ColumnBatch.MaxRows / 64).Fill(ulong.MaxValue);
        }
    }

    /// <summary>Makes rows of messages.</summary>
    public void Add(KafkaMessage** messages, int count, int row)
    {
        if (_values != null)
        {
            for (var i = 0; i < count; i++) _values[row + i] = View(messages[i]->Payload, (int)messages[i]->Length, Value, row + i);
        }
        if (_keys != null)
        {
            for (var i = 0; i < count; i++) _keys[row + i] = View(messages[i]->Key, (int)messages[i]->KeyLength, Key, row + i);
        }
        if (_offsets != null)
        {
            for (var i = 0; i < count; i++) _offsets[row + i] = messages[i]->Offset;
        }
        if (_times != null || _timeTypes != null)
        {
            for (var i = 0; i < count; i++) AddTime(messages[i], row + i);
        }
        if (_headers != null)
        {
            for (var i = 0; i < count; i++) AddHeaders(messages[i], row + i);
        }
    }

    /// <summary>Ends a batch, all of whose rows are of a partition.</summary>
    public void End(int rows, KafkaPartition partition)
    {
        foreach (var field in (ReadOnlySpan<int>)[Key, Value, Offset, Timestamp, TimestampType, Headers]) _vectors[field]?.Set(rows, hasNulls: field != Offset);
        if (_vectors[Topic] is { } topics)
        {
            *(StringView*)topics.Data = _heap.Add(System.Text.Encoding.UTF8.GetBytes(partition.Topic));
            topics.Set(rows, hasNulls: false).Form = VectorForm.Constant;
        }
        if (_vectors[Partition] is { } partitions)
        {
            *(int*)partitions.Data = partition.Partition;
            partitions.Set(rows, hasNulls: false).Form = VectorForm.Constant;
        }
    }

    private byte* DataOf(int field) => _vectors[field] is { } vector ? vector.Data : null;

    private StringView View(byte* bytes, int length, int field, int row)
    {
        if (bytes == null)
        {
            Null(field, row);
            return default;
        }
        if (length <= StringView.MaxInline) return StringView.Of(bytes, length);
        var copy = _heap.Allocate(length);
        Buffer.MemoryCopy(bytes, copy, length, length);
        return StringView.Of(copy, length);
    }

    private void Null(int field, int row) => _vectors[field]!.Validity[row >> 6] &= ~(1UL << (row & 63));

    private void AddTime(KafkaMessage* message, int row)
    {
        int type;
        var milliseconds = rd_kafka_message_timestamp(message, &type);
        var isKnown = type > 0 && milliseconds >= 0;
        if (_times != null)
        {
            _times[row] = isKnown ? milliseconds * 1000 : 0;
            if (!isKnown) Null(Timestamp, row);
        }
        if (_timeTypes == null) return;
        _timeTypes[row] = type - 1;
        if (!isKnown) Null(TimestampType, row);
    }

    private void AddHeaders(KafkaMessage* message, int row)
    {
        nint headers;
        if (rd_kafka_message_headers(message, &headers) != KafkaError.None)
        {
            _headers[row] = default;
            Null(Headers, row);
            return;
        }
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            byte* name;
            byte* value;
            nint size;
            json.WriteStartArray();
            for (var i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == KafkaError.None; i++)
            {
                json.WriteStartObject();
                json.WriteString("key", KafkaClient.TextOf(name));
                if (value == null) json.WriteNull("value");
                else json.WriteString("value", System.Text.Encoding.UTF8.GetString(value, (int)size));
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        _headers[row] = _heap.Add(stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }
}
