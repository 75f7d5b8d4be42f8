using System.Collections.Concurrent;
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
/// here from its registration to the end of its link, whichever way it ends; that end is its loss, and that of the map outputs it serves.
/// </summary>
/// <remarks>Called by the scheduler's mailbox and by links, each on threads of its own.</remarks>
internal sealed class ClusterBackend : IExecutorBackend, IExecutorRoster
{
    // Code that is larger is fetched, beside the link instead of through it.
    private const int LargestInline = 256 << 10;

    private readonly DriverBlocks _blocks;
    private readonly IReadOnlyDictionary<string, string> _settings;
    private readonly Func<int, Accumulator?> _findAccumulator;
    private readonly ReportFetcher _reports;
    private readonly Lock _lock = new();
    private readonly Dictionary<ExecutorId, ExecutorLink> _executors = [];
    private readonly ConcurrentDictionary<TaskId, (ExecutorLink Link, StageBinary Binary)> _running = new();
    private Action<SchedulerEvent, bool> _report = static (_, _) => { };
    private bool _disposed;

    /// <param name="blocks">What the driver serves.</param>
    /// <param name="settings">What executors are told; see <see cref="ExecutorSettings"/>.</param>
    /// <param name="findAccumulator">The program's accumulators by number.</param>
    /// <param name="reports">Fetches reports that are too large for a message.</param>
    public ClusterBackend(
        DriverBlocks blocks, IReadOnlyDictionary<string, string> settings, Func<int, Accumulator?> findAccumulator, ReportFetcher reports)
    {
        _blocks = blocks;
        _settings = settings;
        _findAccumulator = findAccumulator;
        _reports = reports;
    }

    /// <summary>Who serves which map output; set before the first job.</summary>
    public MapOutputTracker MapOutputs { get; set; } = null!;

    /// <summary>Told of executors that came and went, on the thread of their link.</summary>
    public event Action<ExecutorId, bool>? Changed;

    public bool HasPlaces => true;

