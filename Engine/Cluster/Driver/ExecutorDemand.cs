using Dataflow.Scheduling;

namespace Dataflow.Cluster;

/// <summary>What a look at the load led to.</summary>
/// <param name="Wanted">Executors that the program is to have at most, those included that it has.</param>
/// <param name="Release">Executors to give back.</param>
/// <param name="NextLook">When to look again; null when a new job or executor is soon enough.</param>
internal sealed record DemandAnswer(int Wanted, IReadOnlyList<ExecutorId> Release, TimeSpan? NextLook);

/// <summary>
/// How many executors a program needs, and which it can spare. A pure machine: the scheduler's load goes in, with its time; what to ask for
/// and what to give back comes out.
/// </summary>
/// <remarks>
/// Grows as Spark does: the first executor at once, for without one nothing can start; then, each time that tasks have waited for the backlog timeout, one,
/// two, four more, up to what all tasks could use at once. Straight to that number would be right for long tasks only: a thousand short
/// ones are done by the first few executors before the others have started, which are then taken from other programs for the idle timeout.
/// While tasks wait nothing is given back: an executor that is idle then is waited for, by a gang or for its data.
/// </remarks>
/// <param name="options">The limits; <see cref="ClusterOptions.ExecutorIdleTimeout"/> has a value.</param>
internal sealed class ExecutorDemand(ClusterOptions options)
{
    private readonly TimeSpan _patience = options.ExecutorIdleTimeout!.Value;
    private int _slots = Math.Max(1, options.ExecutorCores);
    private int _wanted = options.MinExecutors;
    private int _step = 1;
    private TimeSpan? _growAt;

    /// <summary>Looks. Costs executors + kinds of tasks that wait.</summary>
    public DemandAnswer Look(SchedulerLoad load)
    {
        var need = Math.Clamp(Need(load), options.MinExecutors, options.MaxExecutors);
        _wanted = Wanted(load, need);
        var release = new List<ExecutorId>();
        var next = load.HasJobs ? load.Now + options.BacklogTimeout : (TimeSpan?)null;
        if (_growAt is { } growAt) next = Earlier(next, growAt);

        var spare = load.Executors.Count - need;
        if (load.Waiting.Count > 0 || spare <= 0) return new DemandAnswer(_wanted, release, next);

        // What keeps one that could be spared may be dropped without a word to this machine: it looks again.
        next = Earlier(next, load.Now + _patience);
        foreach (var idle in load.Executors.Where(executor => executor.Busy == 0).OrderBy(executor => executor.KeepsBlocks).ThenBy(executor => executor.LastBusy))
        {
            if (release.Count == spare) break;
            var patience = idle.KeepsBlocks ? options.CachedExecutorIdleTimeout : _patience;
            if (patience is null) continue;
            if (idle.LastBusy + patience <= load.Now)
                release.Add(idle.Executor);
            else
                next = Earlier(next, idle.LastBusy + patience.Value);
        }
        return new DemandAnswer(_wanted, release, next);
    }

    private static TimeSpan Earlier(TimeSpan? a, TimeSpan b) => a < b ? a.Value : b;

    private int Wanted(SchedulerLoad load, int need)
    {
        // Those that are here, though they were not needed any more, count too: they take tasks first.
        var had = Math.Max(_wanted, load.Executors.Count);
        if (load.Waiting.Count == 0 || need <= had)
        {
            _growAt = null;
            _step = 1;
            return need;
        }
        _growAt ??= had == 0 ? load.Now : load.Now + options.BacklogTimeout;
        if (load.Now < _growAt) return had;
        var wanted = (int)Math.Min(need, (long)had + _step);
        _step = (int)Math.Min(_step * 2L, int.MaxValue);
        _growAt = wanted < need ? load.Now + options.BacklogTimeout : null;
        return wanted;
    }

    // In parts of executors, as tasks of one kind can fill up what those of another leave.
    private int Need(SchedulerLoad load)
    {
        if (load.Executors.Count > 0) _slots = load.Executors.Max(executor => executor.Slots);
        var executors = load.Executors.Sum(executor => (double)executor.Busy / executor.Slots);
        foreach (var (count, cpus, fit) in load.Waiting) executors += (double)count / (fit > 0 ? fit : Math.Max(1, _slots / cpus));
        return (int)Math.Min(Math.Ceiling(executors - 1e-6), int.MaxValue);
    }
}
