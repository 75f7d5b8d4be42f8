using System.Text;
using Dataflow.Streaming.Mqtt;

namespace Dataflow.Streaming;

/// <summary>Sends each row as a message to an MQTT broker.</summary>
/// <remarks>At least once, with quality 1: a batch is done when the broker has acknowledged all its messages, and one that runs again after a failure is sent again; messages that were
/// under way when a connection was lost are, too, unless they have quality 2 and the broker still knows them. With quality 0 messages are lost with a connection. A connection a batch, none for one without rows; the rows come to the driver.</remarks>
public sealed class MqttSink : IStreamSink
{
    private readonly MqttOptions _options;
    private readonly string? _topic;

    /// <summary>Sends to one topic, or to that of a column.</summary>
    /// <param name="options">The broker.</param>
    /// <param name="topic">The topic of all messages; null takes that of each row from a column <see cref="TopicColumn"/>.</param>
    /// <exception cref="ArgumentException">It is no topic that messages can go to.</exception>
    public MqttSink(MqttOptions options, string? topic = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (topic is not null) MqttTopics.CheckTopic(topic, nameof(topic));
        (_options, _topic) = (options, topic);
    }

    /// <summary>The column, text, that has the topic of a row where there is none for all.</summary>
    public string TopicColumn { get; init; } = "topic";

    /// <summary>The column, text or bytes, that is sent.</summary>
    public string PayloadColumn { get; init; } = "payload";

    /// <summary>0 (sent and forgotten), 1 (acknowledged), or 2 (acknowledged, and not doubled by lost connections).</summary>
    public int Quality { get; init => field = value is >= 0 and <= 2 ? value : throw new ArgumentOutOfRangeException(nameof(Quality), value, "Messages are sent with quality 0, 1 or 2."); } = 1;

    /// <summary>Whether the broker keeps the last message of each topic for those who subscribe later.</summary>
    public bool IsRetained { get; init; }

    /// <inheritdoc/>
    public string Name => $"{_topic ?? $"topics of '{TopicColumn}'"} at {_options}";

    /// <inheritdoc/>
    public bool ReadsOnce => true;

    /// <inheritdoc/>
    public async Task WriteAsync(StreamBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Check(batch.Rows.Schema, PayloadColumn, nameof(PayloadColumn), TypeKind.String, TypeKind.Binary);
        if (_topic is null) Check(batch.Rows.Schema, TopicColumn, nameof(TopicColumn), TypeKind.String);
        var rows = await (_topic is null ? batch.Rows.Select(PayloadColumn, TopicColumn) : batch.Rows.Select(PayloadColumn)).CollectAsync(cancellationToken).ConfigureAwait(false);
        if (rows.Count > 0) await MqttPublisher.SendAsync(_options, [.. rows.Select(MessageOf)], cancellationToken).ConfigureAwait(false);
    }

    private Publish MessageOf(Row row)
    {
        var topic = _topic ?? row[1] as string ?? throw new StreamingException("MQTT_TOPIC_NAME", $"A row has no topic: its column '{TopicColumn}' is NULL. Filter such rows out before the sink.");
        if (_topic is null)
        {
            try
            {
                MqttTopics.CheckTopic(topic, TopicColumn);
            }
            catch (ArgumentException error)
            {
                throw new StreamingException("MQTT_TOPIC_NAME", $"A row's column '{TopicColumn}' is no topic that messages can go to: {error.Message}", error);
            }
        }
        byte[] payload = row[0] switch
        {
            string text => Encoding.UTF8.GetBytes(text),
            byte[] bytes => bytes,
            _ => [],
        };
        return new Publish(topic, payload, Quality, IsRetained, IsDuplicate: false, Id: 0);
    }

    private static void Check(Schema schema, string column, string option, params TypeKind[] kinds)
    {
        var at = schema.IndexOf(column);
        if (at < 0) throw new QueryException(
            "UNRESOLVED_COLUMN",
            $"The rows have no column '{column}' for MQTT: name one with MqttSink.{option}. "
            + $"Their columns: {string.Join(", ", schema.Fields.Select(field => field.Name))}.");
        if (!kinds.Contains(schema[at].Type.Kind)) throw new QueryException("DATATYPE_MISMATCH", $"The column '{schema[at]}' can't be sent by MQTT as it is: cast it to string, or make it with to_json.");
    }
}
