using Dataflow.Scheduling;

namespace Dataflow;

// How tasks are placed, tried again, given up.
public sealed partial record DataflowOptions
{
    private readonly TimeSpan _resubmitDelay = TimeSpan.FromMilliseconds(100);
    private readonly TimeSpan _cancellationGrace = TimeSpan.FromSeconds(10);
    private readonly TimeSpan _noExecutorTimeout = TimeSpan.FromSeconds(60);
    private readonly TimeSpan _localityWait = TimeSpan.FromMilliseconds(500);
    private readonly TimeSpan _speculationMinRuntime = TimeSpan.FromMilliseconds(100);
    private readonly double _speculationQuantile = 0.75;
    private readonly double _speculationMultiplier = 1.5;
    private readonly int _excludeAfterFailures = 2;
    private readonly int _listenerQueueLength = 10_000;
    private readonly TimeSpan _barrierTimeout = TimeSpan.FromHours(1);
    private readonly IReadOnlyList<PoolOptions> _pools = [];
    private readonly SchedulingMode _schedulingMode;
    private readonly IReadOnlyDictionary<string, IReadOnlyList<string>> _resources = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>Time from the first lost map output to running its stage again: losses that come together are repaired together. Default 100 ms.</summary>
    public TimeSpan ResubmitDelay
    {
        get => _resubmitDelay;
        init => _resubmitDelay = Within(value, nameof(ResubmitDelay));
    }

    /// <summary>How long a task may go on after it was cancelled. Then it is given up, with an error that names it, and its slot is replaced. Default 10 s.</summary>
    public TimeSpan CancellationGrace
    {
        get => _cancellationGrace;
        init => _cancellationGrace = Within(value, nameof(CancellationGrace));
    }

    /// <summary>How long a job waits while nobody can run it: there is no executor at all, or those that are there can never give what a stage asks for
    /// (<c>WithResources</c>, or enough slots at once for <c>Barrier</c>). Then it fails. Default 60 s. Local mode, where nobody can join, does not wait.</summary>
    public TimeSpan NoExecutorTimeout
    {
        get => _noExecutorTimeout;
        init => _noExecutorTimeout = Within(value, nameof(NoExecutorTimeout));
    }

    /// <summary>How long a task waits for a slot near its data, for each step away from it (process, node, anywhere). Default 500 ms.</summary>
    public TimeSpan LocalityWait
    {
        get => _localityWait;
        init => _localityWait = Within(value, nameof(LocalityWait));
    }

    /// <summary>How long a task of a barrier stage waits for the others in <c>Barrier</c> and <c>AllGather</c>, unless the call says. Then the stage is run
    /// again. More than zero. Default 1 h: a task that fails or is lost ends the wait at once, so this is for those that hang.</summary>
    public TimeSpan BarrierTimeout
    {
        get => _barrierTimeout;
        init => _barrierTimeout = value > TimeSpan.Zero
            ? value
            : throw new ArgumentOutOfRangeException(nameof(BarrierTimeout), value, "BarrierTimeout must be more than zero.");
    }

    /// <summary>What local mode offers to stages that ask by <c>WithResources</c>: addresses by name, such as <c>["gpu"] = ["0", "1"]</c>. Each is
    /// given to one task at a time, or shared by those that ask for a part of one. What an address means is between the program and its tasks. Default: none.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Resources
    {
        get => _resources;
        init
        {
            CheckResources(value, nameof(Resources));
            _resources = value;
        }
    }

    /// <summary>Refuses resources without names, without addresses, or with an address twice.</summary>
    internal static void CheckResources(IReadOnlyDictionary<string, IReadOnlyList<string>> resources, string parameter)
    {
        ArgumentNullException.ThrowIfNull(resources, parameter);
        foreach (var (name, addresses) in resources)
        {
            if (string.IsNullOrWhiteSpace(name)) throw new ArgumentException("A resource has no name.", parameter);
            if (addresses is null or []) throw new ArgumentException($"The resource '{name}' has no addresses.", parameter);
            if (addresses.GroupBy(address => address).FirstOrDefault(same => same.Count() > 1) is { } twice)
                throw new ArgumentException($"The resource '{name}' has the address '{twice.Key}' {twice.Count()} times.", parameter);
        }
    }

