using Dataflow.Scheduling;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.TaskScheduling;

/// <summary>Runs tasks on threads of this process: one executor with a fixed number of slots.</summary>
internal sealed class LocalBackend : IExecutorBackend
{
    /// <summary>How this process is called among hosts.</summary>
    public const string Host = "localhost";

    private readonly ExecutorServices _services;
    private readonly TimeProvider _time;
    private readonly int _slotCount;
    private readonly Lock _lock = new();
    private readonly Stack<LocalSlot> _idle = new();
    private readonly List<LocalSlot> _slots = [];
    private Action<SchedulerEvent, bool> _report = static (_, _) => { };
    private bool _disposed;

    /// <param name="services">What tasks may use.</param>
    /// <param name="slots">How many tasks run at once.</param>
    /// <param name="time">The clock of run times and grace times.</param>
    public LocalBackend(ExecutorServices services, int slots, TimeProvider time)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(slots);
        _services = services;
        _slotCount = slots;
        _time = time;
    }

    public bool HasPlaces => false;

    public void Start(Action<SchedulerEvent, bool> report)
    {
        _report = report;
        report(new ExecutorAdded(_services.Executor, _services.Worker, Host, _slotCount) { Resources = _services.Options.Resources }, false);
        _services.Blocks.Updated += OnBlockUpdated;
        _services.State.Updated += OnStateUpdated;
    }

    /// <summary>Nothing travels here.</summary>
    public void Prepare(StageBinary binary, CallSite? action) { }

    public void Launch(ExecutorId executor, IReadOnlyList<StageTask> tasks)
    {
        for (var i = 0; i < tasks.Count; i++)
        {
            var task = tasks[i];
            var attempt = new LocalAttempt(task, new TaskContext(task.Description, _services));
            LocalSlot slot;
            lock (_lock)
            {
                if (_disposed) return;
                if (!_idle.TryPop(out slot!)) slot = AddSlot();
                slot.Attempt = attempt;
            }
            slot.Run(attempt);
        }
    }

    public void Kill(ExecutorId executor, TaskId task, string reason)
    {
        LocalAttempt? attempt;
        lock (_lock) attempt = _slots.Find(slot => slot.Attempt?.Task.Description.Id == task)?.Attempt;
        attempt?.Cancel(_time, _services.Options.CancellationGrace, GiveUp);
    }

    public void CheckWorker(WorkerId worker) { }

    public void DropCached(int rdd, long epoch) => _services.Blocks.Remove(rdd, epoch);

    public void DropShuffle(ShuffleId shuffle)
    {
        _services.Shuffles.Remove(shuffle);
        _services.State.Remove(ExecutorState.PrefixOf(shuffle));
    }

    public void DropState(string name) => _services.State.Remove(ExecutorState.PrefixOf(name));

    /// <summary>Ends the threads once their tasks have ended. What still runs is cancelled, and its thread ends with it.</summary>
    public void Dispose()
    {
        LocalSlot[] slots;
        lock (_lock)
        {
            if (_disposed) return;
            _disposed = true;
            slots = [.. _slots];
        }
        _services.Blocks.Updated -= OnBlockUpdated;
        _services.State.Updated -= OnStateUpdated;
        foreach (var slot in slots)
        {
            slot.Attempt?.Context.Cancel();
            slot.End();
        }
    }

    // On a task's thread, which has its task to go on with.
    private void OnBlockUpdated(BlockUpdate update) => _report(new BlockUpdated(_services.Executor, update), false);

    private void OnStateUpdated(StateUpdate update)
    {
        if (ExecutorState.IsPlaced(update.Key)) _report(new StateMoved(_services.Executor, update), false);
    }

    private LocalSlot AddSlot()
    {
        var number = _slots.Count;
        var slot = new LocalSlot(number, _time, OnEnded);
        _slots.Add(slot);
        return slot;
    }

    /// <summary>An attempt ended by itself; its slot is idle before the scheduler can know.</summary>
    private void OnEnded(LocalSlot slot, LocalAttempt attempt, TaskOutcome outcome)
    {
        lock (_lock)
        {
            slot.Attempt = null;
            _idle.Push(slot);
        }
        var context = attempt.Context;
        _report(new TaskEnded(attempt.Task.Description.Id, outcome, context.Metrics, context.Accumulators), true);
    }

    /// <summary>A cancelled attempt did not end in time. Its thread is left behind, and another takes the slot.</summary>
    private void GiveUp(LocalAttempt attempt)
    {
        lock (_lock)
        {
            var at = _slots.FindIndex(slot => slot.Attempt == attempt);
            if (at < 0 || _disposed) return;
            _slots[at].End();
            _slots[at] = new LocalSlot(at, _time, OnEnded);
            _idle.Push(_slots[at]);
        }
        var description = attempt.Task.Description;
        var error = AbandonedTask.Describe(attempt.Task, _services.Options.CancellationGrace);
        _report(new TaskEnded(description.Id, new TaskThrew(error), new TaskMetrics(), null), false);
    }
}
