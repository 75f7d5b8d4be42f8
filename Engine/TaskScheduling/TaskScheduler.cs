using Dataflow.Diagnostics;
using Dataflow.Errors;
using Dataflow.Scheduling;
using Dataflow.Tasks;

namespace Dataflow.TaskScheduling;

/// <summary>
/// Which waiting task goes to which free slot, and what becomes of attempts that fail, hang, or die with their executor. A pure machine
/// like <see cref="DagScheduler"/>, which gives it its task sets and is told how their attempts end.
/// </summary>
internal sealed partial class TaskScheduler
{
    private readonly DataflowOptions _options;
    private readonly Random _random;
    private readonly Queue<SchedulerAction> _actions;
    private readonly Queue<SchedulerEvent> _events;
    private readonly News _news;
    private readonly TaskQueue _queue;
    private readonly Dictionary<ExecutorId, ExecutorSlots> _executors = [];
    private readonly Dictionary<TaskId, TaskAttempt> _attempts = [];
    private readonly Dictionary<StageId, List<TaskSet>> _sets = [];
    private readonly Dictionary<StageId, List<Exception>> _draining = [];
    private readonly List<(TimeSpan Until, TaskSet Set, int Index)> _parked = [];
    private readonly bool _grows;
    private long _nextAttempt;

    /// <param name="options">The knobs.</param>
    /// <param name="random">Where a round of offers starts, so that small stages do not always land on the same executors.</param>
    /// <param name="actions">Where actions go.</param>
    /// <param name="events">Where events for the DAG scheduler go.</param>
    /// <param name="news">Where announcements go.</param>
    /// <param name="grows">Whether executors may join later, so that it is worth waiting for what those that are there can't give.</param>
    public TaskScheduler(
        DataflowOptions options, Random random, Queue<SchedulerAction> actions, Queue<SchedulerEvent> events, News news, bool grows)
    {
        _grows = grows;
        _options = options;
        _random = random;
        _actions = actions;
        _events = events;
        _news = news;
        _queue = new TaskQueue(options);
        _serve = Serve;
    }

    /// <summary>How many attempts run.</summary>
    public int RunningCount => _attempts.Count;

    /// <summary>How many task sets are remembered.</summary>
    public int SetCount => _sets.Values.Sum(sets => sets.Count);

    /// <summary>When it wants to be told that time passed; null if it waits for nothing.</summary>
    public TimeSpan? NextWake
    {
        get
        {
            var first = Earlier(_queue.WaitsUntil(), LacksUntil());
            foreach (var (until, _, _) in _parked) first = Earlier(first, until);
            foreach (var (until, _, _) in _leaving) first = Earlier(first, until);
            if (_options.Speculation && _executors.Count > 1) first = Earlier(first, NextLook());
            return first;
        }
    }

    /// <summary>The executors of a worker.</summary>
    public List<ExecutorId> ExecutorsOf(WorkerId worker) =>
        [.. _executors.Values.Where(executor => executor.Worker == worker).Select(executor => executor.Id)];

    public void Handle(SchedulerEvent happened, TimeSpan now)
    {
        switch (happened)
        {
            case TaskEnded e: OnTaskEnded(e, now); break;
            case ExecutorAdded e: OnExecutorAdded(e, now); break;
            case ExecutorDraining e: OnExecutorDraining(e, now); break;
            case ExecutorLost e: OnExecutorLost(e, now); break;
            case AttemptKillAsked e: OnKillAsked(e); break;
            case TimePassed: OnTimePassed(now); break;
        }
    }

    public void Handle(SchedulerAction asked, TimeSpan now)
    {
        switch (asked)
        {
            case StartTasks a: Start(a.Request, now); break;
            case StopLaunching a: Stop(a); break;
            case HoldBack a: HoldBack(a); break;
            case TaskDone a: OnDoneElsewhere(a); break;
            case KillAttempts a: KillAll(a.Stage, a.Reason); break;
            case CancelStage a: Drain(a); break;
        }
    }

    private static TimeSpan? Earlier(TimeSpan? a, TimeSpan? b) => a is null || b < a ? b : a;

    private void Start(TaskSetRequest request, TimeSpan now)
    {
        var set = new TaskSet(request, _options, now);
        if (!_sets.TryGetValue(request.Stage, out var sets)) _sets[request.Stage] = sets = new(1);
        sets.Add(set);
        _queue.Add(set);
        OfferAll();
        if (!set.IsDemanding) return;
        _demanding.Add((set, null));
        LookForLacks(now);
    }

