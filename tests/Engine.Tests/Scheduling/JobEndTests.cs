using Dataflow.Diagnostics;
using Dataflow.Jobs;
using Dataflow.Scheduling;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Scheduling;

/// <summary>How jobs end other than well, and who may commit.</summary>
public sealed class JobEndTests
{
    [Fact]
    public void A_task_that_failed_for_good_fails_its_job()
    {
        var run = new SchedulerScript(maps: 2, reduces: 2);
        var thrown = new FormatException("n/a");
        run.FailForGood(stage: 0, task: 1, thrown);
        Assert.Equal(
            ["start stage 0 tasks 0 1", "cancel stage 0", "fail job 0: task 1 of stage 0 threw FormatException on attempt 4 of 4"], run.NewActions);
        Assert.Same(thrown, run.Failure!.Cause);
        Assert.Equal((1, 4), (run.Failure.Partition, run.Failure.Attempts));
        Assert.Equal(0, run.Dag.StageCount);
    }

    [Fact]
    public void A_failed_shared_stage_fails_every_job_that_needs_it()
    {
        var run = new SchedulerScript(maps: 1, reduces: 1);
        run.Submit(new TestRdd(1, run.Shuffle));
        run.Submit(new TestRdd(1));
        run.FailForGood(stage: 0, task: 0, new FormatException());
        Assert.Equal(2, run.NewActions.Count(text => text.StartsWith("fail job", StringComparison.Ordinal)));
        Assert.Equal(1, run.Dag.JobCount);
    }

    [Fact]
    public void A_cancelled_job_ends_when_nothing_of_it_runs_any_more()
    {
        var run = new SchedulerScript(maps: 2, reduces: 2) { DrainsByItself = false };
        run.Feed(new JobCancelled(new JobId(0), "enough"));
        Assert.Equal(["start stage 0 tasks 0 1", "cancel stage 0"], run.NewActions);
        run.Succeed(stage: 0);
        Assert.Empty(run.NewActions);
        var hanging = new InvalidOperationException("it hangs");
        run.Feed(new StageDrained(new StageId(0), [hanging]));
        Assert.Equal(["fail job 0: enough"], run.NewActions);
        Assert.Equal(JobFailureKind.Cancelled, run.Failure!.Kind);
        Assert.Same(hanging, Assert.Single(run.Failure.Abandoned));
    }

    [Fact]
    public void Cancelling_twice_ends_a_job_once()
    {
        var run = new SchedulerScript(maps: 2, reduces: 2) { DrainsByItself = false };
        run.Feed(new JobCancelled(new JobId(0), "enough"));
        run.Feed(new AllJobsCancelled("all must go"));
        run.Feed(new StageDrained(new StageId(0), []));
        Assert.Equal("fail job 0: enough", run.NewActions[^1]);
    }

    [Theory]
    [InlineData("group")]
    [InlineData("tag")]
    [InlineData("stage")]
    public void Only_the_jobs_that_are_meant_are_cancelled(string by)
    {
        var run = new SchedulerScript();
        run.Submit(new TestRdd(1), properties: new() { Group = "nightly", Tags = ["slow", "big"] });
        run.Submit(new TestRdd(1), properties: new() { Group = "daily", Tags = ["slow"] });
        _ = run.NewActions;
        run.Feed(by switch
        {
            "group" => new GroupCancelled("nightly", "enough"),
            "tag" => new TagCancelled("big", "enough"),
            _ => new StageCancelled(new StageId(0), "enough"),
        });
        Assert.Equal(["cancel stage 0", "fail job 0: enough"], run.NewActions);
        Assert.Equal(1, run.Dag.JobCount);
    }

    [Fact]
    public void Results_after_a_cancellation_are_not_delivered()
    {
        var run = new SchedulerScript { DrainsByItself = false };
        run.Submit(new TestRdd(2));
        run.Succeed(stage: 0, task: 0);
        run.Feed(new JobCancelled(new JobId(0), "enough"));
        run.Succeed(stage: 0, task: 1);
        Assert.Single(run.Results);
    }

    [Fact]
    public void A_job_that_waits_for_its_parents_can_be_cancelled()
    {
        var run = new SchedulerScript(maps: 1, reduces: 1);
        run.FailFetch(stage: 0, task: 0, map: 0, shuffle: new ShuffleId(-5));
        run.Feed(new JobCancelled(new JobId(0), "enough"));
        Assert.Equal("fail job 0: enough", run.NewActions[^1]);
        run.PassResubmitDelay();
        Assert.Empty(run.NewActions);
        Assert.Equal(0, run.Dag.StageCount);
    }

    [Fact]
    public void A_result_that_the_driver_cannot_take_fails_the_job()
    {
        var run = new SchedulerScript();
        run.Submit(new TestRdd(2));
        var thrown = new InvalidOperationException("too large");
        run.Feed(new ResultRefused(new JobId(0), new JobFailure(JobFailureKind.Driver, "the driver could not take a result") { Cause = thrown }));
        Assert.Equal("fail job 0: the driver could not take a result", run.NewActions[^1]);
        Assert.Same(thrown, run.Failure!.Cause);
    }

