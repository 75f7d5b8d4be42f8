using System.Text;
using System.Text.Json;
using Dataflow.Sql.Columns;
using Dataflow.Tasks;
using static Dataflow.Streaming.Kafka.Librdkafka;

namespace Dataflow.Streaming.Kafka;

/// <summary>Writes the rows of a partition, in a task. It travels there.</summary>
/// <param name="servers">For errors.</param>
/// <param name="topic">Where rows go; null for the column.</param>
/// <param name="settings">Of the producer.</param>
/// <param name="timeout">How long a message may take.</param>
/// <param name="positions">Columns: key, value, topic, partition, headers; -1 for none.</param>
internal sealed unsafe class KafkaWrite(string servers, string? topic, KafkaSetting[] settings, TimeSpan timeout, int[] positions)
{
    private const int Copy = 2;
    private const int OwnPartition = 8;
    private const int AnyPartition = -1;
    private const int ChunkRows = 512;

    private string _lastTopic = "";
    private byte[] _lastBytes = [];

    /// <summary>Gives how many messages were written and confirmed.</summary>
    public IEnumerable<long> Run(IEnumerable<ColumnBatch> batches)
    {
        using var producer = new Rented(settings);
        var (written, cancellation) = (0L, TaskContext.Current!.CancellationToken);
        foreach (var batch in batches)
        {
            cancellation.ThrowIfCancellationRequested();
            Write(producer.Client, batch);
            written += batch.Alive;
        }
        Confirm(producer.Client, cancellation);
        producer.IsDone = true;
        return [written];
    }

    private void Write(KafkaClient client, ColumnBatch batch)
    {
        var messages = stackalloc KafkaMessage[ChunkRows];
        var rows = batch.Selection;
        for (var at = 0; at < rows.Length;)
        {
            // As many as go to one topic.
            var name = TopicOf(batch, rows[at]);
            var count = 0;
            while (at < rows.Length && count < ChunkRows && (topic is not null || TopicOf(batch, rows[at]) == name))
            {
                if (positions[4] >= 0 && !batch.Columns[positions[4]].IsNull(rows[at]))
                {
                    WriteWithHeaders(client, name, Message(batch, rows[at]), StringView.TextOf((StringView*)batch.Columns[positions[4]].ValueAt(rows[at])));
                    at++;
                    continue;
                }
                messages[count++] = Message(batch, rows[at++]);
            }
            Send(client, name, messages, count);
        }
    }

    // Rows of a topic often follow each other: the name is the same object as long as its bytes are.
    private string TopicOf(ColumnBatch batch, int row)
    {
        if (topic is not null) return topic;
        var names = batch.Columns[positions[2]];
        if (names.IsNull(row)) throw new StreamingException("KAFKA_DELIVERY", "A row has no topic (null), so it can't be written. Leave such rows out, or give the sink a topic.");
        var view = (StringView*)names.ValueAt(row);
        if (StringView.BytesOf(view).SequenceEqual(_lastBytes)) return _lastTopic;
        (_lastTopic, _lastBytes) = (StringView.TextOf(view), StringView.BytesOf(view).ToArray());
        return _lastTopic;
    }

    private KafkaMessage Message(ColumnBatch batch, int row)
    {
        KafkaMessage message = default;
        message.Payload = BytesOf(batch, positions[1], row, out message.Length);
        message.Key = BytesOf(batch, positions[0], row, out message.KeyLength);
        message.Partition = positions[3] < 0 || batch.Columns[positions[3]].IsNull(row) ? AnyPartition : batch.Columns[positions[3]].Value<int>(row);
        return message;
    }

    private static byte* BytesOf(ColumnBatch batch, int column, int row, out nint length)
    {
        length = 0;
        if (column < 0 || batch.Columns[column].IsNull(row)) return null;
        var view = (StringView*)batch.Columns[column].ValueAt(row);
        length = view->Length;
        return StringView.PointerOf(view);
    }

    private void Send(KafkaClient client, string name, KafkaMessage* messages, int count)
    {
        var handle = client.Topic(name);
        while (count > 0)
        {
            var taken = rd_kafka_produce_batch(handle, AnyPartition, Copy | (positions[3] >= 0 ? OwnPartition : 0), messages, count);
            if (taken == count) return;

            // Those that found no room come again.
            var left = 0;
            for (var i = 0; i < count; i++)
            {
                if (messages[i].Error == KafkaError.None) continue;
                if (messages[i].Error != KafkaError.QueueFull) throw Failed(name, messages[i].Partition, messages[i].Error, client);
                messages[i].Error = KafkaError.None;
                messages[left++] = messages[i];
            }
            count = left;
            Poll(client, 20);
        }
    }

