using System.Diagnostics;
using Dataflow.Cluster.Tests;
using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>Rows that become messages, on one process and on executors, and programs of others at the other end.</summary>
public sealed class KafkaSinkTests(KafkaClusterProcess cluster) : IClassFixture<KafkaClusterProcess>
{
    private const string Library = "librdkafka.so.1";
    private const string Package = "librdkafka1";
    private static readonly StreamingQueryOptions Available = new() { Trigger = Trigger.AvailableNow };

    [FactRequiringNative(Library, Package)]
    public async Task Rows_come_as_messages_and_equal_keys_to_one_partition()
    {
        var topic = cluster.Topic(4);
        await using var context = DataflowContext.Local(2);
        var source = new MemorySource<Line>(context, maxRowsPerTrigger: 400);
        for (var i = 0; i < 3; i++) source.Add(Enumerable.Range(i * 400, 400).Select(n => new Line($"key {n % 50}", $"value {n}")));
        await using (var query = context.ReadStream.From(source).Select(Col("Key").As("key"), Col("Value").As("value")).WriteStream.Kafka(cluster.Servers, topic, Available)) await query.AwaitTerminationAsync();
        var rows = ReadAll(context, topic);
        Assert.Equal(Enumerable.Range(0, 1200).Select(n => $"value {n}").Order(), rows.Select(row => row.Get<string>("value")).Order());
        Assert.True(rows.Select(row => row.Get<int>("partition")).Distinct().Count() == 4);
        Assert.All(rows.GroupBy(row => row.Get<string>("key")), group => Assert.Single(group.Select(row => row.Get<int>("partition")).Distinct()));
    }

    [FactRequiringNative(Library, Package)]
    public async Task Rows_say_their_topic_partition_headers_and_nulls()
    {
        var (one, two) = (cluster.Topic(3), cluster.Topic(3));
        await using var context = DataflowContext.Local(1);
        var source = new MemorySource<Routed>(context);
        source.Add(
            new Routed(one, 2, null, "a", null), new Routed(two, 1, "k", "b", "[{\"key\":\"trace\",\"value\":\"é\"},{\"key\":\"none\",\"value\":null},{\"key\":\"trace\",\"value\":\"\"}]"),
            new Routed(one, 0, "", null, "[]"), new Routed(one, 2, "k", "", null));
        var rows = context.ReadStream.From(source).Select(Col("Topic").As("topic"), Col("Partition").As("partition"), Col("Key").As("key"), Col("Value").As("value"), Col("Headers").As("headers"));
        await using (var query = rows.WriteStream.Kafka(cluster.Servers, options: Available)) await query.AwaitTerminationAsync();
        var read = context.Read.Kafka(new KafkaSourceOptions { Servers = cluster.Servers, Topics = [one, two], IncludeHeaders = true })
            .Select(Col("topic"), Col("partition"), Col("key").Cast("string").As("key"), Col("value").Cast("string").As("value"), Col("headers")).Collect();
        Assert.Equal(
            [$"{one} 2 null 'a' null", $"{one} 2 'k' '' null", $"{one} 0 '' null null", $"{two} 1 'k' 'b' '[{{\"key\":\"trace\",\"value\":\"\\u00E9\"}},{{\"key\":\"none\",\"value\":null}},{{\"key\":\"trace\",\"value\":\"\"}}]'"],
            read.OrderBy(row => row.Get<string>("topic") == two).ThenByDescending(row => row.Get<int>("partition")).Select(row =>
                $"{row["topic"]} {row["partition"]} {Shown(row["key"])} {Shown(row["value"])} {Shown(row["headers"])}"));
        static string Shown(object? value) => value is null ? "null" : $"'{value}'";
    }

