using Dataflow.Scheduling;
using Dataflow.Tasks;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Scheduling;

/// <summary>Stages whose tasks may give other rows when they run again: old and new rows must never meet.</summary>
public sealed class IndeterminateStageTests
{
    [Fact]
    public void A_lost_output_of_an_indeterminate_stage_reruns_it_whole()
    {
        var run = Reading(maps: 3, reduces: 2, Determinacy.Indeterminate);
        run.FailFetch(stage: 1, task: 0, map: 2);
        run.PassResubmitDelay();
        Assert.Equal("start stage 0 tasks 0 1 2", run.NewActions[^1]);
        run.Succeed(stage: 0);
        Assert.Equal("start stage 1 tasks 0 1", run.NewActions[^1]);
        run.Succeed(stage: 1);
        Assert.Equal("end job 0", run.NewActions[^1]);
    }

    [Theory]
    [InlineData(Determinacy.Determinate)]
    [InlineData(Determinacy.Unordered)]
    public void A_stage_that_gives_the_same_rows_in_any_order_reruns_in_part(Determinacy determinacy)
    {
        var run = Reading(maps: 3, reduces: 2, determinacy);
        run.FailFetch(stage: 1, task: 0, map: 2);
        run.PassResubmitDelay();
        Assert.Equal("start stage 0 task 2", run.NewActions[^1]);
    }

    [Fact]
    public void A_late_result_made_from_the_old_rows_is_ignored()
    {
        var run = Reading(maps: 2, reduces: 2, Determinacy.Indeterminate);
        run.FailFetch(stage: 1, task: 0, map: 1);
        run.Succeed(stage: 1, task: 1, attempt: 0);
        run.PassResubmitDelay();
        run.Succeed(stage: 0);
        Assert.Equal("start stage 1 tasks 0 1", run.NewActions[^1]);
        run.Succeed(stage: 1, task: 0, attempt: 0);
        Assert.Empty(run.Results);
    }

    [Fact]
    public void A_job_that_has_results_of_the_old_rows_fails_and_says_so()
    {
        var run = Reading(maps: 2, reduces: 3, Determinacy.Indeterminate);
        run.Succeed(stage: 1, task: 1);
        run.FailFetch(stage: 1, task: 0, map: 1);
        Assert.Equal(
            "fail job 0: an output of stage 0 was lost, and its tasks do not give the same rows when they run again; 1 of 3 results were made from the old rows already",
            run.NewActions[^1]);
        run.Pass(TimeSpan.FromHours(1));
        Assert.Empty(run.NewActions);
        Assert.Equal(0, run.Dag.StageCount);
    }

    [Fact]
    public void Map_stages_that_read_from_it_rerun_whole_too()
    {
        var run = new SchedulerScript();
        var first = new TestShuffle(new TestRdd(2, Determinacy.Indeterminate, null), 3);
        var second = new TestShuffle(new TestRdd(3, Determinacy.Determinate, null, first), 2);
        run.Submit(new TestRdd(2, Determinacy.Determinate, null, second));
        run.AddExecutor("w2");
        run.Succeed(stage: 0, task: 0, onWorker: "w2");
        run.Succeed(stage: 0, task: 1);
        run.Succeed(stage: 1, task: 0);
        run.LoseWorker("w2");
        run.FailFetch(stage: 1, task: 1, map: 0, location: new(run.Worker("w2"), default), shuffle: first.ShuffleId);
        _ = run.NewActions;
        run.Succeed(stage: 1, task: 2, attempt: 0);
        run.PassResubmitDelay();
        Assert.Equal(["start stage 0 tasks 0 1"], run.NewActions);
        run.Succeed(stage: 0);
        Assert.Equal(["start stage 1 tasks 0 1 2"], run.NewActions);
        run.Succeed(stage: 1);
        Assert.Equal(["start stage 2 tasks 0 1"], run.NewActions);
    }

