using Dataflow.Diagnostics;
using Dataflow.Jobs;
using Dataflow.Tasks;
using Dataflow.Tracking;

namespace Dataflow.Scheduling;

// What becomes of map outputs that are lost, and of those who read them.
internal sealed partial class DagScheduler
{
    // Stages to submit again. One server's loss is reported by many tasks: waiting a little gathers them in one attempt.
    private readonly HashSet<Stage> _failed = [];
    private TimeSpan? _resubmitAt;

    // Shuffles to remove when the last job that needs them has ended.
    private readonly HashSet<ShuffleId> _unwanted = [];

    private void OnFetchFailed(Stage reader, StageTaskEnded e, FetchFailed failure, TimeSpan now)
    {
        _outputs.Unregister(failure.Shuffle, failure.Map, failure.Location);
        if (failure is { Failure: FetchFailure.Unreachable, Location.Server: var server } && !_lostWorkers.Contains(server))
            _actions.Enqueue(new CheckWorker(server));
        if (!IsOfNewest(reader, e)) return;

        Fail(reader, failure.Message, now);
        var times = reader.FailedFetches[(failure.Shuffle, failure.Map)] = reader.FailedFetches.GetValueOrDefault((failure.Shuffle, failure.Map)) + 1;
        if (times >= _options.StageMaxAttempts)
        {
            AbortAll(reader, Failures.OfStage(reader, failure, times), now);
            return;
        }

        // Worked out without regard to what is cached: a task that read this shuffle did not find the cached block either.
        var shuffle = StageGraph.ShufflesReadBy(reader.Rdd, _ => false).Find(read => read.ShuffleId == failure.Shuffle);
        if (shuffle is null) return;
        var writer = MapStageOf(shuffle);
        foreach (var job in reader.Jobs) Attach(writer, job);
        if (writer.IsIndeterminate && _outputs.WasComplete(shuffle.ShuffleId) && !_outputs.HasMoved(failure.Shuffle, failure.Map, failure.Location))
        {
            BeginAnew(writer, now);
            return;
        }
        if (!_outputs.IsComplete(shuffle.ShuffleId)) reader.FoundMissing.Add(shuffle);
        if (writer.State == StageState.Idle) SubmitLater(writer, now);
    }

    /// <summary>Ends the newest attempt at a stage; its tasks may finish, unless they started together. The stage is submitted again after a while.</summary>
    private void Fail(Stage stage, string why, TimeSpan now)
    {
        if (stage.IsBarrier)
            Disband(stage, why);
        else
            _actions.Enqueue(new StopLaunching(stage.Id, stage.Attempt));
        if (_news.IsOn) _news.Tell(new StageCompleted(stage.Id, stage.Attempt, why) { Time = _news.At(now) });
        StopWaiting(stage);
        SubmitLater(stage, now);
    }

    private void SubmitLater(Stage stage, TimeSpan now)
    {
        stage.State = StageState.Failed;
        _failed.Add(stage);
        _resubmitAt ??= now + _options.ResubmitDelay;
    }

    private void Resubmit(TimeSpan now)
    {
        if (_resubmitAt > now || _resubmitAt is null) return;
        _resubmitAt = null;
        var stages = _failed.OrderBy(stage => stage.Id.Value).ToArray();
        _failed.Clear();
        foreach (var stage in stages) stage.State = StageState.Idle;
        foreach (var stage in stages)
        {
            // An earlier one of them may have ended its job.
            if (_stages.ContainsKey(stage.Id)) Submit(stage, now);
        }
    }

    private void StopWaiting(Stage stage)
    {
        Array.Clear(stage.Pending);
        stage.PendingCount = 0;
        foreach (var parent in stage.WaitsFor) parent.Waiting.Remove(stage);
        stage.WaitsFor.Clear();
    }

    private void OnWorkerLost(WorkerLost e, TimeSpan now)
    {
        if (!_lostWorkers.Add(e.Worker)) return;
        _hosts.Remove(e.Worker);
        EndHandover(e.Worker);
        _outputs.UnregisterServer(e.Worker);
        if (_news.IsOn) _news.Tell(new WorkerLeft(e.Worker, e.Reason) { Time = _news.At(now) });
        HoldBackReaders();
    }

