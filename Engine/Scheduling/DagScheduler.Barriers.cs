using Dataflow.Errors;
using Dataflow.Jobs;
using Dataflow.Shuffle;
using Dataflow.Tasks;

namespace Dataflow.Scheduling;

// Stages whose tasks start together and meet. They count as a whole: results and outputs of all tasks of one attempt, or none.
internal sealed partial class DagScheduler
{
    private readonly BarrierCoordinator _barriers;

    private void OnGangTaskEnded(Stage stage, StageTaskEnded e, TimeSpan now)
    {
        var partition = stage.PartitionOf(e.Task);
        var counts = e.Ended.Outcome is TaskSucceeded && IsOfNewest(stage, e);
        _commits.Ended(stage.Id, partition, e.Id, counts);
        if (counts)
        {
            stage.Held[e.Task] = e;
            _barriers.Ended(stage.Id, partition);
            if (Settle(stage, e.Task)) CompleteGang(stage, now);
            return;
        }
        if (e.Ended.Outcome is FetchFailed failure)
            OnFetchFailed(stage, e, failure, now);
        else if (IsOfNewest(stage, e))
            OnGangBroken(stage, partition, e.Ended.Outcome, now);
    }

    /// <summary>All tasks have ended well: now, and only now, their results count.</summary>
    private void CompleteGang(Stage stage, TimeSpan now)
    {
        for (var task = 0; task < stage.TaskCount; task++)
        {
            if (stage.Dependency is null || !_lostWorkers.Contains(((MapStatus)((TaskSucceeded)stage.Held[task]!.Ended.Outcome).Value!).Location.Server)) continue;
            OnGangBroken(stage, stage.PartitionOf(task), new TaskLost("the worker that holds its output is gone"), now);
            return;
        }

        var held = stage.Held.ToArray();
        Array.Clear(stage.Held);
        _barriers.End(stage.Id, "the stage is done");
        foreach (var e in held)
        {
            if (e!.Ended.Accumulators is { } updates && stage.CountOnce(e.Task)) _actions.Enqueue(new CountAccumulators(updates, JobsOf(stage)));
        }
        foreach (var e in held)
        {
            Take(stage, e!, ((TaskSucceeded)e!.Ended.Outcome).Value, now);

            // Its rows were not those of last time: the stage begins anew.
            if (stage.State != StageState.Running) return;
        }
        Complete(stage, now);
    }

    private void OnGangBroken(Stage stage, int partition, TaskOutcome why, TimeSpan now)
    {
        stage.FailedAttempts++;
        var failure = Failures.OfGang(stage, partition, why, _options.StageMaxAttempts);
        if (stage.FailedAttempts >= _options.StageMaxAttempts || why is TaskThrew { Exception: IFinalError })
        {
            if (_news.IsOn) _news.Tell(new Diagnostics.StageCompleted(stage.Id, stage.Attempt, failure.What) { Time = _news.At(now) });
            AbortAll(stage, failure, now);
            return;
        }
        Fail(stage, failure.What, now);
    }

    /// <summary>Ends the newest attempt at a barrier stage with all its tasks. Nothing of it counts.</summary>
    private void Disband(Stage stage, string why)
    {
        _actions.Enqueue(new KillAttempts(stage.Id, why));
        Array.Clear(stage.Held);
        _commits.Forget(stage.Id);
        _barriers.End(stage.Id, why);
    }

    /// <summary>Has a gang compute together what would otherwise be computed by some of it alone: what is cached of only some partitions.</summary>
    private void DropPartlyCached(Stage stage)
    {
        foreach (var rdd in stage.Wishes.Gang)
        {
            if (!rdd.StorageLevel.IsKept || !_cached.HasAny(rdd.Id) || _cached.HasAll(rdd.Id, rdd.PartitionCount)) continue;
            _cached.RemoveRdd(rdd.Id);
            DropCached(rdd.Id);
        }
    }
}