    [Fact]
    public void A_finished_stage_that_lost_part_of_its_outputs_reruns_whole_if_its_input_is_made_anew()
    {
        var run = new SchedulerScript();
        var first = new TestShuffle(new TestRdd(1, Determinacy.Indeterminate, null), 2);
        var second = new TestShuffle(new TestRdd(2, Determinacy.Determinate, null, first), 1);
        run.Submit(new TestRdd(1, Determinacy.Determinate, null, second));
        run.AddExecutor("w2");
        run.Succeed(stage: 0, onWorker: "w2");
        run.Succeed(stage: 1, task: 0, onWorker: "w2");
        run.Succeed(stage: 1, task: 1, onWorker: "w1");
        run.LoseWorker("w2");
        run.FailFetch(stage: 2, task: 0, map: 0, location: new(run.Worker("w2"), default), shuffle: second.ShuffleId);
        run.PassResubmitDelay();

        // Task 0 of stage 1 alone would read the new rows, beside task 1, which read the old ones.
        run.PassResubmitDelay();
        Assert.Equal("start stage 0 task 0", run.NewActions[^1]);
        run.Succeed(stage: 0);
        Assert.Equal("start stage 1 tasks 0 1", run.NewActions[^1]);
    }

    [Fact]
    public void What_was_cached_of_the_old_rows_is_dropped()
    {
        var run = new SchedulerScript();
        var shuffle = new TestShuffle(new TestRdd(1, Determinacy.Indeterminate, null), 2);
        var cached = new TestRdd(2, Determinacy.Determinate, null, shuffle);
        cached.SetStorageLevel(StorageLevel.MemoryOnly);
        run.Submit(new TestRdd(2, new OneToOneDependency(cached)));
        run.Succeed(stage: 0);
        run.Cache(cached, 0);
        _ = run.NewActions;
        run.FailFetch(stage: 1, task: 1, map: 0, shuffle: shuffle.ShuffleId);
        Assert.Contains($"drop rdd {cached.Id}", run.NewActions);
    }

    [Fact]
    public void What_an_earlier_job_made_of_the_old_rows_is_forgotten_too()
    {
        var run = new SchedulerScript();
        var random = new TestShuffle(new TestRdd(1, Determinacy.Indeterminate, null), 2);
        var second = new TestShuffle(new TestRdd(2, Determinacy.Determinate, null, random), 1);
        run.Submit(new TestRdd(1, Determinacy.Determinate, null, second));
        run.Succeed(stage: 0);
        run.Succeed(stage: 1);
        run.Succeed(stage: 2);

        // This job reads both: rows of the old outputs of one would meet the new ones of the other.
        run.Submit(new TestRdd(1, Determinacy.Determinate, null, random, second));
        run.FailFetch(stage: 5, task: 0, map: 0, shuffle: random.ShuffleId);
        Assert.False(run.Outputs.Has(second.ShuffleId, 0));
        run.PassResubmitDelay();
        run.Succeed(stage: 3);
        run.Succeed(stage: 4);
        _ = run.NewActions;
        run.Succeed(stage: 5);
        Assert.Equal("end job 1", run.NewActions[^1]);
    }

    [Fact]
    public void What_is_cached_of_the_old_rows_is_dropped_even_if_nothing_is_known_of_it_yet()
    {
        var run = new SchedulerScript();
        var shuffle = new TestShuffle(new TestRdd(1, Determinacy.Indeterminate, null), 2);
        var cached = new TestRdd(2, Determinacy.Determinate, null, shuffle);
        cached.SetStorageLevel(StorageLevel.MemoryOnly);
        run.Submit(new TestRdd(2, new OneToOneDependency(cached)));
        run.Succeed(stage: 0);
        _ = run.NewActions;
        run.FailFetch(stage: 1, task: 1, map: 0, shuffle: shuffle.ShuffleId);
        Assert.Contains($"drop rdd {cached.Id}", run.NewActions);
    }

    [Fact]
    public void A_stage_that_does_not_read_from_it_is_left_alone()
    {
        var run = new SchedulerScript();
        var random = new TestShuffle(new TestRdd(1, Determinacy.Indeterminate, null), 1);
        var steady = new TestShuffle(new TestRdd(3), 1);
        run.Submit(new TestRdd(1, Determinacy.Determinate, null, random, steady));
        run.Succeed(stage: 0);
        run.Succeed(stage: 1);
        _ = run.NewActions;
        run.FailFetch(stage: 2, task: 0, map: 0, shuffle: random.ShuffleId);
        run.PassResubmitDelay();
        Assert.Equal("start stage 0 task 0", run.NewActions[^1]);
        run.Succeed(stage: 0);
        Assert.Equal(["start stage 2 task 0"], run.NewActions);
    }

