using Dataflow.Cluster;

namespace Dataflow.Cluster.Tests;

/// <summary>The files of a program go from worker to worker, not only from the driver.</summary>
public sealed class CodeSpreadTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Files_leave_the_driver_once_for_three_workers()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        var url = context.Cluster.Url.ToString();
        using var one = new WorkerProcess(url);
        using var two = new WorkerProcess(url);
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        using var three = new WorkerProcess(url);
        await context.Cluster.WaitForWorkersAsync(3, Patience);
        Assert.Equal(1000, context.Range(0, 1000, partitions: 6).Count());
        Assert.Equal(new ApplicationFiles().Files.DistinctBy(file => file.Hash).Count(), context.Node!.Backend.FilesOpened);
    }

    [Fact]
    public async Task A_worker_that_stands_still_is_no_source_of_files()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        var url = context.Cluster.Url.ToString();
        using var one = new WorkerProcess(url);
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        one.Stop();
        using var two = new WorkerProcess(url);
        Assert.True(SpinWait.SpinUntil(() => two.HasExecutors, Patience), two.Output);
        Assert.Equal(1000, context.Range(0, 1000, partitions: 6).Count());
    }
}
