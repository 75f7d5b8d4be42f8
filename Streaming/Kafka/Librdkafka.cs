using System.Reflection;
using System.Runtime.InteropServices;

namespace Dataflow.Streaming.Kafka;

/// <summary>What is called of librdkafka, the C library that speaks to Kafka. Names and meaning as in its <c>rdkafka.h</c>.</summary>
internal static unsafe partial class Librdkafka
{
    private const string Library = "librdkafka";
    private static readonly string[] Names =
        OperatingSystem.IsWindows() ? ["librdkafka.dll", "librdkafka"]
        : OperatingSystem.IsMacOS() ? ["librdkafka.1.dylib", "librdkafka.dylib", "/opt/homebrew/lib/librdkafka.1.dylib", "/usr/local/lib/librdkafka.1.dylib"]
        : ["librdkafka.so.1", "librdkafka"];

    private static readonly nint Loaded = Load();

    /// <summary>Whether the library is on this machine.</summary>
    public static bool IsThere => Loaded != 0;

    /// <summary>Says what to install where the library is missing.</summary>
    /// <exception cref="StreamingException">It is missing.</exception>
    public static void Require()
    {
        if (Loaded != 0) return;
        throw new StreamingException("KAFKA_LIBRARY_MISSING",
            $"Kafka is reached through librdkafka, and {Environment.MachineName} has none (looked for {string.Join(", ", Names)}). Every machine that runs the program or its executors needs it: "
            + "'apt-get install librdkafka1' (Debian, Ubuntu), 'dnf install librdkafka' (Fedora), 'apk add librdkafka' (Alpine), 'brew install librdkafka' (macOS), or librdkafka.dll beside the program (Windows).");
    }

    private static nint Load()
    {
        var loaded = Array.Find(Array.ConvertAll(Names, name => NativeLibrary.TryLoad(name, out var handle) ? handle : 0), handle => handle != 0);
        NativeLibrary.SetDllImportResolver(Assembly.GetExecutingAssembly(), (name, _, _) => name == Library ? loaded : 0);
        return loaded;
    }

    [LibraryImport(Library)] public static partial int rd_kafka_version();
    [LibraryImport(Library)] public static partial nint rd_kafka_conf_new();
    [LibraryImport(Library)] public static partial void rd_kafka_conf_destroy(nint conf);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] public static partial int rd_kafka_conf_set(nint conf, string name, string value, byte* error, nint size);
    [LibraryImport(Library)] public static partial void rd_kafka_conf_set_events(nint conf, int events);
    [LibraryImport(Library)] public static partial void rd_kafka_conf_set_log_cb(nint conf, nint callback);

    [LibraryImport(Library)] public static partial nint rd_kafka_new(int type, nint conf, byte* error, nint size);
    [LibraryImport(Library)] public static partial void rd_kafka_destroy_flags(nint client, int flags);
    [LibraryImport(Library)] public static partial byte* rd_kafka_err2str(KafkaError error);
    [LibraryImport(Library)] public static partial byte* rd_kafka_err2name(KafkaError error);
    [LibraryImport(Library)] public static partial KafkaError rd_kafka_last_error();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] public static partial nint rd_kafka_topic_new(nint client, string topic, nint conf);
    [LibraryImport(Library)] public static partial void rd_kafka_topic_destroy(nint topic);
    [LibraryImport(Library)] public static partial KafkaError rd_kafka_metadata(nint client, int allTopics, nint onlyTopic, KafkaMetadata** metadata, int timeoutMs);
    [LibraryImport(Library)] public static partial void rd_kafka_metadata_destroy(KafkaMetadata* metadata);

    [LibraryImport(Library)] public static partial KafkaPartitionList* rd_kafka_topic_partition_list_new(int size);
    [LibraryImport(Library)] public static partial void rd_kafka_topic_partition_list_destroy(KafkaPartitionList* list);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] public static partial KafkaPartitionItem* rd_kafka_topic_partition_list_add(KafkaPartitionList* list, string topic, int partition);
    [LibraryImport(Library)] public static partial KafkaError rd_kafka_offsets_for_times(nint client, KafkaPartitionList* list, int timeoutMs);

    [LibraryImport(Library)] public static partial int rd_kafka_consume_start(nint topic, int partition, long offset);
    [LibraryImport(Library)] public static partial int rd_kafka_consume_stop(nint topic, int partition);
    [LibraryImport(Library)] public static partial nint rd_kafka_consume_batch(nint topic, int partition, int timeoutMs, KafkaMessage** messages, nint size);
    [LibraryImport(Library)] public static partial void rd_kafka_message_destroy(KafkaMessage* message);
    [LibraryImport(Library)] public static partial long rd_kafka_message_timestamp(KafkaMessage* message, int* type);
    [LibraryImport(Library)] public static partial KafkaError rd_kafka_message_headers(KafkaMessage* message, nint* headers);
    [LibraryImport(Library)] public static partial KafkaError rd_kafka_header_get_all(nint headers, nint index, byte** name, byte** value, nint* size);

    [LibraryImport(Library)] public static partial int rd_kafka_produce_batch(nint topic, int partition, int flags, KafkaMessage* messages, int count);
    [LibraryImport(Library)] public static partial nint rd_kafka_produceva(nint client, KafkaProduceField* fields, nint count);
    [LibraryImport(Library)] public static partial KafkaError rd_kafka_error_code(nint error);
    [LibraryImport(Library)] public static partial void rd_kafka_error_destroy(nint error);
    [LibraryImport(Library)] public static partial int rd_kafka_outq_len(nint client);
    [LibraryImport(Library)] public static partial KafkaError rd_kafka_flush(nint client, int timeoutMs);
    [LibraryImport(Library)] public static partial KafkaError rd_kafka_purge(nint client, int flags);

    [LibraryImport(Library)] public static partial nint rd_kafka_queue_get_main(nint client);
    [LibraryImport(Library)] public static partial void rd_kafka_queue_destroy(nint queue);
    [LibraryImport(Library)] public static partial nint rd_kafka_queue_poll(nint queue, int timeoutMs);
    [LibraryImport(Library)] public static partial int rd_kafka_event_type(nint kafkaEvent);
    [LibraryImport(Library)] public static partial KafkaError rd_kafka_event_error(nint kafkaEvent);
    [LibraryImport(Library)] public static partial byte* rd_kafka_event_error_string(nint kafkaEvent);
    [LibraryImport(Library)] public static partial nint rd_kafka_event_message_array(nint kafkaEvent, KafkaMessage** messages, nint size);
    [LibraryImport(Library)] public static partial void rd_kafka_event_destroy(nint kafkaEvent);
    [LibraryImport(Library)] public static partial byte* rd_kafka_topic_name(nint topic);

    [LibraryImport(Library)] public static partial nint rd_kafka_mock_cluster_new(nint client, int brokers);
    [LibraryImport(Library)] public static partial void rd_kafka_mock_cluster_destroy(nint cluster);
    [LibraryImport(Library)] public static partial byte* rd_kafka_mock_cluster_bootstraps(nint cluster);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] public static partial KafkaError rd_kafka_mock_topic_create(nint cluster, string topic, int partitions, int replicas);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] public static partial KafkaError rd_kafka_mock_partition_set_leader(nint cluster, string topic, int partition, int broker);
    [LibraryImport(Library)] public static partial KafkaError rd_kafka_mock_broker_set_down(nint cluster, int broker);
    [LibraryImport(Library)] public static partial KafkaError rd_kafka_mock_broker_set_up(nint cluster, int broker);
}
