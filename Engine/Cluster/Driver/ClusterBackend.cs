using Dataflow.Errors;
using Dataflow.Scheduling;
using Dataflow.Shared;
using Dataflow.Shuffle;
using Dataflow.Storage;
using Dataflow.Tasks;
using Dataflow.Tracking;

namespace Dataflow.Cluster;

/// <summary>
/// Runs tasks on executors that dialled in: turns the scheduler's calls into messages, and their messages into its events. An executor is
/// here from its registration to the end of its link, whichever way it ends; that end is its loss. Its map outputs stand as long as its worker,
/// which serves them.
/// </summary>
/// <remarks>Called by the scheduler's mailbox and by links, each on threads of its own.</remarks>
internal sealed class ClusterBackend : IExecutorBackend, IExecutorRoster
{
    private readonly DriverBlocks _blocks;
    private readonly IReadOnlyDictionary<string, string> _settings;
    private readonly ShuffleServers _servers;
    private readonly LaunchedTasks _launched;
    private readonly Lock _lock = new();
    private readonly Dictionary<ExecutorId, ExecutorLink> _executors = [];
    private Action<SchedulerEvent, bool> _report = static (_, _) => { };
    private bool _disposed;

    /// <param name="blocks">What the driver serves.</param>
    /// <param name="settings">What executors are told; see <see cref="ExecutorSettings"/>.</param>
    /// <param name="findAccumulator">The program's accumulators by number.</param>
    /// <param name="reports">Fetches reports that are too large for a message.</param>
    /// <param name="workers">Calls workers beside the links of their executors.</param>
    public ClusterBackend(
        DriverBlocks blocks, IReadOnlyDictionary<string, string> settings, Func<int, Accumulator?> findAccumulator, ReportFetcher reports, IWorkerCalls workers)
    {
        _servers = new ShuffleServers(workers);
        _launched = new LaunchedTasks(findAccumulator, reports, (happened, mayRun) => _report(happened, mayRun));
        _blocks = blocks;
        Broadcasts = new BroadcastSpread(blocks, executor => Find(executor) is { } link ? (link.Channel, link.DataUrl) : null);
        _settings = settings;
    }

    /// <summary>Who serves which map output; set before the first job.</summary>
    public MapOutputTracker MapOutputs
    {
        get => _servers.MapOutputs;
        set => _servers.MapOutputs = value;
    }

    /// <summary>Told of executors that came and went, on the thread of their link.</summary>
    public event Action<ExecutorId, bool>? Changed;

    public bool HasPlaces => true;

    /// <summary>Names of workers, for people.</summary>
    public Func<WorkerId, string?> NameOf { get; set; } = static _ => null;

    /// <summary>Says why there may be no executor, and how one is added.</summary>
    public Func<(string Why, string Next)?> DescribeJoining { get; set; } = static () => null;

    (string Why, string Next)? IExecutorBackend.OnNoExecutors => DescribeJoining();

    /// <summary>Executors that are here now.</summary>
    public IReadOnlyList<ExecutorId> Executors
    {
        get
        {
            lock (_lock) return [.. _executors.Keys];
        }
    }

    /// <summary>Executors that are here now and how they are, by number.</summary>
    /// <param name="nameOf">Names of workers.</param>
    public IReadOnlyList<ExecutorInfo> Describe(Func<WorkerId, string> nameOf)
    {
        ExecutorLink[] links;
        lock (_lock) links = [.. _executors.Values];
        return [.. links.OrderBy(link => link.Executor.Value).Select(link => new ExecutorInfo(link.Executor.Value, nameOf(link.Worker), link.Host, link.Slots, link.Metrics))];
    }

    /// <summary>Attempts whose end is waited for.</summary>
    internal int RunningCount => _launched.Count;

    /// <summary>Tasks that all executors run at once; at least 2, for a program that plans before its workers are here.</summary>
    public int SlotCount
    {
        get
        {
            lock (_lock) return Math.Max(2, _executors.Values.Sum(link => link.Slots));
        }
    }

    public void Start(Action<SchedulerEvent, bool> report) => _report = report;

    /// <summary>Takes a link that an executor made.</summary>
    public void Accept(IControlChannel channel) => channel.Start(new ExecutorLink(this, channel, _settings));

    public void Prepare(StageBinary binary, CallSite? action) => _ = _blocks.Encode(binary, action);

