using Dataflow.Streaming.Kafka;

namespace Dataflow.Streaming;

/// <summary>What is read of Kafka, and how. One of <see cref="Topics"/>, <see cref="Pattern"/> and <see cref="Partitions"/> says which topics.</summary>
public sealed record KafkaSourceOptions
{
    /// <summary>Addresses of brokers to begin with, <c>host:port</c>, with commas between them; these name the others.</summary>
    public required string Servers { get; init; }

    /// <summary>Topics by name, with all their partitions, also those that come later.</summary>
    public IReadOnlyList<string> Topics { get; init; } = [];

    /// <summary>Topics by a regular expression that the whole name matches, also those that come later.</summary>
    public string? Pattern { get; init; }

    /// <summary>These partitions, and no others.</summary>
    public IReadOnlyList<KafkaPartition> Partitions { get; init; } = [];

    /// <summary>Where a query without a checkpoint begins. Partitions that come later are read from their beginning.</summary>
    public KafkaOffsets Starting { get; init; } = KafkaOffsets.Earliest;

    /// <summary>Where a table ends (<c>context.Read.Kafka</c>); streams don't ask.</summary>
    public KafkaOffsets Ending { get; init; } = KafkaOffsets.Latest;

    /// <summary>Most offsets that a batch takes, shared out over partitions by how much each has.</summary>
    public long MaxOffsetsPerTrigger { get; init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(MaxOffsetsPerTrigger), value, "A batch takes 1 offset or more."); } = long.MaxValue;

    /// <summary>In how many tasks a batch is read at least, as far as it has offsets. 0 leaves it to the source: a task for about 65,536 messages, and for no less than a partition.</summary>
    public int MinPartitions { get; init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(MinPartitions), value, "There are 0 (by the size of the batch) or more tasks."); }

    /// <summary>What is done about messages that are gone before they were read.</summary>
    public KafkaDataLoss DataLoss { get; init; } = KafkaDataLoss.Fail;

    /// <summary>Told, on the driver, of messages that are gone, under <see cref="KafkaDataLoss.Skip"/>.</summary>
    public Action<KafkaGap>? OnGap { get; init; }

    /// <summary>Whether there is a column <c>headers</c>.</summary>
    public bool IncludeHeaders { get; init; }

    /// <summary>How long brokers may be out of reach, or give nothing that they have, before it is an error. Meanwhile the query's status names them.</summary>
    public TimeSpan Timeout { get; init => field = value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(Timeout), value, "A wait lasts longer than zero."); } = TimeSpan.FromMinutes(1);

    /// <summary>How often topics are asked for new partitions, and brokers for new topics of the pattern.</summary>
    public TimeSpan DiscoveryInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Settings of librdkafka: security, sizes, waits. As <c>["security.protocol"] = "SASL_SSL"</c>.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    internal void Check()
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(Servers);
        var ways = (Topics.Count > 0 ? 1 : 0) + (Pattern is null ? 0 : 1) + (Partitions.Count > 0 ? 1 : 0);
        if (ways != 1) throw new ArgumentException($"Say in one way which topics are read: Topics, Pattern or Partitions; here are {ways}.");
        foreach (var owned in KafkaSettings.OfSource) if (Settings.ContainsKey(owned.Name)) throw KafkaSettings.Owned(owned.Name);
        if (Settings.ContainsKey(KafkaSettings.Servers)) throw KafkaSettings.Owned(KafkaSettings.Servers);
    }
}

/// <summary>A partition of a topic.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">From 0.</param>
public readonly record struct KafkaPartition(string Topic, int Partition) : IComparable<KafkaPartition>
{
    /// <inheritdoc/>
    public int CompareTo(KafkaPartition other) => string.CompareOrdinal(Topic, other.Topic) is not 0 and var order ? order : Partition.CompareTo(other.Partition);

    /// <summary>As <c>orders[3]</c>.</summary>
    public override string ToString() => $"{Topic}[{Partition}]";

    /// <summary>By topic, then by number.</summary>
    public static bool operator <(KafkaPartition left, KafkaPartition right) => left.CompareTo(right) < 0;

    /// <summary>By topic, then by number.</summary>
    public static bool operator >(KafkaPartition left, KafkaPartition right) => left.CompareTo(right) > 0;

    /// <summary>By topic, then by number.</summary>
    public static bool operator <=(KafkaPartition left, KafkaPartition right) => left.CompareTo(right) <= 0;

    /// <summary>By topic, then by number.</summary>
    public static bool operator >=(KafkaPartition left, KafkaPartition right) => left.CompareTo(right) >= 0;
}

