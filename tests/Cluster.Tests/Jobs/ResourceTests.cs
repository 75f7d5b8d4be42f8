using Dataflow.TestKit;

namespace Dataflow.Cluster.Tests;

/// <summary>Stages that ask for named resources, on workers that have them and workers that have not.</summary>
public sealed class ResourceTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Tasks_run_where_what_they_ask_for_is_and_no_two_hold_an_address_at_once()
    {
        var options = new ClusterOptions { Application = DataflowOptions.Default with { NoExecutorTimeout = TimeSpan.FromSeconds(1) } };
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0", options);
        var url = context.Cluster.Url.ToString();
        using var plain = new WorkerProcess(url, cores: 3, name: "plain");
        using var rich = new WorkerProcess(url, cores: 3, name: "rich", more: ["--resource", "gpu=2", "--resource", "fpga=left,right"]);
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        using var folder = new TempDirectory();
        var held = folder.Path;
        var used = await context.Range(0, 12, partitions: 12)
            .WithResources(new ResourceProfile().With("gpu", 1).With("fpga", 0.5))
            .Map(_ =>
            {
                var resources = Tasks.TaskContext.Current!.Resources;
                var gpu = resources["gpu"].Single();
                var file = Path.Combine(held, gpu);

                // Fails if another process or task has it.
                using (new FileStream(file, FileMode.CreateNew)) Thread.Sleep(5);
                File.Delete(file);
                return $"{gpu} {resources["fpga"].Single()} {Environment.ProcessId}";
            }).CollectAsync().WaitAsync(Patience);
        Assert.Equal(["0", "1"], used.Select(each => each.Split(' ')[0]).Distinct().Order());
        Assert.All(used, each => Assert.Contains(each.Split(' ')[1], (string[])["left", "right"]));
        Assert.Single(used.Select(each => each.Split(' ')[2]).Distinct());

        var error = await Assert.ThrowsAsync<JobFailedException>(() =>
            context.Range(0, 2).WithResources(new ResourceProfile().With("gpu", 3)).CountAsync().WaitAsync(Patience));
        Assert.Contains("3 gpu", error.Message);
        Assert.Contains("3 slots and 2 fpga and 2 gpu", error.Message);
        Assert.Contains("--resource", error.Message);
    }

    [Fact]
    public async Task Executors_of_a_stated_size_get_the_resources_that_are_asked_for()
    {
        var (coordinator, url) = ToolProcess.Coordinator();
        using var _ = coordinator;
        using var worker = new WorkerProcess(url, cores: 3, name: "one", more: ["--resource", "gpu=2"]);
        await using var context = await DataflowContext.ConnectAsync(
            url, new ClusterOptions { ExecutorCores = 1, ExecutorMemoryBytes = 200 << 20, ExecutorResources = new Dictionary<string, int> { ["gpu"] = 1 } });
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        var gpus = await context.Range(0, 40, partitions: 40).WithResources(new ResourceProfile().With("gpu", 1))
            .Map(_ => (Environment.ProcessId, Gpu: Tasks.TaskContext.Current!.Resources["gpu"].Single())).Distinct().CollectAsync().WaitAsync(Patience);
        Assert.Equal(gpus.Length, gpus.DistinctBy(each => each.ProcessId).Count());
        Assert.Equal(gpus.Length, gpus.DistinctBy(each => each.Gpu).Count());

        using var status = new ToolProcess("status", url);
        Assert.Equal(0, await status.ExitAsync());
        Assert.Contains("2 gpu (0)", status.Output);
    }

    [Fact]
    public async Task What_is_no_resource_is_refused_by_the_command_line()
    {
        foreach (var wrong in (string[])["gpu", "gpu=0", "=2", "gpu=0,0"])
        {
            using var worker = new ToolProcess("worker", "--join", "http://127.0.0.1:1", "--resource", wrong);
            Assert.Equal(1, await worker.ExitAsync());
            Assert.Contains("is no resource", worker.Output);
        }
    }
}
