// Finds machines that run hot, from sensors that speak MQTT, while they speak: one alert each time, when it is over, however long it was; readings that come too late are counted.
using Dataflow;
using Dataflow.Examples;
using Dataflow.Sql;
using Dataflow.Streaming;
using static Dataflow.Sql.Functions;

var arguments = new Arguments(args, """
    Usage: SensorAlerts [--batches N] [--every MS] [--broker URL] [--checkpoint DIR]

      --batches      ends after so many batches; without it, goes on until Ctrl+C
      --every        milliseconds between two batches (500)
      --broker       mqtt://host:1883, where messages of sensors/NAME/heat say "2026-01-05T09:00:00Z 71.5"; without it, a mosquitto of its own and sensors that are made up; none
                     keeps their messages in this process
      --checkpoint   a folder that remembers how far the query is, for a broker of yours: who starts with it again goes on there
    """);
var every = TimeSpan.FromMilliseconds(arguments.Number("--every", 500));
var batches = arguments.Number("--batches", int.MaxValue);

await using var context = DataflowContext.Local();
var given = arguments.Text("--broker");
using var own = given is null ? Mosquitto.TryStart() : null;
if (given is null && own is null) Console.WriteLine("mosquitto is not installed (apt-get install mosquitto): messages stay in this process.\n");
var broker = own is not null ? new MqttOptions(own.Url) : given is null or "none" ? null : new MqttOptions(given);
var sensors = new MemorySource<Message>(context);

// What the sensors say: over the network, or from memory.
(broker is null ? context.ReadStream.From(sensors) : context.ReadStream.Mqtt(broker, "sensors/+/heat")).CreateTempView("messages");
var readings = context.Sql("""
    SELECT split_part(topic, '/', 2) AS sensor, TRY_CAST(split_part(text, ' ', 1) AS TIMESTAMP) AS at, TRY_CAST(split_part(text, ' ', 2) AS DOUBLE) AS degrees
    FROM   (SELECT topic, CAST(payload AS STRING) AS text FROM messages)
    """);

// A sensor may be late by three minutes. Hot readings less than a minute apart are of one alert.
var gap = TimeSpan.FromMinutes(1);
var alerts = readings.WithWatermark("at", TimeSpan.FromMinutes(3))
    .Where(Col("degrees") > 90)
    .GroupBy(SessionWindow(Col("at"), gap).As("since"), Col("sensor"))
    .Agg(SessionEnd(Col("at"), gap).As("until"), Count().As("readings"), Max(Col("degrees")).As("hottest"));

// Whoever wants to know of alerts subscribes to alerts/NAME.
var outlet = broker is null ? null : new MqttSink(broker);
await using var query = alerts.WriteStream.ForeachBatch(
    async (rows, number) =>
    {
        foreach (var alert in await rows.OrderBy("since", "sensor").CollectAsync<Alert>())
            Console.WriteLine($"  {alert.Sensor} was hot from {alert.Since:HH:mm:ss} to {alert.Until - gap:HH:mm:ss}: {alert.Readings} readings, up to {alert.Hottest:F1}");
        var messages = rows.Select(Concat(Lit("alerts/"), Col("sensor")).As("topic"), Concat(Col("since").Cast("string"), Lit(" "), Col("hottest").Cast("string")).As("payload"));
        if (outlet is not null) await outlet.WriteAsync(new StreamBatch(number, messages, OutputMode.Append), CancellationToken.None);
    },
    new() { Checkpoint = arguments.Text("--checkpoint"), Trigger = Trigger.Every(every) });

// The made-up sensors, over the network if there is a broker of its own.
await using var devices = own is null ? null : context.ReadStream.From(sensors).WriteStream.Start(new MqttSink(broker!));
using var closing = new CancellationTokenSource();
var speaking = given is null or "none" ? Sensors.SpeakAsync(sensors, every, closing.Token) : Task.CompletedTask;

var (seen, late) = (0, 0L);
await foreach (var batch in query.ProgressAsync())
{
    late += batch.LateRows;
    Console.WriteLine($"batch {batch.BatchId}: {batch.InputRows:N0} readings, {batch.LateRows} too late, {batch.StateRows} alerts open, final up to {batch.Watermark:t}");
    if (++seen == batches) break;
}

await query.StopAsync();
await closing.CancelAsync();
await speaking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
Console.WriteLine($"{seen} batches, {late} readings too late");

/// <summary>What is known of a hot machine.</summary>
internal sealed record Alert(DateTimeOffset Since, string Sensor, DateTimeOffset Until, long Readings, double Hottest);
