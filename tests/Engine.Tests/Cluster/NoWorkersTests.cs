using Dataflow.Cluster;

namespace Dataflow.Engine.Tests.Cluster;

/// <summary>A job that nobody comes to run says how somebody would.</summary>
public sealed class NoWorkersTests
{
    private static readonly ClusterOptions Impatient = new() { Application = DataflowOptions.Default with { NoExecutorTimeout = TimeSpan.FromMilliseconds(50) } };

    [Fact]
    public async Task A_program_that_listens_names_its_join_command()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0", Impatient);
        var error = await Assert.ThrowsAsync<JobFailedException>(() => context.Range(0, 1).CountAsync().WaitAsync(TestNode.Patience));
        Assert.Contains($"no worker has joined this program at {context.Cluster.Url}", error.Message);
        Assert.Contains($"add one with:  {context.Cluster.JoinCommand}", error.Message);
    }

    [Fact]
    public async Task A_program_on_a_standing_cluster_names_its_coordinator_and_the_workers_that_do_not_serve_it()
    {
        await using var coordinator = await CoordinatorNode.StartAsync(new CoordinatorOptions("http://127.0.0.1:0"));
        await using var context = await DataflowContext.ConnectAsync(coordinator.Url.ToString(), Impatient with { ExecutorCores = 64 });
        var error = await Assert.ThrowsAsync<JobFailedException>(() => context.Range(0, 1).CountAsync().WaitAsync(TestNode.Patience));
        Assert.Contains($"no worker has joined the coordinator at {context.Cluster.Url}", error.Message);

        var worker = new WorkerHost(new WorkerOptions(context.Cluster.Url) { Name = "small", Cores = 2, MemoryBytes = 100 });
        using var end = new CancellationTokenSource();
        var tooSmall = new TaskCompletionSource();
        context.Cluster.Changed += change =>
        {
            if (change.Kind == WorkerChangeKind.TooSmall) tooSmall.TrySetResult();
        };
        var running = worker.RunAsync(end.Token);
        await tooSmall.Task.WaitAsync(TestNode.Patience);
        error = await Assert.ThrowsAsync<JobFailedException>(() => context.Range(0, 1).CountAsync().WaitAsync(TestNode.Patience));
        Assert.Contains("small (it offers 2 cores, and an executor is to have 64)", error.Message);
        Assert.Contains($"dataflow status {context.Cluster.Url}", error.Message);
        Assert.Contains(coordinator.JoinCommand, error.Message);
        await end.CancelAsync();
        await running.WaitAsync(TestNode.Patience);
    }
}
