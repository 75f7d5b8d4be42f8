using System.Text.Json;
using Dataflow.TestKit;

namespace Dataflow.Cluster.Tests;

/// <summary>A coordinator that programs share, and that may die; workers that leave when they are told to.</summary>
public sealed class StandingClusterTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static ClusterOptions OneCoreEach => new() { ExecutorCores = 1, ExecutorMemoryBytes = 256 << 20 };

    [Fact]
    public async Task Two_programs_share_a_cluster_and_status_and_kill_see_both()
    {
        var (coordinator, url) = ToolProcess.Coordinator();
        using var _ = coordinator;
        using var worker = new WorkerProcess(url, cores: 2, name: "one");
        await using var a = await DataflowContext.ConnectAsync(url, OneCoreEach with { Application = DataflowOptions.Default with { Name = "first" } });
        await a.Cluster.WaitForWorkersAsync(2, Patience);
        await using var b = await DataflowContext.ConnectAsync(url, OneCoreEach with { Application = DataflowOptions.Default with { Name = "second" } });

        // The first takes all, for nobody else was there; when one joins, both have some.
        using var two = new WorkerProcess(url, cores: 2, name: "two");
        await b.Cluster.WaitForWorkersAsync(2, Patience);
        var counts = await Task.WhenAll(a.Range(0, 1000, partitions: 4).CountAsync(), b.Range(0, 2000, partitions: 4).CountAsync());
        Assert.Equal([1000L, 2000L], counts);
        Assert.Equal(["one", "two"], b.Cluster.Workers.Select(each => each.Name));

        using var status = new ToolProcess("status", url, "--json");
        Assert.Equal(0, await status.ExitAsync());
        using var answer = JsonDocument.Parse(status.Output);
        Assert.Equal(2, answer.RootElement.GetProperty("workers").GetArrayLength());
        var programs = answer.RootElement.GetProperty("applications").EnumerateArray().ToDictionary(each => each.GetProperty("title").GetString()!, each => each.GetProperty("name").GetString()!);

        using var kill = new ToolProcess("kill", programs["first"], "--cluster", url);
        Assert.Equal(0, await kill.ExitAsync());
        Assert.True(SpinWait.SpinUntil(() => Throws(a) is { } error && error.Contains("dataflow kill", StringComparison.Ordinal), Patience), Throws(a));
        Assert.Equal(10, b.Range(0, 10).Count());

        using var table = new ToolProcess("status", url);
        Assert.Equal(0, await table.ExitAsync());
        Assert.Contains(programs["second"], table.Output);
        Assert.DoesNotContain(programs["first"], table.Output);
        using var nobody = new ToolProcess("kill", programs["first"], "--cluster", url);
        Assert.Equal(1, await nobody.ExitAsync());
        Assert.Contains(programs["second"], nobody.Output);

        static string? Throws(DataflowContext context)
        {
            try
            {
                context.Range(0, 1).Count();
                return null;
            }
            catch (Exception error)
            {
                return error.ToString();
            }
        }
    }

    [Fact]
    public async Task A_killed_coordinator_stops_no_job_and_its_successor_serves_new_programs()
    {
        var (coordinator, url) = ToolProcess.Coordinator();
        using var worker = new WorkerProcess(url, cores: 2, name: "one");
        await using var context = await DataflowContext.ConnectAsync(url, OneCoreEach with { ExecutorCores = 2 });
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        using var folder = new TempDirectory();
        var gate = Path.Combine(folder.Path, "gate");
        var begun = Path.Combine(folder.Path, "begun");
        var job = context.Range(0, 8, partitions: 4).Map(i =>
        {
            File.WriteAllText(begun, "");
            while (!File.Exists(gate)) Thread.Sleep(10);
            return (i % 3, i);
        }).ReduceByKey((a, b) => a + b, partitions: 3).CollectAsync();
        Assert.True(SpinWait.SpinUntil(() => File.Exists(begun), Patience));

        coordinator.Kill();
        coordinator.Dispose();
        File.WriteAllText(gate, "");
        Assert.Equal([(0L, 9L), (1L, 12L), (2L, 7L)], (await job.WaitAsync(Patience)).Order());

        var (successor, again) = ToolProcess.Coordinator(new Uri(url).Port);
        using var _ = successor;
        Assert.Equal(url, again);
        Assert.True(SpinWait.SpinUntil(() => successor.Output.Contains("worker-joined one", StringComparison.Ordinal) && successor.Output.Contains("application-joined", StringComparison.Ordinal), Patience), successor.Output);
        Assert.Equal(8, context.Range(0, 8).Count());
        using var two = new WorkerProcess(url, cores: 2, name: "two");
        await using var other = await DataflowContext.ConnectAsync(url, OneCoreEach);
        Assert.True(SpinWait.SpinUntil(() => context.Cluster.ExecutorCount + other.Cluster.ExecutorCount >= 2, Patience));
        Assert.Equal(8, context.Range(0, 8).Count());
    }

    [Fact]
    public async Task A_worker_that_starts_first_waits_for_its_coordinator()
    {
        var (first, url) = ToolProcess.Coordinator();
        first.Kill();
        first.Dispose();
        using var worker = new WorkerProcess(url, name: "early");
        Assert.True(SpinWait.SpinUntil(() => worker.Output.Contains("waiting early: for the coordinator", StringComparison.Ordinal), Patience), worker.Output);

        var (coordinator, again) = ToolProcess.Coordinator(new Uri(url).Port);
        using var _ = coordinator;
        await using var context = await DataflowContext.ConnectAsync(again, OneCoreEach);
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        Assert.Equal(100, context.Range(0, 100).Count());
    }

    [Fact]
    public async Task A_worker_that_is_told_to_leave_lets_its_tasks_end_and_loses_nothing()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var one = new WorkerProcess(context.Cluster.Url.ToString(), name: "one");
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        using var folder = new TempDirectory();
        var runs = folder.Path;
        var gate = Path.Combine(folder.Path, "gate");
        var job = context.Range(0, 4, partitions: 4).Map(i =>
        {
            File.AppendAllText(Path.Combine(runs, $"run-{i}-{Guid.NewGuid()}"), "");
            while (!File.Exists(gate)) Thread.Sleep(10);
            return i;
        }).CollectAsync();
        Assert.True(SpinWait.SpinUntil(() => Directory.EnumerateFiles(runs, "run-*").Any(), Patience));

        one.Terminate();
        Assert.True(SpinWait.SpinUntil(() => one.Output.Contains("draining one", StringComparison.Ordinal), Patience), one.Output);
        using var two = new WorkerProcess(context.Cluster.Url.ToString(), name: "two");
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        File.WriteAllText(gate, "");
        var results = await job.WaitAsync(Patience);
        Assert.Equal([0L, 1, 2, 3], results);
        Assert.Equal(0, await one.ExitAsync());
        Assert.Contains("it was drained", one.Output);

        // No task ran twice: the one that ran on the leaving worker was taken as it ended.
        Assert.Equal(4, Directory.EnumerateFiles(runs, "run-*").Count());
    }

    [Fact]
    public async Task A_second_signal_ends_a_worker_at_once()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var worker = new WorkerProcess(context.Cluster.Url.ToString(), name: "one");
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        using var folder = new TempDirectory();
        var begun = Path.Combine(folder.Path, "begun");
        using var cancelled = new CancellationTokenSource();
        var job = context.Range(0, 1, partitions: 1).Map(i =>
        {
            File.WriteAllText(begun, "");
            Thread.Sleep(Timeout.Infinite);
            return i;
        }).CountAsync(cancelled.Token);
        Assert.True(SpinWait.SpinUntil(() => File.Exists(begun), Patience));
        worker.Terminate();
        Assert.True(SpinWait.SpinUntil(() => worker.Output.Contains("draining one", StringComparison.Ordinal), Patience), worker.Output);
        worker.Terminate();
        Assert.Equal(0, await worker.ExitAsync());
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => job.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_submitted_program_runs_on_the_cluster_and_gives_its_exit_code()
    {
        var (coordinator, url) = ToolProcess.Coordinator();
        using var _ = coordinator;
        using var worker = new WorkerProcess(url, cores: 1);
        using var program = new ToolProcess("submit", WorkerProcess.PathOf("ClusterPi.dll"), "--cluster", url, "--", "--workers", "1", "--steps", "1000000");
        Assert.Equal(0, await program.ExitAsync());
        Assert.Contains("pi = 3.1415926536", program.Output);
        Assert.Contains("application-joined", coordinator.Output);

        using var wrong = new ToolProcess("submit", WorkerProcess.PathOf("ClusterPi.dll"), "--cluster", url, "--", "--nonsense");
        Assert.NotEqual(0, await wrong.ExitAsync());
        using var missing = new ToolProcess("submit", "nothing.dll");
        Assert.Equal(1, await missing.ExitAsync());
    }
}
