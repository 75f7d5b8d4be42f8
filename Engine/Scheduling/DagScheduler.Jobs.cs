using Dataflow.Diagnostics;
using Dataflow.Jobs;
using Dataflow.Tracking;

namespace Dataflow.Scheduling;

// How jobs end.
internal sealed partial class DagScheduler
{
    private TimeSpan? _noExecutorSince = TimeSpan.Zero;

    /// <summary>Why a job can't run, if that is known of any of its stages before one begins.</summary>
    private JobFailure? WhyRefused(Job job)
    {
        var missing = job.Stages.Where(stage => !IsAvailable(stage)).OrderBy(stage => stage.Id.Value).ToArray();
        foreach (var stage in missing)
        {
            if (stage.Wishes.Refusal is { } refusal) return refusal;
        }
        foreach (var stage in missing)
        {
            try
            {
                _prepare?.Invoke(stage.Binary, job.Properties.CallSite);
            }
            catch (ClosureException error)
            {
                return new JobFailure(JobFailureKind.Refused, error.Message) { Cause = error, Stage = stage.Id, Where = stage.Rdd };
            }
        }
        return null;
    }

    /// <summary>Ends a job that has all it asked for. What still runs of it (copies, late attempts) is nobody's business any more.</summary>
    private void Finish(Job job, MapOutputSizes? sizes, TimeSpan now)
    {
        Release(job, null, "the job is done");
        End(job, sizes, now);
    }

    /// <summary>Ends a job that cannot or must not go on. It is over once nothing of it runs.</summary>
    private void Abort(Job job, JobFailure failure, TimeSpan now)
    {
        if (job.Failure is not null) return;
        job.Failure = failure;
        Release(job, job.Draining, failure.Kind == JobFailureKind.Cancelled ? failure.What : "another task of the job failed");
        if (job.Draining.Count == 0) End(job, null, now);
    }

    private void AbortAll(Stage stage, JobFailure failure, TimeSpan now)
    {
        foreach (var job in stage.Jobs.ToArray()) Abort(job, failure, now);
    }

    /// <summary>Forgets the stages that only this job needed.</summary>
    /// <param name="job">The job.</param>
    /// <param name="draining">Receives those of which something may still run; null if nobody waits for them.</param>
    /// <param name="reason">What their tasks are told.</param>
    private void Release(Job job, HashSet<StageId>? draining, string reason)
    {
        foreach (var stage in job.Stages)
        {
            stage.Jobs.Remove(job);
            if (stage.Jobs.Count > 0) continue;
            _stages.Remove(stage.Id);
            if (stage.Dependency is { ShuffleId: var shuffle })
            {
                _mapStages.Remove(shuffle);
                if (_unwanted.Remove(shuffle)) Drop(shuffle);
            }
            _failed.Remove(stage);
            _commits.Forget(stage.Id);
            _barriers.End(stage.Id, reason);
            foreach (var parent in stage.WaitsFor) parent.Waiting.Remove(stage);
            if (!stage.HasAttempts) continue;
            if (draining is null)
            {
                _actions.Enqueue(new KillAttempts(stage.Id, reason));
                continue;
            }
            draining.Add(stage.Id);
            _draining.Add(stage.Id, job);
            _actions.Enqueue(new CancelStage(stage.Id, reason));
        }
        job.Stages.Clear();
    }

    private readonly Dictionary<StageId, Job> _draining = [];

    private void OnStageDrained(StageDrained e, TimeSpan now)
    {
        if (!_draining.Remove(e.Stage, out var job)) return;
        job.Abandoned.AddRange(e.Abandoned);
        job.Draining.Remove(e.Stage);
        if (job.Draining.Count == 0) End(job, null, now);
    }

    private void End(Job job, MapOutputSizes? sizes, TimeSpan now)
    {
        _jobs.Remove(job.Id);
        var failure = job.Failure is { } why ? why with { Abandoned = job.Abandoned } : null;
        // Told first: whoever waited for the job may want to see it in what listeners wrote down.
        if (_news.IsOn) _news.Tell(new JobEnded(job.Id, now - job.SubmittedAt, failure?.What) { Time = _news.At(now) });
        _actions.Enqueue(new EndJob(job.Id, failure, sizes));
    }

