using Dataflow.Scheduling;
using Dataflow.Tasks;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Scheduling;

/// <summary>Map outputs that are lost, and what is run again for them.</summary>
public sealed class RecoveryTests
{
    [Fact]
    public void A_corrupt_map_output_reruns_only_that_map_task()
    {
        var run = Reading(maps: 3, reduces: 2);
        run.FailFetch(stage: 1, task: 0, map: 2, failure: FetchFailure.Corrupt);
        Assert.Equal(["stop launching stage 1"], run.NewActions);
        run.Pass(DataflowOptions.Default.ResubmitDelay);
        Assert.Equal(["start stage 0 task 2"], run.NewActions);
    }

    [Fact]
    public void The_reading_stage_runs_again_with_its_missing_tasks_only()
    {
        var run = Reading(maps: 3, reduces: 4);
        run.Succeed(stage: 1, task: 1);
        run.FailFetch(stage: 1, task: 0, map: 2);
        run.PassResubmitDelay();
        run.Succeed(stage: 0);
        Assert.Equal(["stop launching stage 1", "start stage 0 task 2", "start stage 1 tasks 0 2 3"], run.NewActions);
        run.Succeed(stage: 1);
        Assert.Equal("end job 0", run.NewActions[^1]);
        Assert.Equal([0, 1, 2, 3], run.Results.Select(result => result.Index).Order());
    }

    [Fact]
    public void Nothing_is_submitted_again_before_the_delay_is_over()
    {
        var run = Reading(maps: 3, reduces: 2);
        run.FailFetch(stage: 1, task: 0, map: 2);
        _ = run.NewActions;
        Assert.Equal(run.Now + DataflowOptions.Default.ResubmitDelay, run.Dag.NextWake);
        run.Pass(DataflowOptions.Default.ResubmitDelay - TimeSpan.FromTicks(1));
        Assert.Empty(run.NewActions);
        run.Pass(TimeSpan.FromTicks(1));
        Assert.Equal(["start stage 0 task 2"], run.NewActions);
        Assert.Null(run.Dag.NextWake);
    }

    [Fact]
    public void Losses_that_come_together_are_repaired_in_one_attempt()
    {
        var run = Reading(maps: 4, reduces: 3);
        run.FailFetch(stage: 1, task: 0, map: 2);
        run.FailFetch(stage: 1, task: 1, map: 3);
        run.FailFetch(stage: 1, task: 2, map: 2);
        run.PassResubmitDelay();
        Assert.Equal(["stop launching stage 1", "start stage 0 tasks 2 3"], run.NewActions);
    }

    [Fact]
    public void A_late_complaint_about_an_output_that_was_written_again_does_not_harm_it()
    {
        var run = Reading(maps: 3, reduces: 2);
        var first = run.Outputs.LocationOf(run.Shuffle.ShuffleId, 2);
        run.FailFetch(stage: 1, task: 0, map: 2);
        run.PassResubmitDelay();
        run.Succeed(stage: 0);
        Assert.Equal("start stage 1 tasks 0 1", run.NewActions[^1]);
        run.FailFetch(stage: 1, task: 1, map: 2, attempt: 0, location: first);
        run.Succeed(stage: 1);
        Assert.Equal("end job 0", run.NewActions[^1]);
    }

    [Fact]
    public void A_complaint_about_a_server_that_no_longer_has_the_output_does_not_harm_it()
    {
        var run = Reading(maps: 1, reduces: 2);
        run.AddExecutor("w2");
        run.FailFetch(stage: 1, task: 0, map: 0, location: new(run.Worker("w2"), default));
        Assert.True(run.Outputs.IsComplete(run.Shuffle.ShuffleId));
        _ = run.NewActions;
        run.PassResubmitDelay();
        Assert.Equal(["start stage 1 tasks 0 1"], run.NewActions);
    }

    [Fact]
    public void A_late_result_of_an_earlier_attempt_spares_the_newest_one_the_task()
    {
        var run = Reading(maps: 3, reduces: 3);
        run.FailFetch(stage: 1, task: 0, map: 2);
        run.PassResubmitDelay();
        run.Succeed(stage: 0);
        _ = run.NewActions;
        run.Succeed(stage: 1, task: 2, attempt: 0);
        Assert.Equal(["task 2 of stage 1 is done"], run.NewActions);
        run.Succeed(stage: 1, task: 0);
        run.Succeed(stage: 1, task: 1);
        Assert.Equal("end job 0", run.NewActions[^1]);
        Assert.Equal(3, run.Results.Count);
    }

    [Fact]
    public void A_late_result_between_two_attempts_counts_and_can_end_the_job()
    {
        var run = Reading(maps: 3, reduces: 2);
        run.FailFetch(stage: 1, task: 0, map: 2);
        run.Succeed(stage: 1, task: 1, attempt: 0);
        run.PassResubmitDelay();
        run.Succeed(stage: 0);
        Assert.Equal("start stage 1 task 0", run.NewActions[^1]);
        run.Succeed(stage: 1, task: 0, attempt: 0);
        Assert.Equal("end job 0", run.NewActions[^1]);
        run.Succeed(stage: 1, task: 0);
        Assert.Equal(2, run.Results.Count);
    }

