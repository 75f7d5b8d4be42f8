namespace Dataflow.Streaming.Kafka;

/// <summary>The settings of librdkafka that clients begin with.</summary>
internal static class KafkaSettings
{
    public const string Servers = "bootstrap.servers";

    /// <summary>Where messages are read from, and that this is nobody else's business, is what a query relies on.</summary>
    public static readonly KafkaSetting[] OfSource =
        [new("enable.auto.commit", "false"), new("enable.auto.offset.store", "false"), new("auto.offset.reset", "error"), new("enable.partition.eof", "true")];

    /// <summary>That no message is lost or comes twice by the producer's own retries.</summary>
    public static readonly KafkaSetting[] OfSink = [new("enable.idempotence", "true"), new("delivery.report.only.error", "true")];

    // Settings of a program come later, and win.
    private static readonly KafkaSetting[] Shared =
        [new("client.id", "dataflow"), new("socket.nagle.disable", "true"), new("reconnect.backoff.ms", "20"), new("reconnect.backoff.max.ms", "1000")];

    // A partition whose fetch is out waits for the answer before another is asked of that broker: short waits cost little, and long ones delay who begins next to it.
    private static readonly KafkaSetting[] Reading =
    [
        new("fetch.wait.max.ms", "20"), new("fetch.error.backoff.ms", "50"), new("queued.max.messages.kbytes", "4096"), new("queued.min.messages", "30000"), new("receive.message.max.bytes", "200000000"),

        // How soon it is seen that a queue that was full has room again.
        new("fetch.queue.backoff.ms", "20", IsOptional: true),
    ];

    // Keys go to the partitions that Java's producers choose for them.
    private static readonly KafkaSetting[] Writing =
        [new("partitioner", "murmur2_random"), new("linger.ms", "5"), new("queue.buffering.max.messages", "1000000"), new("queue.buffering.max.kbytes", "65536"), new("batch.num.messages", "50000")];

    public static KafkaSetting[] Consumer(string servers, IReadOnlyDictionary<string, string> more) => [.. Shared, .. Reading, new(Servers, servers), .. Of(more), .. OfSource];

    public static KafkaSetting[] Producer(string servers, IReadOnlyDictionary<string, string> more, TimeSpan timeout) =>
        [.. Shared, .. Writing, new("message.timeout.ms", $"{Math.Max(1, (long)timeout.TotalMilliseconds)}"), new(Servers, servers), .. Of(more), .. OfSink];

    public static ArgumentException Owned(string name) => new($"The setting '{name}' is the connector's own: its options say where to read and from whom.");

    private static IEnumerable<KafkaSetting> Of(IReadOnlyDictionary<string, string> settings) =>
        settings.OrderBy(each => each.Key, StringComparer.Ordinal).Select(each => new KafkaSetting(each.Key, each.Value));
}
