using System.Diagnostics;
using System.Globalization;

namespace Dataflow.Streaming.Tests;

/// <summary>A query in a process of its own, which ends without a word where it is told to.</summary>
internal static class Program
{
    /// <summary>Starts the query in a process.</summary>
    public static Process Start(string folder, string step, long batch, OutputMode mode) => Process.Start(new ProcessStartInfo(
        Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
        ["exec", typeof(Program).Assembly.Location, folder, step, batch.ToString(CultureInfo.InvariantCulture), mode.ToString()])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    /// <summary>Rescales a checkpoint in a process that ends without a word behind a step.</summary>
    public static Process StartRescale(string checkpoint, int partitions, string step) => Process.Start(new ProcessStartInfo(
        Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
        ["exec", typeof(Program).Assembly.Location, "rescale", checkpoint, partitions.ToString(CultureInfo.InvariantCulture), step])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    private static async Task<int> Main(string[] arguments)
    {
        if (arguments[0] == "rescale")
        {
            StreamingCheckpoint.Rescale(arguments[1], int.Parse(arguments[2], CultureInfo.InvariantCulture), reached =>
            {
                if (reached == arguments[3]) Process.GetCurrentProcess().Kill();
            });
            return 0;
        }
        if (arguments[0] == Receivers.PushProcess.Command) return await Receivers.PushProcess.RunAsync(arguments);
        if (arguments[0] == Mqtt.MqttProcess.Command) return await Mqtt.MqttProcess.RunAsync(arguments);
        if (arguments[0] == DStreams.DStreamProcess.Command) return await DStreams.DStreamProcess.RunAsync(arguments);
        if (arguments[0] == KafkaClusterProcess.Command) return KafkaClusterProcess.Run();
        if (arguments[0] == KafkaQuery.Command) return await KafkaQuery.MainAsync(arguments);
        var (folder, step, batch, mode) = (arguments[0], arguments[1], long.Parse(arguments[2], CultureInfo.InvariantCulture), Enum.Parse<OutputMode>(arguments[3]));
        await using var context = DataflowContext.Local(2);
        await using var query = Clicks.PerPage(context, folder).WriteStream.Start(FileSink.Json(Path.Combine(folder, "out")), new StreamingQueryOptions
        {
            Checkpoint = Path.Combine(folder, "checkpoint"),
            OutputMode = mode,
            Trigger = Trigger.AvailableNow,
            StatePartitions = 3,
            SnapshotInterval = 3,
            Reached = (reached, at) =>
            {
                // Nothing is told, closed or flushed.
                if (reached == step && at == batch) Process.GetCurrentProcess().Kill();
            },
        });
        await query.AwaitTerminationAsync();
        return 0;
    }
}
