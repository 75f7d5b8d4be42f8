using Dataflow.Sql.Sources;
using Dataflow.Streaming.Kafka;

namespace Dataflow.Streaming;

/// <summary>Messages of Kafka's topics as a stream. librdkafka must be on the driver's and all executors' machines.</summary>
/// <remarks>
/// Columns: <c>key</c> and <c>value</c> (binary, null where the message has none), <c>topic</c>, <c>partition</c> (int), <c>offset</c> (bigint), <c>timestamp</c>, <c>timestamp_type</c>
/// (int: 0 made by the program that wrote it, 1 by the broker, null none), and, if asked for, <c>headers</c> (string: a JSON array of objects with <c>key</c> and <c>value</c>).
/// What nobody reads is not made. Offsets are kept in the query's checkpoint, not in Kafka.
/// </remarks>
public sealed class KafkaSource : IStreamSource
{
    /// <summary>Describes the stream; nothing is asked of Kafka yet.</summary>
    /// <param name="options">What is read.</param>
    /// <exception cref="ArgumentException">It is not said, or said twice, which topics are read; or a setting is the connector's own.</exception>
    public KafkaSource(KafkaSourceOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        Options = options;
    }

    /// <summary>All partitions of topics, from their beginning.</summary>
    /// <param name="servers">Addresses of brokers, with commas between them.</param>
    /// <param name="topics">The topics.</param>
    public KafkaSource(string servers, params string[] topics) : this(new KafkaSourceOptions { Servers = servers, Topics = topics }) { }

    /// <summary>What is read.</summary>
    public KafkaSourceOptions Options { get; }

    /// <inheritdoc/>
    public string Name => Options.Pattern is { } pattern ? $"Kafka topics like '{pattern}'"
        : Options.Topics.Count > 0 ? $"Kafka {string.Join(", ", Options.Topics.Order(StringComparer.Ordinal))}" : $"Kafka {string.Join(", ", Options.Partitions.Order())}";

    /// <inheritdoc/>
    public Schema Schema => KafkaColumns.Schema(Options.IncludeHeaders);

    /// <inheritdoc/>
    /// <exception cref="StreamingException">librdkafka is missing (says what to install), or does not take a setting.</exception>
    public IStreamReader Open(string folder) => new KafkaStreamReader(this, new(folder));

    /// <summary>The messages between two places as a table, with both places fixed now.</summary>
    internal ITable ToTable()
    {
        using var brokers = new KafkaBrokers(Options, KafkaSettings.Consumer(Options.Servers, Options.Settings));
        var partitions = brokers.Partitions(CancellationToken.None);
        var (starts, stops) = (Since(Options.Starting, partitions, brokers, CancellationToken.None), Since(Options.Ending, partitions, brokers, CancellationToken.None));
        var (firsts, ends) = (brokers.Firsts(partitions, CancellationToken.None), brokers.Ends(partitions, CancellationToken.None));
        var ranges = partitions.Order().Select(partition => new KafkaRange(partition,
            At(Options.Starting, partition, firsts[partition], firsts, ends, starts), At(Options.Ending, partition, ends[partition], firsts, ends, stops)));
        return new KafkaTable(this, [.. ranges.Where(range => range.Count > 0)]);
    }

    /// <summary>Where a place that is a time lies in the partitions for which it is one, and which have a message from then on.</summary>
    internal static Dictionary<KafkaPartition, long> Since(KafkaOffsets place, IEnumerable<KafkaPartition> partitions, KafkaBrokers brokers, CancellationToken cancellation)
    {
        var times = new Dictionary<KafkaPartition, DateTimeOffset>();
        foreach (var partition in partitions)
        {
            if (place.TimeOf(partition) is { } time) times[partition] = time;
        }
        return brokers.Since(times, cancellation);
    }

    /// <summary>The offset at which a partition begins or ends.</summary>
    /// <param name="place">What is wanted.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="other">Its offset where nothing is wanted of it.</param>
    /// <param name="firsts">First messages.</param>
    /// <param name="ends">Behind the last ones.</param>
    /// <param name="since">What <see cref="Since"/> gave.</param>
    internal static long At(
        KafkaOffsets place, KafkaPartition partition, long other, Dictionary<KafkaPartition, long> firsts, Dictionary<KafkaPartition, long> ends, Dictionary<KafkaPartition, long> since) =>
        place == KafkaOffsets.Earliest ? firsts[partition]
        : place == KafkaOffsets.Latest ? ends[partition]
        : place.TimeOf(partition) is not null ? since.GetValueOrDefault(partition, ends[partition])
        : place.Known?.GetValueOrDefault(partition, other) ?? other;
}
