using Dataflow.Scheduling;
using Dataflow.Shared;
using Dataflow.Tasks;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Scheduling;

/// <summary>Barrier stages count as a whole: what becomes of them when tasks end well, badly, or not at all.</summary>
public sealed class BarrierStageTests
{
    [Fact]
    public void Results_count_when_all_tasks_have_ended_well()
    {
        var run = Gang(tasks: 3);
        Assert.Equal(["start stage 0 tasks 0 1 2 together"], run.NewActions);
        run.Succeed(stage: 0, task: 0, updates: new AccumulatorUpdates());
        run.Succeed(stage: 0, task: 2);
        Assert.Empty(run.Results);
        Assert.Empty(run.NewActions);
        run.Succeed(stage: 0, task: 1, updates: new AccumulatorUpdates());
        Assert.Equal([0, 1, 2], run.Results.Select(result => result.Index));
        Assert.Equal(["count", "count"], run.NewActions[..2]);
    }

    [Fact]
    public void A_task_that_throws_restarts_the_whole_stage_and_nothing_of_the_attempt_counts()
    {
        var run = Gang(tasks: 3);
        run.Succeed(stage: 0, task: 0, value: "old", updates: new AccumulatorUpdates());
        _ = run.NewActions;
        run.End(stage: 0, task: 1, new TaskThrew(new FormatException("n/a")));
        Assert.Equal(["kill stage 0"], run.NewActions);
        run.End(stage: 0, task: 2, new TaskKilled("its gang is broken"), attempt: 0);
        run.PassResubmitDelay();
        Assert.Equal(["start stage 0 tasks 0 1 2 together"], run.NewActions);
        foreach (var task in new[] { 0, 1, 2 }) run.Succeed(stage: 0, task, value: "new");
        Assert.Equal(["new", "new", "new"], run.Results.Select(result => result.Value));
        Assert.Equal(["kill stage 0", "end job 0"], run.NewActions);
    }

    [Fact]
    public void A_late_success_of_an_attempt_that_is_over_does_not_count()
    {
        var run = Gang(tasks: 2);
        run.End(stage: 0, task: 1, new TaskLost("it crashed"));
        run.Succeed(stage: 0, task: 0, attempt: 0, value: "old");
        run.PassResubmitDelay();
        run.Succeed(stage: 0, task: 1, value: "new");
        run.Succeed(stage: 0, task: 0, attempt: 0, value: "old");
        Assert.Empty(run.Results);
        run.Succeed(stage: 0, task: 0, value: "new");
        Assert.Equal(["new", "new"], run.Results.Select(result => result.Value));
    }

    [Fact]
    public void It_fails_for_good_after_as_many_attempts_as_a_stage_may_have()
    {
        var run = Gang(tasks: 2, DataflowOptions.Default with { StageMaxAttempts = 3 });
        for (var attempt = 0; attempt < 2; attempt++)
        {
            run.End(stage: 0, task: attempt, new TaskThrew(new FormatException("n/a")));
            run.PassResubmitDelay();
            Assert.Equal("start stage 0 tasks 0 1 together", run.NewActions[^1]);
        }
        run.End(stage: 0, task: 1, new TaskThrew(new FormatException("the last")));
        Assert.Equal("fail job 0: task 1 of barrier stage 0 threw FormatException on attempt 3 of 3 at the stage", run.NewActions[^1]);
        Assert.Equal("the last", run.Failure!.Cause!.Message);
        Assert.Equal((1, 3), (run.Failure.Partition, run.Failure.Attempts));
        run.Pass(TimeSpan.FromHours(2));
        Assert.Equal((0, 0), (run.Dag.JobCount, run.Dag.StageCount));
    }

    [Fact]
    public void A_killed_attempt_and_a_refused_commit_break_the_gang_too()
    {
        var run = Gang(tasks: 2);
        run.End(stage: 0, task: 0, new TaskKilled("on request"));
        Assert.Equal("kill stage 0", run.NewActions[^1]);
        run.PassResubmitDelay();
        run.End(stage: 0, task: 0, new CommitDenied());
        Assert.Equal("kill stage 0", run.NewActions[^1]);
    }

    [Fact]
    public void An_output_that_its_tasks_can_not_read_restarts_it_after_it_is_written_again()
    {
        var shuffle = new TestShuffle(new TestRdd(2), 3);
        var run = new SchedulerScript();
        run.Submit(new TestRdd(3, Determinacy.Determinate, null, shuffle) { StartsTogether = true });
        run.Succeed(stage: 0);
        run.Succeed(stage: 1, task: 0);
        _ = run.NewActions;
        run.FailFetch(stage: 1, task: 1, map: 1, shuffle: shuffle.ShuffleId);
        Assert.Equal(["kill stage 1"], run.NewActions);
        run.PassResubmitDelay();
        Assert.Equal(["start stage 0 task 1"], run.NewActions);
        run.Succeed(stage: 0);
        Assert.Equal(["start stage 1 tasks 0 1 2 together"], run.NewActions);
        run.Succeed(stage: 1);
        Assert.Equal("end job 0", run.NewActions[^1]);
    }

