using System.Diagnostics;
using Dataflow.Sql;
using Dataflow.Streaming;
using Dataflow.Streaming.Tests;

namespace Dataflow.CrashHarness;

/// <summary>An offer on a page, for a minute. It may be known after the first clicks that it counts for.</summary>
internal sealed record Offer(DateTimeOffset At, string Page);

/// <summary>The query that is killed: clicks of each page and minute, given once, into a sink.</summary>
internal static class Query
{
    /// <summary>The exit code of one that the cluster did not take in.</summary>
    public const int NotJoined = 75;

    /// <summary>Runs it until it is killed, or, if it is to end, until nothing is left to read.</summary>
    /// <param name="folder">Input, output and checkpoint.</param>
    /// <param name="cluster">Where its coordinator is; empty for none.</param>
    /// <param name="sink">Where rows go: a kind that <see cref="Sinks"/> knows.</param>
    /// <param name="state">What has state: an aggregate; functions of the program for groups, which give the same; or a join with offers in front of the aggregate.</param>
    /// <param name="step">A step of a batch after which it kills itself, <c>end</c> to end when all is read, or empty.</param>
    public static async Task<int> RunAsync(string folder, string cluster, string sink, string state, string step)
    {
        DataflowContext joined;
        try
        {
            joined = await JoinAsync(cluster).ConfigureAwait(false);
        }
        catch (Exception error) when (error is ClusterException or TimeoutException)
        {
            // Of a machine that is too busy for its cluster: no query has begun.
            Console.Error.WriteLine(error.Message);
            return NotJoined;
        }
        await using var context = joined;
        var began = Environment.TickCount64;
        var seen = 0;
        var options = new FileSourceOptions { MaxFilesPerTrigger = 20 };
        var rows = state switch
        {
            "groups" => PerPageByGroups(context.ReadStream.Json<Click>(Path.Combine(folder, Inputs.Clicks), options)),
            "join" => PerPageWithOffers(context, folder, options),
            _ => Clicks.PerPage(context, folder, options),
        };
        await using var query = rows.WriteStream.Start(Sinks.Open(sink, folder), new StreamingQueryOptions
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

    private static async Task<DataflowContext> JoinAsync(string cluster)
    {
        if (cluster.Length == 0) return DataflowContext.Local(2);
        var context = await DataflowContext.ConnectAsync(cluster).ConfigureAwait(false);
        try
        {
            await context.Cluster.WaitForWorkersAsync(2, TimeSpan.FromMinutes(1)).ConfigureAwait(false);
            return context;
        }
        catch
        {
            await context.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    // Of a click on an offer another user is written down, so that what found no partner can be told from what did.
    private static DataFrame PerPageWithOffers(DataflowContext context, string folder, FileSourceOptions options)
    {
        context.ReadStream.Json<Click>(Path.Combine(folder, Inputs.Clicks), options).WithWatermark("At", Clicks.Delay).CreateTempView("clicks");
        context.ReadStream.Json<Offer>(Path.Combine(folder, Inputs.Offers), options).WithWatermark("At", Clicks.Delay).CreateTempView("offers");
        return context.Sql($"""
            SELECT window(c.At, '1 minute').start AS window, c.Page AS Page, count(*) AS Clicks, sum(CASE WHEN o.At IS NULL THEN c.User ELSE c.User + {Inputs.UserOfOffers} END) AS Users
            FROM   clicks c LEFT JOIN offers o ON c.Page = o.Page AND c.At >= o.At AND c.At < o.At + INTERVAL 1 MINUTE
            GROUP  BY window(c.At, '1 minute').start, c.Page
            """);
    }

    private static DataFrame PerPageByGroups(DataFrame clicks) => clicks.WithWatermark("At", Clicks.Delay)
        .GroupByKey((Click click) => new PageOfMinute(click.At.AddTicks(-(click.At.Ticks % TimeSpan.TicksPerMinute)), click.Page))
        .FlatMapGroupsWithState<PageMinute, PageMinute>(new() { Timeout = GroupTimeout.EventTime }, (key, rows, state) =>
        {
            var sum = state.Value ?? new PageMinute(key.Minute, key.Page, 0, 0);
            if (state.HasTimedOut)
            {
                state.Remove();
                return [sum];
            }
            foreach (var row in rows) sum = sum with { Clicks = sum.Clicks + 1, Users = sum.Users + row.User };
            state.Update(sum);
            state.SetTimeoutTimestamp(key.Minute.AddMinutes(1));
            return [];
        }).WithColumnRenamed("Window", "window");

    private sealed record PageOfMinute(DateTimeOffset Minute, string Page);
}