    [Fact]
    public void A_late_result_of_an_indeterminate_stage_is_ignored()
    {
        var run = new SchedulerScript();
        var shuffle = new TestShuffle(new TestRdd(2), 2);
        run.Submit(new TestRdd(2, Determinacy.Indeterminate, null, shuffle));
        run.Succeed(stage: 0);
        run.FailFetch(stage: 1, task: 0, map: 1, shuffle: shuffle.ShuffleId);
        run.Succeed(stage: 1, task: 1, attempt: 0);
        Assert.Empty(run.Results);
        run.PassResubmitDelay();
        run.Succeed(stage: 0);
        Assert.Equal("start stage 1 tasks 0 1", run.NewActions[^1]);
    }

    [Fact]
    public void The_same_result_twice_is_delivered_once()
    {
        var run = Reading(maps: 1, reduces: 2);
        run.Succeed(stage: 1, task: 0);
        run.Succeed(stage: 1, task: 0);
        Assert.Single(run.Results);
    }

    [Fact]
    public void Outputs_that_are_lost_together_and_met_one_by_one_are_all_written_anew()
    {
        var run = Reading(maps: 20, reduces: 1);
        for (var map = 0; map < 20; map++)
        {
            run.FailFetch(stage: 1, task: 0, map: map);
            run.PassResubmitDelay();
            Assert.Equal($"start stage 0 task {map}", run.NewActions[^1]);
            run.Succeed(stage: 0, task: map);
            Assert.Equal("start stage 1 task 0", run.NewActions[^1]);
        }
    }

    [Fact]
    public void A_stage_that_can_never_read_its_input_fails_its_job_after_as_many_attempts_as_allowed()
    {
        var run = Reading(maps: 1, reduces: 1);
        for (var attempt = 1; attempt < DataflowOptions.Default.StageMaxAttempts; attempt++)
        {
            run.FailFetch(stage: 1, task: 0, map: 0);
            run.PassResubmitDelay();
            run.Succeed(stage: 0);
            Assert.Equal("start stage 1 task 0", run.NewActions[^1]);
        }
        run.FailFetch(stage: 1, task: 0, map: 0);
        Assert.Equal("fail job 0: stage 1 failed 4 times to read map output 0, though it was written anew after each", run.NewActions[^1]);
        Assert.IsType<FetchFailedException>(run.Failure!.Cause);
        run.Pass(TimeSpan.FromHours(1));
        Assert.Empty(run.NewActions);
    }

    [Fact]
    public void Many_failed_reads_of_one_attempt_count_once()
    {
        var run = Reading(maps: 8, reduces: 8);
        for (var task = 0; task < 8; task++) run.FailFetch(stage: 1, task: task, map: task);
        run.PassResubmitDelay();
        Assert.Equal("start stage 0 tasks 0 1 2 3 4 5 6 7", run.NewActions[^1]);
    }

    [Fact]
    public void Attempts_count_in_a_row_only()
    {
        var run = new SchedulerScript();
        var first = new TestShuffle(new TestRdd(1), 1);
        var second = new TestShuffle(new TestRdd(1, first), 1);
        run.Submit(new TestRdd(1, second));
        run.Succeed(stage: 0);

        // Stage 1 fails three times, succeeds, and is asked again for an output: it may fail three times more.
        for (var round = 0; round < 2; round++)
        {
            for (var attempt = 0; attempt < 3; attempt++)
            {
                run.FailFetch(stage: 1, task: 0, map: 0, shuffle: first.ShuffleId);
                run.PassResubmitDelay();
                run.Succeed(stage: 0);
            }
            run.Succeed(stage: 1);
            run.FailFetch(stage: 2, task: 0, map: 0, shuffle: second.ShuffleId);
            run.PassResubmitDelay();
        }
        Assert.Null(run.Failure);
    }

    [Fact]
    public void An_executor_that_is_lost_keeps_its_map_outputs()
    {
        var run = Reading(maps: 2, reduces: 1);
        run.LoseExecutor(1);
        run.FailFetch(stage: 1, task: 0, map: 0, location: new(run.Worker("w9"), default));
        _ = run.NewActions;
        run.AddExecutor("w1", executor: 7);
        run.PassResubmitDelay();
        Assert.Equal(["start stage 1 task 0"], run.NewActions);
    }

    [Fact]
    public void A_worker_that_is_lost_takes_its_map_outputs_along()
    {
        var run = new SchedulerScript(maps: 4, reduces: 1);
        run.AddExecutor("w2");
        run.Succeed(stage: 0, task: 0, onWorker: "w1");
        run.Succeed(stage: 0, task: 1, onWorker: "w2");
        run.Succeed(stage: 0, task: 2, onWorker: "w2");
        run.Succeed(stage: 0, task: 3, onWorker: "w1");
        run.LoseWorker("w2");
        run.FailFetch(stage: 1, task: 0, map: 1, location: new(run.Worker("w2"), default));
        _ = run.NewActions;
        run.PassResubmitDelay();
        Assert.Equal(["start stage 0 tasks 1 2"], run.NewActions);
    }