    [FactRequiringNative(Library, Package)]
    public async Task What_is_not_delivered_ends_the_query_with_its_name()
    {
        using var own = new KafkaClusterProcess();
        var topic = own.Topic(1);
        await using var context = DataflowContext.Local(1);
        var source = new MemorySource<Line>(context);
        source.Add(new Line("k", new string('x', 2000)));
        var rows = context.ReadStream.From(source).Select(Col("Value").As("value"));

        var large = await Failure(rows, new KafkaSink(own.Servers, topic, new Dictionary<string, string> { ["message.max.bytes"] = "1000" }));
        Assert.Contains($"A message to {topic}[", large, StringComparison.Ordinal);
        Assert.Contains("MSG_SIZE_TOO_LARGE", large, StringComparison.Ordinal);

        own.Tell("down 1");
        own.Tell("down 2");
        own.Tell("down 3");
        var silent = await Failure(rows, new KafkaSink(own.Servers, topic, timeout: TimeSpan.FromMilliseconds(300)));
        Assert.Contains("KAFKA_DELIVERY", silent, StringComparison.Ordinal);
        Assert.Contains($"A message to {topic}[", silent, StringComparison.Ordinal);
        Assert.Contains("_MSG_TIMED_OUT", silent, StringComparison.Ordinal);

        foreach (var (frame, sink, said) in new[]
        {
            (rows.Select(Col("value").As("word")), new KafkaSink(own.Servers, topic), "no place for the column 'word'"),
            (rows.Select(Col("value").As("key")), new KafkaSink(own.Servers, topic), "no column 'value'"),
            (rows.Select(Length(Col("value")).As("value")), new KafkaSink(own.Servers, topic), "Cast it"),
            (rows, new KafkaSink(own.Servers), "which topic"),
        }) Assert.Contains(said, await Failure(frame, sink), StringComparison.Ordinal);

        static async Task<string> Failure(DataFrame rows, KafkaSink sink)
        {
            await using var query = rows.WriteStream.Start(sink, Available);
            return (await Assert.ThrowsAnyAsync<Exception>(() => query.AwaitTerminationAsync().WaitAsync(TimeSpan.FromMinutes(1)))).ToString();
        }
    }