    public void Launch(ExecutorId executor, IReadOnlyList<StageTask> tasks)
    {
        ExecutorLink? link;
        lock (_lock) link = _executors.GetValueOrDefault(executor);

        // Its loss was reported; the scheduler has not come to it yet.
        if (link is null) return;
        var launches = new List<TaskLaunch>(tasks.Count);
        foreach (var task in tasks)
        {
            var description = task.Description;
            try
            {
                var code = _blocks.Encode(task.Binary);
                link.Offer(code);
                launches.Add(new TaskLaunch(
                    description.Id, description.Job, description.Stage, description.StageAttempt, description.Partition, description.Attempt,
                    description.Speculative, description.Cpus, code.Id, _blocks.Encode(task.Partition), task.Epoch, description.Resources,
                    description.Gang?.Hosts, UrlsOf(description.CachedAt), new Dictionary<string, string>()));
                _launched.Add(description.Id, link, task.Binary);
            }
            catch (ClosureException error)
            {
                // An element of its partition, which goes with the task; or a stage that is needed after all, since outputs were lost.
                _report(new TaskEnded(description.Id, new TaskThrew(error), new TaskMetrics(), null), false);
            }
        }
        if (launches.Count > 0) link.Channel.Send(new LaunchTasks(launches));
    }

    public void Kill(ExecutorId executor, TaskId task, string reason) => Find(executor)?.Channel.Send(new KillAttempt(task, reason));

    public void CheckWorker(WorkerId worker) => _servers.Check(worker, reason => Lose(worker, reason, forGood: false));

    /// <summary>A worker is gone, with its executors and all that it served. Later calls for the same worker do nothing.</summary>
    public void LoseWorker(WorkerId worker, string reason) => Lose(worker, reason, forGood: true);

    // One that only this process does not reach may be reached again: its next executor is welcome, what it served before is lost.
    private void Lose(WorkerId worker, string reason, bool forGood)
    {
        ExecutorLink[] links;
        lock (_lock)
        {
            if (!_servers.Lose(worker, forGood)) return;
            links = [.. _executors.Values.Where(link => link.Worker == worker)];
            foreach (var link in links) _executors.Remove(link.Executor);

            // Before anybody can hear of an executor that comes after.
            Report(new WorkerLost(worker, reason));
            Broadcast(new ServerLost(worker, reason));
        }
        foreach (var link in links)
        {
            // One that lives can't know that nobody counts on it any more.
            link.Channel.Send(new Shutdown($"its worker is gone: {reason}"));
            _ = link.Channel.CloseAsync("lost");
            Forget(link);
        }
        foreach (var link in links) Changed?.Invoke(link.Executor, false);
    }

    /// <summary>Has executors forget the value of a broadcast, for ever or until it is asked for again.</summary>
    public void DropBroadcast(long broadcast, bool forEver)
    {
        _blocks.Drop(broadcast, forEver);
        Broadcasts.Drop(broadcast);
        Broadcast(new DropBroadcast(broadcast, forEver));
    }

    /// <summary>How many files of the program have left the driver; others went from worker to worker.</summary>
    public int FilesOpened => _blocks.FilesOpened;

    /// <summary>Bytes of broadcast values that have left the driver.</summary>
    public long BroadcastBytes => _blocks.BroadcastBytes;

    /// <summary>From whom executors fetch broadcast values.</summary>
    public BroadcastSpread Broadcasts { get; }

    public void DrainWorker(WorkerId worker, string reason) => Report(new WorkerDraining(worker, reason));

    /// <summary>Told of executors that were to leave, run nothing any more and keep nothing that others could take, by the scheduler's mailbox.</summary>
    public event Action<ExecutorId>? Idle;

    /// <summary>Told of workers that were to leave and of which nothing more is taken, by the scheduler's mailbox.</summary>
    public event Action<WorkerId>? Emptied;

    /// <summary>Has an executor leave once it runs nothing. One that serves its own map outputs stays: they would go with it.</summary>
    public void GiveBack(ExecutorId executor, string reason, TimeSpan? grace = null)
    {
        if (Find(executor) is not { ServesItself: false } link) return;
        link.GivenBackFor = reason;
        Report(new ExecutorDraining(executor, reason) { Grace = grace });
    }

    // Idle ones first, then those that keep nothing, then those with the fewest tasks: what is lost by it is to be little.
    void IExecutorRoster.GiveBack(IReadOnlyList<ExecutorId> any, int count, TimeSpan grace, string reason) => Report(new LoadAsked(load =>
    {
        var chosen = load.Executors
            .Where(each => any.Contains(each.Executor) && Find(each.Executor) is { GivenBackFor: null })
            .OrderBy(each => each.Busy > 0).ThenBy(each => each.KeepsBlocks).ThenBy(each => each.Busy).ThenBy(each => each.LastBusy).Take(count);
        foreach (var each in chosen.ToArray()) GiveBack(each.Executor, reason, grace);
    }));

    /// <summary>Why an executor that is idle is to leave.</summary>
    public string ReasonToLeave(ExecutorId executor) => Find(executor)?.GivenBackFor ?? "its worker is draining";

    /// <summary>Told of new jobs, by the scheduler's mailbox.</summary>
    public event Action? JobSubmitted;

