using Dataflow.TestKit;

namespace Dataflow.Cluster.Tests;

/// <summary>Paths mean what they mean in the driver; what a worker does not see there is an error, never empty input or lost output.</summary>
public sealed class PathTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Relative_paths_are_those_of_the_driver()
    {
        // The worker runs in a folder of its own.
        using var folder = new TempDirectory();
        File.WriteAllLines(Path.Combine(folder.Path, "in.txt"), ["a", "b", "c"]);
        var relative = Path.GetRelativePath(Environment.CurrentDirectory, folder.Path);
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var worker = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        context.CheckpointFolder = Path.Combine(relative, "checkpoints");
        var lines = context.TextFile(Path.Combine(relative, "in.txt"), minPartitions: 2).Map(line => line + "!");
        lines.Checkpoint();
        lines.SaveAsText(Path.Combine(relative, "out"));
        Assert.Equal(["a!", "b!", "c!"], context.TextFile(Path.Combine(relative, "out")).Collect());
        Assert.Equal(["a!", "b!", "c!"], lines.Collect());
        Assert.True(lines.IsCheckpointed);
    }

    [FactOnLinux]
    public async Task Input_that_only_the_driver_sees_is_an_error_that_names_host_path_and_remedy()
    {
        // A path that is another one in each process.
        using var file = new OwnFile("in.txt");
        File.WriteAllLines(file.Path, ["a", "b", "c"]);
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var worker = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        var error = Assert.Throws<JobFailedException>(() => context.TextFile(file.Path).Count());
        Assert.Contains(file.Path, error.Message);
        Assert.Contains($"host '{Environment.MachineName}'", error.Message);
        Assert.Contains("shared storage", error.Message);
    }

    [FactOnLinux]
    public async Task Output_and_checkpoints_that_only_the_driver_sees_are_errors_and_leave_nothing()
    {
        using var folder = new OwnFile("out");
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var worker = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        var error = Assert.Throws<JobFailedException>(() => context.Range(0, 10).Map(i => $"{i}").SaveAsText(folder.Path));
        Assert.Contains(folder.Path, error.Message);
        Assert.Contains($"host '{Environment.MachineName}'", error.Message);
        Assert.Contains("shared storage", error.Message);
        Assert.False(Directory.Exists(folder.Path));

        context.CheckpointFolder = folder.Path;
        var numbers = context.Range(0, 10).Map(i => i + 1);
        numbers.Checkpoint();
        var lost = Assert.ThrowsAny<DataflowException>(() => numbers.Count());
        Assert.Contains("shared storage", lost.Message);
    }

    /// <summary>A name in this process's working folder, by a path that leads every process to its own.</summary>
    private sealed class OwnFile(string name) : IDisposable
    {
        public string Path { get; } = $"/proc/self/cwd/{Guid.NewGuid():N}.{name}";

        public void Dispose()
        {
            if (Directory.Exists(Path)) Directory.Delete(Path, recursive: true);
            else File.Delete(Path);
        }
    }

    private sealed class FactOnLinuxAttribute : FactAttribute
    {
        public FactOnLinuxAttribute()
        {
            if (!OperatingSystem.IsLinux()) Skip = "Needs /proc/self/cwd, which Linux has.";
        }
    }
}
