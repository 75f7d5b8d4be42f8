using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests.Mqtt;

/// <summary>A row of a stream that goes to a topic.</summary>
public sealed record Alert(string topic, string text, int number);

/// <summary>Rows as messages, read by other people's client.</summary>
public sealed class MqttSinkTests
{
    [FactRequiringTool("mosquitto", "mosquitto mosquitto-clients")]
    public async Task Each_row_arrives_at_the_topic_of_its_column_or_at_one_for_all()
    {
        using var broker = new MosquittoBroker();
        await using var context = DataflowContext.Local(2);
        var alerts = new MemorySource<Alert>(context);
        alerts.Add(Enumerable.Range(0, 3000).Select(i => new Alert($"alerts/{i % 3}", $"n {i}", i)));
        foreach (var version in new[] { MqttVersion.V311, MqttVersion.V5 })
        {
            // A reader each: mosquitto_sub may leave before it has acknowledged all that it has, which then comes again.
            var reader = $"reader-{version}";
            broker.Subscribe(reader, "alerts/#");
            await WriteAsync(context.ReadStream.From(alerts).Where(Col("number") < 1500), new MqttSink(broker.Options with { Version = version, InFlight = 50 }) { PayloadColumn = "text" });
            var got = broker.Receive(reader, "alerts/#", 1500);
            Assert.Equal(Enumerable.Range(0, 1500).Select(i => $"alerts/{i % 3} 1 0 n {i}").Order(StringComparer.Ordinal), got.Order(StringComparer.Ordinal));
        }
        broker.Subscribe("reader", "alerts/#");
        await WriteAsync(context.ReadStream.From(alerts).Where(Col("number") < 300), new MqttSink(broker.Options, "alerts/all") { PayloadColumn = "text", Quality = 0, IsRetained = true });
        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"alerts/all 0 0 n {i}"), Lines(300).Order(new ByNumber()));
        Assert.Equal("alerts/all 0 1 n 299", broker.Receive("later", "alerts/all", 1)[0]);

        string[] Lines(int count) => broker.Receive("reader", "alerts/#", count);
    }

    [FactRequiringTool("mosquitto", "mosquitto mosquitto-clients")]
    public async Task A_batch_is_not_done_before_a_broker_that_went_away_has_all_of_it()
    {
        using var broker = new MosquittoBroker("allow_anonymous true\npersistence true\npersistence_location FOLDER/");
        broker.Subscribe("reader", "t");
        broker.SaveAndKill();
        await using var context = DataflowContext.Local(1);
        var alerts = new MemorySource<Alert>(context);
        alerts.Add(Enumerable.Range(0, 200).Select(i => new Alert("t", $"n {i}", i)));
        var writing = WriteAsync(context.ReadStream.From(alerts), new MqttSink(broker.Options) { PayloadColumn = "text" });
        Assert.False(writing.IsCompleted);
        broker.Restart();
        await writing;
        var got = broker.Receive("reader", "t", 200);
        Assert.Equal(200, got.Distinct().Count());
    }

    [Fact]
    public async Task Columns_that_can_not_be_sent_are_named()
    {
        await using var context = DataflowContext.Local(1);
        var alerts = new MemorySource<Alert>(context);
        alerts.Add(new Alert("a/+", "x", 1));
        var rows = context.ReadStream.From(alerts);
        var options = new MqttOptions("mqtt://127.0.0.1:1");
        Assert.Contains("no column 'payload'", (await Assert.ThrowsAsync<QueryException>(() => WriteAsync(rows, new MqttSink(options)))).Message, StringComparison.Ordinal);
        Assert.Contains("to_json", (await Assert.ThrowsAsync<QueryException>(() => WriteAsync(rows, new MqttSink(options) { PayloadColumn = "number" }))).Message, StringComparison.Ordinal);
        Assert.Equal("MQTT_TOPIC_NAME", (await Assert.ThrowsAsync<StreamingException>(() => WriteAsync(rows, new MqttSink(options) { PayloadColumn = "text" }))).Kind);
        Assert.Throws<ArgumentException>(() => new MqttSink(options, "a/#"));
    }

    private static async Task WriteAsync(DataFrame rows, MqttSink sink)
    {
        await using var query = rows.WriteStream.Start(sink, new() { Trigger = Trigger.AvailableNow });
        await query.AwaitTerminationAsync().WaitAsync(TimeSpan.FromMinutes(1));
    }

    private sealed class ByNumber : IComparer<string>
    {
        public int Compare(string? x, string? y) => Number(x!).CompareTo(Number(y!));

        private static int Number(string line) => int.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }
}
