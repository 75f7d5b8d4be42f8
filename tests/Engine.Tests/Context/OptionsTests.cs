using Dataflow.Scheduling;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Context;

/// <summary>Options out of range are refused where they are set, by name and with what would have been valid.</summary>
public sealed class OptionsTests
{
    [Fact]
    public void Options_out_of_range_are_refused_by_name()
    {
        Refused(nameof(DataflowOptions.MemoryBytes), () => DataflowOptions.Default with { MemoryBytes = 0 });
        Refused(nameof(DataflowOptions.MemoryWait), () => DataflowOptions.Default with { MemoryWait = TimeSpan.FromSeconds(-1) });
        Refused(nameof(DataflowOptions.Threads), () => DataflowOptions.Default with { Threads = 0 });
        Refused(nameof(DataflowOptions.CancellationGrace), () => DataflowOptions.Default with { CancellationGrace = TimeSpan.FromTicks(-1) });
        Refused(nameof(DataflowOptions.SchedulingMode), () => DataflowOptions.Default with { SchedulingMode = (SchedulingMode)7 });
        Refused(nameof(DataflowOptions.TempFolder), () => DataflowOptions.Default with { TempFolder = " " });
        Refused(nameof(DataflowOptions.TempFolder), () => DataflowOptions.Default with { TempFolder = "a\0b" });
        Refused(nameof(DataflowOptions.EventLogFolder), () => DataflowOptions.Default with { EventLogFolder = "" });
        Refused(nameof(DataflowOptions.Pools), () => DataflowOptions.Default with { Pools = [null!] });
        Refused(nameof(PoolOptions.Name), () => DataflowOptions.Default with { Pools = [new PoolOptions { Name = "" }] });
    }

    [Fact]
    public void Results_may_take_a_quarter_of_the_memory_unless_the_program_says_otherwise()
    {
        Assert.Equal(1L << 30, DataflowOptions.Default.MaxResultBytes);
        Assert.Equal(50L << 20, (DataflowOptions.Default with { MemoryBytes = 200 << 20 }).MaxResultBytes);
        Assert.Equal(1L << 30, (DataflowOptions.Default with { MemoryBytes = 64L << 30 }).MaxResultBytes);
        Assert.Equal(7, (DataflowOptions.Default with { MemoryBytes = 200 << 20, MaxResultBytes = 7 }).MaxResultBytes);
    }

    [Fact]
    public void Times_longer_than_a_timer_takes_are_refused()
    {
        Refused(nameof(DataflowOptions.CancellationGrace), () => DataflowOptions.Default with { CancellationGrace = TimeSpan.MaxValue });
        Refused(nameof(DataflowOptions.ResubmitDelay), () => DataflowOptions.Default with { ResubmitDelay = TimeSpan.MaxValue });
        Refused(nameof(DataflowOptions.NoExecutorTimeout), () => DataflowOptions.Default with { NoExecutorTimeout = TimeSpan.MaxValue });
        Refused(nameof(DataflowOptions.LocalityWait), () => DataflowOptions.Default with { LocalityWait = TimeSpan.FromDays(60) });
        Refused(nameof(DataflowOptions.MemoryWait), () => DataflowOptions.Default with { MemoryWait = TimeSpan.FromDays(60) });
    }

    [Fact]
    public void An_event_log_that_cannot_be_written_names_its_option()
    {
        using var folder = new TempDirectory();
        var file = Path.Combine(folder.Path, "file");
        File.WriteAllText(file, "");
        var error = Assert.Throws<OutputException>(() => DataflowContext.Local(DataflowOptions.Default with { EventLogFolder = file }));
        Assert.Contains("DataflowOptions.EventLogFolder", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Contexts_made_at_the_same_moment_have_event_logs_of_their_own()
    {
        using var folder = new TempDirectory();
        var time = new ManualTimeProvider();
        for (var i = 0; i < 3; i++) new Diagnostics.EventLog(folder.Path, "app", time).Dispose();
        Assert.Equal(3, Directory.GetFiles(folder.Path).Length);
    }

    private static void Refused(string name, Func<DataflowOptions> make) =>
        Assert.Contains(name, Assert.ThrowsAny<ArgumentException>(make).Message, StringComparison.Ordinal);
}