    /// <summary>Executors that are here now.</summary>
    public IReadOnlyList<ExecutorId> Executors
    {
        get
        {
            lock (_lock) return [.. _executors.Keys];
        }
    }

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
    public void Accept(IControlChannel channel) => channel.Start(new ExecutorLink(this, channel));

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
                    description.Gang?.Hosts, new Dictionary<string, string>()));
                _running[description.Id] = (link, task.Binary);
            }
            catch (ClosureException error)
            {
                _report(new TaskEnded(description.Id, new TaskThrew(error), new TaskMetrics(), null), false);
            }
        }
        if (launches.Count > 0) link.Channel.Send(new LaunchTasks(launches));
    }

    public void Kill(ExecutorId executor, TaskId task, string reason) => Find(executor)?.Channel.Send(new KillAttempt(task, reason));

    public void CheckWorker(WorkerId worker)
    {
        // A link that lives answers its keep-alives, so its server does too; one that does not is lost within their timeout.
        if (Find(new ExecutorId(worker.Value)) is null) _report(new WorkerLost(worker, "it has no link to the driver any more"), false);
    }

    public void DropCached(int rdd) => Broadcast(new DropCachedBlocks(rdd));

    public void DropShuffle(ShuffleId shuffle) => Broadcast(new RemoveShuffle(shuffle));

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
    public void Lose(ExecutorId executor, string reason) => Find(executor)?.Lose(reason);

    private ExecutorLink? Find(ExecutorId executor)
    {
        lock (_lock) return _executors.GetValueOrDefault(executor);
    }

    private void Broadcast(ControlMessage message)
    {
        lock (_lock)
        {
            foreach (var link in _executors.Values) link.Channel.Send(message);
        }
    }

    private MapOutputsAnswer LocationsOf(ShuffleId shuffle)
    {
        // Read before the locations: an answer may be newer than it says, never older.
        var epoch = MapOutputs.Epoch;
        if (MapOutputs.MapCount(shuffle) is not { } count) return new MapOutputsAnswer(shuffle, epoch, [], null, []);
        var servers = new List<BlockServer>();
        var positions = new Dictionary<WorkerId, int>();
        var maps = new int[count];
        var writers = new long[count];
        for (var map = 0; map < count; map++)
        {
            maps[map] = -1;
            if (MapOutputs.LocationOf(shuffle, map) is not { } location || Find(new ExecutorId(location.Server.Value)) is not { } server) continue;
            if (!positions.TryGetValue(location.Server, out var position))
            {
                positions[location.Server] = position = servers.Count;
                servers.Add(new BlockServer(location.Server, server.DataUrl));
            }
            maps[map] = position;
            writers[map] = location.Writer.Value;
        }
        return new MapOutputsAnswer(shuffle, epoch, servers, maps, writers);
    }

    /// <summary>The driver's end of the link to one executor.</summary>
    private sealed class ExecutorLink(ClusterBackend backend, IControlChannel channel) : IControlHandler
    {
        private readonly HashSet<long> _offered = [];
        private RegisterExecutor? _registered;

        public IControlChannel Channel => channel;

        public string DataUrl => _registered!.DataUrl;

        public int Slots => _registered!.Slots;

        /// <summary>Makes sure that the executor can have the code of a stage. Called by the scheduler's mailbox.</summary>
        public void Offer(EncodedBinary code)
        {
            if (!_offered.Add(code.Id)) return;
            channel.Send(new StageBinaryAvailable(code.Id, code.Hash, code.Bytes.Length, code.Bytes.Length <= LargestInline ? code.Bytes : null));
        }

        public void Received(IReadOnlyList<ControlMessage> messages)
        {
            foreach (var message in messages) Handle(message);
        }

        public void Ended(LinkEnd end) => Remove(end.Kind == LinkEndKind.ClosedThere ? $"it ended: {end.Reason}" : $"its link was lost: {end.Reason}");

        /// <summary>Ends the link of an executor that is lost.</summary>
        public void Lose(string reason)
        {
            channel.Send(new Shutdown(reason));
            _ = channel.CloseAsync("lost");
            Remove(reason);
        }

        private void Remove(string reason)
        {
            if (_registered is not { } gone) return;
            lock (backend._lock)
            {
                if (!backend._executors.Remove(gone.Executor)) return;
            }
            foreach (var (task, (link, _)) in backend._running)
            {
                if (link == this) backend._running.TryRemove(task, out _);
            }

            // One event for both: the executor serves its own map outputs.
            backend._report(new WorkerLost(gone.Worker, reason), false);
            backend.Changed?.Invoke(gone.Executor, false);
        }

        private void Handle(ControlMessage message)
        {
            if (_registered is null && message is not RegisterExecutor)
            {
                _ = channel.CloseAsync($"{message.GetType().Name} before registration");
                return;
            }
            switch (message)
            {
                case RegisterExecutor register: Register(register); break;
                case TasksFinished finished:
                    foreach (var task in finished.Tasks) Finish(task);
                    break;
                case AskCommit ask:
                    backend._report(
                        new CommitAsked(ask.Task, ask.Stage, ask.StageAttempt, ask.Partition, granted => channel.Send(new CommitAnswer(ask.Task, granted))), false);
                    break;
                case AskMeeting ask:
                    backend._report(
                        new BarrierArrived(
                            ask.Task, ask.Stage, ask.StageAttempt, ask.Partition, ask.Meeting, ask.Kind, ask.Message, ask.Timeout,
                            answer => channel.Send(new MeetingAnswer(ask.Task, ask.Meeting, answer.Messages, answer.Failure))), false);
                    break;
                case MapOutputsAsked asked: channel.Send(backend.LocationsOf(asked.Shuffle)); break;
                case BlocksUpdated updated:
                    foreach (var update in updated.Updates) backend._report(new BlockUpdated(_registered!.Executor, update), false);
                    break;
                case Heartbeat beat: channel.Send(new HeartbeatAck(beat.Epoch)); break;
                default: _ = channel.CloseAsync($"{message.GetType().Name} is nothing that an executor says"); break;
            }
        }

        private void Register(RegisterExecutor register)
        {
            lock (backend._lock)
            {
                if (backend._disposed || _registered is not null || !backend._executors.TryAdd(register.Executor, this))
                {
                    channel.Send(new Refused(backend._disposed ? "the application has ended" : $"there is an executor {register.Executor} already"));
                    _ = channel.CloseAsync("refused");
                    return;
                }
                _registered = register;
            }
            channel.Send(new Registered(register.Epoch, TimeSpan.FromSeconds(2), backend._settings));
            backend._report(
                new ExecutorAdded(register.Executor, register.Worker, register.Host, register.Slots) { Resources = register.Resources }, false);
            backend.Changed?.Invoke(register.Executor, true);
        }

        private void Finish(TaskFinish finish)
        {
            // Of a task that was given up, or that nobody launched.
            if (!backend._running.TryRemove(finish.Task, out var running) || running.Link != this) return;
            if (finish.Report is { } report)
            {
                Report(finish.Task, running.Binary, report);
                return;
            }
            backend._reports.Fetch(_registered!.DataUrl, finish.Task, bytes =>
            {
                channel.Send(new ReportTaken(finish.Task));
                if (bytes is not null)
                    Report(finish.Task, running.Binary, bytes);
                else
                    backend._report(new TaskEnded(finish.Task, new TaskLost("its result could not be fetched"), new TaskMetrics(), null), false);
            });
        }

        private void Report(TaskId task, StageBinary binary, byte[] bytes)
        {
            try
            {
                var (outcome, metrics, accumulators) = TaskReport.Read(bytes, binary, backend._findAccumulator);
                backend._report(new TaskEnded(task, outcome, metrics, accumulators), true);
            }
            catch (Exception error) when (error is CorruptDataException or CodecException)
            {
                backend._report(new TaskEnded(task, new TaskThrew(error), new TaskMetrics(), null), false);
            }
        }
    }
}
