using Dataflow.TestKit;

namespace Dataflow.Cluster.Tests;

/// <summary>How executors are reaches their program, and the cluster's status.</summary>
public sealed class StatusTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Executors_say_how_they_are_and_the_status_sums_it_up()
    {
        var (coordinator, url) = ToolProcess.Coordinator();
        using var _ = coordinator;
        using var one = new WorkerProcess(url, cores: 2, name: "one");
        await using var context = await DataflowContext.ConnectAsync(url);
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        var sums = context.Range(0, 100_000, partitions: 4).Map(i => (i % 1000, i)).ReduceByKey((a, b) => a + b, partitions: 2).Cache();
        Assert.Equal(1000, await sums.CountAsync().WaitAsync(Patience));
        using var folder = new TempDirectory();
        var gate = Path.Combine(folder.Path, "gate");
        var job = context.Range(0, 2, partitions: 2).Map(i =>
        {
            while (!File.Exists(gate)) Thread.Sleep(10);
            return i;
        }).CountAsync();

        await UntilAsync(() => context.Cluster.Executors is [{ Metrics: { RunningTasks: 2, CachedBytes: > 0 } }]);
        var executor = Assert.Single(context.Cluster.Executors);
        Assert.Equal((1, "one", 2), (executor.Number, executor.Worker, executor.Cores));
        Assert.Equal(context.Cluster.Workers[0].Host, executor.Host);
        var metrics = executor.Metrics!;
        Assert.InRange(metrics.MemoryBytes, metrics.CachedBytes, metrics.MemoryLimitBytes);
        Assert.InRange(metrics.MemoryLimitBytes, 1, 600L << 20);
        Assert.InRange(metrics.HeapBytes, 1, 600L << 20);
        Assert.True(metrics.ShuffleWriteBytes > 0 && metrics.ShuffleReadBytes > 0, metrics.ToString());

        var status = await ClusterClient.StatusAsync(url);
        using var late = new CancellationTokenSource(Patience);
        while (status.Applications.Single() is not { RunningTasks: 2, CachedBytes: > 0 })
        {
            await Task.Delay(50, late.Token);
            status = await ClusterClient.StatusAsync(url, cancellationToken: late.Token);
        }
        Assert.Equal(metrics.CachedBytes, status.Applications.Single().CachedBytes);
        using var table = new ToolProcess("status", url);
        Assert.Equal(0, await table.ExitAsync());
        Assert.Contains("TASKS", table.Output);
        File.WriteAllText(gate, "");
        Assert.Equal(2, await job.WaitAsync(Patience));
        await UntilAsync(() => context.Cluster.Executors is [{ Metrics.RunningTasks: 0 }]);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var late = new CancellationTokenSource(Patience);
        while (!condition()) await Task.Delay(20, late.Token);
    }
}