    [Fact]
    public void Outputs_lost_while_their_stage_runs_are_written_again_before_its_children_start()
    {
        var run = new SchedulerScript(maps: 3, reduces: 1);
        run.AddExecutor("w2");
        run.Succeed(stage: 0, task: 0, onWorker: "w2");
        run.LoseWorker("w2");
        run.Succeed(stage: 0, task: 1);
        _ = run.NewActions;
        run.Succeed(stage: 0, task: 2);
        Assert.Equal(["start stage 0 task 0"], run.NewActions);
        run.Succeed(stage: 0, task: 0);
        Assert.Equal(["start stage 1 task 0"], run.NewActions);
    }

    [Fact]
    public void A_map_output_that_arrives_from_a_lost_worker_does_not_count()
    {
        var run = new SchedulerScript(maps: 1, reduces: 1);
        run.AddExecutor("w2");
        run.LoseWorker("w2");
        _ = run.NewActions;
        run.Succeed(stage: 0, task: 0, onWorker: "w2");
        Assert.Equal(["start stage 0 task 0"], run.NewActions);
    }

    [Fact]
    public void A_server_that_does_not_answer_is_checked()
    {
        var run = Reading(maps: 1, reduces: 1);
        run.FailFetch(stage: 1, task: 0, map: 0, failure: FetchFailure.Unreachable);
        Assert.Contains("check worker w1", run.NewActions);
    }

    [Fact]
    public void A_loss_two_stages_down_is_repaired_from_the_bottom()
    {
        var run = new SchedulerScript();
        var first = new TestShuffle(new TestRdd(2), 2);
        var second = new TestShuffle(new TestRdd(2, first), 2);
        run.Submit(new TestRdd(2, second));
        run.AddExecutor("w2");
        run.Succeed(stage: 0, onWorker: "w2");
        run.Succeed(stage: 1, onWorker: "w2");
        run.LoseWorker("w2");
        run.FailFetch(stage: 2, task: 0, map: 1, location: new(run.Worker("w2"), default), shuffle: second.ShuffleId);
        _ = run.NewActions;
        run.PassResubmitDelay();
        Assert.Equal(["start stage 0 tasks 0 1"], run.NewActions);
        run.Succeed(stage: 0);
        Assert.Equal(["start stage 1 tasks 0 1"], run.NewActions);
        run.Succeed(stage: 1);
        Assert.Equal(["start stage 2 tasks 0 1"], run.NewActions);
    }

    [Fact]
    public void A_lost_output_below_a_cached_block_that_was_evicted_unnoticed_is_repaired()
    {
        var run = new SchedulerScript();
        var shuffle = new TestShuffle(new TestRdd(1), 1);
        var cached = new TestRdd(1, shuffle);
        cached.SetStorageLevel(StorageLevel.MemoryOnly);
        run.Submit(cached);
        run.Succeed(stage: 0);
        run.Succeed(stage: 1);
        run.Cache(cached, 0);
        run.Submit(new TestRdd(1, new OneToOneDependency(cached)));
        _ = run.NewActions;
        run.FailFetch(stage: 2, task: 0, map: 0, shuffle: shuffle.ShuffleId);
        run.PassResubmitDelay();
        Assert.Equal(["stop launching stage 2", "start stage 3 task 0"], run.NewActions);
        run.Succeed(stage: 3);
        Assert.Equal("start stage 2 task 0", run.NewActions[^1]);
    }

    [Fact]
    public void A_later_job_repairs_outputs_that_were_lost_between_the_jobs()
    {
        var run = Reading(maps: 2, reduces: 1);
        run.Succeed(stage: 1);
        run.LoseWorker("w1");
        run.AddExecutor("w2");
        _ = run.NewActions;
        run.Submit(new TestRdd(1, run.Shuffle));
        Assert.Equal(["start stage 2 tasks 0 1"], run.NewActions);
    }

    [Fact]
    public void Accumulators_of_a_task_that_runs_again_count_once()
    {
        var run = new SchedulerScript(maps: 1, reduces: 1);
        run.Succeed(stage: 0, task: 0, updates: new());
        run.FailFetch(stage: 1, task: 0, map: 0);
        run.PassResubmitDelay();
        run.Succeed(stage: 0, task: 0, updates: new());
        run.Succeed(stage: 1, task: 0, updates: new());
        Assert.Equal(2, run.NewActions.Count(text => text == "count"));
    }

    /// <summary>A two-stage job whose map stage has run on w1.</summary>
    private static SchedulerScript Reading(int maps, int reduces)
    {
        var run = new SchedulerScript(maps, reduces);
        run.Succeed(stage: 0, onWorker: "w1");
        _ = run.NewActions;
        return run;
    }
}
