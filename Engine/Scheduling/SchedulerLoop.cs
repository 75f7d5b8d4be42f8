using Dataflow.Cluster;
using Dataflow.Diagnostics;
using Dataflow.Jobs;
using Dataflow.Tasks;
using Dataflow.Tracking;

namespace Dataflow.Scheduling;

/// <summary>
/// The mailbox that drives the scheduler's machines and carries out what they decide. Events are handled one at a time; what they lead
/// to is sent to each executor in one call when the mailbox is empty.
/// </summary>
/// <remarks>No thread waits here for a job: a submission is a message, its answer completes a task.</remarks>
internal sealed class SchedulerLoop : Actor, ICommitCoordinator, IMeetingPoint
{
    private readonly SchedulerMachine _machine;
    private readonly IExecutorBackend _backend;
    private readonly TimeProvider _time;
    private readonly ListenerBus _listeners;
    private readonly long _start;
    private readonly ITimer _timer;
    private readonly Dictionary<JobId, JobWaiter> _waiters = [];
    private readonly List<SchedulerAction> _actions = [];
    private readonly Dictionary<ExecutorId, List<StageTask>> _launches = [];
    private readonly List<ExecutorId> _launching = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TimeSpan? _armed;
    private int _nextJob;
    private string? _stopping;

    /// <param name="options">The knobs.</param>
    /// <param name="backend">Runs the tasks; started here and disposed with the loop.</param>
    /// <param name="dispatcher">Runs the mailbox.</param>
    /// <param name="time">The clock and its timers.</param>
    /// <param name="random">Seeded by whoever wants the same run twice.</param>
    /// <param name="listeners">Told what happens.</param>
    public SchedulerLoop(
        DataflowOptions options, IExecutorBackend backend, IDispatcher dispatcher, TimeProvider time, Random random, ListenerBus listeners)
        : base(dispatcher)
    {
        _backend = backend;
        _time = time;
        _listeners = listeners;
        _start = time.GetTimestamp();
        _machine = new SchedulerMachine(options, random, time.GetUtcNow(), backend.HasPlaces, backend.Prepare);
        _machine.Dag.OnNoExecutors = () => backend.OnNoExecutors;
        _timer = time.CreateTimer(_ => Self.TellAndRun(TimePassed.Instance), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _backend.Start(Report);
    }

    /// <summary>Who serves which map output. Tasks of this process may ask it from their threads.</summary>
    public MapOutputTracker MapOutputs => _machine.MapOutputs;

    /// <summary>How many jobs, stages and task sets are remembered; exact while nothing runs.</summary>
    internal (int Jobs, int Stages, int TaskSets) Remembered => (_machine.Dag.JobCount, _machine.Dag.StageCount, _machine.Tasks.SetCount);

    /// <summary>How many jobs somebody waits for. Read by whoever runs the mailbox.</summary>
    internal int JobsUnderWay => _waiters.Count;

    /// <summary>Completes when the loop has stopped.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Runs a job. The task completes after the last result was handed over, or faults once nothing of the job runs any more.</summary>
    /// <param name="request">What to compute. Partitions of the lineage are worked out now, on this thread.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
    /// <exception cref="ArgumentOutOfRangeException">A partition does not exist.</exception>
    /// <exception cref="InvalidOperationException">Called inside a task.</exception>
    public Task SubmitJob(JobRequest request, CancellationToken cancellationToken = default)
    {
        ThrowIfInsideTask(request.Properties.CallSite);
        var count = request.Rdd.PartitionCount;
        foreach (var partition in request.Partitions)
        {
            if ((uint)partition >= (uint)count)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(request), partition, $"Partition {partition} does not exist: {request.Rdd} has {count} {(count == 1 ? "partition" : "partitions")}, counted from 0.");
            }
        }
        _ = request.Rdd.Determinacy;
        var job = NewJob();
        return Submit(new Submission(new JobSubmitted(job, request), job, new JobWaiter(request.OnResult, cancellationToken)));
    }

    /// <summary>Runs a map stage by itself, or nothing if its outputs are all there, and gives their sizes.</summary>
    /// <inheritdoc cref="SubmitJob"/>
    /// <param name="dependency">The shuffle.</param>
    /// <param name="properties">What to say of the job.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
    public async Task<MapOutputSizes> SubmitMapStage(
        ShuffleDependency dependency, JobProperties properties, CancellationToken cancellationToken = default)
    {
        ThrowIfInsideTask(properties.CallSite);
        _ = dependency.Rdd.PartitionArray;
        _ = dependency.Rdd.Determinacy;
        var job = NewJob();
        var waiter = new JobWaiter(null, cancellationToken);
        await Submit(new Submission(new MapStageSubmitted(job, dependency, properties), job, waiter)).ConfigureAwait(false);
        return waiter.Sizes!;
    }

    /// <summary>Cancels the jobs of a group that run now.</summary>
    public void CancelGroup(string group, string reason) => Self.Tell(new GroupCancelled(group, reason));

    /// <summary>Cancels the jobs with a tag that run now.</summary>
    public void CancelTag(string tag, string reason) => Self.Tell(new TagCancelled(tag, reason));

    /// <summary>Cancels the jobs that need a stage.</summary>
    public void CancelStage(StageId stage, string reason) => Self.Tell(new StageCancelled(stage, reason));

    /// <summary>Cancels all jobs that run now.</summary>
    public void CancelAll(string reason) => Self.Tell(new AllJobsCancelled(reason));

    /// <summary>Ends one attempt; its task is tried again.</summary>
    public void KillAttempt(TaskId task, string reason) => Self.Tell(new AttemptKillAsked(task, reason));

    /// <summary>Drops the outputs of a shuffle that nobody will ask for any more, once no job needs them.</summary>
    /// <inheritdoc cref="Report"/>
    public void RemoveShuffle(ShuffleId shuffle, bool mayRun) => Report(new ShuffleRemoved(shuffle), mayRun);

    /// <summary>Drops the executors' objects of a name.</summary>
    public void DropState(string name) => Self.Tell(new StateUnwanted(name));

    /// <summary>Notes that an Rdd is no longer kept.</summary>
    public void Unpersist(int rdd) => Self.Tell(new RddUnpersisted(rdd));

    /// <summary>Takes an event of an executor or worker.</summary>
    /// <param name="happened">What happened.</param>
    /// <param name="mayRun">Whether this thread has nothing better to do than to carry on with it.</param>
    public void Report(SchedulerEvent happened, bool mayRun = false)
    {
        if (mayRun)
            Self.TellAndRun(happened);
        else
            Self.Tell(happened);
    }

    /// <summary>Asks whether an attempt may commit, and waits for the answer: for tasks of this process.</summary>
    public bool MayCommit(TaskDescription task)
    {
        var answer = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        Self.Tell(new CommitAsked(task.Id, task.Stage, task.StageAttempt, task.Partition, granted => answer.TrySetResult(granted)));
        answer.Task.Wait(TaskContext.Current?.CancellationToken ?? CancellationToken.None);
        return answer.Task.Result;
    }

    /// <summary>Brings a task to a meeting of its barrier stage, and waits for the others: for tasks of this process.</summary>
    public byte[][] Meet(TaskDescription task, int meeting, MeetingKind kind, byte[] message, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<AnswerBarrier>(TaskCreationOptions.RunContinuationsAsynchronously);
        Self.Tell(new BarrierArrived(
            task.Id, task.Stage, task.StageAttempt, task.Partition, meeting, kind, message, timeout, given => answer.TrySetResult(given)));
        answer.Task.Wait(cancellationToken);
        var (_, messages, failure) = answer.Task.Result;
        return messages ?? throw new BarrierException($"{kind}() in task {task.Partition} of stage {task.Stage} did not come to an end: {failure}.");
    }

    /// <summary>Cancels all jobs, waits until nothing runs any more, and ends. Submissions from now on fault.</summary>
    /// <param name="reason">What their programs are told.</param>
    public Task StopAsync(string reason)
    {
        Self.Tell(new StopAsked(reason));
        return _ended.Task;
    }

    protected override void Receive(object message)
    {
        _machine.Announces = _listeners.HasAny;
        switch (message)
        {
            case Submission submission when _stopping is null:
                _waiters.Add(submission.Job, submission.Waiter);
                Feed(submission.Event);
                _backend.Submitted();
                break;
            case LoadAsked asked:
                asked.Reply(_machine.LoadAt(Now()));
                break;
            case SchedulerEvent happened:
                if (happened is TimePassed) _armed = null;
                Feed(happened);
                break;
            case StopAsked asked:
                _stopping ??= asked.Reason;
                Feed(new AllJobsCancelled(asked.Reason));
                break;
            default:
                OnDropped(message);
                break;
        }
    }

    protected override void Flush()
    {
        var now = Now();
        _machine.Launch(now, _actions);
        CarryOut(now);
        foreach (var executor in _launching)
        {
            var tasks = _launches[executor];
            _backend.Launch(executor, tasks);
            tasks.Clear();
        }
        _launching.Clear();
        Arm(now);
        if (_stopping is not null && _waiters.Count == 0 && !IsStopped) Self.Stop();
    }

    protected override bool OnFailure(Exception error, object? message)
    {
        // The machines may be half way through a step: nothing they say from now on can be trusted.
        var bug = new InvalidOperationException(
            $"The scheduler met an error of its own while it handled {message?.GetType().Name ?? "offers"}. This is a mistake in Dataflow: please report it with this text.", error);
        foreach (var waiter in _waiters.Values) waiter.Fault(bug);
        _waiters.Clear();
        _stopping = bug.Message;
        return false;
    }

    protected override void OnStopped()
    {
        _timer.Dispose();
        _backend.Dispose();
        _ended.TrySetResult();
    }

    protected override void OnDropped(object message)
    {
        if (message is Submission { Waiter: var waiter })
            waiter.Fault(new ObjectDisposedException(nameof(DataflowContext), $"No job can run any more: {_stopping ?? "the context was stopped"}."));
        else if (message is CommitAsked asked)
            asked.Reply(false);
        else if (message is BarrierArrived arrived)
            arrived.Reply(new AnswerBarrier(arrived, null, _stopping ?? "the context was stopped"));
    }

    private static void ThrowIfInsideTask(CallSite? site)
    {
        if (!TaskContext.IsWithinTask) return;
        var where = TaskContext.Current is { } task ? $"inside task {task.PartitionIndex} of stage {task.Description.Stage}" : "on a thread that a task has started";
        throw new InvalidOperationException(
            $"{site?.ToString() ?? "An action"} was called {where}. Rdds and their actions live in the driver program only: "
            + "run the action before, and use its result in the lambda; or Join the two Rdds, or Broadcast the smaller one.");
    }

    private JobId NewJob() => new(Interlocked.Increment(ref _nextJob) - 1);

    private Task Submit(Submission submission)
    {
        var waiter = submission.Waiter;
        var token = waiter.CancellationToken;
        if (token.IsCancellationRequested) return Task.FromCanceled(token);
        var cancelled = new JobCancelled(submission.Job, "its cancellation token was signalled");
        waiter.Registration = token.UnsafeRegister(_ => Self.Tell(cancelled), null);
        Self.TellAndRun(submission);

        // Signalled between the two lines above, it was told of a job that did not exist yet.
        if (token.IsCancellationRequested) Self.Tell(cancelled);
        return waiter.Task;
    }

    private TimeSpan Now() => _time.GetElapsedTime(_start);

    private void Feed(SchedulerEvent happened)
    {
        var now = Now();
        _machine.Handle(happened, now, _actions);
        CarryOut(now);
    }

    private void CarryOut(TimeSpan now)
    {
        // Not foreach: a result that is refused adds actions.
        for (var i = 0; i < _actions.Count; i++)
        {
            switch (_actions[i])
            {
                case LaunchTask launch: Gather(launch); break;
                case DeliverResult result: Deliver(result, i, now); break;
                case CountAccumulators count: Count(count, i, now); break;
                case Announce news: _listeners.Tell(news.Event); break;
                case KillTask kill: _backend.Kill(kill.Executor, kill.Task, kill.Reason); break;
                case EndJob end: End(end); break;
                case AnswerCommit answer: answer.Question.Reply(answer.Granted); break;
                case AnswerBarrier answer: answer.Question.Reply(answer); break;
                case ExecutorDrained drained: _backend.Drained(drained.Executor); break;
                case CheckWorker check: _backend.CheckWorker(check.Worker); break;
                case DropCached drop: _backend.DropCached(drop.Rdd, drop.Epoch); break;
                case CopyCached copy: _backend.CopyCached(copy); break;
                case HandOver wanted: _backend.HandOver(wanted); break;
                case WorkerHandedOver done: _backend.HandedOver(done.Worker); break;
                case DropShuffle drop: _backend.DropShuffle(drop.Shuffle); break;
                case DropState drop: _backend.DropState(drop.Name); break;
            }
        }
        _actions.Clear();
    }

    private void Gather(LaunchTask launch)
    {
        if (!_launches.TryGetValue(launch.Executor, out var tasks)) _launches[launch.Executor] = tasks = [];
        if (tasks.Count == 0) _launching.Add(launch.Executor);
        tasks.Add(launch.Task);
    }

    private void Deliver(DeliverResult result, int at, TimeSpan now)
    {
        if (!_waiters.TryGetValue(result.Job, out var waiter) || waiter.OnResult is not { } take) return;
        try
        {
            take(result.Index, result.Value);
        }
        catch (Exception error)
        {
            Refuse([result.Job], new JobFailure(JobFailureKind.Driver, "the driver could not take a result") { Cause = error }, at, now);
        }
    }

    private void Count(CountAccumulators count, int at, TimeSpan now)
    {
        try
        {
            count.Updates.Merge();
        }
        catch (Exception error)
        {
            Refuse(count.Jobs, new JobFailure(JobFailureKind.Driver, "the driver could not merge what a task added to an accumulator") { Cause = error }, at, now);
        }
    }

    // The task's end may have ended a job: then the job's own end, which is carried out after this, has to change.
    private void Refuse(JobId[] jobs, JobFailure failure, int at, TimeSpan now)
    {
        for (var i = at + 1; i < _actions.Count; i++)
        {
            _actions[i] = _actions[i] switch
            {
                EndJob { Failure: null } end when jobs.Contains(end.Job) => end with { Failure = failure },
                Announce { Event: JobEnded { Failure: null } ended } when jobs.Contains(ended.Job) => new Announce(ended with { Failure = failure.What }),
                var other => other,
            };
        }
        foreach (var job in jobs) _machine.Handle(new ResultRefused(job, failure), now, _actions);
    }

    private void End(EndJob end)
    {
        if (!_waiters.Remove(end.Job, out var waiter)) return;
        waiter.Registration.Unregister();
        if (end.Failure is null)
            waiter.Succeed(end.Sizes);
        else
            waiter.Fault(end.Job, end.Failure);
    }

    private void Arm(TimeSpan now)
    {
        var wake = _machine.NextWake;
        if (wake == _armed) return;
        _armed = wake;

        // Timers count whole milliseconds: one that is due a little early would be armed again and again.
        var due = wake is null ? Timeout.Infinite : Math.Ceiling(Math.Max(0, (wake.Value - now).TotalMilliseconds));
        _timer.Change(TimeSpan.FromMilliseconds(due), Timeout.InfiniteTimeSpan);
    }

    private sealed record Submission(SchedulerEvent Event, JobId Job, JobWaiter Waiter);

    private sealed record StopAsked(string Reason);
}
