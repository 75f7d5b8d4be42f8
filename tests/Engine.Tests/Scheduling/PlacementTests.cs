using Dataflow.Scheduling;
using Dataflow.TaskScheduling;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Scheduling;

/// <summary>Which of several waiting tasks a slot gets, by place, by pool, and by how slow the others are.</summary>
public sealed class PlacementTests
{
    private static readonly DataflowOptions Options = DataflowOptions.Default;

    [Fact]
    public void A_task_goes_to_the_executor_that_keeps_its_data()
    {
        var run = new SlotScript();
        foreach (var name in new[] { "e1", "e2", "e3" }) run.AddExecutor(name);
        run.Start(tasks: 3, preferences: [At(run, "e3"), At(run, "e1"), At(run, "e2")]);
        Assert.Equal(["0.0 on e3", "0.1 on e1", "0.2 on e2"], run.Running);
    }

    [Fact]
    public void A_task_waits_for_its_place_before_it_goes_anywhere()
    {
        var run = new SlotScript();
        run.AddExecutor("e1");
        run.AddExecutor("e2");
        run.Start(tasks: 2, preferences: [At(run, "e1"), At(run, "e1")]);
        Assert.Equal(["0.0 on e1"], run.News);
        run.Pass(Options.LocalityWait - TimeSpan.FromTicks(1));
        Assert.Empty(run.News);

        // One step to the node, where nothing waits, and so on to anywhere.
        run.Pass(TimeSpan.FromTicks(1));
        Assert.Equal(["0.1 on e2"], run.News);
    }

    [Fact]
    public void The_wait_ends_by_itself_at_the_time_it_names()
    {
        var run = new SlotScript();
        run.AddExecutor("e1");
        run.Start(tasks: 2, preferences: [OnHost("elsewhere"), OnHost("elsewhere")]);
        for (var i = 0; i < 10 && run.Running.Length == 0; i++)
        {
            var wake = Assert.NotNull(run.Tasks.NextWake);
            run.Pass(wake - run.Now);
        }
        Assert.NotEmpty(run.Running);
        Assert.InRange(run.Now, TimeSpan.Zero, 2 * Options.LocalityWait);
    }

    [Fact]
    public void Nobody_is_woken_again_and_again_while_all_slots_are_taken()
    {
        var run = new SlotScript(Options with { Speculation = true });
        run.AddExecutor("e1");
        run.AddExecutor("e2");
        run.Start(tasks: 5, preferences: [.. Enumerable.Repeat(OnHost("elsewhere"), 5)]);
        for (var i = 0; i < 3 && run.Tasks.NextWake is { } wake; i++)
        {
            Assert.True(wake > run.Now, $"woken at {run.Now} for {wake}");
            run.Pass(wake - run.Now);
            run.Launch();
        }
        Assert.Null(run.Tasks.NextWake);
        Assert.Equal(2, run.Running.Length);
    }