    [Fact]
    public void Map_outputs_of_a_gang_are_registered_together()
    {
        var (run, shuffle) = MapGang(maps: 3, reduces: 2);
        run.Succeed(stage: 0, task: 0);
        run.Succeed(stage: 0, task: 1);
        Assert.Equal(3, run.Outputs.MissingCount(shuffle.ShuffleId));
        run.Succeed(stage: 0, task: 2);
        Assert.True(run.Outputs.IsComplete(shuffle.ShuffleId));
        Assert.Equal("start stage 1 tasks 0 1", run.NewActions[^1]);
    }

    [Fact]
    public void A_lost_map_output_of_a_gang_runs_all_of_it_again()
    {
        var (run, shuffle) = MapGang(maps: 3, reduces: 2);
        run.Succeed(stage: 0);
        run.FailFetch(stage: 1, task: 0, map: 2, shuffle: shuffle.ShuffleId);
        run.PassResubmitDelay();
        Assert.Equal("start stage 0 tasks 0 1 2 together", run.NewActions[^1]);
        run.Succeed(stage: 0);
        Assert.Equal("start stage 1 tasks 0 1", run.NewActions[^1]);
        run.Succeed(stage: 1);
        Assert.Equal("end job 0", run.NewActions[^1]);
    }

    [Fact]
    public void Outputs_that_differ_from_those_before_begin_their_readers_anew()
    {
        var (run, shuffle) = MapGang(maps: 2, reduces: 2);
        run.Succeed(stage: 0, checksum: 7);
        run.FailFetch(stage: 1, task: 0, map: 1, shuffle: shuffle.ShuffleId);
        run.PassResubmitDelay();
        run.Succeed(stage: 0, checksum: 8);
        run.PassResubmitDelay();
        Assert.Equal("start stage 0 tasks 0 1 together", run.NewActions[^1]);
        run.Succeed(stage: 0, checksum: 9);
        Assert.Equal("start stage 1 tasks 0 1", run.NewActions[^1]);
    }

    [Fact]
    public void A_worker_that_is_lost_with_an_output_before_all_are_there_restarts_the_gang()
    {
        var (run, _) = MapGang(maps: 2, reduces: 1);
        run.AddExecutor("w2");
        run.Succeed(stage: 0, task: 0, onWorker: "w2");
        run.LoseWorker("w2");
        run.Succeed(stage: 0, task: 1, onWorker: "w1");
        run.PassResubmitDelay();
        Assert.Equal(["start stage 0 tasks 0 1 together", "kill stage 0", "start stage 0 tasks 0 1 together"], run.NewActions);
    }

    [Fact]
    public void A_commit_of_an_attempt_that_is_over_does_not_stand_in_the_way()
    {
        var run = Gang(tasks: 2);
        Assert.True(run.Ask(stage: 0, partition: 0, attempt: 10));
        Assert.True(run.Ask(stage: 0, partition: 1, attempt: 11));
        run.End(stage: 0, task: 0, new TaskSucceeded(null), id: new TaskId(10));
        run.End(stage: 0, task: 1, new TaskThrew(new FormatException()), id: new TaskId(11));
        Assert.False(run.Ask(stage: 0, partition: 0, attempt: 12));
        run.PassResubmitDelay();
        Assert.True(run.Ask(stage: 0, partition: 0, attempt: 20));
        Assert.False(run.Ask(stage: 0, partition: 0, attempt: 10, stageAttempt: 0));
    }

    [Fact]
    public void What_only_some_of_it_has_cached_is_made_anew_together()
    {
        var run = new SchedulerScript();
        var gang = new TestRdd(2) { StartsTogether = true };
        var above = new TestRdd(2, new OneToOneDependency(gang));
        foreach (var rdd in new[] { gang, above }) rdd.SetStorageLevel(StorageLevel.MemoryOnly);
        run.Cache(above, partition: 1);
        run.Cache(gang, partition: 0);
        run.Cache(gang, partition: 1);
        run.Submit(above);
        Assert.Equal([$"drop rdd {above.Id}", "start stage 0 tasks 0 1 together"], run.NewActions);
    }

    [Fact]
    public void Nothing_is_left_of_a_job_that_is_cancelled_while_tasks_wait()
    {
        var run = Gang(tasks: 2);
        run.Arrive(stage: 0, task: 0);
        run.Feed(new JobCancelled(new JobId(0), "on request"));
        Assert.Equal(["start stage 0 tasks 0 1 together", "task 0 waits no more: on request", "cancel stage 0", "fail job 0: on request"], run.NewActions);
        Assert.Equal((0, 0), (run.Dag.JobCount, run.Dag.StageCount));
        Assert.Null(run.Dag.NextWake);
    }

