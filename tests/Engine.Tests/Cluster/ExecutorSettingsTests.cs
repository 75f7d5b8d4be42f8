using System.Globalization;
using Dataflow.Cluster;

namespace Dataflow.Engine.Tests.Cluster;

/// <summary>What executors are told of the options of their application.</summary>
public sealed class ExecutorSettingsTests
{
    [Fact]
    public void What_tasks_follow_arrives_as_it_was_set()
    {
        var options = new DataflowOptions { Name = "n", FusionWarmUp = 3, CancellationGrace = TimeSpan.FromSeconds(7), MaxResultBytes = 11, Seed = 13 };
        var read = ExecutorSettings.Read(ExecutorSettings.Write(options), slots: 4, memoryBytes: 1 << 30, tempFolder: "/t");
        Assert.Equal(
            ("n", 3, TimeSpan.FromSeconds(7), 11L, 13, 4, 1L << 30, "/t"),
            (read.Name, read.FusionWarmUp, read.CancellationGrace, read.MaxResultBytes, read.Seed, read.Threads, read.MemoryBytes, read.TempFolder));
    }

    [Fact]
    public void Tasks_run_under_the_culture_of_the_driver()
    {
        Assert.Equal(CultureInfo.CurrentCulture.Name, ExecutorSettings.CultureOf(ExecutorSettings.Write(new DataflowOptions())).Name);
        var settings = ExecutorSettings.Write(new DataflowOptions());
        settings["Culture"] = "no such culture anywhere";
        var error = Assert.Throws<ClusterException>(() => ExecutorSettings.CultureOf(settings));
        Assert.Contains("no such culture anywhere", error.Message);
        Assert.Contains(Environment.MachineName, error.Message);
    }
}
