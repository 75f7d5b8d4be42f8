using Dataflow.Streaming.Kafka;
using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>Topics of brokers in another process, read as streams.</summary>
public sealed class KafkaSourceTests(KafkaClusterProcess cluster) : IClassFixture<KafkaClusterProcess>
{
    private const string Library = "librdkafka.so.1";
    private const string Package = "librdkafka1";
    private static readonly StreamingQueryOptions Available = new() { Trigger = Trigger.AvailableNow };

    [FactRequiringNative(Library, Package)]
    public async Task All_messages_of_all_partitions_come_once_with_all_their_columns()
    {
        var topic = cluster.Topic(3);
        for (var partition = 0; partition < 3; partition++) KafkaMessages.Write(cluster.Servers, topic, partition, Enumerable.Range(0, 20).Select(i => ($"key {i}", Value(partition, i)))!);
        KafkaMessages.Write(cluster.Servers, topic, 1, [(null, "no key"), ("no value", null), ("", ""), (null, null)]);
        await using var context = DataflowContext.Local(2);
        var rows = await Read(context.ReadStream.Kafka(new KafkaSourceOptions { Servers = cluster.Servers, Topics = [topic], IncludeHeaders = true }));
        Assert.Equal(64, rows.Count);
        var byPlace = rows.ToDictionary(row => (row.Get<int>("partition"), row.Get<long>("offset")));
        for (var partition = 0; partition < 3; partition++)
        {
            for (var i = 0; i < 20; i++)
            {
                var row = byPlace[(partition, i)];
                Assert.Equal((topic, $"key {i}", Value(partition, i)), (row.Get<string>("topic"), Text(row, "key"), Text(row, "value")));
                Assert.Equal(0, row.Get<int>("timestamp_type"));
                Assert.InRange(row.Get<DateTimeOffset>("timestamp"), DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddMinutes(1));
                Assert.Null(row["headers"]);
            }
        }
        Assert.Equal([(null, "no key"), ("no value", null), ("", ""), (null, null)], Enumerable.Range(20, 4).Select(i => (Text(byPlace[(1, i)], "key"), Text(byPlace[(1, i)], "value"))));
    }

    [FactRequiringNative(Library, Package)]
    public async Task Batches_take_no_more_than_they_may_and_no_partition_waits_for_ever()
    {
        var topic = cluster.Topic(4);
        for (var partition = 0; partition < 4; partition++) KafkaMessages.Write(cluster.Servers, topic, partition, Numbers(0, 50 + partition));
        await using var context = DataflowContext.Local(2);
        var sink = new MemorySink();
        await using var query = Values(context.ReadStream.Kafka(new KafkaSourceOptions { Servers = cluster.Servers, Topics = [topic], MaxOffsetsPerTrigger = 30 })).WriteStream.Start(sink, Available);
        await query.AwaitTerminationAsync();
        Assert.All(query.RecentProgress, batch => Assert.InRange(batch.InputRows, 1, 30));
        Assert.Equal(206, sink.Rows.Count);
        for (var partition = 0; partition < 4; partition++)
            Assert.Equal(Numbers(0, 50 + partition), sink.Rows.Where(row => row.Get<int>("partition") == partition).Select(row => row.Get<string>("value")));
    }

    [FactRequiringNative(Library, Package)]
    public async Task Large_partitions_are_read_by_several_tasks_in_their_order()
    {
        var topic = cluster.Topic(2);
        for (var partition = 0; partition < 2; partition++) KafkaMessages.Write(cluster.Servers, topic, partition, Numbers(0, 20_000));
        await using var context = DataflowContext.Local(2);
        foreach (var tasks in new[] { 0, 7 })
        {
            var frame = context.Read.Kafka(new KafkaSourceOptions { Servers = cluster.Servers, Topics = [topic], MinPartitions = tasks });
            var rows = Values(frame).Collect();
            Assert.Equal(40_000, rows.Count);
            for (var partition = 0; partition < 2; partition++)
                Assert.Equal(Numbers(0, 20_000), rows.Where(row => row.Get<int>("partition") == partition).Select(row => row.Get<string>("value")));
        }
    }

