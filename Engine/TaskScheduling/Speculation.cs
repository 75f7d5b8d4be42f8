namespace Dataflow.TaskScheduling;

/// <summary>Decides which running tasks of a set are so slow that a second copy is worth a slot.</summary>
/// <remarks>Once most tasks are done, one that runs a multiple of their median time is slow. Costs O(log n) a finished task.</remarks>
internal sealed class Speculation(DataflowOptions options, int tasks)
{
    private readonly RunningMedian _durations = new();
    private readonly List<int> _candidates = [];
    private readonly HashSet<int> _chosen = [];

    /// <summary>Whether a task waits for its second copy.</summary>
    public bool HasCandidates => _candidates.Count > 0;

    public void Succeeded(TimeSpan duration) => _durations.Add(duration.Ticks);

    /// <summary>Run time after which a task counts as slow; null while too few are done.</summary>
    public TimeSpan? Threshold
    {
        get
        {
            if (_durations.Count == 0 || _durations.Count < Math.Ceiling(tasks * options.SpeculationQuantile)) return null;
            var slow = TimeSpan.FromTicks((long)(_durations.Median * options.SpeculationMultiplier));
            return slow > options.SpeculationMinRuntime ? slow : options.SpeculationMinRuntime;
        }
    }

    /// <summary>Chooses the attempts that are slow by now.</summary>
    public void Look(AttemptList running, TimeSpan now)
    {
        if (Threshold is not { } slow) return;
        for (var attempt = running.Oldest; attempt is not null && now - attempt.Start >= slow; attempt = attempt.Newer)
        {
            if (_chosen.Add(attempt.Index)) _candidates.Add(attempt.Index);
        }
    }

    /// <summary>A task begins again: it is not slow yet.</summary>
    public void Forget(int index)
    {
        if (_chosen.Remove(index)) _candidates.Remove(index);
    }

    /// <summary>When the next attempt becomes slow; null if none will.</summary>
    public TimeSpan? NextLook(AttemptList running)
    {
        if (Threshold is not { } slow) return null;
        for (var attempt = running.Oldest; attempt is not null; attempt = attempt.Newer)
        {
            if (!_chosen.Contains(attempt.Index)) return attempt.Start + slow;
        }
        return null;
    }

    /// <summary>Picks a slow task that a slot suits; those that no longer run once are dropped.</summary>
    /// <param name="suits">Whether it still runs, once, and elsewhere.</param>
    /// <returns>Its entry in the set, or -1.</returns>
    public int Take(Func<int, Fit> suits)
    {
        for (var i = _candidates.Count - 1; i >= 0; i--)
        {
            var index = _candidates[i];
            var fit = suits(index);
            if (fit == Fit.Elsewhere) continue;
            _candidates.RemoveAt(i);
            if (fit == Fit.Here) return index;
        }
        return -1;
    }

    internal enum Fit
    {
        /// <summary>The slot suits.</summary>
        Here,

        /// <summary>The first copy runs on the same executor; another slot may suit.</summary>
        Elsewhere,

        /// <summary>It needs no second copy any more.</summary>
        Nowhere,
    }
}

/// <summary>The median of numbers that come one by one: two heaps, one of the smaller half and one of the larger.</summary>
internal sealed class RunningMedian
{
    private readonly PriorityQueue<long, long> _small = new();
    private readonly PriorityQueue<long, long> _large = new();

    public int Count => _small.Count + _large.Count;

    /// <summary>The lower median; 0 when there is none.</summary>
    public long Median => _small.Count == 0 ? 0 : _small.Peek();

    public void Add(long value)
    {
        if (_small.Count == 0 || value <= _small.Peek())
            _small.Enqueue(value, -value);
        else
            _large.Enqueue(value, value);

        if (_small.Count > _large.Count + 1)
        {
            var moved = _small.Dequeue();
            _large.Enqueue(moved, moved);
        }
        else if (_large.Count > _small.Count)
        {
            var moved = _large.Dequeue();
            _small.Enqueue(moved, -moved);
        }
    }
}
