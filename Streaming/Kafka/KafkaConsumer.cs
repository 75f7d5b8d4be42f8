using static Dataflow.Streaming.Kafka.Librdkafka;

namespace Dataflow.Streaming.Kafka;

/// <summary>A consumer of this process, and the partitions that it has open.</summary>
internal sealed class KafkaConsumer(KafkaSetting[] settings) : IDisposable
{
    /// <summary>Those that no task uses now.</summary>
    public static readonly KafkaPool<KafkaConsumer> Free = new(settings => new KafkaConsumer(settings));

    private const int WakeMs = 100;
    private const int FirstWithQueueBackoff = 0x02020000;

    private readonly Dictionary<KafkaPartition, long> _next = [];

    public KafkaClient Client { get; } = new(KafkaClient.Consumer, settings);

    /// <summary>How many partitions it fetches from.</summary>
    public int Open => _next.Count;

    public bool IsAt(KafkaPartition partition, long offset) => _next.TryGetValue(partition, out var next) && next == offset;

    /// <summary>Begins to fetch, unless it does already from there.</summary>
    public void Start(KafkaPartition partition, long offset)
    {
        if (IsAt(partition, offset)) return;
        Stop(partition);
        if (rd_kafka_consume_start(Client.Topic(partition.Topic), partition.Partition, offset) != 0)
            throw new StreamingException("KAFKA_READ", $"{partition} can't be read from offset {offset}: {KafkaClient.Describe(rd_kafka_last_error())}.");
        _next[partition] = offset;
    }

    /// <summary>
    /// Lets the broker's thread see that a partition's queue, which was full, is empty: versions before <c>fetch.queue.backoff.ms</c> look again when something is asked of that broker, or after a second.
    /// </summary>
    public unsafe void Wake(KafkaPartition partition)
    {
        if (!LooksOnceASecond) return;
        var list = rd_kafka_topic_partition_list_new(1);
        rd_kafka_topic_partition_list_add(list, partition.Topic, partition.Partition)->Offset = KafkaBrokers.Latest;
        _ = rd_kafka_offsets_for_times(Client.Handle, list, WakeMs);
        rd_kafka_topic_partition_list_destroy(list);
    }

    /// <summary>Says where its next message is.</summary>
    public void Move(KafkaPartition partition, long offset) => _next[partition] = offset;

    /// <summary>Fetches no more, and lets go what was fetched.</summary>
    public void Stop(KafkaPartition partition)
    {
        if (_next.Remove(partition)) _ = rd_kafka_consume_stop(Client.Topic(partition.Topic), partition.Partition);
    }

    public void Dispose()
    {
        foreach (var partition in _next.Keys.ToArray()) Stop(partition);
        Client.Dispose();
    }

    private static bool LooksOnceASecond => rd_kafka_version() < FirstWithQueueBackoff;
}
