using Dataflow.Scheduling;

namespace Dataflow.TaskScheduling;

/// <summary>
/// The tasks of one attempt at a stage: which wait, which run, which are done. Arrays with an entry for each task, and objects only for
/// those that run, so that a set of 100,000 tasks takes less than a megabyte and each offer of a slot is answered in constant time.
/// </summary>
/// <remarks>Lists of waiting tasks are cleaned lazily: one that is no longer waiting is skipped when it comes up.</remarks>
internal sealed class TaskSet
{
    private readonly DataflowOptions _options;
    private readonly TaskState[] _states;
    private readonly byte[] _copies;
    private readonly ushort[] _attempts;
    private readonly byte[] _failures;
    private readonly byte[] _losses;
    private readonly PlacedTasks? _placed;
    private readonly List<int> _again = [];
    private Dictionary<(int Task, ExecutorId Executor), int>? _failedOn;
    private int _next;
    private TimeSpan? _gangWaitsUntil;

    public TaskSet(TaskSetRequest request, DataflowOptions options, TimeSpan now)
    {
        Request = request;
        _options = options;
        var count = request.Tasks.Length;
        _states = new TaskState[count];
        _copies = new byte[count];
        _attempts = new ushort[count];
        _failures = new byte[count];
        _losses = new byte[count];
        PendingCount = count;
        IsDemanding = request.IsBarrier || !request.Needs.Equals(ResourceProfile.Default);

        // A gang starts whole: none of its tasks waits for a place by itself, and a copy of one would be one too many.
        if (request.IsBarrier)
        {
            if (request.Preferences is { } places && places.Any(place => place.IsOfState)) _gangWaitsUntil = now + options.LocalityWait;
            return;
        }
        if (request.Preferences is { } preferences) _placed = new PlacedTasks(preferences, now);
        if (options.Speculation) Speculation = new Speculation(options, count);
    }

    public TaskSetRequest Request { get; }

    public int Count => _states.Length;

    /// <summary>Whether one free slot may be too little to launch something.</summary>
    public bool IsDemanding { get; }

    /// <summary>Tasks that wait for a slot.</summary>
    public int PendingCount { get; private set; }

    /// <summary>Attempts that run, copies included.</summary>
    public int RunningCount { get; private set; }

    public int DoneCount { get; private set; }

    /// <summary>Whether nothing more is launched: it was cancelled, or the attempt at the stage failed.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>Whether it has something for a free slot.</summary>
    public bool IsLaunchable => !IsStopped && (PendingCount > 0 || Speculation is { HasCandidates: true });

    /// <summary>Whether nothing of it can happen any more.</summary>
    public bool IsOver => RunningCount == 0 && (IsStopped || DoneCount == Count);

    public Speculation? Speculation { get; }

    /// <summary>Attempts that run, oldest first.</summary>
    public AttemptList Running { get; } = new();

    /// <summary>When the wait for better places is over; null if there is none.</summary>
    public TimeSpan? WaitsUntil => PendingCount > 0 && !IsStopped ? _placed?.WaitsUntil(_options.LocalityWait) ?? _gangWaitsUntil : null;

    public TaskState StateOf(int index) => _states[index];

    public int CopiesOf(int index) => _copies[index];

    public int FailuresOf(int index) => _failures[index];

    public int LossesOf(int index) => _losses[index];

    public int AttemptsOf(int index) => _attempts[index];

    /// <summary>The entry of a task of the stage; negative if the set does not have it.</summary>
    public int IndexOf(int task) => Count > task && Request.Tasks[task] == task ? task : Array.BinarySearch(Request.Tasks, task);

    public void Stop() => IsStopped = true;

    /// <summary>Whether what its tasks read is lost: one that is to run again need not be launched.</summary>
    public bool IsHeldBack { get; set; }

    /// <summary>Picks a task for a free slot.</summary>
    /// <param name="executor">Whose slot it is.</param>
    /// <param name="now">The time, which decides how far from its data a task may run.</param>
    /// <param name="speculative">Whether it is a second copy of a running task.</param>
    /// <returns>Its entry, or -1.</returns>
    public int Take(ExecutorSlots executor, TimeSpan now, out bool speculative)
    {
        speculative = false;
        if (IsStopped) return -1;
        if (PendingCount > 0)
        {
            var index = _placed is null ? TakeAny(executor) : TakePlaced(_placed, executor, now);
            if (index >= 0) return index;
        }
        if (Speculation is not { HasCandidates: true } speculation) return -1;
        speculative = true;
        return speculation.Take(index =>
            _states[index] != TaskState.Running || _copies[index] != 1 ? Speculation.Fit.Nowhere
            : Running.Any(index, executor) || Avoids(index, executor.Id) ? Speculation.Fit.Elsewhere
            : Speculation.Fit.Here);
    }

