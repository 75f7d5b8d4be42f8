using System.Runtime.InteropServices;

namespace Dataflow.Streaming.Kafka;

/// <summary>Errors of librdkafka (negative) and of brokers that are treated apart.</summary>
internal enum KafkaError
{
    None = 0,
    OffsetOutOfRange = 1,
    UnknownTopicOrPartition = 3,
    LeaderNotAvailable = 5,
    NotLeader = 6,
    TopicAuthorizationFailed = 29,
    GroupAuthorizationFailed = 30,
    ClusterAuthorizationFailed = 31,
    Fatal = -150,
    AutoOffsetReset = -140,
    NoOffset = -168,
    Authentication = -169,
    QueueFull = -184,
    AllBrokersDown = -187,
    UnknownTopic = -188,
    UnknownPartition = -190,
    EndOfPartition = -191,
}

/// <summary><c>rd_kafka_message_t</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct KafkaMessage
{
    public KafkaError Error;
    public nint Topic;
    public int Partition;
    public byte* Payload;
    public nint Length;
    public byte* Key;
    public nint KeyLength;
    public long Offset;
    public nint Private;
}

/// <summary><c>rd_kafka_metadata</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct KafkaMetadata
{
    public int BrokerCount;
    public nint Brokers;
    public int TopicCount;
    public KafkaTopicMetadata* Topics;
    public int OriginBroker;
    public byte* OriginBrokerName;
}

/// <summary><c>rd_kafka_metadata_topic</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct KafkaTopicMetadata
{
    public byte* Topic;
    public int PartitionCount;
    public KafkaPartitionMetadata* Partitions;
    public KafkaError Error;
}

/// <summary><c>rd_kafka_metadata_partition</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KafkaPartitionMetadata
{
    public int Id;
    public KafkaError Error;
    public int Leader;
    public int ReplicaCount;
    public nint Replicas;
    public int InSyncCount;
    public nint InSync;
}

/// <summary><c>rd_kafka_topic_partition_list_t</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct KafkaPartitionList
{
    public int Count;
    public int Size;
    public KafkaPartitionItem* Items;
}

/// <summary><c>rd_kafka_topic_partition_t</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct KafkaPartitionItem
{
    public byte* Topic;
    public int Partition;
    public long Offset;
    public nint Metadata;
    public nint MetadataSize;
    public nint Opaque;
    public KafkaError Error;
    public nint Private;
}

/// <summary><c>rd_kafka_vu_t</c>: a field of a message that is produced.</summary>
[StructLayout(LayoutKind.Explicit, Size = 72)]
internal struct KafkaProduceField
{
    public const int TopicField = 2;
    public const int PartitionField = 3;
    public const int ValueField = 4;
    public const int KeyField = 5;
    public const int FlagsField = 7;
    public const int HeaderField = 9;

    [FieldOffset(0)] public int Kind;
    [FieldOffset(8)] public nint Pointer;
    [FieldOffset(8)] public int Number;
    [FieldOffset(16)] public nint Size;
    [FieldOffset(16)] public nint HeaderValue;
    [FieldOffset(24)] public nint HeaderSize;
}
