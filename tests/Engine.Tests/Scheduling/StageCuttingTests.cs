using Dataflow.Scheduling;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Scheduling;

public sealed class StageCuttingTests
{
    [Fact]
    public void A_job_without_a_shuffle_is_one_stage()
    {
        var run = new SchedulerScript();
        var source = new TestRdd(3);
        run.Submit(new TestRdd(3, new OneToOneDependency(new TestRdd(3, new OneToOneDependency(source)))));
        Assert.Equal(["start stage 0 tasks 0 1 2"], run.NewActions);
    }

    [Fact]
    public void A_reading_stage_waits_for_its_map_stage()
    {
        var run = new SchedulerScript(maps: 3, reduces: 2);
        Assert.Equal(["start stage 0 tasks 0 1 2"], run.NewActions);
        run.Succeed(stage: 0, task: 1);
        run.Succeed(stage: 0, task: 0);
        Assert.Empty(run.NewActions);
        run.Succeed(stage: 0, task: 2);
        Assert.Equal(["start stage 1 tasks 0 1"], run.NewActions);
        run.Succeed(stage: 1);
        Assert.Equal(["kill stage 0", "kill stage 1", "end job 0"], run.NewActions.Order(StringComparer.Ordinal).OrderBy(text => text.StartsWith("end", StringComparison.Ordinal)));
        Assert.Equal([(0, 0, 0), (0, 1, 1)], run.Results.Select(result => (result.Job, result.Index, (int)result.Value!)));
        Assert.Equal(0, run.Dag.JobCount);
        Assert.Equal(0, run.Dag.StageCount);
    }

    [Fact]
    public void Results_carry_the_position_in_the_list_that_was_asked_for()
    {
        var run = new SchedulerScript();
        run.Submit(new TestRdd(10), partitions: [7, 3, 7]);
        run.Succeed(stage: 0, task: 1);
        run.Succeed(stage: 0, task: 0);
        run.Succeed(stage: 0, task: 2);
        Assert.Equal([(1, 3), (0, 7), (2, 7)], run.Results.Select(result => (result.Index, (int)result.Value!)));
    }

    [Fact]
    public void Both_map_stages_of_a_join_run_at_once()
    {
        var run = new SchedulerScript();
        var left = new TestShuffle(new TestRdd(2), 2);
        var right = new TestShuffle(new TestRdd(1), 2);
        run.Submit(new TestRdd(2, left, right));
        Assert.Equal(["start stage 0 tasks 0 1", "start stage 1 task 0"], run.NewActions);
        run.Succeed(stage: 1);
        Assert.Empty(run.NewActions);
        run.Succeed(stage: 0);
        Assert.Equal(["start stage 2 tasks 0 1"], run.NewActions);
    }

    [Fact]
    public void A_shuffle_that_is_read_twice_is_written_once()
    {
        var run = new SchedulerScript();
        var shuffle = new TestShuffle(new TestRdd(2), 2);
        var left = new TestShuffle(new TestRdd(2, shuffle), 2);
        var right = new TestShuffle(new TestRdd(2, shuffle), 2);
        run.Submit(new TestRdd(2, left, right));
        Assert.Equal(["start stage 0 tasks 0 1"], run.NewActions);
        run.Succeed(stage: 0);
        Assert.Equal(["start stage 1 tasks 0 1", "start stage 2 tasks 0 1"], run.NewActions);
    }

    [Fact]
    public void A_second_job_skips_stages_whose_outputs_are_there()
    {
        var run = new SchedulerScript(maps: 3, reduces: 2);
        run.News.IsOn = true;
        run.Succeed(stage: 0);
        run.Succeed(stage: 1);
        _ = run.NewActions;
        run.Submit(new TestRdd(2, run.Shuffle));
        Assert.Equal(["start stage 3 tasks 0 1"], run.NewActions);
        var started = run.Announced.OfType<Diagnostics.JobStarted>().Last();
        Assert.Equal([true, false], started.Stages.Select(stage => stage.IsSkipped));
    }

    [Fact]
    public void A_skipped_stage_does_not_look_at_what_is_below_it()
    {
        var run = new SchedulerScript();
        var below = new TestShuffle(new TestRdd(1), 1);
        var above = new TestShuffle(new TestRdd(1, below), 1);
        run.Submit(new TestRdd(1, above));
        run.Succeed(stage: 0);
        run.Succeed(stage: 1);
        run.Succeed(stage: 2);
        run.Outputs.UnregisterAll(below.ShuffleId);
        _ = run.NewActions;
        run.Submit(new TestRdd(1, above));
        Assert.Equal(["start stage 4 task 0"], run.NewActions);
    }

    [Fact]
    public void Two_jobs_share_a_map_stage_that_runs()
    {
        var run = new SchedulerScript(maps: 2, reduces: 2);
        run.Submit(new TestRdd(2, run.Shuffle));
        Assert.Equal(["start stage 0 tasks 0 1"], run.NewActions);
        run.Succeed(stage: 0);
        Assert.Equal(["start stage 1 tasks 0 1", "start stage 2 tasks 0 1"], run.NewActions);
    }

