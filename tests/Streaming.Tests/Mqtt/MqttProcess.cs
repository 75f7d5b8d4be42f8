using System.Diagnostics;
using System.Globalization;

namespace Dataflow.Streaming.Tests.Mqtt;

/// <summary>A query over MQTT in a process of its own, which is ended from outside. It prints, after each batch, how many rows it has read since it began.</summary>
internal static class MqttProcess
{
    public const string Command = "mqtt";

    public static Process Start(string folder, int port, string topic, int inFlight, int quality) => Process.Start(new ProcessStartInfo(
        Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
        ["exec", typeof(MqttProcess).Assembly.Location, Command, folder, port.ToString(CultureInfo.InvariantCulture), topic, inFlight.ToString(CultureInfo.InvariantCulture), quality.ToString(CultureInfo.InvariantCulture)])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    public static async Task<int> RunAsync(string[] arguments)
    {
        var (folder, port, topic, inFlight) = (arguments[1], int.Parse(arguments[2], CultureInfo.InvariantCulture), arguments[3], int.Parse(arguments[4], CultureInfo.InvariantCulture));
        await using var context = DataflowContext.Local(1);
        var messages = context.ReadStream.From(new MqttSource(new MqttOptions($"mqtt://127.0.0.1:{port}") { InFlight = inFlight }, topic) { Quality = int.Parse(arguments[5], CultureInfo.InvariantCulture) });
        await using var query = messages.Select(Functions.Col("payload").Cast("string").As("text"), Functions.Col("qos")).WriteStream.Start(
            FileSink.Json(Path.Combine(folder, "out")), new() { Checkpoint = Path.Combine(folder, "checkpoint") });
        var rows = 0L;
        query.BatchCompleted += batch => Console.WriteLine(rows += batch.InputRows);
        await query.AwaitTerminationAsync();
        return 0;
    }
}