    [Fact]
    public void A_job_without_executors_fails_after_a_stated_time()
    {
        var options = DataflowOptions.Default;
        var run = new SchedulerScript(options);
        run.LoseExecutor(1);
        run.Pass(TimeSpan.FromMinutes(10));
        run.Submit(new TestRdd(1));
        Assert.Equal(run.Now + options.NoExecutorTimeout, run.Dag.NextWake);
        run.Pass(options.NoExecutorTimeout - TimeSpan.FromTicks(1));
        Assert.Equal(["start stage 0 task 0"], run.NewActions);
        run.Pass(TimeSpan.FromTicks(1));
        Assert.Equal("fail job 0: there was no executor to run it for 60 s", run.NewActions[^1]);
        Assert.Null(run.Dag.NextWake);
    }

    [Fact]
    public void An_executor_that_comes_in_time_saves_the_job()
    {
        var run = new SchedulerScript();
        run.LoseExecutor(1);
        run.Submit(new TestRdd(1));
        run.Pass(TimeSpan.FromSeconds(59));
        run.AddExecutor("w2");
        run.Pass(TimeSpan.FromHours(1));
        Assert.Null(run.Failure);
        run.LoseExecutor(2);
        run.Pass(TimeSpan.FromSeconds(59));
        Assert.Null(run.Failure);
        run.Pass(TimeSpan.FromSeconds(1));
        Assert.NotNull(run.Failure);
    }

    [Fact]
    public void One_attempt_of_each_task_may_commit()
    {
        var run = new SchedulerScript();
        run.Submit(new TestRdd(2));
        Assert.True(run.Ask(stage: 0, partition: 0, attempt: 10));
        Assert.False(run.Ask(stage: 0, partition: 0, attempt: 11));
        Assert.True(run.Ask(stage: 0, partition: 0, attempt: 10));
        Assert.True(run.Ask(stage: 0, partition: 1, attempt: 11));
    }

    [Fact]
    public void The_right_to_commit_is_free_again_when_its_holder_fails()
    {
        var run = new SchedulerScript();
        run.Submit(new TestRdd(1));
        Assert.True(run.Ask(stage: 0, partition: 0, attempt: 10));
        run.End(stage: 0, task: 0, new Tasks.TaskLost("it crashed"), id: new TaskId(10));
        Assert.True(run.Ask(stage: 0, partition: 0, attempt: 11));
        run.End(stage: 0, task: 0, new Tasks.TaskThrew(new FormatException()), id: new TaskId(10));
        Assert.False(run.Ask(stage: 0, partition: 0, attempt: 12));
    }

    [Fact]
    public void Nobody_may_commit_what_was_committed()
    {
        var run = new SchedulerScript();
        run.Submit(new TestRdd(2));
        Assert.True(run.Ask(stage: 0, partition: 0, attempt: 10));
        run.End(stage: 0, task: 0, new Tasks.TaskSucceeded(null), id: new TaskId(10));
        Assert.False(run.Ask(stage: 0, partition: 0, attempt: 11));
        Assert.False(run.Ask(stage: 0, partition: 0, attempt: 10));
    }

    [Fact]
    public void Attempts_of_a_stage_that_failed_or_is_over_may_not_commit()
    {
        var run = new SchedulerScript(maps: 1, reduces: 2);
        run.Succeed(stage: 0);
        run.FailFetch(stage: 1, task: 0, map: 0);
        Assert.False(run.Ask(stage: 1, partition: 1, attempt: 10, stageAttempt: 0));
        run.PassResubmitDelay();
        run.Succeed(stage: 0);
        Assert.False(run.Ask(stage: 1, partition: 1, attempt: 10, stageAttempt: 0));
        Assert.True(run.Ask(stage: 1, partition: 1, attempt: 20, stageAttempt: 1));
        run.Feed(new JobCancelled(new JobId(0), "enough"));
        Assert.False(run.Ask(stage: 1, partition: 0, attempt: 21, stageAttempt: 1));
    }

    [Fact]
    public void A_late_attempt_that_was_granted_before_its_stage_failed_keeps_the_right()
    {
        var run = new SchedulerScript(maps: 1, reduces: 2);
        run.Succeed(stage: 0);
        Assert.True(run.Ask(stage: 1, partition: 1, attempt: 10));
        run.FailFetch(stage: 1, task: 0, map: 0);
        run.PassResubmitDelay();
        run.Succeed(stage: 0);
        Assert.False(run.Ask(stage: 1, partition: 1, attempt: 20));
        run.End(stage: 1, task: 1, new Tasks.TaskSucceeded("late"), attempt: 0, id: new TaskId(10));
        Assert.Equal("late", Assert.Single(run.Results).Value);
        Assert.False(run.Ask(stage: 1, partition: 1, attempt: 20));
    }

    [Fact]
    public void Listeners_are_told_the_story_of_a_job()
    {
        var run = new SchedulerScript();
        run.News.IsOn = true;
        var shuffle = new TestShuffle(new TestRdd(2), 1);
        run.Submit(new TestRdd(1, shuffle), properties: new() { Description = "a story" });
        run.Succeed(stage: 0);
        run.Succeed(stage: 1);
        Assert.Equal(
            ["JobStarted", "StageSubmitted", "StageCompleted", "StageSubmitted", "StageCompleted", "JobEnded"],
            run.Announced.Select(news => news.GetType().Name));
        var started = (JobStarted)run.Announced[0];
        Assert.Equal("a story", started.Properties.Description);
        Assert.Equal([(2, true), (1, false)], started.Stages.Select(stage => (stage.Tasks, stage.IsMapStage)));
    }
}