    private TaskSet? Find(StageId stage, int attempt) =>
        _sets.TryGetValue(stage, out var sets) ? sets.Find(set => set.Request.Attempt == attempt) : null;

    private void Stop(StopLaunching asked)
    {
        if (Find(asked.Stage, asked.StageAttempt) is { } set) Stop(set);
    }

    private void Stop(TaskSet set)
    {
        set.Stop();
        Dequeue(set);
        ForgetIfOver(set);
    }

    private void HoldBack(HoldBack asked)
    {
        if (Find(asked.Stage, asked.StageAttempt) is not { IsStopped: false } set) return;
        set.IsHeldBack = true;
        if (set.PendingCount > 0) TellHeldBack(set);
    }

    private void TellHeldBack(TaskSet set) => _events.Enqueue(new TasksHeldBack(set.Request.Stage, set.Request.Attempt));

    private void OnDoneElsewhere(TaskDone asked)
    {
        if (Find(asked.Stage, asked.StageAttempt) is not { } set) return;
        var index = set.IndexOf(asked.Task);
        if (index < 0) return;
        set.Done(index);
        KillCopies(set, index, "its result came from an earlier attempt");
        if (!set.IsLaunchable) Dequeue(set);
        ForgetIfOver(set);
    }

    private void Drain(CancelStage asked)
    {
        KillAll(asked.Stage, asked.Reason);
        if (_sets.ContainsKey(asked.Stage))
            _draining.Add(asked.Stage, []);
        else
            _events.Enqueue(new StageDrained(asked.Stage, []));
    }

    private void KillAll(StageId stage, string reason)
    {
        if (!_sets.TryGetValue(stage, out var sets)) return;
        foreach (var set in sets.ToArray())
        {
            for (var attempt = set.Running.Oldest; attempt is not null; attempt = attempt.Newer) Kill(attempt, reason);
            Stop(set);
        }
    }

    private void KillCopies(TaskSet set, int index, string reason)
    {
        if (set.CopiesOf(index) == 0) return;
        foreach (var attempt in set.Running.Of(index)) Kill(attempt, reason);
    }

    private void Kill(TaskAttempt attempt, string reason)
    {
        if (attempt.IsKilled) return;
        attempt.IsKilled = true;
        _actions.Enqueue(new KillTask(attempt.Executor.Id, attempt.Description.Id, reason));
    }

    private void OnKillAsked(AttemptKillAsked e)
    {
        if (_attempts.TryGetValue(e.Task, out var attempt)) Kill(attempt, e.Reason);
    }

    private void OnTaskEnded(TaskEnded e, TimeSpan now)
    {
        if (!_attempts.Remove(e.Task, out var attempt)) return;
        var executor = attempt.Executor;
        executor.Return(attempt.Set.Request.Needs, attempt.Shares);
        executor.LastBusy = now;
        Offer(executor);
        OnAttemptEnded(attempt, e, now);
        TellIfDrained(executor);
    }

    private void OnAttemptEnded(TaskAttempt attempt, TaskEnded e, TimeSpan now)
    {
        var (set, index) = (attempt.Set, attempt.Index);
        var request = set.Request;
        set.Ended(attempt);
        _queue.Ended(set);
        if (_news.IsOn)
        {
            var outcome = e.Outcome is TaskSucceeded ? TaskSucceeded.Nothing : e.Outcome;
            _news.Tell(new TaskFinished(attempt.Description, attempt.Executor.Id, outcome, e.Metrics, now - attempt.Start) { Time = _news.At(now) });
        }
        _events.Enqueue(new StageTaskEnded(request.Stage, request.Attempt, request.Tasks[index], e.Task, e));

        switch (e.Outcome)
        {
            case not TaskSucceeded when request.IsBarrier:
                // Its gang is broken. The DAG scheduler, which was just told, runs the whole stage again.
                NoteAbandoned(request.Stage, e.Outcome);
                Stop(set);
                break;
            case TaskSucceeded:
                set.Speculation?.Succeeded(now - attempt.Start);
                set.Done(index);
                KillCopies(set, index, "another copy of the task ended first");
                break;
            case FetchFailed:
                // Not its fault. The DAG scheduler ends this attempt at the stage.
                break;
            case TaskThrew threw:
                NoteAbandoned(request.Stage, threw);
                OnThrew(attempt, threw);
                break;
            case TaskLost lost:
                set.Lost(index);
                if (set.LossesOf(index) >= _options.TaskMaxAttempts)
                    Fail(attempt, lost, set.LossesOf(index));
                else
                    Requeue(set, index);
                break;
            case CommitDenied:
                // Some other attempt holds the right. Trying again at once would only be denied again.
                if (set.IsStopped || set.StateOf(index) == TaskState.Done || set.CopiesOf(index) > 0) break;
                set.Park(index);
                _parked.Add((now + _options.ResubmitDelay, set, index));
                break;
            default:
                Requeue(set, index);
                break;
        }
        ForgetIfOver(set);
    }