    [FactRequiringNative(Library, Package)]
    public async Task Topics_that_come_later_and_partitions_by_name_and_offset_are_found()
    {
        var prefix = $"p{Guid.NewGuid():N}";
        cluster.Create($"{prefix}-a", 1);
        KafkaMessages.Write(cluster.Servers, $"{prefix}-a", 0, Numbers(0, 5));
        await using var context = DataflowContext.Local(2);
        var sink = new MemorySink();
        var options = new KafkaSourceOptions { Servers = cluster.Servers, Pattern = $"{prefix}-[a-z]", DiscoveryInterval = TimeSpan.Zero, Starting = KafkaOffsets.Latest };
        await using (var query = context.ReadStream.Kafka(options).Select(Col("topic"), Col("value").Cast("string").As("value")).WriteStream.Start(sink))
        {
            await query.ProcessAllAvailableAsync();
            Assert.Empty(sink.Rows);
            cluster.Create($"{prefix}-b", 2);
            cluster.Create($"{prefix}-2", 1);
            KafkaMessages.Write(cluster.Servers, $"{prefix}-a", 0, ["a"]);
            KafkaMessages.Write(cluster.Servers, $"{prefix}-b", 1, ["b"]);
            KafkaMessages.Write(cluster.Servers, $"{prefix}-2", 0, ["not wanted"]);
            await query.ProcessAllAvailableAsync().WaitAsync(TimeSpan.FromMinutes(1));
            Assert.Equal(["a", "b"], sink.Rows.Select(row => row.Get<string>("value")).Order());
        }
        var named = new KafkaPartition($"{prefix}-a", 0);
        var table = context.Read.Kafka(new KafkaSourceOptions
        {
            Servers = cluster.Servers, Partitions = [named], Starting = KafkaOffsets.At(new Dictionary<KafkaPartition, long> { [named] = 2 }),
            Ending = KafkaOffsets.At(new Dictionary<KafkaPartition, long> { [named] = 4 }),
        });
        Assert.Equal(["2", "3"], Values(table).Collect().Select(row => row.Get<string>("value")));
    }

    [FactRequiringNative(Library, Package)]
    public async Task A_query_waits_for_a_broker_that_fell_and_goes_on_when_it_is_back()
    {
        using var own = new KafkaClusterProcess();
        var topic = own.Topic(2);
        KafkaMessages.Write(own.Servers, topic, 0, Numbers(0, 10));
        await using var context = DataflowContext.Local(2);
        var sink = new MemorySink();
        await using var query = Values(context.ReadStream.Kafka(own.Servers, topic)).WriteStream.Start(sink);
        await query.ProcessAllAvailableAsync().WaitAsync(TimeSpan.FromMinutes(1));
        own.Tell("down 1");
        var waiting = query.ProcessAllAvailableAsync();
        own.Tell("up 1");
        KafkaMessages.Write(own.Servers, topic, 1, Numbers(10, 20));
        await waiting.WaitAsync(TimeSpan.FromMinutes(1));
        await query.ProcessAllAvailableAsync().WaitAsync(TimeSpan.FromMinutes(1));

        // And when another one leads, in the middle of what was being fetched.
        own.Tell($"leader {topic} 1 3");
        own.Tell("down 1");
        own.Tell("up 1");
        KafkaMessages.Write(own.Servers, topic, 1, Numbers(20, 30));
        await query.ProcessAllAvailableAsync().WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(Numbers(0, 30), sink.Rows.Select(row => row.Get<string>("value")).OrderBy(int.Parse));
    }

    [FactRequiringNative(Library, Package)]
    public async Task Leaders_that_move_are_found_for_topics_by_pattern()
    {
        using var own = new KafkaClusterProcess();
        var topic = own.Topic(1);
        await using var context = DataflowContext.Local(1);
        var sink = new MemorySink();
        var options = new KafkaSourceOptions { Servers = own.Servers, Pattern = topic[..^1] + ".", DiscoveryInterval = TimeSpan.FromDays(1) };
        await using var query = Values(context.ReadStream.Kafka(options)).WriteStream.Start(sink);
        for (var leader = 1; leader <= 3; leader++)
        {
            own.Tell($"leader {topic} 0 {leader}");
            KafkaMessages.Write(own.Servers, topic, 0, [$"{leader}"]);
            await query.ProcessAllAvailableAsync().WaitAsync(TimeSpan.FromMinutes(1));
        }
        Assert.Equal(["1", "2", "3"], sink.Rows.Select(row => row.Get<string>("value")));
    }

