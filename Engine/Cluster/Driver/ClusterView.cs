namespace Dataflow.Cluster;

/// <summary>The workers of an application: who is here, who came and went, and how more join.</summary>
public sealed class ClusterView
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, WorkerInfo> _workers = [];

    // Why a worker that is here runs nothing of this program.
    private readonly Dictionary<string, string> _lacks = [];
    private readonly bool _isShared;
    private readonly TimeProvider _time;
    private readonly Func<IReadOnlyList<ExecutorInfo>> _executors;
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="url">The coordinator: this program, or another process.</param>
    /// <param name="isShared">Whether it is another process.</param>
    /// <param name="needsToken">Whether workers need the token.</param>
    /// <param name="executors">The executors that take tasks.</param>
    /// <param name="time">The clock.</param>
    internal ClusterView(Uri url, bool isShared, bool needsToken, Func<IReadOnlyList<ExecutorInfo>> executors, TimeProvider time)
    {
        _isShared = isShared;
        Url = url;
        JoinCommand = JoinCommandOf(url, needsToken);
        _executors = executors;
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
    public int ExecutorCount => _executors().Count;

    /// <summary>The executors that take tasks now, and how they are, by number.</summary>
    public IReadOnlyList<ExecutorInfo> Executors => _executors();

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

    /// <summary>Why there may be no executor, and what to type to add one, as errors say it.</summary>
    internal (string Why, string Next) DescribeJoining()
    {
        var where = _isShared ? $"the coordinator at {Url}" : $"this program at {Url}";
        lock (_lock)
        {
            var next = $"add one with:  {JoinCommand}";
            if (_workers.Count == 0) return ($"no worker has joined {where}", next);
            var workers = _workers.Keys.Order(StringComparer.Ordinal).Take(5).Select(name => _lacks.TryGetValue(name, out var lack) ? $"{name} ({lack})" : name);
            var why = $"of the {_workers.Count} workers that have joined {where} none runs an executor of it ({string.Join(", ", workers)})";
            return (why, _isShared ? $"see who has them with:  dataflow status {Url}  and {next}" : next);
        }
    }

    internal void Tell(WorkerChange change)
    {
        lock (_lock)
        {
            var name = change.Worker.Name;
            switch (change.Kind)
            {
                case WorkerChangeKind.Joined:
                    _workers[name] = change.Worker;
                    _lacks.Remove(name);
                    break;
                case WorkerChangeKind.Left:
                    _workers.Remove(name);
                    _lacks.Remove(name);
                    break;
                case WorkerChangeKind.TooSmall or WorkerChangeKind.GivenUp: _lacks[name] = change.Reason ?? "it can't run an executor"; break;
                case WorkerChangeKind.Draining: _lacks[name] = "it is about to leave"; break;
            }
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
