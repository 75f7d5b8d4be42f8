namespace Dataflow.Cluster;

/// <summary>How a driver program lets workers in.</summary>
public sealed record ClusterOptions
{
    /// <summary>The defaults.</summary>
    public static ClusterOptions Default { get; } = new();

    /// <summary>The cluster's token: at least 16 characters that driver and workers share. Needed for any address but loopback. Never sent, never
    /// logged. Null, the default, takes the variable <c>DATAFLOW_TOKEN</c> if it is set.</summary>
    public string? Token { get; init; }

    /// <summary>Tasks that each executor runs at once; 0, the default, takes all cores of its worker that are free.</summary>
    public int ExecutorCores { get; init; }

    /// <summary>Memory of each executor in bytes, heap and engine data together; workers that offer less are passed over. Null, the default, takes the
    /// part of its worker's that goes with its cores.</summary>
    public long? ExecutorMemoryBytes { get; init; }

    /// <summary>How many of each named resource of its worker (<c>dataflow worker --resource gpu=2</c>) an executor gets, for stages that ask by
    /// <c>WithResources</c>; workers that offer less are passed over. Empty, the default: an executor that takes all cores of its worker (<see cref="ExecutorCores"/>
    /// is 0) takes all resources that are free too, any other none.</summary>
    public IReadOnlyDictionary<string, int> ExecutorResources { get; init; } = new Dictionary<string, int>();

    /// <summary>Executors that the program keeps though they have nothing to do, if <see cref="ExecutorIdleTimeout"/> is set; 0 is the default.</summary>
    public int MinExecutors { get; init; }

    /// <summary>Executors that the program has at most; the default takes all there are.</summary>
    public int MaxExecutors { get; init; } = int.MaxValue;

    /// <summary>How long an executor may have nothing to do before it is given back to the cluster. Null, the default, keeps all that the cluster has to
    /// give until the program ends.</summary>
    /// <remarks>
    /// With a value the program begins with <see cref="MinExecutors"/>, asks for more while tasks wait (one at once if it has none, then, each
    /// <see cref="BacklogTimeout"/>, one, two, four more and so on), and never for more than all its tasks could use at once. What ran on an executor that was
    /// given back is not lost: its worker serves the map outputs. The <c>ExecutorState</c> of barrier stages goes with it. Rdds
    /// that name no number of partitions are planned for the executors that are there when they are made.
    /// </remarks>
    public TimeSpan? ExecutorIdleTimeout { get; init; }

    /// <summary>How long an executor that keeps cached partitions may have nothing to do before it is given back, and they with it. Null, the default,
    /// keeps it as long as it keeps them. Counts only with <see cref="ExecutorIdleTimeout"/>, and is no shorter than that.</summary>
    public TimeSpan? CachedExecutorIdleTimeout { get; init; }

    /// <summary>How long tasks wait for a slot before more executors are asked for; 1 s is the default. Counts only with <see cref="ExecutorIdleTimeout"/>.</summary>
    public TimeSpan BacklogTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The options of the application.</summary>
    public DataflowOptions Application { get; init; } = DataflowOptions.Default;

    /// <summary>The folder with the assemblies of the program; null, the default, is that of the running program.</summary>
    public string? CodeFolder { get; init; }

    /// <summary>The host name or address by which workers reach the driver; null, the default, takes the one that is listened on, or the machine's
    /// name when that is any address.</summary>
    public string? AdvertisedHost { get; init; }

    /// <summary>TLS of the driver's port and of all that it dials; null, the default, takes the variables of <see cref="TlsFiles.FromEnvironment"/>, or none. Workers
    /// need the same.</summary>
    public TlsFiles? Tls { get; init; }

    internal TlsOptions? ReadTls(Uri? dials = null) => TlsFiles.LoadToListen(Tls ?? TlsFiles.FromEnvironment(), "this program, which its executors dial,", dials);

    /// <summary>Refuses what can't be meant.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number or a time of executors makes no sense.</exception>
    internal void Check()
    {
        ArgumentNullException.ThrowIfNull(ExecutorResources);
        foreach (var (name, count) in ExecutorResources)
        {
            if (string.IsNullOrWhiteSpace(name) || count < 1)
                throw new ArgumentOutOfRangeException(nameof(ExecutorResources), count, $"An executor gets a whole number of a resource, 1 or more, and the resource has a name; of '{name}' it is to get {count}.");
        }
        ArgumentOutOfRangeException.ThrowIfNegative(MinExecutors);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxExecutors, Math.Max(1, MinExecutors));
        CheckTime(ExecutorIdleTimeout, nameof(ExecutorIdleTimeout), "; null keeps executors for ever");
        CheckTime(CachedExecutorIdleTimeout, nameof(CachedExecutorIdleTimeout), "; null keeps executors with cached partitions for ever");
        CheckTime(BacklogTimeout, nameof(BacklogTimeout), "");
        if (CachedExecutorIdleTimeout < ExecutorIdleTimeout)
        {
            throw new ArgumentOutOfRangeException(
                nameof(CachedExecutorIdleTimeout), CachedExecutorIdleTimeout,
                $"Executors with cached partitions are kept no shorter than others: {nameof(ExecutorIdleTimeout)} is {ExecutorIdleTimeout}.");
        }
    }

    private static void CheckTime(TimeSpan? time, string name, string hint)
    {
        if (time <= TimeSpan.Zero || time > TimeSpan.FromDays(20))
            throw new ArgumentOutOfRangeException(name, time, $"{name} is a time of more than 0 and at most 20 days{hint}.");
    }

    internal ClusterToken? ReadToken() => Token is { } token ? ClusterToken.Parse(token) : ClusterToken.FromEnvironment();
}
