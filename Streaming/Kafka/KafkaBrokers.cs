using System.Diagnostics;
using static Dataflow.Streaming.Kafka.Librdkafka;

namespace Dataflow.Streaming.Kafka;

/// <summary>Asks brokers what there is. Waits where they do not answer, up to a time.</summary>
internal sealed unsafe class KafkaBrokers(KafkaSourceOptions options, KafkaSetting[] settings) : IDisposable
{
    /// <summary>Asks for where a partition ends.</summary>
    public const long Latest = -1;

    private const long Earliest = -2;
    private const int StepMs = 500;

    private readonly KafkaClient _client = new(KafkaClient.Consumer, settings);
    private readonly System.Text.RegularExpressions.Regex? _pattern = options.Pattern is { } pattern ? new($"^(?:{pattern})$", System.Text.RegularExpressions.RegexOptions.CultureInvariant) : null;

    // Written by who asks, read by who wants to know the query's status.
    private volatile Func<string>? _problem;
    private Stopwatch? _silent;

    // Of all topics, or of those that are named.
    private int AsksForAll => _pattern is null ? 0 : 1;

    /// <summary>What is wrong, with which broker, since when; null if all answer.</summary>
    public string? Problem => _problem?.Invoke();

    /// <summary>The partitions that the options name and brokers have.</summary>
    /// <exception cref="StreamingException">No broker answers, or one says that it does not give a topic; names it.</exception>
    public List<KafkaPartition> Partitions(CancellationToken cancellation)
    {
        foreach (var topic in options.Topics.Concat(options.Partitions.Select(each => each.Topic)).Distinct()) _client.Topic(topic);
        nint answer = 0;
        var found = new List<KafkaPartition>();
        var clock = Stopwatch.StartNew();
        while (true)
        {
            Ask("what topics there are", clock, limit =>
            {
                KafkaMetadata* given;
                var error = rd_kafka_metadata(_client.Handle, AsksForAll, 0, &given, limit);
                answer = error == KafkaError.None ? (nint)given : 0;
                return error;
            }, cancellation);
            var metadata = (KafkaMetadata*)answer;
            found.Clear();
            var (unsettled, missing) = ("", options.Topics.Concat(options.Partitions.Select(each => each.Topic)).ToHashSet());
            for (var i = 0; i < metadata->TopicCount; i++)
            {
                ref var topic = ref metadata->Topics[i];
                var name = KafkaClient.TextOf(topic.Topic);
                missing.Remove(name);
                if (!IsWanted(name)) continue;
                if (topic.Error is KafkaError.TopicAuthorizationFailed or KafkaError.ClusterAuthorizationFailed)
                {
                    rd_kafka_metadata_destroy(metadata);
                    throw new StreamingException("KAFKA_NOT_ALLOWED",
                        $"{options.Servers} do not let us read the topic '{name}' ({KafkaClient.Describe(topic.Error)}). Give who is named in the settings the right to read it.");
                }
                if (topic.Error != KafkaError.None) unsettled = $"'{name}': {KafkaClient.Describe(topic.Error)}";
                for (var p = 0; p < topic.PartitionCount; p++) found.Add(new(name, topic.Partitions[p].Id));
            }
            rd_kafka_metadata_destroy(metadata);
            if (missing.Count > 0) unsettled = $"'{missing.First()}': no broker names it";

            // A topic that was only just made has no leader yet.
            if (unsettled.Length == 0) break;
            if (clock.Elapsed > options.Timeout)
                throw new StreamingException("KAFKA_TOPIC_UNKNOWN", $"{options.Servers} have no topic that can be read as {unsettled}. Check the name, or make the topic before the query starts.");
            _problem = () => $"Kafka at {options.Servers} has had no topic for {clock.Elapsed.TotalSeconds:0} s that can be read as {unsettled}; it is asked again until {options.Timeout.TotalSeconds:0.#} s are over";
            cancellation.ThrowIfCancellationRequested();
            _client.Poll(50);
        }
        if (options.Partitions.Count == 0) return found;
        var absent = options.Partitions.Except(found).Select(each => each.ToString()).ToArray();
        if (absent.Length > 0)
            throw new StreamingException("KAFKA_PARTITION_UNKNOWN", $"{options.Servers} have no {string.Join(", ", absent)}; they have {string.Join(", ", found.Order())}.");
        return [.. options.Partitions.Distinct()];
    }

    /// <summary>Behind the last message of each partition.</summary>
    public Dictionary<KafkaPartition, long> Ends(IReadOnlyCollection<KafkaPartition> partitions, CancellationToken cancellation) =>
        Offsets(partitions, static _ => Latest, "where partitions end", cancellation);

