using System.Globalization;
using System.Text;
using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests.Mqtt;

/// <summary>Messages of a broker as rows: what comes, comes once, whatever ends the query or the broker.</summary>
public sealed class MqttSourceTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [FactRequiringTool("mosquitto", "mosquitto mosquitto-clients")]
    public async Task Messages_are_rows_with_topic_payload_quality_retained_flag_and_time()
    {
        using var broker = new MosquittoBroker();
        broker.Publish("rooms/1/door", ["open"], "-q 1 -r");
        await using var context = DataflowContext.Local(1);
        foreach (var version in new[] { MqttVersion.V311, MqttVersion.V5 })
        {
            var before = DateTimeOffset.UtcNow.AddMinutes(-1);
            await using var run = new Run(context.ReadStream.Mqtt(broker.Options with { Version = version }, "rooms/#"));
            await run.WaitForAsync(1);
            broker.Publish("rooms/2/heat", ["21.5"], "-q 1");
            await run.WaitForAsync(2);
            broker.Publish("rooms/3/heat", ["å\u0001"], "-q 0");
            var rows = await run.WaitForAsync(3);
            Assert.Equal(
                ["rooms/1/door open 1 True", "rooms/2/heat 21.5 1 False", "rooms/3/heat å\u0001 0 False"],
                rows.Select(row => $"{row.Get<string>("topic")} {Encoding.UTF8.GetString(row.Get<byte[]>("payload"))} {row.Get<int>("qos")} {row.Get<bool>("retained")}"));
            Assert.All(rows, row => Assert.InRange(row.Get<DateTimeOffset>("timestamp"), before, DateTimeOffset.UtcNow.AddMinutes(1)));
        }
    }

    [FactRequiringTool("mosquitto", "mosquitto mosquitto-clients")]
    public async Task What_comes_while_the_query_is_away_waits_at_the_broker_and_comes_once()
    {
        using var broker = new MosquittoBroker();
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(1);
        foreach (var version in new[] { MqttVersion.V311, MqttVersion.V5 })
        {
            var checkpoint = folder.Combine(version.ToString());
            var source = context.ReadStream.Mqtt(broker.Options with { Version = version }, "t/#");
            var expected = new List<string>();
            for (var start = 0; start < 3; start++)
            {
                await using var run = new Run(source, checkpoint);
                await run.WaitForAsync(start == 0 ? 0 : 1200);
                if (start == 0) await MqttCheckpoint.WaitForSubscriptionAsync(checkpoint);
                Publish(1300);
                await run.WaitForAsync(start == 0 ? 1300 : 2500);
                await run.Query.StopAsync();
                Assert.Equal(expected.TakeLast(start == 0 ? 1300 : 2500), run.Texts);

                // Nobody is there.
                Publish(1200);
            }

            void Publish(int count)
            {
                var lines = Enumerable.Range(expected.Count, count).Select(i => i.ToString(CultureInfo.InvariantCulture)).ToArray();
                broker.Publish("t/a", lines);
                expected.AddRange(lines);
            }
        }
    }

    [FactRequiringTool("mosquitto", "mosquitto mosquitto-clients")]
    public Task A_reader_that_is_killed_loses_and_doubles_nothing() => KillAsync(quality: 1);

    [FactRequiringTool("mosquitto", "mosquitto mosquitto-clients")]
    public Task A_reader_of_quality_2_that_is_killed_loses_and_doubles_nothing() => KillAsync(quality: 2);

    private static async Task KillAsync(int quality)
    {
        const int Count = 2000;
        using var broker = new MosquittoBroker();
        using var folder = new TempDirectory();
        var random = new Random(5);
        var published = 0;
        for (var start = 0; ; start++)
        {
            var isLast = start == 3;
            using var process = MqttProcess.Start(folder.Path, broker.Port, "t", inFlight: 20, quality);
            var errors = process.StandardError.ReadToEndAsync();
            try
            {
                if (start == 0) await MqttCheckpoint.WaitForSubscriptionAsync(folder.Combine("checkpoint"));
                var more = isLast ? Count - published : Count / 5;
                var publishing = Task.Run(() => broker.Publish("t", Enumerable.Range(published, more).Select(i => i.ToString(CultureInfo.InvariantCulture)), $"-q {quality}"));

                // It ends in the middle, at some moment after it has read some.
                var until = random.Next(1, 200);
                while (!isLast && await ReadAsync() is { } rows && rows < until) { }
                if (!isLast) process.Kill();
                await publishing;
                published += more;
                if (!isLast) continue;
                var done = 0L;
                while (done < Count)
                {
                    done = Numbers().Length;
                    if (done < Count) await ReadAsync();
                }
                Assert.Equal(Enumerable.Range(0, Count), Numbers().Order());
                return;
            }
            finally
            {
                if (!process.HasExited) process.Kill();
                await process.WaitForExitAsync();
            }

            async Task<long?> ReadAsync()
            {
                var line = await process.StandardOutput.ReadLineAsync().WaitAsync(Patience);
                return line is null ? throw new InvalidOperationException($"The query ended by itself: {await errors}") : long.Parse(line, CultureInfo.InvariantCulture);
            }
        }

        // What is not finished is in folders that readers pass over.
        int[] Numbers() => Directory.Exists(folder.Combine("out"))
            ? [.. Directory.GetDirectories(folder.Combine("out")).Where(each => !Path.GetFileName(each).StartsWith('_')).SelectMany(each => Directory.GetFiles(each, "*.json")).SelectMany(File.ReadAllLines)
                .Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("text").GetString()!).Select(text => int.Parse(text, CultureInfo.InvariantCulture))]
            : [];
    }

    [FactRequiringTool("mosquitto", "mosquitto mosquitto-clients")]
    public async Task A_broker_that_is_killed_and_comes_back_goes_on_with_what_it_kept()
    {
        using var broker = new MosquittoBroker("allow_anonymous true\npersistence true\npersistence_location FOLDER/");
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(1);
        await using var run = new Run(context.ReadStream.Mqtt(broker.Options, "t"), folder.Combine("checkpoint"));
        await MqttCheckpoint.WaitForSubscriptionAsync(folder.Combine("checkpoint"));
        broker.Publish("t", ["1", "2"]);
        await run.WaitForAsync(2);
        broker.SaveAndKill();
        broker.Restart();
        broker.Publish("t", ["3", "4"]);
        await run.WaitForAsync(4);
        Assert.Equal(["1", "2", "3", "4"], run.Texts);
    }

    [FactRequiringTool("mosquitto", "mosquitto mosquitto-clients")]
    public async Task A_broker_that_has_forgotten_the_session_is_an_error_once()
    {
        using var broker = new MosquittoBroker();
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(1);
        var source = context.ReadStream.Mqtt(broker.Options, "t");
        await using (var run = new Run(source, folder.Combine("checkpoint")))
        {
            await MqttCheckpoint.WaitForSubscriptionAsync(folder.Combine("checkpoint"));
            broker.Publish("t", ["1"]);
            await run.WaitForAsync(1);
            broker.Kill();
            broker.Restart();
            var error = await Assert.ThrowsAsync<StreamingException>(() => run.Query.AwaitTerminationAsync().WaitAsync(Patience));
            Assert.Equal("MQTT_SESSION_LOST", error.Kind);
        }
        await using (var run = new Run(source, folder.Combine("checkpoint")))
        {
            await MqttCheckpoint.WaitForSubscriptionAsync(folder.Combine("checkpoint"));
            broker.Publish("t", ["2"]);
            await run.WaitForAsync(1);
            Assert.Equal(["2"], run.Texts);
        }
        broker.Kill();
        broker.Restart();
        await using (var run = new Run(context.ReadStream.From(new MqttSource(broker.Options, "t") { FailsOnLostSession = false }), folder.Combine("checkpoint")))
        {
            broker.WaitFor("SUBSCRIBE");
            broker.Publish("t", ["3"]);
            await run.WaitForAsync(1);
        }
    }

    [FactRequiringTool("mosquitto", "mosquitto mosquitto-clients")]
    public async Task A_shared_subscription_shares_messages_out_among_queries()
    {
        using var broker = new MosquittoBroker();
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(1);
        var source = context.ReadStream.Mqtt(broker.Options, "$share/readers/t/#");
        await using var one = new Run(source, folder.Combine("one"));
        await MqttCheckpoint.WaitForSubscriptionAsync(folder.Combine("one"));
        await using var two = new Run(source, folder.Combine("two"));
        await MqttCheckpoint.WaitForSubscriptionAsync(folder.Combine("two"));
        string[] all = [.. Enumerable.Range(100, 40).Select(i => $"{i}")];
        broker.Publish("t/x", all);
        await Task.WhenAll(one.WaitForAsync(20), two.WaitForAsync(20));
        Assert.Equal(all, one.Texts.Concat(two.Texts).Order());
    }

    [FactRequiringTool("mosquitto", "mosquitto mosquitto-clients")]
    public async Task Topics_may_change_from_start_to_start()
    {
        using var broker = new MosquittoBroker();
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(1);
        await using (var run = new Run(context.ReadStream.Mqtt(broker.Options, "a", "b"), folder.Combine("checkpoint")))
        {
            await MqttCheckpoint.WaitForSubscriptionAsync(folder.Combine("checkpoint"));
        }
        await using (var run = new Run(context.ReadStream.Mqtt(broker.Options, "b", "c"), folder.Combine("checkpoint")))
        {
            await MqttCheckpoint.WaitForSubscriptionAsync(folder.Combine("checkpoint"), "b", "c");
            foreach (var topic in new[] { "a", "b", "c" }) broker.Publish(topic, [topic]);
            await run.WaitForAsync(2);
            Assert.Equal(["b", "c"], run.Texts);
        }
    }

    [Fact]
    public async Task A_subscription_whose_answer_was_not_awaited_is_ended_by_a_start_without_its_topic()
    {
        var asked = new TaskCompletionSource();
        var packets = new List<(byte First, string Text)>();
        using var broker = new ScriptedBroker(async (number, stream, stop) =>
        {
            await ScriptedBroker.AcceptAsync(stream, stop, sessionPresent: number > 0);
            while (true)
            {
                var (first, body) = await ScriptedBroker.ReadAsync(stream, stop);
                lock (packets) packets.Add((first, Encoding.UTF8.GetString(body)));
                if (first == 0xE0) return;
                if (number == 0) asked.TrySetResult();
                else if (first == 0xA2) await stream.WriteAsync(new byte[] { 0xB0, 4, body[0], body[1], 0, 0 }, stop);
                else if (first == 0x82) await stream.WriteAsync(new byte[] { 0x90, 4, body[0], body[1], 0, 1 }, stop);
            }
        });
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(1);
        await using (var run = new Run(context.ReadStream.Mqtt(broker.Options, "first"), folder.Combine("checkpoint")))
        {
            await asked.Task.WaitAsync(Patience);
        }
        lock (packets) packets.Clear();
        await using (var run = new Run(context.ReadStream.Mqtt(broker.Options, "second"), folder.Combine("checkpoint")))
        {
            await MqttCheckpoint.WaitForSubscriptionAsync(folder.Combine("checkpoint"), "second");
        }
        lock (packets)
        {
            Assert.Equal([0xA2, 0x82], packets.Take(2).Select(packet => packet.First));
            Assert.Contains("first", packets[0].Text, StringComparison.Ordinal);
            Assert.Contains("second", packets[1].Text, StringComparison.Ordinal);
        }
    }

    /// <summary>A query whose rows are waited for.</summary>
    private sealed class Run : IAsyncDisposable
    {
        private readonly MemorySink _sink = new();

        public Run(DataFrame source, string? checkpoint = null) =>
            Query = source.Select(Col("*"), Col("payload").Cast("string").As("text")).WriteStream.Start(_sink, new() { Checkpoint = checkpoint });

        public StreamingQuery Query { get; }

        public IEnumerable<string> Texts => _sink.Rows.Select(row => row.Get<string>("text"));

        /// <summary>Waits until so many rows are there.</summary>
        public async Task<IReadOnlyList<Row>> WaitForAsync(int rows)
        {
            using var patience = new CancellationTokenSource(Patience);
            while (_sink.Rows.Count < rows)
            {
                if (!Query.IsActive) await Query.AwaitTerminationAsync();
                Assert.False(patience.IsCancellationRequested, $"{_sink.Rows.Count} of {rows} rows came.");
                await Query.ProcessAllAvailableAsync(patience.Token);
            }
            return _sink.Rows;
        }

        public ValueTask DisposeAsync() => Query.DisposeAsync();
    }
}
