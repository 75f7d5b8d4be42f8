using static Dataflow.Streaming.Kafka.Librdkafka;

namespace Dataflow.Streaming.Kafka;

/// <summary>A consumer of this process, and the partitions that it has open.</summary>
internal sealed class KafkaConsumer(KafkaSetting[] settings) : IDisposable
{
    /// <summary>Those that no task uses now.</summary>
    public static readonly KafkaPool<KafkaConsumer> Free = new(settings => new KafkaConsumer(settings));

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
}
