using Dataflow.Sql.Columns;
using Dataflow.Streaming.Kafka;

namespace Dataflow.Streaming;

/// <summary>
/// Writes rows as messages of Kafka, from the tasks that compute them. At least once: a batch that failed is written again, whole, and what its first attempt delivered is there twice. A batch
/// counts as done when the brokers have confirmed all its messages.
/// </summary>
/// <remarks>
/// Columns: <c>value</c>, which must be there, and, if they are there, <c>key</c> (both string or binary), <c>topic</c> (string, or one for all rows in the constructor), <c>partition</c>
/// (int; null, as without the column, leaves it to the key) and <c>headers</c> (string: a JSON array of objects with <c>key</c> and <c>value</c>, as <see cref="KafkaSource"/> gives them).
/// Messages with equal keys go to one partition, the one that Java's producers choose. librdkafka must be on all machines that run tasks.
/// </remarks>
public sealed class KafkaSink : IStreamSink
{
    private static readonly string[] Known = ["key", "value", "topic", "partition", "headers"];

    private readonly string? _topic;
    private readonly KafkaSetting[] _settings;
    private readonly string _servers;
    private readonly TimeSpan _timeout;

    /// <summary>Describes the sink; nothing is asked of Kafka yet.</summary>
    /// <param name="servers">Addresses of brokers, <c>host:port</c>, with commas between them.</param>
    /// <param name="topic">Where all rows go; null takes the column <c>topic</c>.</param>
    /// <param name="settings">Settings of librdkafka: security, compression, sizes.</param>
    /// <param name="timeout">How long a message may take to be confirmed before the batch fails; null for a minute.</param>
    /// <exception cref="ArgumentException">A setting is the connector's own.</exception>
    public KafkaSink(string servers, string? topic = null, IReadOnlyDictionary<string, string>? settings = null, TimeSpan? timeout = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(servers);
        settings ??= new Dictionary<string, string>();
        foreach (var owned in KafkaSettings.OfSink) if (settings.ContainsKey(owned.Name)) throw KafkaSettings.Owned(owned.Name);
        if (settings.ContainsKey(KafkaSettings.Servers)) throw KafkaSettings.Owned(KafkaSettings.Servers);
        (_servers, _topic, _timeout) = (servers, topic, timeout ?? TimeSpan.FromMinutes(1));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(_timeout, TimeSpan.Zero, nameof(timeout));
        _settings = KafkaSettings.Producer(servers, settings, _timeout);
    }

    /// <inheritdoc/>
    public string Name => _topic is null ? "Kafka" : $"Kafka topic '{_topic}'";

    /// <inheritdoc/>
    public bool ReadsOnce => true;

    /// <inheritdoc/>
    /// <exception cref="StreamingException">A column is missing, has another type or an unknown name.</exception>
    public async Task WriteAsync(StreamBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var write = new KafkaWrite(_servers, _topic, _settings, _timeout, Positions(batch.Rows.Schema));
        await batch.Rows.MapBatches(write.Run).CollectAsync(cancellationToken).ConfigureAwait(false);
    }

    private int[] Positions(Schema schema)
    {
        foreach (var field in schema)
        {
            var isRight = field.Name switch
            {
                "key" or "value" => field.Type.Kind is TypeKind.String or TypeKind.Binary,
                "topic" or "headers" => field.Type.Kind == TypeKind.String,
                "partition" => field.Type.Kind == TypeKind.Int,
                _ => false,
            };
            if (isRight) continue;
            throw new StreamingException("KAFKA_SINK_COLUMNS", Known.Contains(field.Name)
                ? $"The column '{field}' can't be written to Kafka: key and value are string or binary, topic and headers string, partition int. Cast it."
                : $"Kafka has no place for the column '{field.Name}'. Columns of messages are {string.Join(", ", Known)}: select these, with others in the value.");
        }
        if (schema.IndexOf("value") < 0)
            throw new StreamingException("KAFKA_SINK_COLUMNS", "There is no column 'value', and a message has one. Select it: rows.Select(Col(\"word\").As(\"key\"), Col(\"count\").Cast(\"string\").As(\"value\")).");
        if (_topic is null && schema.IndexOf("topic") < 0) throw new StreamingException("KAFKA_SINK_COLUMNS", "It is not said which topic rows go to: give the sink one, or select a column 'topic'.");
        return [.. Known.Select(schema.IndexOf)];
    }
}
