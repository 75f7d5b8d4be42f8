using Dataflow.Cluster;
using Dataflow.Scheduling;
using Dataflow.Shared;
using Dataflow.Tasks;

namespace Dataflow.Simulation;

/// <summary>Sits between the scheduler and its backend: remembers how attempts ended, and plants mistakes where that was asked for.</summary>
internal sealed class Observer(World world, ClusterBackend backend, PlantedFault plant) : IExecutorBackend
{
    private readonly Dictionary<TaskId, (ExecutorId Executor, TaskDescription Description)> _launched = [];
    private readonly Dictionary<ExecutorId, WorkerId> _workers = [];
    private readonly HashSet<ExecutorId> _lost = [];
    private readonly HashSet<TaskId> _failed = [];

    public bool HasPlaces => backend.HasPlaces;

    public int TasksLaunched => _launched.Count;

    /// <summary>Whether the scheduler knows that an attempt came to nothing: then another one may do its work.</summary>
    /// <remarks>Tasks that start together count together: one that fails takes the others' work along.</remarks>
    public bool IsGivenUp(TaskId task)
    {
        if (HasFailed(task) || !_launched.TryGetValue(task, out var launch)) return HasFailed(task);
        var description = launch.Description;
        return description.Gang is not null && _launched.Any(other =>
            other.Value.Description.Stage == description.Stage && other.Value.Description.StageAttempt == description.StageAttempt && HasFailed(other.Key));
    }

    public void Start(Action<SchedulerEvent, bool> report) => backend.Start((happened, mayRun) =>
    {
        Note(happened);
        report(Changed(happened), mayRun);
    });

    public void Launch(ExecutorId executor, IReadOnlyList<StageTask> tasks)
    {
        foreach (var task in tasks) _launched.Add(task.Description.Id, (executor, task.Description));
        backend.Launch(executor, plant == PlantedFault.ReuseEpochs ? [.. tasks.Select(WithoutEpoch)] : tasks);
    }

    public void Prepare(StageBinary binary, CallSite? site) => backend.Prepare(binary, site);

    public void Kill(ExecutorId executor, TaskId task, string reason) => backend.Kill(executor, task, reason);

    public void CheckWorker(WorkerId worker) => backend.CheckWorker(worker);

    public void DropCached(int rdd, long epoch) => backend.DropCached(rdd, epoch);

    public void CopyCached(CopyCached copy) => backend.CopyCached(copy);

    public void DropShuffle(ShuffleId shuffle) => backend.DropShuffle(shuffle);

    public void DropState(string name) => backend.DropState(name);

    public void Submitted() => backend.Submitted();

    public void Drained(ExecutorId executor)
    {
        world.Note("executor {0} runs nothing any more", executor.Value);
        backend.Drained(executor);
    }

    public void HandOver(HandOver wanted)
    {
        world.Note("executor {0} is to take over {1} outputs of worker {2}", wanted.To.Value, wanted.Outputs.Count, wanted.From.Value);
        backend.HandOver(wanted);
    }

    public void HandedOver(WorkerId worker)
    {
        world.Note("worker {0} has nothing more that others take", worker.Value);
        backend.HandedOver(worker);
    }

    public void Dispose() => backend.Dispose();

    private bool HasFailed(TaskId task) => _failed.Contains(task) || (_launched.TryGetValue(task, out var launch) && _lost.Contains(launch.Executor));

    private static StageTask WithoutEpoch(StageTask task) => task.Binary.MakeTask(task.Description, task.Partition, 0);

    private void Note(SchedulerEvent happened)
    {
        switch (happened)
        {
            case ExecutorAdded added:
                _workers[added.Executor] = added.Worker;
                world.Note("the driver takes in executor {0}", added.Executor.Value);
                break;
            case ExecutorLost lost:
                _lost.Add(lost.Executor);
                world.Note("the driver takes executor {0} for lost", lost.Executor.Value);
                break;
            case WorkerLost lost:
                foreach (var (executor, worker) in _workers)
                {
                    if (worker == lost.Worker) _lost.Add(executor);
                }
                world.Note("the driver takes worker {0} for lost", lost.Worker.Value);
                break;
            case TaskEnded { Outcome: not TaskSucceeded } ended:
                _failed.Add(ended.Task);
                break;
        }
    }

    private SchedulerEvent Changed(SchedulerEvent happened)
    {
        switch (happened)
        {
            case TaskEnded { Outcome: FetchFailed failed } ended when plant == PlantedFault.DropFetchFailures:
                return ended with { Outcome = new TaskThrew(new InvalidOperationException(failed.Message)) };
            case CommitAsked asked when plant == PlantedFault.TwoCommits:
                return asked with
                {
                    Reply = _ => asked.Reply(true),
                };
            default:
                return happened;
        }
    }
}