    /// <summary>Notes that time passed: tasks that waited long enough for a better place need not wait any more.</summary>
    public void Age(TimeSpan now)
    {
        if (_gangWaitsUntil <= now) _gangWaitsUntil = null;
        Allowed(now);
    }

    private Locality Allowed(TimeSpan now) =>
        _placed?.Allowed(now, _options.LocalityWait, index => _states[index] == TaskState.Pending) ?? Locality.Any;

    private int TakePlaced(PlacedTasks placed, ExecutorSlots executor, TimeSpan now)
    {
        var allowed = Allowed(now);
        var index = Pop(placed.At(executor.Id), executor);
        var level = Locality.Executor;
        if (index < 0 && allowed >= Locality.Host)
        {
            index = Pop(placed.At(executor.Host), executor);
            level = Locality.Host;
        }
        if (index >= 0)
        {
            placed.Launched(level, now);
            return index;
        }
        index = Pop(placed.Anywhere, executor);
        if (index >= 0 || allowed < Locality.Any) return index;
        index = TakeAny(executor);
        if (index >= 0) placed.Launched(Locality.Any, now);
        return index;
    }

    private int TakeAny(ExecutorSlots executor)
    {
        var index = Pop(_again, executor);
        if (index >= 0) return index;
        while (_next < Count)
        {
            // A task that waits for the first time has failed nowhere.
            index = _next++;
            if (_states[index] == TaskState.Pending) return index;
        }
        return -1;
    }

    private int Pop(List<int>? stack, ExecutorSlots executor)
    {
        if (stack is null) return -1;
        for (var i = stack.Count - 1; i >= 0; i--)
        {
            var index = stack[i];
            var waits = _states[index] == TaskState.Pending;
            if (waits && Avoids(index, executor.Id)) continue;
            stack.RemoveAt(i);
            if (waits) return index;
        }
        return -1;
    }

    /// <summary>Whether a task failed so often on an executor that it should run elsewhere.</summary>
    public bool Avoids(int index, ExecutorId executor) =>
        _failedOn is not null && _failedOn.GetValueOrDefault((index, executor)) >= _options.ExcludeAfterFailures;

    /// <summary>Lets a task run again where it failed: there is nowhere else.</summary>
    public void Forgive(int index)
    {
        foreach (var key in _failedOn!.Keys.Where(key => key.Task == index).ToArray()) _failedOn.Remove(key);
    }

    /// <summary>Lets tasks run again where they failed if no other of <paramref name="executors"/> is left for them.</summary>
    public void ForgiveWhere(IReadOnlyCollection<ExecutorId> executors)
    {
        if (_failedOn is null) return;
        foreach (var index in _failedOn.Keys.Select(key => key.Task).Distinct().ToArray())
        {
            if (executors.All(executor => Avoids(index, executor))) Forgive(index);
        }
    }

    public void Launched(TaskAttempt attempt)
    {
        var index = attempt.Index;
        if (_states[index] == TaskState.Pending) PendingCount--;
        _states[index] = TaskState.Running;
        _copies[index]++;
        _attempts[index]++;
        RunningCount++;
        Running.Add(attempt);
    }

    /// <summary>An attempt is gone, whatever became of it.</summary>
    public void Ended(TaskAttempt attempt)
    {
        RunningCount--;
        _copies[attempt.Index]--;
        Running.Remove(attempt);
    }

    public void Done(int index)
    {
        if (_states[index] == TaskState.Done) return;
        if (_states[index] == TaskState.Pending) PendingCount--;
        _states[index] = TaskState.Done;
        DoneCount++;
    }

    /// <summary>Notes that a task failed.</summary>
    /// <param name="index">The task.</param>
    /// <param name="executor">Where.</param>
    /// <param name="isForGood">Whether it should run elsewhere at once, not only when it has failed there some times.</param>
    public void Failed(int index, ExecutorId executor, bool isForGood)
    {
        _failures[index]++;
        _failedOn ??= [];
        _failedOn[(index, executor)] = isForGood ? _options.ExcludeAfterFailures : _failedOn.GetValueOrDefault((index, executor)) + 1;
    }

    public void Lost(int index) => _losses[index]++;

    /// <summary>An executor is gone: no task waits to run there.</summary>
    public void Gone(ExecutorId executor) => _placed?.Gone(executor);

    /// <summary>Takes a task out until <see cref="Requeue"/>: another attempt holds the right to commit it.</summary>
    public void Park(int index) => _states[index] = TaskState.Parked;

    /// <summary>Has a task wait again, unless it is done or a copy of it runs.</summary>
    public void Requeue(int index)
    {
        if (_states[index] == TaskState.Done || _copies[index] > 0 || _states[index] == TaskState.Pending) return;
        _states[index] = TaskState.Pending;
        PendingCount++;
        _again.Add(index);
        _placed?.Add(index);
        Speculation?.Forget(index);
    }
}

internal enum TaskState : byte
{
    Pending,
    Running,
    Done,
    Parked,
}
