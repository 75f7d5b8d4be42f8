namespace Dataflow.Cluster;

/// <summary>The workers of an application: who is here, who came and went, and how more join.</summary>
public sealed class ClusterView
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, WorkerInfo> _workers = [];
    private readonly TimeProvider _time;
    private readonly Func<int> _slots;
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal ClusterView(Uri url, bool needsToken, Func<int> executors, TimeProvider time)
    {
        Url = url;
        JoinCommand = JoinCommandOf(url, needsToken);
        _slots = executors;
        _time = time;
    }

    /// <summary>Where workers dial in.</summary>
    public Uri Url { get; }

    /// <summary>What to type on another machine to add it as a worker.</summary>
    public string JoinCommand { get; }

    /// <summary>The workers that are here now, by name.</summary>
    public IReadOnlyList<WorkerInfo> Workers
    {
        get
        {
            lock (_lock) return [.. _workers.Values.OrderBy(worker => worker.Name, StringComparer.Ordinal)];
        }
    }

    /// <summary>Executors that take tasks now.</summary>
    public int ExecutorCount => _slots();

    /// <summary>Told of workers that came, went, or whose executors ended. On a thread of the engine: return soon, and run no job in it.</summary>
    public event Action<WorkerChange>? Changed;

    /// <summary>Waits until so many executors take tasks.</summary>
    /// <remarks>With <see cref="ClusterOptions.ExecutorIdleTimeout"/> no more than <see cref="ClusterOptions.MinExecutors"/> come before there are tasks.</remarks>
    /// <param name="count">How many.</param>
    /// <param name="timeout">How long to wait.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="TimeoutException">There were too few in time.</exception>
    public async Task WaitForWorkersAsync(int count, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var start = _time.GetTimestamp();
        while (true)
        {
            Task next;
            lock (_lock) next = _next.Task;
            if (ExecutorCount >= count) return;
            var left = timeout - _time.GetElapsedTime(start);
            try
            {
                if (left <= TimeSpan.Zero) throw new TimeoutException();
                await next.WaitAsync(left, _time, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                throw new TimeoutException($"{ExecutorCount} of {count} workers were ready after {timeout.TotalSeconds:N0} s. Add one with:  {JoinCommand}");
            }
        }
    }

    internal static string JoinCommandOf(Uri url, bool needsToken) =>
        $"dataflow worker --join {url.GetLeftPart(UriPartial.Authority)}{(needsToken ? " --token-file FILE" : "")}";

    internal void Tell(WorkerChange change)
    {
        lock (_lock)
        {
            if (change.Kind == WorkerChangeKind.Joined) _workers[change.Worker.Name] = change.Worker;
            else if (change.Kind == WorkerChangeKind.Left) _workers.Remove(change.Worker.Name);
        }
        Changed?.Invoke(change);
        Wake();
    }

    internal void Wake()
    {
        TaskCompletionSource woken;
        lock (_lock)
        {
            woken = _next;
            _next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        woken.TrySetResult();
    }
}

/// <summary>A worker: the daemon of a machine.</summary>
/// <param name="Name">Its name, unique in the cluster.</param>
/// <param name="Host">Its machine.</param>
/// <param name="Cores">Cores that it offers.</param>
/// <param name="MemoryBytes">Memory that it offers, in bytes.</param>
public sealed record WorkerInfo(string Name, string Host, int Cores, long MemoryBytes);

/// <summary>Something happened to a worker.</summary>
/// <param name="Worker">The worker.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Reason">Why, for people; null if there is nothing to say.</param>
public sealed record WorkerChange(WorkerInfo Worker, WorkerChangeKind Kind, string? Reason);

/// <summary>What happened to a worker.</summary>
public enum WorkerChangeKind
{
    /// <summary>It joined; its executor starts.</summary>
    Joined,

    /// <summary>Its executor ended while the application went on; another is started, unless it was given back.</summary>
    ExecutorEnded,

    /// <summary>Its executors end at once whenever they are started; it is tried again only now and then.</summary>
    GivenUp,

    /// <summary>It has fewer cores or less memory than an executor is to have; none is started there.</summary>
    TooSmall,

    /// <summary>It is about to leave: its executors get no new tasks, and it goes when those that run have ended.</summary>
    Draining,

    /// <summary>It left, or its link was lost.</summary>
    Left,
}