    public void Submitted() => JobSubmitted?.Invoke();

    public void Drained(ExecutorId executor) => Idle?.Invoke(executor);

    public void DropCached(int rdd, long epoch) => Broadcast(new DropCachedBlocks(rdd, epoch));

    public void CopyCached(CopyCached copy)
    {
        if (Find(copy.From) is { } from)
            Find(copy.To)?.Channel.Send(new CopyBlock(copy.Block.Rdd, copy.Block.Partition, from.DataUrl, copy.Replicas, copy.Epoch, copy.Transfer));
        else if (copy.Transfer is { } transfer)
            Report(new TakenOver(copy.To, transfer, []));
    }

    public void HandOver(HandOver wanted)
    {
        if (_servers.UrlOf(wanted.From) is { } from)
            Find(wanted.To)?.Channel.Send(new CopyOutputs(wanted.Transfer, from.ToString(), wanted.Outputs));
        else
            Report(new TakenOver(wanted.To, wanted.Transfer, []));
    }

    public void HandedOver(WorkerId worker)
    {
        // Before the worker goes: who asks again need not find out.
        Broadcast(new OutputsMoved(MapOutputs.Epoch));
        Emptied?.Invoke(worker);
    }

    public void DropState(string name) => Broadcast(new RemoveState(name));

    public void DropShuffle(ShuffleId shuffle)
    {
        Broadcast(new RemoveShuffle(shuffle));

        HashSet<WorkerId> reached;
        lock (_lock) reached = [.. _executors.Values.Select(link => link.Worker)];
        _servers.Drop(shuffle, reached);
    }

    /// <summary>Tells all executors to end.</summary>
    public void Dispose()
    {
        ExecutorLink[] links;
        lock (_lock)
        {
            if (_disposed) return;
            _disposed = true;
            links = [.. _executors.Values];
        }
        foreach (var link in links) link.Channel.Send(new Shutdown("the application ended"));
    }

    /// <summary>Takes an executor for lost, which the coordinator heard of first, and ends its link.</summary>
    public void Lose(ExecutorId executor, string reason)
    {
        if (Find(executor) is not { } link) return;
        link.Channel.Send(new Shutdown(reason));
        _ = link.Channel.CloseAsync("lost");
        Lose(link, reason);
    }

    /// <summary>Takes an executor in.</summary>
    /// <returns>Why not, or null.</returns>
    public string? Add(ExecutorLink link, RegisterExecutor register)
    {
        lock (_lock)
        {
            if (_disposed) return "the application has ended";
            if (_executors.ContainsKey(register.Executor)) return $"there is an executor {register.Executor} already";
            if (!_servers.Add(register)) return $"its worker {register.Worker} counts as lost";
            _executors.Add(register.Executor, link);
            return null;
        }
    }

    /// <summary>Tells of an executor that was taken in.</summary>
    public void Added(RegisterExecutor register)
    {
        Report(new ExecutorAdded(register.Executor, register.Worker, register.Host, register.Slots) { Resources = register.Resources, WorkerName = NameOf(register.Worker) });
        Changed?.Invoke(register.Executor, true);
    }

    /// <summary>The link of an executor ended: it is lost, unless its loss is known.</summary>
    public void Lose(ExecutorLink link, string reason)
    {
        lock (_lock)
        {
            if (!_executors.Remove(link.Executor)) return;
        }
        Forget(link);
        if (link.ServesItself)
        {
            LoseWorker(link.Worker, reason);
        }
        else
        {
            Report(new ExecutorLost(link.Executor, reason));
        }
        Changed?.Invoke(link.Executor, false);
    }

    /// <summary>Passes an event on to the scheduler.</summary>
    public void Report(SchedulerEvent happened) => _report(happened, false);

    /// <summary>An executor says that a task ended.</summary>
    public void Finish(ExecutorLink link, TaskFinish finish) => _launched.Finish(link, finish);

    /// <summary>Who serves the outputs of a shuffle now.</summary>
    public MapOutputsAnswer LocationsOf(ShuffleId shuffle) => _servers.LocationsOf(shuffle);

    private void Forget(ExecutorLink gone)
    {
        Broadcasts.Lost(gone.Executor);
        _launched.Forget(gone);
    }

    private ExecutorLink? Find(ExecutorId executor)
    {
        lock (_lock) return _executors.GetValueOrDefault(executor);
    }

    private string[] UrlsOf(IReadOnlyList<ExecutorId> executors)
    {
        if (executors.Count == 0) return [];
        lock (_lock) return [.. executors.Where(_executors.ContainsKey).Select(executor => _executors[executor].DataUrl)];
    }

    private void Broadcast(ControlMessage message)
    {
        lock (_lock)
        {
            foreach (var link in _executors.Values) link.Channel.Send(message);
        }
    }
}
