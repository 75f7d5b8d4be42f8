using Dataflow.Diagnostics;
using Dataflow.Tasks;

namespace Dataflow.Scheduling;

// What becomes of map outputs that are lost, and of those who read them.
internal sealed partial class DagScheduler
{
    // Stages to submit again. One server's loss is reported by many tasks: waiting a little gathers them in one attempt.
    private readonly HashSet<Stage> _failed = [];
    private TimeSpan? _resubmitAt;

    private void OnFetchFailed(Stage reader, StageTaskEnded e, FetchFailed failure, TimeSpan now)
    {
        _outputs.Unregister(failure.Shuffle, failure.Map, failure.Server, e.Epoch);
        if (failure is { Failure: FetchFailure.Unreachable, Server: { } server } && !_lostWorkers.Contains(server))
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
        if (writer.IsIndeterminate && _outputs.WasComplete(shuffle.ShuffleId))
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
        _outputs.UnregisterServer(e.Worker);
        if (_news.IsOn) _news.Tell(new WorkerLeft(e.Worker, e.Reason) { Time = _news.At(now) });
    }

    /// <summary>A task that claims to give the same rows each time gave others. From now on its stage is not believed.</summary>
    private void OnOutputDiffers(Stage stage, TimeSpan now)
    {
        stage.IsIndeterminate = true;
        _outputs.MarkIndeterminate(stage.Dependency!.ShuffleId);
        if (_outputs.WasComplete(stage.Dependency.ShuffleId)) BeginAnew(stage, now);
    }

    /// <summary>
    /// Runs an indeterminate map stage whole, with everything that read from it: rows of its old and its new outputs must never
    /// meet. A job that has handed results to the program already cannot take them back, and fails.
    /// </summary>
    private void BeginAnew(Stage writer, TimeSpan now)
    {
        var readers = ReadersOf(writer, out var cached);
        foreach (var reader in readers)
        {
            if (reader.ResultOf is { FinishedCount: > 0 } job) Abort(job, Failures.Indeterminate(writer, reader, job), now);
        }
        foreach (var rdd in cached)
        {
            _cached.RemoveRdd(rdd);
            _actions.Enqueue(new DropCached(rdd));
        }
        foreach (var stage in readers.Prepend(writer))
        {
            if (!_stages.ContainsKey(stage.Id)) continue;
            if (stage.Dependency is { } shuffle) _outputs.UnregisterAll(shuffle.ShuffleId);
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

    /// <summary>The stages of running jobs that read from a map stage, directly or not, and the Rdds that they keep of it.</summary>
    private List<Stage> ReadersOf(Stage writer, out HashSet<int> cached)
    {
        var tainted = new HashSet<ShuffleId> { writer.Dependency!.ShuffleId };
        var readers = new List<Stage>();
        cached = [];

        // Stages were numbered parents first, except those found later; so go round until nothing is added.
        var others = writer.Jobs.SelectMany(job => job.Stages).Distinct().Where(stage => stage != writer).OrderBy(stage => stage.Id.Value).ToList();
        for (var added = true; added;)
        {
            added = false;
            foreach (var stage in others.ToArray())
            {
                if (!Reads(stage, tainted, cached)) continue;
                others.Remove(stage);
                readers.Add(stage);
                if (stage.Dependency is { } shuffle) tainted.Add(shuffle.ShuffleId);
                added = true;
            }
        }
        return readers;
    }

    private static bool Reads(Stage stage, HashSet<ShuffleId> tainted, HashSet<int> cached)
    {
        var touched = new HashSet<Rdd>(ReferenceEqualityComparer.Instance);

        // Parents come first when the list, which has children first, is read from its end; a diamond needs another round.
        var lineage = StageGraph.NarrowLineage(stage.Rdd);
        for (var added = true; added;)
        {
            added = false;
            for (var i = lineage.Count - 1; i >= 0; i--)
            {
                var rdd = lineage[i];
                if (touched.Contains(rdd)) continue;
                foreach (var dependency in rdd.LiveDependencies)
                {
                    var reads = dependency is ShuffleDependency shuffle ? tainted.Contains(shuffle.ShuffleId) : touched.Contains(dependency.Rdd);
                    if (!reads) continue;
                    touched.Add(rdd);
                    if (rdd.StorageLevel.IsKept) cached.Add(rdd.Id);
                    added = true;
                    break;
                }
            }
        }
        return touched.Contains(stage.Rdd);
    }
}
