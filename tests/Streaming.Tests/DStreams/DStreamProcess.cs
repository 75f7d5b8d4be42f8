using System.Diagnostics;
using System.Globalization;
using Dataflow.Streaming.DStreams;
using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests.DStreams;

/// <summary>Windows and state over files in a process of its own, which ends without a word where it is told to. File N comes in interval N, whichever process that falls to.</summary>
internal static class DStreamProcess
{
    public const string Command = "dstreams";

    public static Process Start(string folder, int intervals, string step, long batch) => Process.Start(new ProcessStartInfo(
        Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
        ["exec", typeof(DStreamProcess).Assembly.Location, Command, folder, intervals.ToString(CultureInfo.InvariantCulture), step, batch.ToString(CultureInfo.InvariantCulture)])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    public static string FileOf(string folder, string place, int number) => Path.Combine(folder, place, $"words-{number:D3}.txt");

    public static async Task<int> RunAsync(string[] arguments)
    {
        var (folder, intervals, step, batch) = (arguments[1], int.Parse(arguments[2], CultureInfo.InvariantCulture), arguments[3], long.Parse(arguments[4], CultureInfo.InvariantCulture));
        var inbox = Path.Combine(folder, "inbox");
        Directory.CreateDirectory(inbox);
        var clock = new ManualTimeProvider();
        var moved = Directory.GetFiles(inbox).Length;
        clock.Advance(DStreamRun.Interval * Math.Max(0, moved - 1));
        await using var context = DataflowContext.Local(1);
        await using var streaming = StreamingContext.GetOrCreate(Path.Combine(folder, "checkpoint"), () =>
        {
            var created = new StreamingContext(context, DStreamRun.Interval, new()
            {
                Time = clock,
                CheckpointInterval = TimeSpan.FromSeconds(3),
                Reached = (reached, number) =>
                {
                    if (reached == step && number == batch) Process.GetCurrentProcess().Kill();
                },
            });
            var ones = created.TextFileStream(inbox, newOnly: false).Map(word => (word, 1L));
            ones.ReduceByKeyAndWindow((a, b) => a + b, (a, b) => a - b, TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(2), partitions: 2, keep: pair => pair.Value > 0).SaveAsTextFiles(Path.Combine(folder, "out", "window"));
            var totals = ones.UpdateStateByKey<string, long, long>((come, before) => new(true, before.Or(0) + come.Sum()), partitions: 2);
            totals.SaveAsTextFiles(Path.Combine(folder, "out", "total"));

            // A window over state, and state made of state.
            totals.Window(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(3)).Map(pair => pair.Value).Reduce((a, b) => a + b).SaveAsTextFiles(Path.Combine(folder, "out", "sum"));
            ones.CountByWindow(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2)).Map(count => ("all", count)).UpdateStateByKey<string, long, long>(
                (come, before) => new(true, before.Or(0) + come.Sum()), partitions: 1).SaveAsTextFiles(Path.Combine(folder, "out", "counts"));
            ones.MapWithState(new StateSpec<string, long, long, string>((key, value, state) =>
            {
                if (!state.IsTimingOut) state.Update(state.ValueOr(0) + value.Value);
                return $"{key} {state.Value}";
            }) { Timeout = TimeSpan.FromSeconds(2), Partitions = 2 }).SaveAsTextFiles(Path.Combine(folder, "out", "mapped"));
            ones.Keys().Window(TimeSpan.FromSeconds(3)).Count().SaveAsTextFiles(Path.Combine(folder, "out", "count"));
            return created;
        });
        streaming.Start();
        while (true)
        {
            if (!SpinWait.SpinUntil(() => clock.WaitingTimers > 0, TimeSpan.FromSeconds(30))) throw new TimeoutException("The schedule does not wait for the clock.");
            if (moved > 0)
            {
                clock.Advance(DStreamRun.Interval);
                var ended = streaming.AwaitTerminationAsync();
                while (streaming.Done < clock.GetUtcNow() && !ended.IsCompleted) await Task.Yield();
                if (ended.IsCompleted) await ended;
            }
            if (moved == intervals) return 0;
            moved++;
            File.Move(FileOf(folder, "later", moved), FileOf(folder, "inbox", moved));
        }
    }

    private static DStream<string> Keys(this DStream<(string Key, long Value)> pairs) => pairs.Map(pair => pair.Key);
}