    private void NoteAbandoned(StageId stage, TaskOutcome outcome)
    {
        if (outcome is TaskThrew { Exception: TaskAbandonedException error } && _draining.TryGetValue(stage, out var abandoned)) abandoned.Add(error);
    }

    private void OnThrew(TaskAttempt attempt, TaskThrew threw)
    {
        var (set, index) = (attempt.Set, attempt.Index);
        if (set.IsStopped || set.StateOf(index) == TaskState.Done) return;

        // What one machine does not see another one may, and the same one does not see it the next time.
        var isOfFiles = threw.Exception is IOException or UnauthorizedAccessException or RemoteTaskException { IsOfFiles: true };
        set.Failed(index, attempt.Executor.Id, isForGood: isOfFiles);
        if (set.FailuresOf(index) >= _options.TaskMaxAttempts || threw.Exception is IFinalError)
        {
            Fail(attempt, threw, set.FailuresOf(index));
            return;
        }
        if (_executors.Keys.All(executor => set.Avoids(index, executor))) set.Forgive(index);
        Requeue(set, index);
    }

    private void Fail(TaskAttempt attempt, TaskOutcome last, int attempts)
    {
        var set = attempt.Set;
        if (set.IsStopped || set.StateOf(attempt.Index) == TaskState.Done) return;
        var where = _executors.Count > 1 ? attempt.Executor.Place : "";
        _events.Enqueue(new TaskSetFailed(set.Request.Stage, set.Request.Attempt, attempt.Description.Partition, attempts, where, last));
        Stop(set);
    }

    private void Requeue(TaskSet set, int index)
    {
        set.Requeue(index);
        if (!set.IsLaunchable) return;
        if (set.IsHeldBack) TellHeldBack(set);
        _queue.Add(set);
        OfferAll();
    }

    private void ForgetIfOver(TaskSet set)
    {
        if (!set.IsOver) return;
        var stage = set.Request.Stage;
        Dequeue(set);
        if (set.IsDemanding) _demanding.RemoveAll(entry => entry.Set == set);
        if (!_sets.TryGetValue(stage, out var sets) || !sets.Remove(set) || sets.Count > 0) return;
        _sets.Remove(stage);
        if (_draining.Remove(stage, out var abandoned)) _events.Enqueue(new StageDrained(stage, abandoned));
    }

    private void OnExecutorAdded(ExecutorAdded e, TimeSpan now)
    {
        if (_executors.ContainsKey(e.Executor)) return;
        var executor = new ExecutorSlots(e) { LastBusy = now };
        _executors.Add(e.Executor, executor);
        Offer(executor);
        LookForLacks(now);
    }

    private void OnExecutorLost(ExecutorLost e, TimeSpan now)
    {
        if (!_executors.Remove(e.Executor, out var executor)) return;
        executor.Close();
        _leaving.RemoveAll(each => each.Executor == executor);

        // Before its tasks wait again: for one that is gone they would wait in vain.
        foreach (var set in _sets.Values.SelectMany(sets => sets)) set.Gone(e.Executor);
        foreach (var attempt in _attempts.Values.Where(attempt => attempt.Executor == executor).ToArray())
        {
            var id = attempt.Description.Id;
            _attempts.Remove(id);
            OnAttemptEnded(attempt, new TaskEnded(id, new TaskLost(e.Reason), new TaskMetrics(), null), now);
        }

        // A task kept away from all others may have to go back to one of them.
        foreach (var set in _sets.Values.SelectMany(sets => sets)) set.ForgiveWhere(_executors.Keys);
        OfferAll();
        LookForLacks(now);
    }
}