    private void WriteWithHeaders(KafkaClient client, string name, KafkaMessage message, string headers)
    {
        var pairs = Headers(headers);
        var fields = stackalloc KafkaProduceField[5 + pairs.Count];
        fields[0] = new() { Kind = KafkaProduceField.TopicField, Pointer = client.Topic(name) };
        fields[1] = new() { Kind = KafkaProduceField.PartitionField, Number = message.Partition };
        fields[2] = new() { Kind = KafkaProduceField.ValueField, Pointer = (nint)message.Payload, Size = message.Length };
        fields[3] = new() { Kind = KafkaProduceField.KeyField, Pointer = (nint)message.Key, Size = message.KeyLength };
        fields[4] = new() { Kind = KafkaProduceField.FlagsField, Number = Copy };
        var pins = new List<System.Buffers.MemoryHandle>();
        try
        {
            for (var i = 0; i < pairs.Count; i++)
            {
                var (key, value) = (pairs[i].Key.AsMemory().Pin(), (pairs[i].Value ?? []).AsMemory().Pin());
                pins.Add(key);
                pins.Add(value);
                fields[5 + i] = new()
                {
                    Kind = KafkaProduceField.HeaderField, Pointer = (nint)key.Pointer, HeaderValue = pairs[i].Value is null ? 0 : (nint)value.Pointer, HeaderSize = pairs[i].Value?.Length ?? 0,
                };
            }
            while (true)
            {
                var error = rd_kafka_produceva(client.Handle, fields, 5 + pairs.Count);
                if (error == 0) return;
                var code = rd_kafka_error_code(error);
                rd_kafka_error_destroy(error);
                if (code != KafkaError.QueueFull) throw Failed(name, message.Partition, code, client);
                Poll(client, 20);
            }
        }
        finally
        {
            foreach (var pin in pins) pin.Dispose();
        }
    }

    private static List<(byte[] Key, byte[]? Value)> Headers(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return [.. json.RootElement.EnumerateArray().Select(each => (Encoding.UTF8.GetBytes(each.GetProperty("key").GetString() + '\0'),
                each.GetProperty("value") is { ValueKind: not JsonValueKind.Null } value ? Encoding.UTF8.GetBytes(value.GetString()!) : null))];
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException or ArgumentNullException)
        {
            throw new StreamingException("KAFKA_SINK_COLUMNS", $"The headers '{text}' are no JSON array as [{{\"key\":\"trace\",\"value\":\"7\"}}].", error);
        }
    }

    private void Confirm(KafkaClient client, CancellationToken cancellation)
    {
        do
        {
            cancellation.ThrowIfCancellationRequested();
            _ = rd_kafka_flush(client.Handle, 50);
            Poll(client, 0);
        }
        while (rd_kafka_outq_len(client.Handle) > 0);
        Poll(client, 0);
    }

    // Only what was not delivered is told.
    private void Poll(KafkaClient client, int timeoutMs)
    {
        StreamingException? failed = null;
        while (client.Poll(timeoutMs, Note)) timeoutMs = 0;
        if (failed is not null) throw failed;

        void Note(nint address)
        {
            var message = (KafkaMessage*)address;
            failed ??= Failed(KafkaClient.TextOf(rd_kafka_topic_name(message->Topic)), message->Partition, message->Error, client);
        }
    }

    private StreamingException Failed(string name, int partition, KafkaError error, KafkaClient client) => new(client.IsRefused ? "KAFKA_REFUSED" : "KAFKA_DELIVERY",
        $"A message to {name}[{(partition < 0 ? "any partition" : partition)}] at {servers} was not delivered within {timeout.TotalSeconds:0.#} s: {KafkaClient.Describe(error)}."
        + (client.LastError.Length == 0 ? "" : $" The last thing that went wrong: {client.LastError}.") + " The batch is not done, and is written again when the query starts again.");

    // A producer that did not end well has messages of this attempt, which nobody wants any more.
    private sealed class Rented(KafkaSetting[] settings) : IDisposable
    {
        private static readonly KafkaPool<KafkaClient> Free = new(settings => new KafkaClient(KafkaClient.Producer, settings));

        public KafkaClient Client { get; } = Free.Rent(settings);

        public bool IsDone { get; set; }

        public void Dispose()
        {
            if (IsDone)
            {
                Free.Return(Client, settings);
                return;
            }
            _ = rd_kafka_purge(Client.Handle, 3);
            Client.Dispose();
        }
    }
}