    [Fact]
    public void A_task_prefers_its_node_to_a_stranger()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", host: "a");
        run.AddExecutor("e2", host: "b");
        run.Start(tasks: 2, preferences: [OnHost("b"), OnHost("a")]);
        Assert.Equal(["0.0 on e2", "0.1 on e1"], run.Running);
    }

    [Fact]
    public void Tasks_without_a_place_take_any_slot_at_once()
    {
        var run = new SlotScript();
        run.AddExecutor("e1");
        run.AddExecutor("e2");
        run.Start(tasks: 2, preferences: [At(run, "e1"), Preference.None]);
        Assert.Equal(["0.0 on e1", "0.1 on e2"], run.Running);
    }

    [Fact]
    public void A_task_whose_place_is_gone_runs_elsewhere()
    {
        var run = new SlotScript();
        run.AddExecutor("e1");
        run.AddExecutor("e2");
        run.LoseExecutor("e1");
        run.Start(tasks: 1, preferences: [At(run, "e1")]);
        run.Pass(Options.LocalityWait);
        Assert.Equal(["0.0 on e2"], run.Running);
    }

    [Fact]
    public void The_first_job_is_served_first()
    {
        var run = new SlotScript();
        run.Start(tasks: 2, job: 5);
        run.Start(tasks: 2, job: 3);
        run.AddExecutor("e1", slots: 3);
        Assert.Equal(["1.0 on e1", "1.1 on e1", "0.0 on e1"], run.News);
    }

    [Fact]
    public void What_the_first_job_cannot_use_goes_to_the_next()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 3);
        run.Start(tasks: 1);
        run.Start(tasks: 5);
        Assert.Equal(["0.0 on e1", "1.0 on e1", "1.1 on e1"], run.News);
    }

    [Fact]
    public void Fair_pools_share_by_weight()
    {
        var run = new SlotScript(Options with { SchedulingMode = SchedulingMode.Fair, Pools = [new() { Name = "heavy", Weight = 2 }] });
        run.Start(tasks: 20, pool: "light");
        run.Start(tasks: 20, pool: "heavy");
        run.AddExecutor("e1", slots: 9);
        Assert.Equal((3, 6), Count(run));
    }

    [Fact]
    public void A_pool_below_its_minimum_share_comes_first()
    {
        var run = new SlotScript(Options with { SchedulingMode = SchedulingMode.Fair, Pools = [new() { Name = "small", Weight = 0.01, MinShare = 3 }] });
        run.Start(tasks: 20, pool: "other");
        run.Start(tasks: 20, pool: "small");
        run.AddExecutor("e1", slots: 10);
        Assert.Equal((7, 3), Count(run));
    }

    [Fact]
    public void Slots_that_a_pool_gives_back_go_where_they_are_due()
    {
        var run = new SlotScript(Options with { SchedulingMode = SchedulingMode.Fair });
        run.AddExecutor("e1", slots: 4);
        run.Start(tasks: 10, pool: "a");
        run.Launch();
        run.Start(tasks: 10, pool: "b");
        run.Succeed("0.0", "0.1");
        Assert.Equal((2, 2), Count(run));
    }

    [Fact]
    public void Within_a_fair_pool_jobs_share_too()
    {
        var run = new SlotScript(Options with { SchedulingMode = SchedulingMode.Fair, Pools = [new() { Name = "p", Mode = SchedulingMode.Fair }] });
        run.Start(tasks: 10, pool: "p");
        run.Start(tasks: 10, pool: "p");
        run.AddExecutor("e1", slots: 6);
        Assert.Equal((3, 3), Count(run));
    }

    [Fact]
    public void A_slow_task_gets_a_copy_elsewhere_and_the_slower_one_is_killed()
    {
        var run = Speculating(out var options);
        run.Pass(options.SpeculationMinRuntime);
        Assert.Contains("copy of 0.3 on e2", run.News);
        Assert.True(run.Newest["0.3"].Speculative);
        run.End("0.3", new Tasks.TaskSucceeded(null), on: "e2");
        Assert.Equal(["kill 0.3 on e1"], run.News);
        run.End("0.3", new Tasks.TaskKilled("another was first"), on: "e1");
        Assert.Empty(run.News);
        Assert.Equal(0, run.Tasks.SetCount);
    }

    [Fact]
    public void The_first_copy_may_win_too()
    {
        var run = Speculating(out var options);
        run.Pass(options.SpeculationMinRuntime);
        _ = run.News;
        run.End("0.3", new Tasks.TaskSucceeded(null), on: "e1");
        Assert.Equal(["kill 0.3 on e2"], run.News);
    }

    [Fact]
    public void A_task_that_is_not_slow_gets_no_copy()
    {
        var run = Speculating(out var options);
        run.Pass(options.SpeculationMinRuntime - TimeSpan.FromMilliseconds(10) - TimeSpan.FromTicks(1));
        Assert.Empty(run.News);
        Assert.Equal(run.Now + TimeSpan.FromTicks(1), run.Tasks.NextWake);
    }

    [Fact]
    public void While_few_tasks_are_done_nothing_counts_as_slow()
    {
        var run = new SlotScript(Options with { Speculation = true });
        run.AddExecutor("e1", slots: 4);
        run.AddExecutor("e2", slots: 4);
        run.Start(tasks: 4);
        run.Succeed("0.0", "0.1");
        _ = run.News;
        run.Pass(TimeSpan.FromHours(1));
        Assert.Empty(run.News);
        Assert.Null(run.Tasks.NextWake);
    }

    [Fact]
    public void A_copy_that_fails_leaves_the_first_one_running()
    {
        var run = Speculating(out var options);
        run.Pass(options.SpeculationMinRuntime);
        _ = run.News;
        run.End("0.3", new Tasks.TaskThrew(new FormatException()), on: "e2");
        Assert.Empty(run.News);
        run.End("0.3", new Tasks.TaskSucceeded(null), on: "e1");
        Assert.Equal(0, run.Tasks.SetCount);
    }

    [Fact]
    public void A_finished_task_whose_killed_copy_lingers_wakes_nobody()
    {
        var run = Speculating(out var options);
        run.Pass(options.SpeculationMinRuntime);
        _ = run.News;
        run.End("0.3", new Tasks.TaskSucceeded(null), on: "e2");
        run.Pass(TimeSpan.FromHours(1));
        Assert.Null(run.Tasks.NextWake);
    }

    [Fact]
    public void The_median_is_that_of_all_numbers_so_far()
    {
        var random = new Random(3);
        var numbers = new List<long>();
        var median = new RunningMedian();
        for (var i = 0; i < 500; i++)
        {
            var number = random.Next(100);
            numbers.Add(number);
            median.Add(number);
            Assert.Equal(numbers.Order().ElementAt((numbers.Count - 1) / 2), median.Median);
        }
    }

    // Four tasks on e1, of which three are done after 10 ms; e2 is free.
    private static SlotScript Speculating(out DataflowOptions options)
    {
        options = Options with { Speculation = true };
        var run = new SlotScript(options);
        run.AddExecutor("e1", slots: 4);
        run.Start(tasks: 4);
        run.Launch();
        run.AddExecutor("e2", slots: 1);
        run.Wait(TimeSpan.FromMilliseconds(10));
        run.Succeed("0.0", "0.1", "0.2");
        _ = run.News;
        return run;
    }

    private static (int Stage0, int Stage1) Count(SlotScript run) => (
        run.Running.Count(text => text.StartsWith("0.", StringComparison.Ordinal)), run.Running.Count(text => text.StartsWith("1.", StringComparison.Ordinal)));

    private static Preference At(SlotScript run, string executor) => new([run.Executor(executor)], []);

    private static Preference OnHost(string host) => new([], [host]);
}