    [FactRequiringNative(Library, Package)]
    public async Task Messages_that_are_gone_are_named_or_passed_over()
    {
        // Brokers keep about 5 MB a partition.
        using var folder = new TempDirectory();
        var topic = cluster.Topic(1);
        KafkaMessages.Write(cluster.Servers, topic, 0, Numbers(0, 10));
        await using var context = DataflowContext.Local(2);
        var options = new KafkaSourceOptions { Servers = cluster.Servers, Topics = [topic] };
        var kept = Available with { Checkpoint = folder.Combine("checkpoint") };
        await using (var first = context.ReadStream.Kafka(options).WriteStream.Start(new MemorySink(), kept)) await first.AwaitTerminationAsync();
        var large = new string('x', 2000);
        KafkaMessages.Write(cluster.Servers, topic, 0, Enumerable.Range(0, 6000).Select(_ => large));

        await using (var failing = context.ReadStream.Kafka(options).WriteStream.Start(new MemorySink(), kept))
        {
            var error = await Assert.ThrowsAsync<StreamingException>(() => failing.AwaitTerminationAsync());
            Assert.Equal("KAFKA_DATA_LOSS", error.Kind);
            Assert.Matches(@$"{topic}\[0\] has offsets \d+ to 6009, and 10 is wanted", error.Message);
        }
        var gaps = new List<KafkaGap>();
        var sink = new MemorySink();
        await using (var passing = Values(context.ReadStream.Kafka(options with { DataLoss = KafkaDataLoss.Skip, OnGap = gaps.Add })).WriteStream.Start(sink, kept)) await passing.AwaitTerminationAsync();
        var gap = Assert.Single(gaps);
        Assert.Equal((10, 6010), (gap.Wanted, gap.End));
        Assert.Equal(6010 - gap.First, sink.Rows.Count);

        // Gone after the batch was planned: the task finds it.
        var table = new KafkaTable(new KafkaSource(options), [new KafkaRange(new(topic, 0), 3, 12)]);
        var late = Assert.ThrowsAny<Exception>(() => context.Read.Table(table).Collect());
        Assert.Contains("KAFKA_DATA_LOSS", late.ToString(), StringComparison.Ordinal);
    }

    [FactRequiringNative(Library, Package)]
    public async Task Partitions_that_a_topic_has_got_are_read_from_their_beginning()
    {
        // A topic can't be given partitions here: another cluster has the same one with more.
        using var folder = new TempDirectory();
        using var other = new KafkaClusterProcess();
        var topic = cluster.Topic(1, "growing");
        KafkaMessages.Write(cluster.Servers, topic, 0, Numbers(0, 10));
        other.Create(topic, 3);
        KafkaMessages.Write(other.Servers, topic, 0, Numbers(0, 12));
        KafkaMessages.Write(other.Servers, topic, 2, Numbers(12, 20));
        await using var context = DataflowContext.Local(2);
        var sink = new MemorySink();
        foreach (var servers in new[] { cluster.Servers, other.Servers })
        {
            await using var query = Values(context.ReadStream.Kafka(servers, topic)).WriteStream.Start(sink, Available with { Checkpoint = folder.Combine("checkpoint") });
            await query.AwaitTerminationAsync();
        }
        Assert.Equal(Numbers(0, 20), sink.Rows.Select(row => row.Get<string>("value")).OrderBy(int.Parse));
    }

