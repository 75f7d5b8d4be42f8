using System.Runtime.InteropServices;
using static Dataflow.Streaming.Kafka.Librdkafka;

namespace Dataflow.Streaming.Kafka;

/// <summary>A client of librdkafka, with its threads and links. Used by one thread at a time.</summary>
internal sealed unsafe class KafkaClient : IDisposable
{
    public const int Producer = 0;
    public const int Consumer = 1;
    private const int DeliveryEvents = 1;
    private const int ErrorEvents = 8;
    private const int NoConsumerClose = 8;
    private const int ErrorBytes = 512;
    private const int UnknownSetting = -2;

    private readonly Dictionary<string, nint> _topics = new(StringComparer.Ordinal);
    private readonly nint _events;
    private bool _isClosed;

    /// <summary>Begins; links come when they are needed.</summary>
    /// <exception cref="StreamingException">The library is missing, or does not take a setting.</exception>
    public KafkaClient(int type, IEnumerable<KafkaSetting> settings)
    {
        Require();
        var conf = rd_kafka_conf_new();
        var error = stackalloc byte[ErrorBytes];
        foreach (var setting in settings)
        {
            var result = rd_kafka_conf_set(conf, setting.Name, setting.Value, error, ErrorBytes);
            if (result == 0 || (result == UnknownSetting && setting.IsOptional)) continue;
            rd_kafka_conf_destroy(conf);
            throw new StreamingException("KAFKA_SETTING", $"librdkafka does not take the setting '{setting.Name}': {TextOf(error)}. Its names and values stand in its CONFIGURATION.md.");
        }
        rd_kafka_conf_set_events(conf, type == Producer ? DeliveryEvents | ErrorEvents : ErrorEvents);
        rd_kafka_conf_set_log_cb(conf, 0);
        Handle = rd_kafka_new(type, conf, error, ErrorBytes);
        if (Handle == 0)
        {
            rd_kafka_conf_destroy(conf);
            throw new StreamingException("KAFKA_SETTING", $"librdkafka does not start: {TextOf(error)}.");
        }
        _events = rd_kafka_queue_get_main(Handle);
    }

    public nint Handle { get; }

    /// <summary>What went wrong last, as far as it was asked for; empty if nothing.</summary>
    public string LastError { get; private set; } = "";

    /// <summary>Whether librdkafka gave up for good: who it says it is, or what it may, is not accepted.</summary>
    public bool IsRefused { get; private set; }

    /// <summary>The handle of a topic, made at first use.</summary>
    public nint Topic(string name)
    {
        if (_topics.TryGetValue(name, out var topic)) return topic;
        topic = rd_kafka_topic_new(Handle, name, 0);
        if (topic == 0) throw new StreamingException("KAFKA_TOPIC", $"'{name}' can't be the name of a topic: {Describe(rd_kafka_last_error())}.");
        return _topics[name] = topic;
    }

    /// <summary>Takes what has happened meanwhile.</summary>
    /// <param name="timeoutMs">How long it waits for something.</param>
    /// <param name="deliveries">Told of messages that were not delivered; or null.</param>
    public bool Poll(int timeoutMs, Action<nint>? deliveries = null)
    {
        var next = rd_kafka_queue_poll(_events, timeoutMs);
        if (next == 0) return false;
        switch (rd_kafka_event_type(next))
        {
            case DeliveryEvents:
                var messages = stackalloc KafkaMessage*[64];
                nint count;
                while ((count = rd_kafka_event_message_array(next, messages, 64)) > 0)
                {
                    for (var i = 0; i < count; i++) deliveries?.Invoke((nint)messages[i]);
                }
                break;
            case ErrorEvents:
                var error = rd_kafka_event_error(next);

                // That all are down says nothing of why.
                if (error != KafkaError.AllBrokersDown || LastError.Length == 0) LastError = TextOf(rd_kafka_event_error_string(next));
                IsRefused |= error is KafkaError.Authentication or KafkaError.Fatal;
                break;
            default:
                break;
        }
        rd_kafka_event_destroy(next);
        return true;
    }

    /// <summary>An error by name and meaning.</summary>
    public static string Describe(KafkaError error) => $"{TextOf(rd_kafka_err2name(error))}, {TextOf(rd_kafka_err2str(error))}";

    public static string TextOf(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    public void Dispose()
    {
        if (_isClosed) return;
        _isClosed = true;
        foreach (var topic in _topics.Values) rd_kafka_topic_destroy(topic);
        rd_kafka_queue_destroy(_events);
        rd_kafka_destroy_flags(Handle, NoConsumerClose);
    }
}

/// <summary>A setting of librdkafka.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Its value.</param>
/// <param name="IsOptional">Whether a version that does not know it goes on without.</param>
internal sealed record KafkaSetting(string Name, string Value, bool IsOptional = false);