    private void CancelWhere(Func<Job, bool> isMeant, string reason, TimeSpan now)
    {
        foreach (var job in _jobs.Values.Where(isMeant).ToArray()) Abort(job, new JobFailure(JobFailureKind.Cancelled, reason), now);
    }

    private void OnResultRefused(ResultRefused e, TimeSpan now)
    {
        if (!_jobs.TryGetValue(e.Job, out var job)) return;
        Abort(job, e.Failure, now);
    }

    private void OnTaskSetFailed(TaskSetFailed e, TimeSpan now)
    {
        if (!_stages.TryGetValue(e.Stage, out var stage) || e.StageAttempt < stage.OldestAccepted) return;
        if (_news.IsOn) _news.Tell(new StageCompleted(stage.Id, e.StageAttempt, Failures.Describe(e)) { Time = _news.At(now) });
        AbortAll(stage, Failures.Of(e, stage, _options.TaskMaxAttempts), now);
    }

    private void OnTaskSetUnplaceable(TaskSetUnplaceable e, TimeSpan now)
    {
        if (!_stages.TryGetValue(e.Stage, out var stage) || e.StageAttempt < stage.Attempt) return;
        var failure = Failures.Unplaceable(e, stage);
        if (_news.IsOn) _news.Tell(new StageCompleted(stage.Id, e.StageAttempt, failure.What) { Time = _news.At(now) });
        AbortAll(stage, failure, now);
    }

    private void OnExecutorAdded(ExecutorAdded e, TimeSpan now)
    {
        // A worker that was out of reach is back: what it served is lost all the same.
        _lostWorkers.Remove(e.Worker);
        _executors[e.Executor] = (e.Worker, e.Host);
        if (_handovers.TryGetValue(e.Worker, out var handover)) handover.IsDone = false;
        _hosts[e.Worker] = e.Host;
        _noExecutorSince = null;
        ReplicateAgain();
        if (_news.IsOn) _news.Tell(new ExecutorJoined(e.Executor, e.Worker, e.Host, e.Slots) { Time = _news.At(now) });
    }

    private void OnExecutorLost(ExecutorLost e, TimeSpan now)
    {
        if (!_executors.Remove(e.Executor, out var at)) return;
        _cached.RemoveExecutor(e.Executor);
        _states.RemoveExecutor(e.Executor);
        ReplicateAgain();
        LeaveHandovers(e.Executor, at.Worker);
        if (_executors.Count == 0) _noExecutorSince = now;
        if (_news.IsOn) _news.Tell(new ExecutorLeft(e.Executor, e.Reason) { Time = _news.At(now) });

        // With its worker went map outputs, and with its cached blocks what stood between a stage and outputs that were lost before.
        HoldBackReaders();
    }

    /// <summary>When the first job has waited too long for an executor.</summary>
    private TimeSpan? NoExecutorDeadline()
    {
        if (_noExecutorSince is not { } since || _jobs.Count == 0) return null;
        TimeSpan? first = null;
        foreach (var job in _jobs.Values)
        {
            if (job.Failure is null) first = Earlier(first, WaitsSince(job, since) + _options.NoExecutorTimeout);
        }
        return first;
    }

    private static TimeSpan WaitsSince(Job job, TimeSpan since) => job.SubmittedAt > since ? job.SubmittedAt : since;

    private void OnTimePassed(TimeSpan now)
    {
        Resubmit(now);
        _barriers.OnTimePassed(now);
        if (_noExecutorSince is not { } since) return;
        foreach (var job in _jobs.Values.ToArray())
        {
            if (job.Failure is null && now - WaitsSince(job, since) >= _options.NoExecutorTimeout)
                Abort(job, Failures.NoExecutors(_options.NoExecutorTimeout, OnNoExecutors()), now);
        }
    }
}