/// <summary>What is done about messages that are gone before they were read: brokers drop old ones by age and size, and topics are deleted.</summary>
public enum KafkaDataLoss
{
    /// <summary>The query fails, and names the gap.</summary>
    Fail,

    /// <summary>The query goes on behind the gap, and tells of it (<see cref="KafkaSourceOptions.OnGap"/>).</summary>
    Skip,
}

/// <summary>Messages that are gone.</summary>
/// <param name="Partition">Where.</param>
/// <param name="Wanted">The first offset that was to be read.</param>
/// <param name="First">The first that is there.</param>
/// <param name="End">Behind the last that is there.</param>
public sealed record KafkaGap(KafkaPartition Partition, long Wanted, long First, long End)
{
    /// <summary>What is gone, in words.</summary>
    public override string ToString() => First > Wanted
        ? $"{Partition} has offsets {First} to {End - 1}, and {Wanted} is wanted: {First - Wanted} are gone"
        : $"{Partition} ends before offset {End}, and {Wanted} is wanted: the topic was deleted, and perhaps made again";
}

/// <summary>A place in each partition.</summary>
public sealed class KafkaOffsets
{
    private KafkaOffsets(string name) => Name = name;

    /// <summary>The first message that is there.</summary>
    public static KafkaOffsets Earliest { get; } = new("earliest");

    /// <summary>Behind the last message that is there: at a start, what comes from then on.</summary>
    public static KafkaOffsets Latest { get; } = new("latest");

    internal string Name { get; }

    internal IReadOnlyDictionary<KafkaPartition, long>? Known { get; private init; }

    private DateTimeOffset? Time { get; init; }

    private IReadOnlyDictionary<KafkaPartition, DateTimeOffset>? Times { get; init; }

    /// <summary>These offsets. Partitions that are not named begin with their first message, and as an end stand for their last.</summary>
    /// <param name="offsets">The next offset of each partition.</param>
    /// <exception cref="ArgumentOutOfRangeException">An offset is negative.</exception>
    public static KafkaOffsets At(IReadOnlyDictionary<KafkaPartition, long> offsets)
    {
        ArgumentNullException.ThrowIfNull(offsets);
        foreach (var (partition, offset) in offsets) ArgumentOutOfRangeException.ThrowIfNegative(offset, partition.ToString());
        return new("at") { Known = new Dictionary<KafkaPartition, long>(offsets) };
    }

    /// <summary>In each partition the first message that is not older than a time; behind the last one where all are older.</summary>
    /// <remarks>Times are those of the column <c>timestamp</c>. Brokers find them by their index: a message that is older may follow one that is not. A broker that keeps no times (before
    /// 0.10) finds none.</remarks>
    /// <param name="time">The time. As an end, messages from then on are not read.</param>
    public static KafkaOffsets Since(DateTimeOffset time) => new("since") { Time = time };

    /// <summary>As <see cref="Since(DateTimeOffset)"/>, with a time for each partition. Partitions that are not named begin with their first message, and as an end stand for their last.</summary>
    /// <param name="times">The times.</param>
    public static KafkaOffsets Since(IReadOnlyDictionary<KafkaPartition, DateTimeOffset> times)
    {
        ArgumentNullException.ThrowIfNull(times);
        return new("since") { Times = new Dictionary<KafkaPartition, DateTimeOffset>(times) };
    }

    internal DateTimeOffset? TimeOf(KafkaPartition partition) => Time ?? (Times is not null && Times.TryGetValue(partition, out var time) ? time : null);
}
