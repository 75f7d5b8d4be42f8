using System.Diagnostics;
using Dataflow.Streaming;
using Dataflow.Streaming.Tests;

namespace Dataflow.CrashHarness;

/// <summary>The query that is killed: clicks of each page and minute, given once, into a sink.</summary>
internal static class Query
{
    /// <summary>Runs it until it is killed, or, if it is to end, until nothing is left to read.</summary>
    /// <param name="folder">Input, output and checkpoint.</param>
    /// <param name="cluster">Where its coordinator is; empty for none.</param>
    /// <param name="sink">Where rows go: a kind that <see cref="Sinks"/> knows.</param>
    /// <param name="step">A step of a batch after which it kills itself, <c>end</c> to end when all is read, or empty.</param>
    public static async Task<int> RunAsync(string folder, string cluster, string sink, string step)
    {
        await using var context = await (cluster.Length == 0 ? Task.FromResult(DataflowContext.Local(2)) : DataflowContext.ConnectAsync(cluster)).ConfigureAwait(false);
        if (cluster.Length > 0) await context.Cluster.WaitForWorkersAsync(2, TimeSpan.FromMinutes(1)).ConfigureAwait(false);
        var began = Environment.TickCount64;
        var seen = 0;
        await using var query = Clicks.PerPage(context, folder, new FileSourceOptions { MaxFilesPerTrigger = 20 }).WriteStream.Start(Sinks.Open(sink, folder), new StreamingQueryOptions
        {
            Checkpoint = Path.Combine(folder, "checkpoint"),
            Trigger = step == "end" ? Trigger.AvailableNow : Trigger.AsSoonAsPossible,
            StatePartitions = 3,
            SnapshotInterval = 5,
            Reached = (reached, _) =>
            {
                // In the middle of things, not always in the first batch.
                if (reached == step && seen++ == (int)(began % 4)) Process.GetCurrentProcess().Kill();
            },
        });
        await query.AwaitTerminationAsync().ConfigureAwait(false);
        return 0;
    }
}