    [Fact]
    public void An_output_lost_before_anyone_could_read_it_is_simply_written_again()
    {
        var run = new SchedulerScript();
        var shuffle = new TestShuffle(new TestRdd(2, Determinacy.Indeterminate, null), 1);
        run.Submit(new TestRdd(1, Determinacy.Determinate, null, shuffle));
        run.AddExecutor("w2");
        run.Succeed(stage: 0, task: 0, onWorker: "w2");
        run.LoseWorker("w2");
        _ = run.NewActions;
        run.Succeed(stage: 0, task: 1);
        Assert.Equal(["start stage 0 task 0"], run.NewActions);
    }

    [Fact]
    public void A_recomputed_output_with_the_same_checksum_is_taken()
    {
        var run = new SchedulerScript(maps: 2, reduces: 2);
        run.Succeed(stage: 0, checksum: 7);
        run.FailFetch(stage: 1, task: 0, map: 1);
        run.PassResubmitDelay();
        run.Succeed(stage: 0, checksum: 7);
        Assert.Equal("start stage 1 tasks 0 1", run.NewActions[^1]);
        Assert.False(run.Outputs.IsIndeterminate(run.Shuffle.ShuffleId));
    }

    [Fact]
    public void A_recomputed_output_with_another_checksum_is_found_out_and_everything_is_made_anew()
    {
        var run = new SchedulerScript(maps: 2, reduces: 2);
        run.Succeed(stage: 0, checksum: 7);
        run.FailFetch(stage: 1, task: 0, map: 1);
        run.PassResubmitDelay();
        _ = run.NewActions;
        run.Succeed(stage: 0, checksum: 8);
        Assert.DoesNotContain("start stage 1 tasks 0 1", run.NewActions);
        run.PassResubmitDelay();
        Assert.Equal("start stage 0 tasks 0 1", run.NewActions[^1]);
        run.Succeed(stage: 0, checksum: 9);
        Assert.Equal("start stage 1 tasks 0 1", run.NewActions[^1]);

        // It stays known, for later jobs too.
        run.Succeed(stage: 1);
        run.Submit(new TestRdd(2, run.Shuffle));
        run.FailFetch(stage: 3, task: 0, map: 1);
        run.PassResubmitDelay();
        Assert.Equal("start stage 2 tasks 0 1", run.NewActions[^1]);
    }

    [Theory]
    [InlineData(Determinacy.Determinate, true, true)]
    [InlineData(Determinacy.Unordered, true, false)]
    [InlineData(Determinacy.Unordered, false, true)]
    public void Another_checksum_says_nothing_if_it_knows_an_order_that_nobody_promised(Determinacy determinacy, bool orderMatters, bool isFoundOut)
    {
        var run = new SchedulerScript(new TestShuffle(new TestRdd(2, determinacy, null), 2) { OrderMatters = orderMatters });
        run.Succeed(stage: 0, checksum: 7);
        run.FailFetch(stage: 1, task: 0, map: 1);
        run.PassResubmitDelay();
        run.Succeed(stage: 0, checksum: 8);
        Assert.Equal(isFoundOut, run.Outputs.IsIndeterminate(run.Shuffle.ShuffleId));
    }

    [Fact]
    public void A_job_that_has_results_when_another_checksum_is_found_out_fails()
    {
        var run = new SchedulerScript(maps: 2, reduces: 2);
        run.Succeed(stage: 0, checksum: 7);
        run.Succeed(stage: 1, task: 1);
        run.FailFetch(stage: 1, task: 0, map: 1);
        run.PassResubmitDelay();
        run.Succeed(stage: 0, checksum: 8);
        Assert.StartsWith("fail job 0: an output of stage 0 was lost, and its tasks do not give the same rows", run.NewActions[^1], StringComparison.Ordinal);
    }

    private static SchedulerScript Reading(int maps, int reduces, Determinacy determinacy)
    {
        var run = new SchedulerScript(new TestShuffle(new TestRdd(maps, determinacy, null), reduces));
        run.Succeed(stage: 0);
        _ = run.NewActions;
        return run;
    }
}
