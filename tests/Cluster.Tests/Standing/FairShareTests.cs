using Dataflow.TestKit;

namespace Dataflow.Cluster.Tests;

/// <summary>A second program gets executors of a first one that has them all, whether its tasks end in time or not.</summary>
public sealed class FairShareTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_second_program_gets_a_whole_worker_of_one_that_has_them_all()
    {
        var (coordinator, url) = ToolProcess.Coordinator();
        using var _ = coordinator;
        using var one = new WorkerProcess(url, cores: 2, name: "one");
        using var two = new WorkerProcess(url, cores: 2, name: "two");
        await using var first = await DataflowContext.ConnectAsync(url);
        await first.Cluster.WaitForWorkersAsync(2, Patience);
        using var folder = new TempDirectory();
        var (runs, gate) = (folder.Path, Path.Combine(folder.Path, "gate"));

        // One task, which stands until the second program has run: the executor that has it is not the one that goes.
        var job = first.Range(0, 1, partitions: 1).Map(i =>
        {
            File.WriteAllText(Path.Combine(runs, $"run-{Guid.NewGuid()}"), "");
            while (!File.Exists(gate)) Thread.Sleep(10);
            return i;
        }).CountAsync();
        Assert.True(SpinWait.SpinUntil(() => Directory.EnumerateFiles(runs, "run-*").Any(), Patience));
        await using var second = await DataflowContext.ConnectAsync(url);
        Assert.Equal(100, await second.Range(0, 100, partitions: 4).CountAsync().WaitAsync(Patience));
        Assert.Equal((1, 1), (first.Cluster.ExecutorCount, second.Cluster.ExecutorCount));
        File.WriteAllText(gate, "");
        Assert.Equal(1, await job.WaitAsync(Patience));
        Assert.Single(Directory.EnumerateFiles(runs, "run-*"));
        Assert.Contains("executors-asked-back", coordinator.Output);
    }

    [Fact]
    public async Task Tasks_that_do_not_end_within_the_grace_run_again_on_what_is_left()
    {
        var coordinator = await CoordinatorNode.StartAsync(new CoordinatorOptions("http://127.0.0.1:0") { ShareGrace = TimeSpan.FromMilliseconds(200) });
        await using var stopping = coordinator;
        var url = coordinator.Url.ToString();
        using var worker = new WorkerProcess(url, cores: 2, name: "one");
        await using var first = await DataflowContext.ConnectAsync(url);
        await first.Cluster.WaitForWorkersAsync(1, Patience);
        using var folder = new TempDirectory();
        var (runs, gate) = (folder.Path, Path.Combine(folder.Path, "gate"));
        var job = first.Range(0, 2, partitions: 2).Map(i =>
        {
            File.WriteAllText(Path.Combine(runs, $"run-{i}-{Guid.NewGuid()}"), "");
            while (!File.Exists(gate))
            {
                Tasks.TaskContext.Current!.CancellationToken.ThrowIfCancellationRequested();
                Thread.Sleep(10);
            }
            return i;
        }).CollectAsync();
        Assert.True(SpinWait.SpinUntil(() => Directory.EnumerateFiles(runs, "run-*").Count() == 2, Patience));

        // The only worker is cut up: both programs have a core of it.
        await using var second = await DataflowContext.ConnectAsync(url);
        Assert.Equal(100, await second.Range(0, 100, partitions: 4).CountAsync().WaitAsync(Patience));
        File.WriteAllText(gate, "");
        var results = await job.WaitAsync(Patience);
        Assert.Equal([0L, 1], results);
        Assert.Equal(4, Directory.EnumerateFiles(runs, "run-*").Count());
        var status = await ClusterClient.StatusAsync(url);
        Assert.Equal([1, 1], status.Applications.Select(each => each.Cores));
    }
}