    /// <summary>Asks about tasks still to be launched of stages that read what is lost: each would only find out by itself. Those that run may have read it before.</summary>
    private void HoldBackReaders()
    {
        foreach (var stage in _stages.Values)
        {
            if (stage.State == StageState.Running && ShufflesReadBy(stage).Any(shuffle => !_outputs.IsComplete(shuffle.ShuffleId)))
                _actions.Enqueue(new HoldBack(stage.Id, stage.Attempt));
        }
    }

    private void OnTasksHeldBack(TasksHeldBack e, TimeSpan now)
    {
        if (_stages.TryGetValue(e.Stage, out var stage) && stage.State == StageState.Running && stage.Attempt == e.StageAttempt)
            Fail(stage, "map outputs that it reads are lost", now);
    }

    /// <summary>A task that claims to give the same rows each time gave others. From now on its stage is not believed.</summary>
    private void OnOutputDiffers(Stage stage, TimeSpan now)
    {
        stage.IsIndeterminate = true;
        _outputs.MarkIndeterminate(stage.Dependency!.ShuffleId);
        if (_outputs.WasComplete(stage.Dependency.ShuffleId)) BeginAnew(stage, now);
    }

    /// <summary>
    /// Runs an indeterminate map stage whole, and forgets all that was made from its old outputs, whichever job made it: rows of the old and the
    /// new ones must never meet. A job that has handed results to the program already cannot take them back, and fails.
    /// </summary>
    private void BeginAnew(Stage writer, TimeSpan now)
    {
        var tainted = _provenance.MadeFrom(writer.Dependency!.ShuffleId);
        tainted.Add(Kept.Of(writer.Dependency.ShuffleId));
        foreach (var kept in tainted)
        {
            if (kept.IsShuffle)
            {
                _outputs.UnregisterAll(new ShuffleId(kept.Id));
            }
            else
            {
                // Even if nothing is known to be kept of it: that news may be on its way.
                _cached.RemoveRdd(kept.Id);
                DropCached(kept.Id);
            }
        }

        var stages = _stages.Values.Where(stage => IsMadeFrom(stage, tainted)).OrderBy(stage => stage.Id.Value).ToArray();
        foreach (var reader in stages)
        {
            if (reader.ResultOf is { FinishedCount: > 0 } job) Abort(job, Failures.Indeterminate(writer, reader, job), now);
        }
        foreach (var stage in stages)
        {
            // The abort may have taken it along.
            if (!_stages.ContainsKey(stage.Id)) continue;
            _commits.Reopen(stage.Id);
            if (stage.State == StageState.Running && _news.IsOn)
                _news.Tell(new StageCompleted(stage.Id, stage.Attempt, "its input is made anew") { Time = _news.At(now) });
            if (stage.IsBarrier)
                Disband(stage, "its input is made anew");
            else if (stage.HasAttempts)
                _actions.Enqueue(new KillAttempts(stage.Id, "its input is made anew"));
            stage.OldestAccepted = stage.Attempt + 1;
            StopWaiting(stage);
            SubmitLater(stage, now);
        }
    }

    private void OnShuffleRemoved(ShuffleId shuffle)
    {
        // A job that reads it has its stage, even if that is done.
        if (_mapStages.ContainsKey(shuffle))
            _unwanted.Add(shuffle);
        else
            Drop(shuffle);
    }

    private void Drop(ShuffleId shuffle)
    {
        _outputs.Remove(shuffle);
        _provenance.Remove(Kept.Of(shuffle));
        _actions.Enqueue(new DropShuffle(shuffle));
    }

    private bool IsMadeFrom(Stage stage, HashSet<Kept> tainted) => stage.Dependency is { } shuffle
        ? tainted.Contains(Kept.Of(shuffle.ShuffleId))
        : _provenance.ReadBy(stage.Rdd).Overlaps(tainted);
}