    /// <summary>Whether jobs are served one after the other or pools share the slots. Default <see cref="SchedulingMode.Fifo"/>.</summary>
    public SchedulingMode SchedulingMode
    {
        get => _schedulingMode;
        init => _schedulingMode = Enum.IsDefined(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(SchedulingMode), value, $"SchedulingMode must be {string.Join(" or ", Enum.GetNames<SchedulingMode>())}.");
    }

    /// <summary>The pools that differ from the default: weight 1, no minimum share, first in, first out. Used with <see cref="SchedulingMode.Fair"/>.</summary>
    public IReadOnlyList<PoolOptions> Pools
    {
        get => _pools;
        init
        {
            ArgumentNullException.ThrowIfNull(value, nameof(Pools));
            if (value.Contains(null!)) throw new ArgumentException("One of the pools is null.", nameof(Pools));
            if (value.GroupBy(pool => pool.Name).FirstOrDefault(same => same.Count() > 1) is { } twice)
                throw new ArgumentException($"The pool '{twice.Key}' is described {twice.Count()} times.", nameof(Pools));
            _pools = value;
        }
    }

    /// <summary>Whether a slow task gets a second copy on another executor; whichever ends first wins. Default off: on one machine it gains nothing.</summary>
    public bool Speculation { get; init; }

    /// <summary>Part of a stage's tasks that must be done before a slow one is looked for; more than 0, at most 1. Default 0.75.</summary>
    public double SpeculationQuantile
    {
        get => _speculationQuantile;
        init => _speculationQuantile = value is > 0 and <= 1
            ? value
            : throw new ArgumentOutOfRangeException(nameof(SpeculationQuantile), value, "SpeculationQuantile must be more than 0 and at most 1.");
    }

    /// <summary>How many times the median run time makes a task slow; at least 1. Default 1.5.</summary>
    public double SpeculationMultiplier
    {
        get => _speculationMultiplier;
        init => _speculationMultiplier = value >= 1
            ? value
            : throw new ArgumentOutOfRangeException(nameof(SpeculationMultiplier), value, "SpeculationMultiplier must be at least 1.");
    }

    /// <summary>Run time below which no task is slow. Default 100 ms.</summary>
    public TimeSpan SpeculationMinRuntime
    {
        get => _speculationMinRuntime;
        init => _speculationMinRuntime = Within(value, nameof(SpeculationMinRuntime));
    }

    /// <summary>How often a task must fail on an executor before it is kept away from it, if there is another; at least 1. Default 2. A file or folder
    /// that it did not find or could not use there keeps it away at once.</summary>
    public int ExcludeAfterFailures
    {
        get => _excludeAfterFailures;
        init => _excludeAfterFailures = value >= 1
            ? value
            : throw new ArgumentOutOfRangeException(nameof(ExcludeAfterFailures), value, "ExcludeAfterFailures must be at least 1.");
    }

    /// <summary>Most events that wait for a slow listener; later ones are dropped and counted. At least 1. Default 10,000.</summary>
    public int ListenerQueueLength
    {
        get => _listenerQueueLength;
        init => _listenerQueueLength = value >= 1
            ? value
            : throw new ArgumentOutOfRangeException(nameof(ListenerQueueLength), value, "ListenerQueueLength must be at least 1.");
    }

    private static TimeSpan LongestTime => TimeSpan.FromDays(49);

    // Timers take no longer times, and sums of times must not overflow.
    private static TimeSpan Within(TimeSpan value, string name) => value >= TimeSpan.Zero && value <= LongestTime
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name} must be from 0 to {LongestTime.TotalDays:0} days.");
}