    [Fact]
    public void Rdds_behind_it_without_a_shuffle_run_in_the_same_gang()
    {
        var run = new SchedulerScript();
        run.Submit(new TestRdd(2, new OneToOneDependency(new TestRdd(2, new OneToOneDependency(new TestRdd(2) { StartsTogether = true })))));
        Assert.Equal(["start stage 0 tasks 0 1 together"], run.NewActions);
    }

    [Fact]
    public void Stages_before_and_behind_a_shuffle_are_ordinary_ones()
    {
        var before = new TestShuffle(new TestRdd(2), 2);
        var behind = new TestShuffle(new TestRdd(2, before) { StartsTogether = true }, 1);
        var run = new SchedulerScript();
        run.Submit(new TestRdd(1, behind));
        run.Succeed(stage: 0);
        run.Succeed(stage: 1);
        Assert.Equal(["start stage 0 tasks 0 1", "start stage 1 tasks 0 1 together", "start stage 2 task 0"], run.NewActions);
    }

    [Fact]
    public void A_part_of_its_partitions_is_refused()
    {
        var run = new SchedulerScript();
        run.Submit(new TestRdd(3) { StartsTogether = true }, partitions: [1]);
        Assert.StartsWith(
            "fail job 0: barrier stage 0 runs a task for each of its 3 partitions or none at all, but 1 was asked for (Test at ", Assert.Single(run.NewActions),
            StringComparison.Ordinal);
        Assert.Equal(0, run.Dag.StageCount);
        run.Submit(new TestRdd(3) { StartsTogether = true }, partitions: [2, 0, 1]);
        Assert.Equal(["start stage 1 tasks 0 1 2 together"], run.NewActions);
    }

    [Fact]
    public void Rdds_of_other_partition_counts_in_one_stage_are_refused_before_anything_runs()
    {
        var run = new SchedulerScript();
        var shuffle = new TestShuffle(new TestRdd(5), 4);
        var gang = new TestRdd(4, shuffle) { StartsTogether = true };
        run.Submit(new TestRdd(2, new ManyToOneDependency(gang, index => [2 * index, (2 * index) + 1])));
        Assert.Matches(
            @"^fail job 0: barrier stage 1 can't run: each of its tasks must compute one partition of every Rdd from the barrier on, but Test at \S+ has 2 and Test at \S+ has 4$",
            Assert.Single(run.NewActions));
    }

    [Fact]
    public void What_lies_before_a_barrier_may_have_any_shape()
    {
        var run = new SchedulerScript();
        run.Submit(new TestRdd(2, new ManyToOneDependency(new TestRdd(4), index => [index, index + 2]), new OneToOneDependency(new TestRdd(2))) { StartsTogether = true });
        Assert.Equal(["start stage 0 tasks 0 1 together"], run.NewActions);
    }

    [Fact]
    public void Two_barriers_side_by_side_are_refused_and_one_above_the_other_is_not()
    {
        var run = new SchedulerScript();
        var (left, right) = (new TestRdd(2) { StartsTogether = true }, new TestRdd(2) { StartsTogether = true });
        run.Submit(new TestRdd(2, new OneToOneDependency(left), new OneToOneDependency(new TestRdd(2, new OneToOneDependency(right)))));
        Assert.Contains("reads two Rdds that are each computed behind a barrier", Assert.Single(run.NewActions), StringComparison.Ordinal);
        run.Submit(new TestRdd(2, new OneToOneDependency(left)) { StartsTogether = true });
        Assert.Equal(["start stage 1 tasks 0 1 together"], run.NewActions);
    }

    [Fact]
    public void A_part_of_what_is_behind_its_shuffle_may_be_asked_for()
    {
        var run = new SchedulerScript();
        var shuffle = new TestShuffle(new TestRdd(2) { StartsTogether = true }, 2);
        run.SubmitMapStage(shuffle);
        run.Succeed(stage: 0);
        Assert.Equal("end job 0", run.NewActions[^1]);
        run.Submit(new TestRdd(2, shuffle), partitions: [0]);
        Assert.Equal(["start stage 2 task 0"], run.NewActions);
    }

    private static SchedulerScript Gang(int tasks, DataflowOptions? options = null)
    {
        var run = new SchedulerScript(options);
        run.Submit(new TestRdd(tasks) { StartsTogether = true });
        return run;
    }

    private static (SchedulerScript Run, TestShuffle Shuffle) MapGang(int maps, int reduces)
    {
        var shuffle = new TestShuffle(new TestRdd(maps, Determinacy.Determinate, null) { StartsTogether = true }, reduces);
        var run = new SchedulerScript();
        run.Submit(new TestRdd(reduces, Determinacy.Determinate, null, shuffle));
        return (run, shuffle);
    }
}
