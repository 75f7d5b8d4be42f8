using System.Runtime.CompilerServices;

namespace Dataflow.Sql.Tests.Cluster;

/// <summary>What executors keep for a query goes when nobody can ask for its rows any more.</summary>
public sealed class LifetimeTests
{
    private const string Grouped = "SELECT id % 1000 AS k, count(*) AS n FROM range(300000) GROUP BY 1";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_loop_over_rows_leaves_nothing_when_it_ends_and_when_it_is_left()
    {
        using var context = DataflowContext.Local(threads: 2);
        var frame = context.Sql(Grouped);
        Assert.Equal(1000, frame.ToEnumerable().Count());
        AssertEmpty(context);
        foreach (var _ in frame.ToEnumerable())
        {
            Assert.NotEqual(0, context.Services.Shuffles.Count);
            break;
        }
        AssertEmpty(context);
        await foreach (var _ in frame.ToAsyncEnumerable()) break;
        AssertEmpty(context);
        await foreach (var _ in frame.ToAsyncEnumerable<(long, long)>()) { }
        AssertEmpty(context);

        // The same sequence again is the same query again.
        var rows = frame.ToEnumerable<(long, long)>();
        Assert.Equal(300_000, rows.Sum(row => row.Item2));
        Assert.Equal(300_000, rows.Sum(row => row.Item2));
        AssertEmpty(context);
    }

    [Fact]
    public void An_rdd_of_a_frame_keeps_what_was_exchanged_as_long_as_it_is_there()
    {
        using var context = DataflowContext.Local(threads: 2);
        UseTwice(context);
        Assert.True(SpinWait.SpinUntil(() =>
        {
            // A thread may hold on to the task that it ran last.
            context.Range(0, 10, partitions: 4).Count();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return context.Services.Shuffles.Count == 0;
        }, Patience), $"{context.Services.Shuffles.Count} map outputs are left");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void UseTwice(DataflowContext context)
    {
        var rows = context.Sql(Grouped).ToRdd<(long Key, long Count)>();
        Assert.Equal(300_000, rows.Map(row => row.Count).Sum());
        var kept = context.Services.Shuffles.Count;
        Assert.NotEqual(0, kept);
        Assert.Equal(300_000, rows.Map(row => row.Count).Sum());
        Assert.Equal(kept, context.Services.Shuffles.Count);
        GC.KeepAlive(rows);
    }

    private static void AssertEmpty(DataflowContext context) =>
        Assert.True(SpinWait.SpinUntil(() => context.Services.Shuffles.Count == 0, Patience), $"{context.Services.Shuffles.Count} map outputs are left");
}
