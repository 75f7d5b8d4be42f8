using Dataflow.Scheduling;

namespace Dataflow.TaskScheduling;

/// <summary>The sets that have something to launch, in the order in which they are served.</summary>
/// <remarks>First in, first out by job; or pools that share fairly, each first in, first out by itself or fair among its jobs. A pool below its minimum share
/// comes first, then the one with the fewest running tasks for its weight.</remarks>
internal sealed class TaskQueue
{
    private readonly SchedulingMode _mode;
    private readonly Dictionary<string, Pool> _pools = [];
    private readonly List<Pool> _order = [];

    public TaskQueue(DataflowOptions options)
    {
        _mode = options.SchedulingMode;
        foreach (var pool in options.Pools) _pools[pool.Name] = new Pool(pool);
    }

    public bool IsEmpty => _order.Count == 0;

    public void Add(TaskSet set)
    {
        var pool = PoolOf(set);
        if (pool.Sets.Contains(set)) return;
        var at = pool.Sets.Count;
        while (at > 0 && IsBefore(set, pool.Sets[at - 1])) at--;
        pool.Sets.Insert(at, set);
        if (pool.Sets.Count == 1) _order.Add(pool);
    }

    public void Remove(TaskSet set)
    {
        var pool = PoolOf(set);
        if (pool.Sets.Remove(set) && pool.Sets.Count == 0) _order.Remove(pool);
    }

    public void Launched(TaskSet set) => PoolOf(set).Running++;

    public void Ended(TaskSet set) => PoolOf(set).Running--;

    /// <summary>Shows the sets, in serving order, to <paramref name="serve"/>, until one takes what is offered or holds it back.</summary>
    /// <returns>Whether one took it.</returns>
    public bool ServeFirst(Func<TaskSet, Serving> serve)
    {
        if (_order.Count > 1) _order.Sort(static (a, b) => a.CompareTo(b));
        foreach (var pool in _order)
        {
            if (pool.Options.Mode == SchedulingMode.Fair && pool.Sets.Count > 1) pool.Sets.Sort(static (a, b) => Compare(a, b));
            foreach (var set in pool.Sets)
            {
                var serving = serve(set);
                if (serving != Serving.Passed) return serving == Serving.Taken;
            }
        }
        return false;
    }

    /// <summary>Tells all sets that time passed.</summary>
    public void Age(TimeSpan now)
    {
        foreach (var pool in _order)
        {
            foreach (var set in pool.Sets) set.Age(now);
        }
    }

    /// <summary>The earliest time at which a set would take a slot that it refuses now; null if none waits for one.</summary>
    public TimeSpan? WaitsUntil()
    {
        TimeSpan? first = null;
        foreach (var pool in _order)
        {
            foreach (var set in pool.Sets)
            {
                if (set.WaitsUntil is { } until && (first is null || until < first)) first = until;
            }
        }
        return first;
    }

    private static int Compare(TaskSet a, TaskSet b) =>
        a.RunningCount != b.RunningCount ? a.RunningCount.CompareTo(b.RunningCount) : IsBefore(a, b) ? -1 : IsBefore(b, a) ? 1 : 0;

    private static bool IsBefore(TaskSet a, TaskSet b) => a.Request.Job != b.Request.Job
        ? a.Request.Job.Value < b.Request.Job.Value
        : a.Request.Stage.Value < b.Request.Stage.Value;

    private Pool PoolOf(TaskSet set)
    {
        var name = _mode == SchedulingMode.Fair ? set.Request.Pool ?? PoolOptions.DefaultName : PoolOptions.DefaultName;
        if (!_pools.TryGetValue(name, out var pool)) _pools[name] = pool = new Pool(new PoolOptions { Name = name });
        return pool;
    }

    private sealed class Pool(PoolOptions options) : IComparable<Pool>
    {
        public PoolOptions Options => options;

        public List<TaskSet> Sets { get; } = [];

        public int Running { get; set; }

        public int CompareTo(Pool? other)
        {
            if (other is null || ReferenceEquals(this, other)) return 0;
            var needy = Running < options.MinShare;
            var otherNeedy = other.Running < other.Options.MinShare;
            if (needy != otherNeedy) return needy ? -1 : 1;
            var order = needy
                ? ((double)Running / options.MinShare).CompareTo((double)other.Running / other.Options.MinShare)
                : ((double)Running / options.Weight).CompareTo((double)other.Running / other.Options.Weight);
            return order != 0 ? order : string.CompareOrdinal(options.Name, other.Options.Name);
        }
    }
}

/// <summary>What a set says to a free slot.</summary>
internal enum Serving
{
    /// <summary>It has no use for it; the next one is asked.</summary>
    Passed,

    /// <summary>It takes it.</summary>
    Taken,

    /// <summary>It needs more than is free yet, and nobody behind it may take that.</summary>
    Held,
}
