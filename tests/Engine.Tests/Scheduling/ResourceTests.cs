using Dataflow.Scheduling;
using Dataflow.Tasks;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Scheduling;

/// <summary>Tasks that take several slots, or named resources: what the task scheduler gives to whom.</summary>
public sealed class ResourceTests
{
    private static readonly ResourceProfile Gpu = new ResourceProfile().With("gpu", 1);

    [Fact]
    public void A_task_of_two_cpus_takes_two_slots()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 5);
        run.Start(tasks: 4, needs: new ResourceProfile(cpus: 2));
        Assert.Equal(["0.0 on e1", "0.1 on e1"], run.Running);
        Assert.Equal(2, run.Newest["0.0"].Cpus);
        run.Succeed("0.0");
        Assert.Equal(["0.1 on e1", "0.2 on e1"], run.Running);
    }

    [Fact]
    public void Slots_that_are_too_few_for_the_first_stage_are_kept_for_it()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 2);
        run.Start(tasks: 2);
        run.Start(tasks: 1, needs: new ResourceProfile(cpus: 2));
        run.Start(tasks: 2);
        run.Succeed("0.0");
        Assert.Equal(["0.1 on e1"], run.Running);
        run.Succeed("0.1");
        Assert.Equal(["1.0 on e1"], run.Running);
        run.Succeed("1.0");
        Assert.Equal(["2.0 on e1", "2.1 on e1"], run.Running);
    }

    [Fact]
    public void Slots_are_not_kept_for_a_stage_that_waits_for_something_else()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 3, null, ("gpu", ["0"]));
        run.Start(tasks: 2, needs: Gpu);
        run.Start(tasks: 2);
        Assert.Equal(["0.0 on e1", "1.0 on e1", "1.1 on e1"], run.Running);
    }

    [Fact]
    public void Each_task_is_told_its_own_addresses()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 4, null, ("gpu", ["a", "b", "c", "d"]), ("fpga", ["x", "y"]));
        run.Start(tasks: 3, needs: new ResourceProfile().With("gpu", 2).With("fpga", 1));
        run.Launch();
        Assert.Equal(2, run.Running.Length);
        Assert.Equal(["a", "b"], run.Newest["0.0"].Resources["gpu"]);
        Assert.Equal(["x"], run.Newest["0.0"].Resources["fpga"]);
        Assert.Equal(["c", "d"], run.Newest["0.1"].Resources["gpu"]);
        run.Succeed("0.0");
        run.Launch();
        Assert.Equal(["a", "b"], run.Newest["0.2"].Resources["gpu"]);
    }

    [Fact]
    public void Parts_of_an_address_are_shared_and_whole_ones_spared()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 9, null, ("gpu", ["a", "b"]));
        run.Start(tasks: 2, needs: new ResourceProfile().With("gpu", 0.25));
        run.Start(tasks: 1, needs: Gpu);
        run.Start(tasks: 3, needs: new ResourceProfile().With("gpu", 1.0 / 3));
        run.Launch();
        Assert.Equal(["a", "a"], new[] { "0.0", "0.1" }.SelectMany(task => run.Newest[task].Resources["gpu"]));
        Assert.Equal(["b"], run.Newest["1.0"].Resources["gpu"]);
        Assert.Equal(["a"], run.Newest["2.0"].Resources["gpu"]);
        Assert.DoesNotContain("2.1", run.Newest.Keys);
        run.Succeed("1.0");
        run.Launch();
        Assert.Equal(["b", "b"], new[] { "2.1", "2.2" }.SelectMany(task => run.Newest[task].Resources["gpu"]));
    }

    [Fact]
    public void Only_executors_that_have_it_are_asked()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 4);
        run.AddExecutor("e2", slots: 4, null, ("gpu", ["0", "1"]));
        run.Start(tasks: 3, needs: Gpu);
        Assert.Equal(["0.0 on e2", "0.1 on e2"], run.Running);
    }

    [Fact]
    public void A_request_that_nobody_can_meet_fails_after_a_while_with_what_is_offered()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 4);
        run.AddExecutor("e2", slots: 2, null, ("fpga", ["0"]));
        run.Start(tasks: 3, needs: Gpu);
        Assert.Equal(DataflowOptions.Default.NoExecutorTimeout, run.Tasks.NextWake);
        run.Pass(DataflowOptions.Default.NoExecutorTimeout - TimeSpan.FromMilliseconds(1));
        Assert.Empty(run.News);
        run.Pass(TimeSpan.FromMilliseconds(1));
        Assert.Equal(["stage 0 has no place: room for 0, offered 2 slots and 1 fpga; 4 slots"], run.News);
        Assert.Equal(0, run.Tasks.SetCount);
        Assert.Null(run.Tasks.NextWake);
    }

    [Fact]
    public void An_executor_that_joins_in_time_saves_it()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 4);
        run.Start(tasks: 1, needs: Gpu);
        run.Pass(DataflowOptions.Default.NoExecutorTimeout / 2);
        run.AddExecutor("e2", slots: 1, null, ("gpu", ["0"]));
        Assert.Equal(["0.0 on e2"], run.News);
        run.Pass(DataflowOptions.Default.NoExecutorTimeout);
        Assert.Empty(run.News);
    }

    [Fact]
    public void One_that_lost_its_only_executor_waits_for_another()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 4);
        run.AddExecutor("e2", slots: 1, null, ("gpu", ["0"]));
        run.Start(tasks: 2, needs: Gpu);
        run.Launch();
        run.LoseExecutor("e2");
        _ = run.News;
        run.Pass(DataflowOptions.Default.NoExecutorTimeout);
        Assert.Equal(["stage 0 has no place: room for 0, offered 4 slots"], run.News);
    }

    [Fact]
    public void Where_nobody_can_join_it_fails_at_once()
    {
        var run = new SlotScript(grows: false);
        run.AddExecutor("e1", slots: 2);
        run.Start(tasks: 1, needs: new ResourceProfile(cpus: 3));
        Assert.Equal(["stage 0 has no place: room for 0, offered 2 slots"], run.News);
    }

    [Fact]
    public void Profiles_that_ask_for_the_same_are_equal()
    {
        var one = new ResourceProfile(2).With("gpu", 1).With("fpga", 0.5);
        var other = new ResourceProfile(2).With("fpga", 0.5).With("gpu", 1);
        Assert.Equal(one, other);
        Assert.Equal(one.GetHashCode(), other.GetHashCode());
        Assert.NotEqual(one, other.With("gpu", 2));
        Assert.NotEqual(one, new ResourceProfile(2).With("gpu", 1));
        Assert.Equal("2 cpus and 0.5 fpga and 1 gpu", one.ToString());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1.5)]
    [InlineData(double.NaN)]
    public void An_amount_must_be_a_part_or_whole(double amount) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new ResourceProfile().With("gpu", amount));

    [Fact]
    public void A_profile_takes_at_least_one_cpu() => Assert.Throws<ArgumentOutOfRangeException>(() => new ResourceProfile(0));

    [Fact]
    public void What_a_local_context_offers_must_make_sense()
    {
        Assert.Throws<ArgumentException>(() => DataflowOptions.Default with { Resources = new Dictionary<string, IReadOnlyList<string>> { ["gpu"] = [] } });
        var error = Assert.Throws<ArgumentException>(
            () => DataflowOptions.Default with { Resources = new Dictionary<string, IReadOnlyList<string>> { ["gpu"] = ["0", "1", "0"] } });
        Assert.Contains("'gpu' has the address '0' 2 times", error.Message, StringComparison.Ordinal);
    }
}
