using Dataflow.Scheduling;
using Dataflow.TaskScheduling;
using Dataflow.Tasks;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Scheduling;

/// <summary>Barrier sets on slots: all tasks start together or none does.</summary>
public sealed class GangLaunchTests
{
    [Fact]
    public void A_gang_waits_for_the_executor_that_keeps_its_state_but_not_for_ever()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 1);
        run.AddExecutor("e2", slots: 1);
        run.Start(tasks: 1, preferences: [new Preference([run.Executor("e1")], [])]);
        Assert.Equal(["0.0 on e1"], run.News);
        Preference[] state = [new Preference([run.Executor("e1")], []) { IsOfState = true }];
        run.Start(tasks: 1, barrier: true, preferences: state);
        Assert.Empty(run.News);
        run.Succeed("0.0");
        Assert.Contains("1.0 on e1", run.News);

        run.Start(tasks: 1, barrier: true, preferences: state);
        run.Pass(DataflowOptions.Default.LocalityWait - TimeSpan.FromTicks(1));
        Assert.Empty(run.News);
        Assert.Equal(run.Now + TimeSpan.FromTicks(1), run.Tasks.NextWake);
        run.Pass(TimeSpan.FromTicks(1));
        Assert.Equal(["2.0 on e2"], run.News);
        Assert.Null(run.Tasks.NextWake);
    }

    [Fact]
    public void A_gang_does_not_wait_for_the_state_of_an_executor_that_is_gone()
    {
        var run = new SlotScript();
        run.AddExecutor("e1");
        run.AddExecutor("e2");
        Preference[] state = [new Preference([run.Executor("e1")], []) { IsOfState = true }];
        run.LoseExecutor("e1");
        run.Start(tasks: 1, barrier: true, preferences: state);
        Assert.Equal(["0.0 on e2"], run.News);
    }

    [Fact]
    public void Nothing_starts_before_there_is_a_slot_for_every_task()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 2);
        run.AddExecutor("e2", slots: 1);
        run.Start(tasks: 2);
        run.Start(tasks: 3, barrier: true);
        Assert.Equal(2, run.Running.Length);
        run.Succeed("0.0");
        Assert.Single(run.Running);
        run.Succeed("0.1");
        Assert.Equal(3, run.Running.Length);
        Assert.All(run.Running, task => Assert.StartsWith("1.", task, StringComparison.Ordinal));
    }

    [Fact]
    public void Slots_are_kept_for_it_from_those_behind_it_and_then_given_back()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 2);
        run.AddExecutor("e2", slots: 1);
        run.Start(tasks: 1);
        run.Launch();
        run.Start(tasks: 3, barrier: true);
        run.Start(tasks: 2);
        Assert.Single(run.Running);
        run.Succeed("0.0");
        Assert.Equal(["1.0", "1.1", "1.2"], run.Running.Select(task => task[..3]));
        run.Succeed("1.1", "1.0");
        Assert.Equal(["1.2", "2.0", "2.1"], run.Running.Select(task => task[..3]));
    }

    [Fact]
    public void Those_before_it_in_the_queue_come_first()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 2);
        run.Start(tasks: 4, job: 1);
        run.Start(tasks: 2, job: 2, barrier: true);
        run.Launch();
        run.Succeed("0.0");
        Assert.Equal(["0.1 on e1", "0.2 on e1"], run.Running);
        run.Succeed("0.1");
        run.Succeed("0.2");
        Assert.Equal(["0.3 on e1"], run.Running);
        run.Succeed("0.3");
        Assert.Equal(["1.0 on e1", "1.1 on e1"], run.Running);
    }

    [Fact]
    public void What_was_held_back_is_free_when_the_waiting_stage_is_cancelled()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 2);
        run.Start(tasks: 1);
        var gang = run.Start(tasks: 2, barrier: true);
        run.Start(tasks: 1);
        Assert.Equal(["0.0 on e1"], run.Running);
        run.Do(new CancelStage(new StageId(gang), "on request"));
        Assert.Equal(["stage 1 drained", "2.0 on e1"], run.News[1..]);
        Assert.Equal(["0.0 on e1", "2.0 on e1"], run.Running);
    }

    [Fact]
    public void Tasks_go_near_their_data_where_there_is_room_and_do_not_wait_for_it()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 1);
        run.AddExecutor("e2", slots: 2);
        run.AddExecutor("e3", slots: 1);
        run.Start(tasks: 4, barrier: true, preferences:
        [
            new Preference([run.Executor("e3")], []), new Preference([], ["e1"]), new Preference([run.Executor("e3")], ["e1"]), Preference.None,
        ]);
        Assert.Equal(["0.0 on e3", "0.1 on e1", "0.2 on e2", "0.3 on e2"], run.Running);
    }

    [Fact]
    public void Each_task_knows_where_the_others_run()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 1, host: "north");
        run.AddExecutor("e2", slots: 1, host: "south");
        run.Start(tasks: 2, barrier: true, preferences: [new Preference([], ["south"]), Preference.None]);
        run.Launch();
        Assert.All(["0.0", "0.1"], task => Assert.Equal(["south", "north"], run.Newest[task].Gang!.Hosts));
    }

    [Fact]
    public void Named_resources_count_too()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 4, null, ("gpu", ["0"]));
        run.AddExecutor("e2", slots: 4, null, ("gpu", ["0", "1"]));
        run.Start(tasks: 1, needs: new ResourceProfile().With("gpu", 1), preferences: [new Preference([run.Executor("e1")], [])]);
        run.Launch();
        run.Start(tasks: 3, needs: new ResourceProfile().With("gpu", 1), barrier: true);
        Assert.Equal(["0.0 on e1"], run.Running);
        run.Succeed("0.0");
        Assert.Equal(["1.0", "1.1", "1.2"], run.Running.Select(task => task[..3]));
        Assert.Equal(2, run.Running.Count(task => task.EndsWith("e2", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_gang_of_more_tasks_than_slots_fails_with_both_numbers()
    {
        var run = new SlotScript(grows: false);
        run.AddExecutor("e1", slots: 2);
        run.Start(tasks: 3, barrier: true);
        run.Start(tasks: 1);
        Assert.Equal(["stage 0 has no place: room for 2, offered 2 slots", "1.0 on e1"], run.News);
    }

    [Fact]
    public void Where_executors_may_join_it_waits_for_them_and_holds_nobody_up()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 2);
        run.Start(tasks: 3, barrier: true);
        run.Start(tasks: 1);
        Assert.Equal(["1.0 on e1"], run.News);
        run.Succeed("1.0");
        run.Pass(DataflowOptions.Default.NoExecutorTimeout / 2);
        run.AddExecutor("e2", slots: 1);
        Assert.Equal(3, run.News.Count);
        run.Pass(DataflowOptions.Default.NoExecutorTimeout);
        Assert.Equal(3, run.Running.Length);
    }

    [Fact]
    public void A_task_that_ends_badly_is_not_tried_again_by_itself()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 3);
        run.Start(tasks: 2, barrier: true);
        run.Launch();
        run.Throw("0.1");
        run.Do(new KillAttempts(new StageId(0), "its gang is broken"));
        Assert.Equal(["0.0 on e1", "0.1 on e1", "kill 0.0 on e1"], run.News);
        run.End("0.0", new TaskKilled("its gang is broken"));
        Assert.Empty(run.News);
        Assert.Equal(0, run.Tasks.SetCount);
    }

    [Fact]
    public void The_next_attempt_waits_for_the_slots_of_the_last_one()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 2);
        run.Start(tasks: 2, barrier: true);
        run.Launch();
        run.Throw("0.1");
        run.Do(new KillAttempts(new StageId(0), "its gang is broken"));
        run.Start(tasks: 2, barrier: true, stage: 0, attempt: 1);
        Assert.Equal(["0.0 on e1"], run.Running);
        run.End("0.0", new TaskKilled("its gang is broken"));
        Assert.Equal(["0.0 on e1", "0.1 on e1"], run.Running);
        Assert.Equal(1, run.Newest["0.0"].StageAttempt);
    }

    [Fact]
    public void A_slow_task_gets_no_copy()
    {
        var run = new SlotScript(DataflowOptions.Default with { Speculation = true, SpeculationQuantile = 0.5 });
        run.AddExecutor("e1", slots: 4);
        run.AddExecutor("e2", slots: 4);
        run.Start(tasks: 4, barrier: true);
        run.Launch();
        run.Wait(TimeSpan.FromSeconds(1));
        run.Succeed("0.0", "0.1", "0.2");
        _ = run.News;
        Assert.Null(run.Tasks.NextWake);
        run.Pass(TimeSpan.FromHours(1));
        Assert.Empty(run.News);
    }
}