    [FactRequiringTool("kcat")]
    public async Task Other_programs_read_what_is_written_and_write_what_is_read()
    {
        var topic = cluster.Topic(2);
        await using var context = DataflowContext.Local(2);
        CommandLineTool.Run("kcat", $"-P -b {cluster.Servers} -t {topic} -p 1 -K: -H trace=7", System.Text.Encoding.UTF8.GetBytes("a:one\nb:two\n"));
        var sink = new MemorySink();
        await using (var query = context.ReadStream.Kafka(new KafkaSourceOptions { Servers = cluster.Servers, Topics = [topic], IncludeHeaders = true })
            .Select(Col("key").Cast("string").As("key"), Col("value").Cast("string").As("value"), Col("headers")).WriteStream.Start(sink, Available)) await query.AwaitTerminationAsync();
        Assert.Equal(["a one [{\"key\":\"trace\",\"value\":\"7\"}]", "b two [{\"key\":\"trace\",\"value\":\"7\"}]"], sink.Rows.Select(row => $"{row["key"]} {row["value"]} {row["headers"]}").Order());

        var back = cluster.Topic(2);
        await using (var query = context.ReadStream.Kafka(cluster.Servers, topic).Select(Col("key"), Upper(Col("value").Cast("string")).As("value"), Lit(1).As("partition"))
            .WriteStream.Kafka(cluster.Servers, back, Available)) await query.AwaitTerminationAsync();
        var read = System.Text.Encoding.UTF8.GetString(CommandLineTool.Run("kcat", $"-C -b {cluster.Servers} -t {back} -o beginning -e -q -f %p:%k:%s\\n", []));
        Assert.Equal(["1:a:ONE", "1:b:TWO"], read.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
    }

    [FactRequiringNative(Library, Package)]
    public async Task Executors_read_and_write_and_one_that_is_killed_loses_nothing()
    {
        var (from, to) = (cluster.Topic(4), cluster.Topic(4));
        for (var partition = 0; partition < 4; partition++) KafkaMessages.Write(cluster.Servers, from, partition, KafkaSourceTests.Numbers(partition * 100, (partition * 100) + 100));
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var one = new WorkerProcess(context.Cluster.Url.ToString());
        using var two = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(2, TimeSpan.FromMinutes(1));
        var options = new KafkaSourceOptions { Servers = cluster.Servers, Topics = [from], MaxOffsetsPerTrigger = 80, MinPartitions = 4 };
        await using var query = context.ReadStream.Kafka(options).Select(Col("value")).WriteStream.Kafka(cluster.Servers, to, Available);
        var batches = 0;
        query.BatchCompleted += _ =>
        {
            if (++batches == 2) one.KillExecutors();
        };
        await query.AwaitTerminationAsync().WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(5, query.RecentProgress.Count);

        // At least once: a task that went with its executor may have written before.
        await using var local = DataflowContext.Local(1);
        Assert.Equal(KafkaSourceTests.Numbers(0, 400).Order(), ReadAll(local, to).Select(row => row.Get<string>("value")).Distinct().Order());
    }

    [FactRequiringNative(Library, Package)]
    public async Task A_process_that_is_killed_after_any_step_loses_and_doubles_nothing()
    {
        await Task.WhenAll(new[] { "planned", "written", "committed" }.Select(KillAsync));

        async Task KillAsync(string step)
        {
            using var folder = new TempDirectory();
            var topic = cluster.Topic(3);
            for (var partition = 0; partition < 3; partition++) KafkaMessages.Write(cluster.Servers, topic, partition, KafkaSourceTests.Numbers(partition * 50, (partition * 50) + 50));
            Assert.NotEqual(0, await KafkaQuery.RunAsync(cluster.Servers, topic, folder.Path, step));
            Assert.Equal(0, await KafkaQuery.RunAsync(cluster.Servers, topic, folder.Path, ""));
            await using var context = DataflowContext.Local(1);
            Assert.Equal(KafkaSourceTests.Numbers(0, 150), context.Read.Json(folder.Combine("out")).Collect().Select(row => row["value"]!.ToString()!).OrderBy(int.Parse));
        }
    }

    private IReadOnlyList<Row> ReadAll(DataflowContext context, string topic) => context.Read.Kafka(new KafkaSourceOptions { Servers = cluster.Servers, Topics = [topic] })
        .Select(Col("partition"), Col("key").Cast("string").As("key"), Col("value").Cast("string").As("value")).Collect();

    public sealed record Line(string Key, string Value);

    public sealed record Routed(string Topic, int Partition, string? Key, string? Value, string? Headers);
}

/// <summary>From a topic into files, in a process of its own that ends at its third batch.</summary>
internal static class KafkaQuery
{
    public const string Command = "kafka-query";

    public static async Task<int> RunAsync(string servers, string topic, string folder, string step)
    {
        using var process = Process.Start(new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", ["exec", typeof(Program).Assembly.Location, Command, servers, topic, folder, step]))!;
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
            return process.ExitCode;
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    public static async Task<int> MainAsync(string[] arguments)
    {
        await using var context = DataflowContext.Local(2);
        var options = new KafkaSourceOptions { Servers = arguments[1], Topics = [arguments[2]], MaxOffsetsPerTrigger = 40 };
        await using var query = KafkaSourceTests.Values(context.ReadStream.Kafka(options)).WriteStream.Start(FileSink.Json(Path.Combine(arguments[3], "out")), new StreamingQueryOptions
        {
            Checkpoint = Path.Combine(arguments[3], "checkpoint"),
            Trigger = Trigger.AvailableNow,
            Reached = (reached, batch) =>
            {
                if (reached == arguments[4] && batch == 2) Process.GetCurrentProcess().Kill();
            },
        });
        await query.AwaitTerminationAsync();
        return 0;
    }
}
