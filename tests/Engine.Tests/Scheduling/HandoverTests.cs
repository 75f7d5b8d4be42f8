using Dataflow.Scheduling;
using Dataflow.Shuffle;
using Dataflow.Tasks;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Scheduling;

/// <summary>A worker that leaves hands over what it keeps, as far as others take it.</summary>
public sealed class HandoverTests
{
    [Fact]
    public void Map_outputs_of_a_worker_that_leaves_are_served_by_another_and_none_is_written_again()
    {
        var run = Begin(maps: 3);
        run.Drain("w1", 1);
        Assert.Equal(["executor 2 takes 0 1 2 of w1"], run.NewActions);
        var writers = Locations(run, 3).Select(location => location!.Writer).ToArray();
        var epoch = run.Outputs.Epoch;

        run.TakeOver(2, 0, 1, 2);
        Assert.Equal(["executor 1 may go", "w1 may go"], run.NewActions);
        Assert.All(Locations(run, 3), location => Assert.Equal(run.Worker("w2"), location!.Server));
        Assert.Equal(writers, Locations(run, 3).Select(location => location!.Writer));
        Assert.True(run.Outputs.Epoch > epoch);

        run.LoseWorker("w1");
        run.Submit(new TestRdd(2, Determinacy.Determinate, null, run.Shuffle));
        Assert.Equal(["start stage 2 tasks 0 1"], run.NewActions);
    }

    [Fact]
    public void What_could_not_be_taken_is_written_again()
    {
        var run = Begin(maps: 3);
        run.Drain("w1", 1);
        run.TakeOver(2, 0, 2);
        run.LoseWorker("w1");
        _ = run.NewActions;
        run.Submit(new TestRdd(2, Determinacy.Determinate, null, run.Shuffle));
        Assert.Equal(["start stage 0 task 1"], run.NewActions);
    }

    [Fact]
    public void A_worker_that_nobody_can_relieve_goes_at_once()
    {
        var run = new SchedulerScript(maps: 2, reduces: 2);
        run.Succeed(0);
        _ = run.NewActions;
        run.Drain("w1", 1);
        Assert.Equal(["executor 1 may go", "w1 may go"], run.NewActions);
    }

    [Fact]
    public void Workers_that_leave_too_and_executors_that_are_given_back_take_nothing()
    {
        var run = Begin(maps: 2);
        run.AddExecutor("w3");
        run.Feed(new ExecutorDraining(new ExecutorId(2), "it is given back"));
        run.Drain("w3", 3);
        Assert.Equal(["executor 3 may go", "w3 may go"], run.NewActions);
        run.Drain("w1", 1);
        Assert.Equal(["executor 1 may go", "w1 may go"], run.NewActions);
    }

    [Fact]
    public void It_begins_when_the_last_executor_of_the_worker_is_idle()
    {
        var run = Begin(maps: 2);
        run.AddExecutor("w1", executor: 7);
        run.Drain("w1", 1);
        Assert.Empty(run.NewActions);
        run.Idle(7);
        Assert.Equal(["executor 2 takes 0 1 of w1"], run.NewActions);
    }

    [Fact]
    public void A_worker_whose_executors_died_hands_over_its_files()
    {
        var run = Begin(maps: 2);
        run.LoseExecutor(1);
        run.Drain("w1");
        Assert.Equal(["executor 2 takes 0 1 of w1"], run.NewActions);
        run.TakeOver(2, 0, 1);
        Assert.Equal(["w1 may go"], run.NewActions);
    }

    [Fact]
    public void A_receiver_that_dies_is_not_waited_for()
    {
        var run = Begin(maps: 2);
        run.Drain("w1", 1);
        _ = run.NewActions;
        run.LoseWorker("w2");
        run.LoseExecutor(2);
        Assert.Equal(["executor 1 may go", "w1 may go"], run.NewActions);
        Assert.All(Locations(run, 2), location => Assert.Equal(run.Worker("w1"), location!.Server));
    }

    [Fact]
    public void A_source_that_dies_in_the_middle_loses_what_was_not_taken()
    {
        var run = Begin(maps: 2);
        run.Drain("w1", 1);
        run.LoseWorker("w1");
        run.TakeOver(2, 0, 1);
        Assert.All(Locations(run, 2), Assert.Null);
    }

    [Fact]
    public void Files_of_a_shuffle_that_was_removed_meanwhile_are_removed_there_too()
    {
        var run = Begin(maps: 2);
        run.Succeed(1);
        run.Drain("w1", 1);
        run.Feed(new ShuffleRemoved(run.Shuffle.ShuffleId));
        _ = run.NewActions;
        run.TakeOver(2, 0, 1);
        Assert.Contains($"drop shuffle {run.Shuffle.ShuffleId}", run.NewActions);
    }

    [Fact]
    public void A_reader_that_comes_too_late_to_the_old_place_is_sent_to_the_new_one()
    {
        var run = Begin(maps: 2, Determinacy.Indeterminate);
        var old = Locations(run, 2)[0];
        run.Drain("w1", 1);
        run.TakeOver(2, 0, 1);
        run.LoseWorker("w1");
        _ = run.NewActions;

        run.FailFetch(stage: 1, task: 0, map: 0, FetchFailure.Unreachable, location: old);
        run.Succeed(stage: 1, task: 1);
        run.PassResubmitDelay();
        var actions = run.NewActions;
        Assert.Contains("start stage 1 task 0", actions);
        Assert.DoesNotContain(actions, action => action.StartsWith("start stage 0", StringComparison.Ordinal));
    }

    [Fact]
    public void Cached_partitions_are_copied_unless_enough_others_keep_them()
    {
        var run = new SchedulerScript(places: true);
        run.AddExecutor("w2");
        run.AddExecutor("w3");
        var rdd = new TestRdd(2);
        run.Cache(rdd, 0, executor: 1);
        run.Cache(rdd, 1, executor: 1);
        run.Cache(rdd, 1, executor: 3);
        _ = run.NewActions;
        run.Drain("w1", 1);
        Assert.Equal([$"executor 2 copies rdd_{rdd.Id}_0 of 1"], run.NewActions);
        run.Cache(rdd, 0, executor: 2);
        run.TakeOver(2);
        Assert.Equal(["executor 1 may go", "w1 may go"], run.NewActions);
    }

    [Fact]
    public void A_worker_that_asks_again_is_answered_again()
    {
        var run = Begin(maps: 1);
        run.Drain("w1", 1);
        run.TakeOver(2, 0);
        run.LoseExecutor(1);
        _ = run.NewActions;
        run.Drain("w1");
        Assert.Equal(["w1 may go"], run.NewActions);
    }

    private static SchedulerScript Begin(int maps, Determinacy determinacy = Determinacy.Determinate)
    {
        var run = new SchedulerScript(new TestShuffle(new TestRdd(maps, determinacy, null), 2));
        run.Succeed(0);
        run.AddExecutor("w2");
        _ = run.NewActions;
        return run;
    }

    private static MapLocation?[] Locations(SchedulerScript run, int maps) =>
        [.. Enumerable.Range(0, maps).Select(map => run.Outputs.LocationOf(run.Shuffle.ShuffleId, map))];
}