    [Fact]
    public void A_shared_map_stage_goes_on_when_one_of_its_jobs_is_cancelled()
    {
        var run = new SchedulerScript(maps: 2, reduces: 2);
        run.Submit(new TestRdd(2, run.Shuffle));
        run.Feed(new JobCancelled(new JobId(0), "enough"));
        run.Succeed(stage: 0);
        Assert.Equal(["start stage 0 tasks 0 1", "fail job 0: enough", "start stage 2 tasks 0 1"], run.NewActions);
    }

    [Fact]
    public void Nothing_below_a_cached_Rdd_is_computed()
    {
        var run = new SchedulerScript();
        var shuffle = new TestShuffle(new TestRdd(2), 2);
        var cached = new TestRdd(2, shuffle);
        cached.SetStorageLevel(StorageLevel.MemoryOnly);
        _ = cached.PartitionCount;
        run.Cache(cached, 0);
        run.Cache(cached, 1);
        run.Submit(new TestRdd(2, new OneToOneDependency(cached)));
        Assert.Equal(["start stage 0 tasks 0 1"], run.NewActions);
    }

    [Fact]
    public void An_Rdd_of_which_one_partition_is_not_cached_is_computed_from_its_parents()
    {
        var run = new SchedulerScript();
        var shuffle = new TestShuffle(new TestRdd(2), 2);
        var cached = new TestRdd(2, shuffle);
        cached.SetStorageLevel(StorageLevel.MemoryOnly);
        _ = cached.PartitionCount;
        run.Cache(cached, 0);
        run.Cache(cached, 1);
        run.Cache(cached, 1, isHere: false);
        run.Submit(new TestRdd(2, new OneToOneDependency(cached)));
        Assert.Equal(["start stage 0 tasks 0 1"], run.NewActions);
        Assert.Equal(shuffle.Rdd, run.SetOf(0).Binary.Rdd);
    }

    [Fact]
    public void Cached_partitions_go_with_their_executor()
    {
        var run = new SchedulerScript();
        var cached = new TestRdd(1, new TestShuffle(new TestRdd(1), 1));
        cached.SetStorageLevel(StorageLevel.MemoryOnly);
        _ = cached.PartitionCount;
        run.AddExecutor("w2");
        run.Cache(cached, 0, executor: 2);
        run.LoseExecutor(2);
        run.Submit(new TestRdd(1, new OneToOneDependency(cached)));
        Assert.IsType<Tasks.MapStageBinary>(run.SetOf(0).Binary);
    }

    [Fact]
    public void A_map_stage_alone_ends_with_its_sizes_and_is_not_run_again()
    {
        var run = new SchedulerScript();
        var shuffle = new TestShuffle(new TestRdd(3), 2);
        run.SubmitMapStage(shuffle);
        run.Succeed(stage: 0);
        Assert.Equal(["start stage 0 tasks 0 1 2", "kill stage 0", "end job 0"], run.NewActions);
        Assert.Equal([30, 30], new[] { run.Sizes!.BytesOf(0), run.Sizes.BytesOf(1) });
        Assert.Equal(3, run.Sizes.RowsOf(1));
        run.SubmitMapStage(shuffle);
        Assert.Equal(["end job 1"], run.NewActions);
        run.Submit(new TestRdd(2, shuffle));
        Assert.Equal(["start stage 3 tasks 0 1"], run.NewActions);
    }

    [Fact]
    public void A_job_on_no_partitions_ends_at_once()
    {
        var run = new SchedulerScript();
        run.Submit(new TestRdd(3), partitions: []);
        Assert.Equal(["end job 0"], run.NewActions);
        run.Submit(new TestRdd(0, new TestShuffle(new TestRdd(0), 3)));
        Assert.Equal(["end job 1"], run.NewActions);
    }

    [Fact]
    public void Ten_thousand_narrow_steps_are_one_stage_and_overflow_no_stack()
    {
        var rdd = new TestRdd(1);
        for (var i = 0; i < 10_000; i++) rdd = new TestRdd(1, new OneToOneDependency(rdd));
        OnSmallStack(() =>
        {
            var run = new SchedulerScript();
            run.Submit(rdd);
            Assert.Equal(["start stage 0 task 0"], run.NewActions);
        });
    }

    [Fact]
    public void Ten_thousand_shuffles_are_as_many_stages_and_overflow_no_stack()
    {
        var rdd = new TestRdd(1);
        for (var i = 0; i < 10_000; i++) rdd = new TestRdd(1, new TestShuffle(rdd, 1));
        OnSmallStack(() =>
        {
            var run = new SchedulerScript();
            run.Submit(rdd);
            for (var i = 0; i <= 10_000; i++)
            {
                Assert.Equal([$"start stage {i} task 0"], run.NewActions);
                run.Succeed(stage: i);
            }
            Assert.Equal(0, run.Dag.StageCount);
        });
    }

    // A depth that a large stack would forgive.
    private static void OnSmallStack(Action test)
    {
        Exception? thrown = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    test();
                }
                catch (Exception error)
                {
                    thrown = error;
                }
            },
            256 << 10);
        thread.Start();
        thread.Join();
        Assert.Null(thrown);
    }
}