    [FactRequiringNative(Library, Package)]
    public async Task Wrong_addresses_topics_and_settings_are_named_in_time()
    {
        await using var context = DataflowContext.Local(1);
        var options = new KafkaSourceOptions { Servers = "127.0.0.1:1", Topics = ["none"], Timeout = TimeSpan.FromSeconds(1) };
        var unreachable = await Failure(context, options);
        Assert.Equal("KAFKA_UNREACHABLE", unreachable.Kind);
        Assert.Contains("127.0.0.1:1", unreachable.Message, StringComparison.Ordinal);

        var topic = cluster.Topic(1);
        var partition = await Failure(context, options with { Servers = cluster.Servers, Topics = [], Partitions = [new(topic, 7)] });
        Assert.Equal("KAFKA_PARTITION_UNKNOWN", partition.Kind);
        Assert.Contains($"have no {topic}[7]; they have {topic}[0]", partition.Message, StringComparison.Ordinal);

        var wrong = options with { Settings = new Dictionary<string, string> { ["fetch.wait"] = "1" } };
        var setting = Assert.Throws<StreamingException>(() => context.ReadStream.Kafka(wrong).WriteStream.Start(new MemorySink()));
        Assert.Equal("KAFKA_SETTING", setting.Kind);
        Assert.Throws<ArgumentException>(() => new KafkaSource(options with { Settings = new Dictionary<string, string> { ["auto.offset.reset"] = "latest" } }));
        Assert.Throws<ArgumentException>(() => new KafkaSource(options with { Pattern = "x" }));
        Assert.Throws<ArgumentException>(() => new KafkaSource(options with { Topics = [] }));

        static async Task<StreamingException> Failure(DataflowContext context, KafkaSourceOptions options)
        {
            await using var query = context.ReadStream.Kafka(options).WriteStream.Start(new MemorySink());
            return await Assert.ThrowsAsync<StreamingException>(() => query.AwaitTerminationAsync().WaitAsync(TimeSpan.FromMinutes(1)));
        }
    }

    [FactRequiringNative(Library, Package)]
    public async Task A_query_without_brokers_says_so_goes_on_when_they_come_and_ends_when_they_stay_away()
    {
        using var own = new KafkaClusterProcess();
        var topic = own.Topic(1);
        KafkaMessages.Write(own.Servers, topic, 0, Numbers(0, 3));
        await using var context = DataflowContext.Local(1);
        var sink = new MemorySink();
        await using (var query = Values(context.ReadStream.Kafka(own.Servers, topic)).WriteStream.Start(sink))
        {
            await query.ProcessAllAvailableAsync().WaitAsync(TimeSpan.FromMinutes(1));
            Assert.DoesNotContain("not answered", query.Status.Message, StringComparison.Ordinal);
            for (var broker = 1; broker <= 3; broker++) own.Tell($"down {broker}");
            await StatusAsync(query, $"Kafka at {own.Servers} has not answered for ");
            for (var broker = 1; broker <= 3; broker++) own.Tell($"up {broker}");
            KafkaMessages.Write(own.Servers, topic, 0, Numbers(3, 5));
            await query.ProcessAllAvailableAsync().WaitAsync(TimeSpan.FromMinutes(1));
            Assert.Equal(Numbers(0, 5), sink.Rows.Select(row => row.Get<string>("value")));
            Assert.DoesNotContain("not answered", query.Status.Message, StringComparison.Ordinal);
        }

        // Nobody listens there.
        var nobody = new KafkaSourceOptions { Servers = "127.0.0.1:1", Topics = ["none"], Timeout = TimeSpan.FromSeconds(1.5) };
        await using var alone = context.ReadStream.Kafka(nobody).WriteStream.Start(new MemorySink());
        await StatusAsync(alone, "127.0.0.1:1");
        Assert.Equal("KAFKA_UNREACHABLE", (await Assert.ThrowsAsync<StreamingException>(() => alone.AwaitTerminationAsync().WaitAsync(TimeSpan.FromMinutes(1)))).Kind);

        static async Task StatusAsync(StreamingQuery query, string words)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
            while (!query.Status.Message.Contains(words, StringComparison.Ordinal))
            {
                Assert.True(query.IsActive && !patience.IsCancellationRequested, query.Status.Message);
                await Task.Yield();
            }
        }
    }

    internal static IEnumerable<string> Numbers(int from, int until) => Enumerable.Range(from, until - from).Select(i => $"{i}");

    internal static DataFrame Values(DataFrame frame) => frame.Select(Col("partition"), Col("value").Cast("string").As("value"));

    private static async Task<IReadOnlyList<Row>> Read(DataFrame frame)
    {
        var sink = new MemorySink();
        await using var query = frame.WriteStream.Start(sink, Available);
        await query.AwaitTerminationAsync();
        return sink.Rows;
    }

    // Long ones too, which views point at.
    private static string Value(int partition, int i) => $"value {i} of {partition} {new string('.', i)}";

    private static string? Text(Row row, string column) => row[column] is byte[] bytes ? System.Text.Encoding.UTF8.GetString(bytes) : null;
}
