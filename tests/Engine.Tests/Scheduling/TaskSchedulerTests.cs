using Dataflow.Scheduling;
using Dataflow.Tasks;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Scheduling;

/// <summary>Slots, retries, losses, cancellation.</summary>
public sealed class TaskSchedulerTests
{
    [Fact]
    public void Tasks_go_to_free_slots_in_order_and_the_rest_waits()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 2);
        run.Start(tasks: 4);
        Assert.Equal(["0.0 on e1", "0.1 on e1"], run.News);
        run.Succeed("0.0");
        Assert.Equal(["0.2 on e1"], run.News);
    }

    [Fact]
    public void A_small_stage_spreads_over_the_executors()
    {
        var run = new SlotScript();
        foreach (var name in new[] { "e1", "e2", "e3" }) run.AddExecutor(name, slots: 4);
        run.Start(tasks: 3);
        Assert.Equal(["e1", "e2", "e3"], run.News.Select(text => text[^2..]).Order());
    }

    [Fact]
    public void An_executor_that_joins_gets_waiting_tasks()
    {
        var run = new SlotScript();
        run.Start(tasks: 2);
        Assert.Empty(run.News);
        run.AddExecutor("e1", slots: 2);
        Assert.Equal(["0.0 on e1", "0.1 on e1"], run.News);
    }

    [Fact]
    public void A_task_that_throws_is_tried_again_with_the_next_attempt_number()
    {
        var run = new SlotScript();
        run.AddExecutor("e1");
        run.Start(tasks: 1);
        run.Throw("0.0");
        Assert.Equal(["0.0 on e1", "0.0 on e1"], run.News);
        Assert.Equal(1, run.Newest["0.0"].Attempt);
    }

    [Fact]
    public void A_task_that_throws_too_often_fails_its_stage_with_the_last_exception()
    {
        var run = new SlotScript(DataflowOptions.Default with { TaskMaxAttempts = 3 });
        run.AddExecutor("e1");
        run.Start(tasks: 2);
        run.Throw("0.0");
        run.Throw("0.0");
        run.Throw("0.0", new FormatException("the last"));
        Assert.Equal("stage 0 failed: task 0, attempt 3", run.News[^1]);
        Assert.Equal("the last", ((TaskThrew)run.Failed!.Last).Exception.Message);
        Assert.Empty(run.News);
        Assert.Equal(0, run.Tasks.SetCount);
    }

    [Fact]
    public void Failures_of_different_tasks_do_not_add_up()
    {
        var run = new SlotScript(DataflowOptions.Default with { TaskMaxAttempts = 2 });
        run.AddExecutor("e1", slots: 3);
        run.Start(tasks: 3);
        foreach (var task in new[] { "0.0", "0.1", "0.2" }) run.Throw(task);
        Assert.Equal(["0.0 on e1", "0.1 on e1", "0.2 on e1"], run.Running);
    }

    [Fact]
    public void An_error_that_would_come_again_fails_the_stage_at_once()
    {
        var run = new SlotScript();
        run.AddExecutor("e1");
        run.Start(tasks: 1);
        run.Throw("0.0", new FinalException());
        Assert.Equal("stage 0 failed: task 0, attempt 1", run.News[^1]);
    }

    [Fact]
    public void A_task_whose_executor_is_lost_runs_elsewhere_and_it_is_not_its_failure()
    {
        var run = new SlotScript(DataflowOptions.Default with { TaskMaxAttempts = 1 + 1 });
        run.AddExecutor("e1");
        run.Start(tasks: 1);
        Assert.Equal(["0.0 on e1"], run.News);
        run.LoseExecutor("e1");
        run.AddExecutor("e2");
        Assert.Equal(["0.0 on e2"], run.News);
        run.Throw("0.0");
        Assert.Equal(["0.0 on e2"], run.News);
    }

    [Fact]
    public void A_task_that_takes_its_executors_down_ends_after_some()
    {
        var run = new SlotScript();
        run.Start(tasks: 1);
        for (var i = 1; i <= 4; i++)
        {
            run.AddExecutor($"e{i}");
            Assert.Equal([$"0.0 on e{i}"], run.News);
            run.LoseExecutor($"e{i}");
        }
        Assert.Equal(["stage 0 failed: task 0, attempt 4"], run.News);
        Assert.IsType<TaskLost>(run.Failed!.Last);
    }

    [Fact]
    public void The_late_answer_of_a_lost_executor_is_ignored()
    {
        var run = new SlotScript();
        run.AddExecutor("e1");
        run.Start(tasks: 1);
        run.Launch();
        var lost = run.Newest["0.0"].Id;
        run.LoseExecutor("e1");
        run.Feed(new TaskEnded(lost, new TaskSucceeded(null), new TaskMetrics(), null));
        run.AddExecutor("e2");
        Assert.Equal(["0.0 on e1", "0.0 on e2"], run.News);
    }

    [Fact]
    public void A_killed_attempt_is_tried_again_without_counting()
    {
        var run = new SlotScript(DataflowOptions.Default with { TaskMaxAttempts = 1 });
        run.AddExecutor("e1");
        run.Start(tasks: 1);
        run.Launch();
        run.Feed(new AttemptKillAsked(run.Newest["0.0"].Id, "on request"));
        Assert.Equal(["0.0 on e1", "kill 0.0 on e1"], run.News);
        run.End("0.0", new TaskKilled("cancelled"));
        Assert.Equal(["0.0 on e1"], run.News);
    }

    [Fact]
    public void A_failed_fetch_is_not_tried_again_by_itself()
    {
        var run = new SlotScript();
        run.AddExecutor("e1");
        run.Start(tasks: 2);
        run.End("0.0", new FetchFailed(new ShuffleId(1), 0, null, FetchFailure.Missing, "gone"));
        run.Do(new StopLaunching(new StageId(0), 0));
        Assert.Equal(["0.0 on e1"], run.News);
        Assert.Equal(0, run.Tasks.SetCount);
    }

    [Fact]
    public void Nothing_more_of_a_stopped_attempt_is_launched_but_what_runs_may_finish()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 2);
        run.Start(tasks: 4);
        Assert.Equal(2, run.Running.Length);
        run.Do(new StopLaunching(new StageId(0), 0));
        run.Throw("0.0");
        run.Succeed("0.1");
        Assert.DoesNotContain(run.News, text => text.StartsWith("kill", StringComparison.Ordinal));
        Assert.Empty(run.Running);
        Assert.Equal(0, run.Tasks.SetCount);
    }

    [Fact]
    public void A_cancelled_stage_is_drained_when_its_last_task_has_ended()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 2);
        run.Start(tasks: 4);
        _ = run.News;
        run.Do(new CancelStage(new StageId(0), "enough"));
        Assert.Equal(["kill 0.0 on e1", "kill 0.1 on e1"], run.News);
        run.End("0.0", new TaskKilled("cancelled"));
        Assert.Empty(run.News);
        run.End("0.1", new TaskThrew(new TaskAbandonedException("it hangs", new StageId(0), 1)));
        Assert.Equal(["stage 0 drained"], run.News);
        Assert.Equal("it hangs", Assert.Single(run.Drained!.Abandoned).Message);
    }

    [Fact]
    public void A_cancelled_stage_of_which_nothing_runs_is_drained_at_once()
    {
        var run = new SlotScript();
        run.Start(tasks: 4);
        run.Do(new CancelStage(new StageId(0), "enough"));
        run.AddExecutor("e1");
        Assert.Equal(["stage 0 drained"], run.News);
    }

    [Fact]
    public void Draining_waits_for_late_tasks_of_earlier_attempts_too()
    {
        var run = new SlotScript();
        run.AddExecutor("e1", slots: 2);
        run.Start(tasks: 1);
        Assert.Equal(["0.0 on e1"], run.News);
        run.Do(new StopLaunching(new StageId(0), 0));
        run.Start(tasks: 1, attempt: 1, stage: 0);
        Assert.Equal(["0.0 on e1"], run.News);
        run.Do(new CancelStage(new StageId(0), "enough"));
        run.End("0.0", new TaskKilled("cancelled"));
        Assert.DoesNotContain("stage 0 drained", run.News);
        run.End("0.0", new TaskKilled("cancelled"));
        Assert.Contains("stage 0 drained", run.News);
    }

    [Fact]
    public void A_task_whose_result_came_from_an_earlier_attempt_is_not_launched_or_is_killed()
    {
        var run = new SlotScript();
        run.AddExecutor("e1");
        run.Start(tasks: 5, only: [1, 3, 4]);
        Assert.Equal(["0.1 on e1"], run.News);
        run.Do(new TaskDone(new StageId(0), 0, 3));
        run.Do(new TaskDone(new StageId(0), 0, 1));
        Assert.Equal(["kill 0.1 on e1"], run.News);
        run.End("0.1", new TaskKilled("not needed"));
        Assert.Equal(["0.4 on e1"], run.News);
        run.Succeed("0.4");
        Assert.Equal(0, run.Tasks.SetCount);
    }

    [Fact]
    public void A_task_that_failed_twice_on_an_executor_goes_to_another()
    {
        var run = new SlotScript();
        run.AddExecutor("e1");
        run.Start(tasks: 1);
        run.Throw("0.0");
        run.AddExecutor("e2", slots: 1);
        run.Start(tasks: 1);
        run.Launch();
        Assert.Equal(["0.0 on e1", "1.0 on e2"], run.Running);
        run.Throw("0.0");
        Assert.Equal(["1.0 on e2"], run.Running);
        run.Succeed("1.0");
        Assert.Equal(["0.0 on e2"], run.Running);
    }

    [Fact]
    public void A_task_that_failed_everywhere_is_tried_until_its_attempts_are_used_up()
    {
        var run = new SlotScript(DataflowOptions.Default with { TaskMaxAttempts = 6 });
        run.AddExecutor("e1");
        run.AddExecutor("e2");
        run.Start(tasks: 1);
        for (var i = 0; i < 6; i++) run.Throw("0.0");
        Assert.Equal("stage 0 failed: task 0, attempt 6", run.News[^1]);
    }

    [Fact]
    public void A_task_that_does_not_see_a_file_runs_elsewhere_at_once()
    {
        var run = new SlotScript();
        run.AddExecutor("e1");
        run.Start(tasks: 1);
        run.AddExecutor("e2");
        run.Launch();
        run.Throw("0.0", new InputException("not here", "/data"));
        Assert.Equal(["0.0 on e2"], run.Running);
        run.Throw("0.0", new InputException("not here", "/data"));

        // Neither sees it: the attempts that are left are made all the same.
        Assert.Single(run.Running);
    }

    [Fact]
    public void A_task_kept_away_from_the_executors_that_are_left_goes_back_to_them()
    {
        var run = new SlotScript();
        run.AddExecutor("e1");
        run.Start(tasks: 1);
        run.Throw("0.0");
        run.AddExecutor("e2");
        run.Launch();
        run.Start(tasks: 1);
        run.Launch();
        run.Throw("0.0");
        Assert.Equal(["1.0 on e2"], run.Running);
        run.LoseExecutor("e2");
        Assert.Contains("0.0 on e1", run.News);
    }

    [Fact]
    public void An_attempt_that_may_not_commit_is_tried_again_later_and_without_counting()
    {
        var options = DataflowOptions.Default with { TaskMaxAttempts = 1 };
        var run = new SlotScript(options);
        run.AddExecutor("e1");
        run.Start(tasks: 1);
        run.End("0.0", new CommitDenied());
        Assert.Equal(["0.0 on e1"], run.News);
        Assert.Equal(run.Now + options.ResubmitDelay, run.Tasks.NextWake);
        run.Pass(options.ResubmitDelay);
        Assert.Equal(["0.0 on e1"], run.News);
    }

    [Fact]
    public void A_hundred_thousand_tasks_are_placed_without_an_object_for_each()
    {
        var run = new SlotScript();
        run.Start(tasks: 100_000);
        Assert.Empty(run.News);
        var before = GC.GetAllocatedBytesForCurrentThread();
        run.Start(tasks: 100_000, only: [.. Enumerable.Range(0, 100_000)]);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 6_000_000);
    }

    private sealed class FinalException : Exception, Errors.IFinalError;
}
