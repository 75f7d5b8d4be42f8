using Dataflow.Streaming.Kafka;
using static Dataflow.Streaming.Kafka.Librdkafka;

namespace Dataflow.Streaming;

/// <summary>
/// Brokers within this process, for tests and trials without a Kafka: librdkafka's own. Clients of any kind reach them through sockets of 127.0.0.1.
/// </summary>
/// <remarks>They keep about 5 MB a partition in memory, and drop older messages without a word; know no groups of several members, no times of offsets, and no isolation of
/// transactions. Partitions can't be added to a topic.</remarks>
public sealed unsafe class KafkaTestCluster : IDisposable
{
    private readonly KafkaClient _client;
    private nint _cluster;

    /// <summary>Starts brokers, which listen at once.</summary>
    /// <param name="brokers">How many.</param>
    /// <exception cref="StreamingException">librdkafka is missing: says what to install.</exception>
    public KafkaTestCluster(int brokers = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(brokers, 1);
        _client = new KafkaClient(KafkaClient.Producer, []);
        _cluster = rd_kafka_mock_cluster_new(_client.Handle, brokers);
        Servers = KafkaClient.TextOf(rd_kafka_mock_cluster_bootstraps(_cluster));
    }

    /// <summary>Their addresses.</summary>
    public string Servers { get; }

    /// <summary>Makes a topic.</summary>
    /// <param name="topic">Its name.</param>
    /// <param name="partitions">How many partitions.</param>
    public void CreateTopic(string topic, int partitions) => Check(rd_kafka_mock_topic_create(_cluster, topic, partitions, 1));

    /// <summary>Makes a broker the leader of a partition.</summary>
    /// <param name="partition">Which.</param>
    /// <param name="broker">From 1.</param>
    public void SetLeader(KafkaPartition partition, int broker) => Check(rd_kafka_mock_partition_set_leader(_cluster, partition.Topic, partition.Partition, broker));

    /// <summary>Lets a broker fall, with its links, or come back.</summary>
    /// <param name="broker">From 1.</param>
    /// <param name="isUp">Whether it answers.</param>
    public void SetBroker(int broker, bool isUp) => Check(isUp ? rd_kafka_mock_broker_set_up(_cluster, broker) : rd_kafka_mock_broker_set_down(_cluster, broker));

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_cluster == 0) return;
        rd_kafka_mock_cluster_destroy(_cluster);
        _cluster = 0;
        _client.Dispose();
    }

    private static void Check(KafkaError error)
    {
        if (error != KafkaError.None) throw new StreamingException("KAFKA_TEST_CLUSTER", $"The brokers refused: {KafkaClient.Describe(error)}.");
    }
}
