using System.Globalization;

namespace Dataflow.Engine.Tests.Context;

/// <summary>What a long-lived context holds on to.</summary>
[Collection(nameof(WholeProcess))]
public sealed class LifetimeTests
{
    [Fact]
    public void A_thousand_jobs_leave_no_shuffles_blocks_memory_or_handles_behind()
    {
        using var context = DataflowContext.Local(new DataflowOptions { Threads = 2, Progress = false });
        Run(context, 100);
        var (memory, handles) = Settled(context);
        Run(context, 900);
        var (memoryAfter, handlesAfter) = Settled(context);

        Assert.InRange(context.Services.Shuffles.Count, 0, 16);
        Assert.InRange(context.CachedRdds.Count, 0, 4);
        Assert.InRange(memoryAfter, 0, memory + (4 << 20));
        Assert.InRange(handlesAfter, 0, handles + 20);
    }

    [Fact]
    public void A_stopped_context_says_where_it_was_stopped()
    {
        var context = DataflowContext.Local(1);
        var rdd = context.Range(0, 10);
        context.Dispose();
        context.Dispose();
        var error = Assert.Throws<ObjectDisposedException>(() => rdd.Count());
        Assert.Contains("LifetimeTests.cs", error.Message);
        Assert.Throws<ObjectDisposedException>(() => context.Range(0, 1));
    }

    [Fact]
    public void An_Rdd_of_another_context_is_refused()
    {
        using var mine = DataflowContext.Local(1);
        using var other = DataflowContext.Local(1);
        var rdd = other.Range(0, 10, partitions: 2);
        Action[] calls =
        [
            () => mine.RunJob(rdd, static items => items.Count()),
            () => mine.Union(rdd, rdd),
            () => mine.RunMapStageAsync((ShuffleDependency)rdd.Repartition(2).Dependencies[0]).GetAwaiter().GetResult(),
        ];
        foreach (var call in calls) Assert.Contains("another context", Assert.Throws<ArgumentException>(call).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tasks_run_under_the_culture_the_context_was_made_under()
    {
        var before = CultureInfo.CurrentCulture;
        var own = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        own.NumberFormat.NumberDecimalSeparator = "~";
        try
        {
            CultureInfo.CurrentCulture = own;
            using var context = DataflowContext.Local(2);
            CultureInfo.CurrentCulture = before;
            var rdd = context.Parallelize([1.5, 2.5], 2);

            // One task's own choice is not the next one's.
            for (var i = 0; i < 3; i++)
            {
                Assert.Equal(["1~5", "2~5"], rdd.Map(static number => number.ToString()).Collect());
                rdd.ForEach(static _ => CultureInfo.CurrentCulture = CultureInfo.InvariantCulture);
            }
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void A_subsystem_keeps_one_object_per_context()
    {
        using var first = DataflowContext.Local(1);
        using var second = DataflowContext.Local(1);
        Assert.Same(first.State<Remembered>(), first.State<Remembered>());
        Assert.NotSame(first.State<Remembered>(), second.State<Remembered>());
    }

    private sealed class Remembered;

    // A method of its own, so that no local of a finished round keeps an Rdd alive.
    private static void Run(DataflowContext context, int jobs)
    {
        for (var i = 0; i < jobs; i++)
        {
            var counts = context.Range(0, 200, 1, 2).Map(x => (x % 10, 1)).ReduceByKey((a, b) => a + b, 2).Cache();
            Assert.Equal(10, counts.Count());
        }
    }

    private static (long NativeBytes, int Handles) Settled(DataflowContext context)
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        // What finalizers asked for goes through the scheduler's mailbox, and so does this job, after it.
        context.Range(0, 1).Count();
        var handles = Directory.Exists("/proc/self/fd") ? Directory.GetFiles("/proc/self/fd").Length : 0;
        return (context.Services.Pool.OutstandingBytes, handles);
    }
}