    /// <summary>The first message of each partition.</summary>
    public Dictionary<KafkaPartition, long> Firsts(IReadOnlyCollection<KafkaPartition> partitions, CancellationToken cancellation) =>
        Offsets(partitions, static _ => Earliest, "where partitions begin", cancellation);

    /// <summary>The first message of each partition that is not older than a time, of those partitions that have one.</summary>
    public Dictionary<KafkaPartition, long> Since(IReadOnlyDictionary<KafkaPartition, DateTimeOffset> times, CancellationToken cancellation) =>
        Offsets(times.Keys.ToArray(), partition => Math.Max(0, CeilingMs(times[partition])), "where a time is in partitions", cancellation).Where(each => each.Value >= 0).ToDictionary();

    /// <summary>Whether the options name a topic.</summary>
    public bool IsWanted(string topic) => _pattern is not null ? _pattern.IsMatch(topic)
        : options.Partitions.Count > 0 ? options.Partitions.Any(each => each.Topic == topic) : options.Topics.Contains(topic);

    public void Dispose() => _client.Dispose();

    // Brokers count in milliseconds: a message of the one in which the time lies may be older than it.
    private static long CeilingMs(DateTimeOffset time) => (time.UtcTicks - DateTime.UnixEpoch.Ticks + TimeSpan.TicksPerMillisecond - 1) / TimeSpan.TicksPerMillisecond;

    private Dictionary<KafkaPartition, long> Offsets(IReadOnlyCollection<KafkaPartition> partitions, Func<KafkaPartition, long> time, string what, CancellationToken cancellation)
    {
        var offsets = new Dictionary<KafkaPartition, long>();
        if (partitions.Count == 0) return offsets;
        var list = rd_kafka_topic_partition_list_new(partitions.Count);
        try
        {
            foreach (var partition in partitions) rd_kafka_topic_partition_list_add(list, partition.Topic, partition.Partition);
            long[] times = [.. partitions.Select(time)];
            Ask(what, Stopwatch.StartNew(), limit =>
            {
                for (var i = 0; i < list->Count; i++) list->Items[i].Offset = times[i];
                var error = rd_kafka_offsets_for_times(_client.Handle, list, limit);
                for (var i = 0; i < list->Count && error == KafkaError.None; i++) error = list->Items[i].Error;
                if (error is KafkaError.NotLeader or KafkaError.LeaderNotAvailable or KafkaError.UnknownTopicOrPartition) FindLeaders(limit);
                return error;
            }, cancellation);
            for (var i = 0; i < list->Count; i++) offsets[new(KafkaClient.TextOf(list->Items[i].Topic), list->Items[i].Partition)] = list->Items[i].Offset;
            return offsets;
        }
        finally
        {
            rd_kafka_topic_partition_list_destroy(list);
        }
    }

    // Who leads a partition is remembered, and where offsets are asked for nothing forgets it when a broker says that it leads no more.
    private void FindLeaders(int limit)
    {
        KafkaMetadata* answer;
        if (rd_kafka_metadata(_client.Handle, AsksForAll, 0, &answer, limit) == KafkaError.None) rd_kafka_metadata_destroy(answer);
    }

    // Brokers come and go, leaders move: it is asked again until the time is over.
    private void Ask(string what, Stopwatch clock, Func<int, KafkaError> ask, CancellationToken cancellation)
    {
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var error = ask(StepMs);
            while (_client.Poll(0)) { }
            if (error == KafkaError.None)
            {
                (_problem, _silent) = (null, null);
                return;
            }
            var (since, said) = (_silent ??= clock, _client.LastError.Length > 0 ? _client.LastError : KafkaClient.Describe(error));
            _problem = () => $"Kafka at {options.Servers} has not answered for {since.Elapsed.TotalSeconds:0} s ({said}); it is asked again until {options.Timeout.TotalSeconds:0.#} s are over";
            if (clock.Elapsed <= options.Timeout && !_client.IsRefused)
            {
                _client.Poll(20);
                continue;
            }
            var cause = _client.LastError.Length == 0 ? "" : $" The last thing that went wrong: {_client.LastError}.";
            throw new StreamingException(_client.IsRefused ? "KAFKA_REFUSED" : "KAFKA_UNREACHABLE",
                $"Kafka at {options.Servers} did not say within {options.Timeout.TotalSeconds:0.#} s {what}: {KafkaClient.Describe(error)}.{cause} "
                + "Check the addresses, that the brokers run, and the settings for security.");
        }
    }
}
