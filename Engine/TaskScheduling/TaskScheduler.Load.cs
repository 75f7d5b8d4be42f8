using Dataflow.Scheduling;

namespace Dataflow.TaskScheduling;

// What there is to do, and who is there to do it.
internal sealed partial class TaskScheduler
{
    /// <summary>What waits for slots: one entry for each task set that has such tasks. Costs sets x executors.</summary>
    public List<WaitingTasks> Waiting()
    {
        var waiting = new List<WaitingTasks>();
        foreach (var set in _sets.Values.SelectMany(sets => sets))
        {
            if (set.IsStopped || set.PendingCount == 0) continue;
            var (needs, fit) = (set.Request.Needs, 0);
            foreach (var executor in _executors.Values) fit = Math.Max(fit, executor.Capacity(needs));
            waiting.Add(new WaitingTasks(set.PendingCount, needs.Cpus, fit));
        }
        return waiting;
    }

    /// <summary>The executors that take tasks.</summary>
    /// <param name="keepers">Those that keep cached blocks.</param>
    public List<ExecutorLoad> Loads(HashSet<ExecutorId> keepers) =>
    [
        .. _executors.Values.Where(executor => !executor.IsDraining).Select(
            executor => new ExecutorLoad(executor.Id, executor.Slots, executor.Busy, executor.LastBusy, keepers.Contains(executor.Id))),
    ];
}
