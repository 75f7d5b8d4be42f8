using Dataflow.Tasks;
using Dataflow.Tracking;

namespace Dataflow.Scheduling;

/// <summary>
/// The DAG scheduler, the task scheduler and the map output tracker as one pure machine: events and the time go in, actions come out.
/// The loop drives it with threads and clocks, a simulator with neither.
/// </summary>
internal sealed class SchedulerMachine
{
    private readonly Queue<SchedulerAction> _inner = new();
    private readonly Queue<SchedulerEvent> _events = new();
    private readonly News _news;

    /// <param name="options">The knobs.</param>
    /// <param name="random">Seeded by whoever wants the same run twice.</param>
    /// <param name="start">The wall clock when the machine's time is 0.</param>
    /// <param name="places">Whether it matters on which executor a task runs; false when there is only one.</param>
    /// <param name="prepare">Makes the code of a stage ready for an action, or throws; null if there is nothing to do.</param>
    public SchedulerMachine(DataflowOptions options, Random random, DateTimeOffset start, bool places, Action<StageBinary, CallSite?>? prepare = null)
    {
        _news = new News(start, _inner);
        Dag = new DagScheduler(options, MapOutputs, _inner, _news, places, prepare);
        Tasks = new TaskScheduling.TaskScheduler(options, random, _inner, _events, _news, grows: places);
    }

    public MapOutputTracker MapOutputs { get; } = new();

    public DagScheduler Dag { get; }

    public TaskScheduling.TaskScheduler Tasks { get; }

    /// <summary>Whether announcements are made.</summary>
    public bool Announces
    {
        get => _news.IsOn;
        set => _news.IsOn = value;
    }

    /// <summary>When it wants <see cref="TimePassed"/>; null if it waits for nothing.</summary>
    public TimeSpan? NextWake
    {
        get
        {
            var (dag, tasks) = (Dag.NextWake, Tasks.NextWake);
            return dag is null || tasks < dag ? tasks : dag;
        }
    }

    /// <summary>How much there is to do. Costs cached blocks, and task sets x executors.</summary>
    public SchedulerLoad LoadAt(TimeSpan now) => new(now, Dag.JobCount > 0, Tasks.Waiting(), Tasks.Loads(Dag.CacheKeepers()));

    /// <summary>Handles one event. Tasks are launched by <see cref="Launch"/> only, so that several events are answered together.</summary>
    public void Handle(SchedulerEvent happened, TimeSpan now, List<SchedulerAction> actions)
    {
        switch (happened)
        {
            case TaskEnded or AttemptKillAsked:
                Tasks.Handle(happened, now);
                break;
            case ExecutorAdded added:
                Tasks.Handle(added, now);
                Dag.Handle(added, now);
                if (Dag.IsLeaving(added.Worker)) Close(new ExecutorDraining(added.Executor, "its worker is draining"), now);
                break;
            case ExecutorDraining draining:
                Close(draining, now);
                break;
            case WorkerDraining draining:
                Dag.Handle(draining, now);
                foreach (var executor in Tasks.ExecutorsOf(draining.Worker)) Close(new ExecutorDraining(executor, draining.Reason), now);
                break;
            case ExecutorLost or TimePassed:
                Tasks.Handle(happened, now);
                Dag.Handle(happened, now);
                break;
            case WorkerLost lost:
                // First the worker: results that its executors' tasks might still be credited with are void.
                Dag.Handle(lost, now);
                foreach (var executor in Tasks.ExecutorsOf(lost.Worker))
                {
                    var gone = new ExecutorLost(executor, lost.Reason);
                    Tasks.Handle(gone, now);
                    Dag.Handle(gone, now);
                }
                break;
            default:
                Dag.Handle(happened, now);
                break;
        }
        Settle(now, actions);
    }

    /// <summary>Gives free slots to waiting tasks.</summary>
    public void Launch(TimeSpan now, List<SchedulerAction> actions)
    {
        Tasks.LaunchTasks(now);
        Settle(now, actions);
    }

    private void Close(ExecutorDraining draining, TimeSpan now)
    {
        Dag.Handle(draining, now);
        Tasks.Handle(draining, now);
    }

    // The two machines answer each other until both are at rest.
    private void Settle(TimeSpan now, List<SchedulerAction> actions)
    {
        while (true)
        {
            if (_inner.TryDequeue(out var action))
            {
                if (action is StartTasks or StopLaunching or HoldBack or KillAttempts or CancelStage or TaskDone)
                    Tasks.Handle(action, now);
                else if (action is not ExecutorDrained drained || !Dag.HoldsBack(drained.Executor))
                    actions.Add(action);
            }
            else if (_events.TryDequeue(out var happened))
            {
                Dag.Handle(happened, now);
            }
            else
            {
                return;
            }
        }
    }
}
