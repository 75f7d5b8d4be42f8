using Dataflow.Scheduling;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Scheduling;

/// <summary>Shuffles that the program has let go of.</summary>
public sealed class ShuffleRemovalTests
{
    [Fact]
    public void One_that_nobody_needs_is_removed_at_once()
    {
        var run = new SchedulerScript(maps: 2, reduces: 2);
        run.Succeed(stage: 0);
        run.Succeed(stage: 1);
        _ = run.NewActions;
        run.Feed(new ShuffleRemoved(run.Shuffle.ShuffleId));
        Assert.Equal([$"drop shuffle {run.Shuffle.ShuffleId}"], run.NewActions);
        Assert.Equal((0, 0), (run.Outputs.Count, run.Dag.KeptCount));
    }

    [Fact]
    public void One_that_a_job_needs_stays_until_the_job_ends()
    {
        var run = new SchedulerScript(maps: 2, reduces: 2);
        run.Succeed(stage: 0);
        run.Succeed(stage: 1, task: 0);
        _ = run.NewActions;
        run.Feed(new ShuffleRemoved(run.Shuffle.ShuffleId));
        Assert.Empty(run.NewActions);
        run.FailFetch(stage: 1, task: 1, map: 1);
        run.PassResubmitDelay();
        run.Succeed(stage: 0);
        _ = run.NewActions;
        run.Succeed(stage: 1);
        Assert.Contains($"drop shuffle {run.Shuffle.ShuffleId}", run.NewActions);
        Assert.Equal(2, run.Results.Count);
        Assert.Equal((0, 0), (run.Outputs.Count, run.Dag.KeptCount));
    }

    [Fact]
    public void One_that_two_jobs_need_stays_until_both_have_ended()
    {
        var run = new SchedulerScript(maps: 1, reduces: 1);
        run.Succeed(stage: 0);
        run.Submit(new TestRdd(1, run.Shuffle));
        run.Feed(new ShuffleRemoved(run.Shuffle.ShuffleId));
        run.Succeed(stage: 1);
        Assert.True(run.Outputs.IsComplete(run.Shuffle.ShuffleId));
        run.Feed(new JobCancelled(new JobId(1), "enough"));
        Assert.Null(run.Outputs.MapCount(run.Shuffle.ShuffleId));
    }

    [Fact]
    public void One_that_is_asked_for_again_is_written_again()
    {
        var run = new SchedulerScript(maps: 2, reduces: 1);
        run.Succeed(stage: 0);
        run.Succeed(stage: 1);
        run.Feed(new ShuffleRemoved(run.Shuffle.ShuffleId));
        _ = run.NewActions;
        run.Submit(new TestRdd(1, run.Shuffle));
        Assert.Equal(["start stage 2 tasks 0 1"], run.NewActions);
    }
}
