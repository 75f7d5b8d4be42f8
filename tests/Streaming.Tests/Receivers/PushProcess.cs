using System.Diagnostics;
using System.Globalization;

namespace Dataflow.Streaming.Tests.Receivers;

/// <summary>A query over pushed events in a process of its own. It prints where it listens, and ends itself without a word behind a step of a batch.</summary>
internal static class PushProcess
{
    public const string Command = "push";

    /// <param name="folder">Checkpoint and output.</param>
    /// <param name="step">The step behind which it ends; <c>end</c> to read what is there and end in order.</param>
    /// <param name="batches">How many batches it does before.</param>
    public static Process Start(string folder, string step, int batches) => Process.Start(new ProcessStartInfo(
        Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", ["exec", typeof(PushProcess).Assembly.Location, Command, folder, step, batches.ToString(CultureInfo.InvariantCulture)])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    public static async Task<int> RunAsync(string[] arguments)
    {
        var (folder, step, batches) = (arguments[1], arguments[2], int.Parse(arguments[3], CultureInfo.InvariantCulture));
        await using var context = DataflowContext.Local(1);
        var source = new EventPushSource();
        await using var query = context.ReadStream.From(source).Select("body").WriteStream.Start(FileSink.Json(Path.Combine(folder, "out")), new()
        {
            Checkpoint = Path.Combine(folder, "checkpoint"),
            Trigger = step == "end" ? Trigger.AvailableNow : Trigger.AsSoonAsPossible,
            Reached = (reached, _) =>
            {
                if (reached == step && batches-- == 0) Process.GetCurrentProcess().Kill();
            },
        });
        Console.WriteLine(source.Url);
        await query.AwaitTerminationAsync();
        return 0;
    }
}
