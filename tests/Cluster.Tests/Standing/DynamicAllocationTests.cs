using Dataflow.TestKit;

namespace Dataflow.Cluster.Tests;

/// <summary>A program on a cluster that others share takes executors as its tasks need them, and gives them back.</summary>
public sealed class DynamicAllocationTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static ClusterOptions Dynamic => new()
    {
        ExecutorCores = 1,
        ExecutorMemoryBytes = 256 << 20,
        ExecutorIdleTimeout = TimeSpan.FromSeconds(1),
        BacklogTimeout = TimeSpan.FromMilliseconds(200),
    };

    [Fact]
    public async Task Executors_come_with_tasks_go_without_and_leave_their_map_outputs()
    {
        var (coordinator, url) = ToolProcess.Coordinator();
        using var _ = coordinator;
        using var one = new WorkerProcess(url, cores: 1, name: "one");
        using var two = new WorkerProcess(url, cores: 1, name: "two");
        await using var context = await DataflowContext.ConnectAsync(url, Dynamic);
        Assert.Equal(0, context.Cluster.ExecutorCount);
        var maps = new MapTasks();
        context.AddListener(maps);
        using var folder = new TempDirectory();
        var gate = Path.Combine(folder.Path, "gate");

        // Map tasks that stand until both executors are here.
        var sums = context.Range(0, 400, partitions: 4).Map(i =>
        {
            while (!File.Exists(gate)) Thread.Sleep(10);
            return (i % 3, i);
        }).ReduceByKey((a, b) => a + b, partitions: 3);
        (long, long)[] expected = [(0, 26_733), (1, 26_467), (2, 26_600)];
        var job = sums.CollectAsync();
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        File.WriteAllText(gate, "");
        Assert.Equal(expected, (await job.WaitAsync(Patience)).Order());
        Assert.Equal(4, await maps.OfNextJobAsync());

        await UntilAsync(() => context.Cluster.ExecutorCount == 0 && !one.HasExecutors && !two.HasExecutors);
        Assert.Equal(4, one.MapFiles().Count + two.MapFiles().Count);
        Assert.Contains("it had nothing to do", coordinator.Output);

        // Others may have what was given back.
        var other = await DataflowContext.ConnectAsync(url, Dynamic with { ExecutorIdleTimeout = null });
        await using (other) await other.Cluster.WaitForWorkersAsync(2, Patience);

        File.Delete(gate);
        Assert.Equal(expected, (await sums.CollectAsync().WaitAsync(Patience)).Order());
        Assert.Equal(0, await maps.OfNextJobAsync());
    }

    [Fact]
    public async Task An_executor_with_cached_partitions_stays_until_they_are_dropped()
    {
        var (coordinator, url) = ToolProcess.Coordinator();
        using var _ = coordinator;
        using var worker = new WorkerProcess(url, cores: 2, name: "one");
        await using var context = await DataflowContext.ConnectAsync(url, Dynamic);
        using var folder = new TempDirectory();
        var computed = Path.Combine(folder.Path, "computed");
        var numbers = context.Range(0, 100, partitions: 1).MapPartitions(values =>
        {
            File.AppendAllText(computed, "once\n");
            return values;
        }).Cache();
        Assert.Equal(4950, await numbers.SumAsync().WaitAsync(Patience));

        // Another program, twice as patient, whose executor keeps nothing: when that one has come and gone, this one had its time.
        await using var other = await DataflowContext.ConnectAsync(url, Dynamic with { ExecutorIdleTimeout = 2 * Dynamic.ExecutorIdleTimeout });
        Assert.Equal(1, await other.Range(0, 1, partitions: 1).CountAsync().WaitAsync(Patience));
        await UntilAsync(() => other.Cluster.ExecutorCount == 0);
        Assert.Equal(1, context.Cluster.ExecutorCount);
        Assert.Equal(4950, await numbers.SumAsync().WaitAsync(Patience));
        Assert.Equal(["once"], File.ReadAllLines(computed));

        numbers.Unpersist();
        await UntilAsync(() => context.Cluster.ExecutorCount == 0);
        Assert.Equal(4950, await numbers.SumAsync().WaitAsync(Patience));
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var late = new CancellationTokenSource(Patience);
        while (!condition()) await Task.Delay(20, late.Token);
    }
}
