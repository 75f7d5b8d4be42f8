using System.Collections.Concurrent;
using System.Security.Cryptography;
using Dataflow.Closures;
using Dataflow.Errors;
using Dataflow.Scheduling;
using Dataflow.Serialization;
using Dataflow.Shared;
using Dataflow.Shuffle;
using Dataflow.Storage;
using Dataflow.TaskScheduling;
using Dataflow.Tasks;

namespace Dataflow.Cluster;

/// <summary>How an executor is started.</summary>
/// <param name="Application">The application it belongs to.</param>
/// <param name="Executor">Its number.</param>
/// <param name="Driver">Where the driver listens.</param>
/// <param name="Secret">The application's secret.</param>
/// <param name="Host">Name of its machine, as locality compares it.</param>
/// <param name="Slots">How many tasks it runs at once.</param>
/// <param name="MemoryBytes">Its memory, heap and engine data together.</param>
/// <param name="TempFolder">Where it keeps temporary files.</param>
internal sealed record ExecutorStart(
    string Application, ExecutorId Executor, Uri Driver, ClusterToken Secret, string Host, int Slots, long MemoryBytes, string TempFolder)
{
    /// <summary>Addresses of its named resources, by name.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Resources { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>The worker that serves its map outputs; null if it serves them itself, and they end with it.</summary>
    public ShuffleServer? Shuffles { get; init; }

    /// <summary>How it listens.</summary>
    public NodeOptions Node { get; init; } = NodeOptions.Default;
}

/// <summary>Who serves the map outputs of an executor.</summary>
/// <param name="Worker">The worker's number.</param>
/// <param name="Url">Where they are fetched.</param>
/// <param name="Folder">Where they are written.</param>
internal sealed record ShuffleServer(WorkerId Worker, Uri Url, string Folder);

/// <summary>
/// An executor: runs tasks for one application, on the threads of a <see cref="LocalBackend"/>. Map outputs go to its worker's folder, which
/// serves them. It lives as long as its link to the driver.
/// </summary>
internal sealed class ExecutorHost : IControlHandler, ICommitCoordinator, IMeetingPoint, IAsyncDisposable
{
    // A larger report waits as a block.
    private const int LargestReport = 1 << 20;

    private readonly ExecutorStart _start;
    private readonly NodeServer _server;
    private readonly NodeClient _client;
    private readonly IControlChannel _driver;
    private readonly Inbox _inbox;
    private readonly LoadedCode _code = new();
    private readonly TaskCompletionSource<LinkEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<long, StageBinaryAvailable> _offered = new();
    private readonly ConcurrentDictionary<long, StageBinary> _binaries = new();
    private readonly ConcurrentDictionary<TaskId, StageBinary> _running = new();
    private readonly ConcurrentDictionary<TaskId, byte[]> _reports = new();
    private readonly ConcurrentDictionary<TaskId, TaskCompletionSource<bool>> _commits = new();
    private readonly ConcurrentDictionary<(TaskId, int), TaskCompletionSource<MeetingAnswer>> _meetings = new();
    private ExecutorServices? _services;
    private LocalBackend? _backend;
    private RemoteBlockReader? _reader;
    private FetchedBroadcasts? _broadcasts;
    private BroadcastFetcher? _pieces;
    private CachedPeers? _cached;
    private ExecutorMapOutputs? _outputs;
    private PeerLinks? _peers;
    private LateAssemblies? _late;

    private ExecutorHost(ExecutorStart start, NodeServer server, NodeClient client, IControlChannel driver)
    {
        _start = start;
        _server = server;
        _client = client;
        _driver = driver;
        _inbox = new Inbox(this);
    }

    /// <summary>Completes when the driver said goodbye or is gone.</summary>
    public Task<LinkEnd> Ended => _ended.Task;

    // Numbers of executors that serve themselves can't meet those of workers: an application's executors are all of one kind.
    private WorkerId Server => _start.Shuffles?.Worker ?? new WorkerId(_start.Executor.Value);

    /// <summary>Starts an executor in this process: it listens, dials its driver and registers.</summary>
    /// <exception cref="ClusterException">The driver is not there, or refuses.</exception>
    public static async Task<ExecutorHost> StartAsync(ExecutorStart start, CancellationToken cancellation = default)
    {
        ExecutorHost? host = null;

        // It listens where its driver's network reaches it. The secret is asked for at that port as the cluster's token is at others.
        var node = start.Node with { Address = await LocalAddress.TowardAsync(start.Driver, cancellation).ConfigureAwait(false), Token = start.Secret };
        var server = await NodeServer.StartAsync(node, static link => link.Channel.DisposeAsync(), cancellation: cancellation).ConfigureAwait(false);
        var client = new NodeClient(start.Node);
        try
        {
            var driver = await client.ConnectAsync(start.Driver, start.Application, start.Secret, cancellation).ConfigureAwait(false);
            host = new ExecutorHost(start, server, client, driver);
            driver.Start(host);
            driver.Send(new RegisterExecutor(
                start.Application, start.Executor, host.Server, start.Host, server.Url.ToString(), (start.Shuffles?.Url ?? server.Url).ToString(),
                start.Shuffles?.Folder, start.Slots, start.Resources, [], 1));
            return host;
        }
        catch
        {
            client.Dispose();
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public void Received(IReadOnlyList<ControlMessage> messages)
    {
        foreach (var message in messages)
        {
            // What tasks wait for is handed over at once: the inbox may be busy with loading code.
            switch (message)
            {
                case CommitAnswer answer when _commits.TryRemove(answer.Task, out var asked): asked.TrySetResult(answer.Granted); break;
                case MeetingAnswer answer when _meetings.TryRemove((answer.Task, answer.Meeting), out var waits): waits.TrySetResult(answer); break;
                case PieceAt answer: _pieces?.Answer(answer); break;
                case MapOutputsAnswer answer: _outputs?.Learn(answer); break;
                case ServerLost lost: _outputs?.Lose(lost.Server); break;
                default: _inbox.Self.Tell(message); break;
            }
        }
    }

    void IControlHandler.Ended(LinkEnd end) => _ended.TrySetResult(end);

    public bool MayCommit(TaskDescription task)
    {
        var answer = _commits.GetOrAdd(task.Id, static _ => new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously));
        _driver.Send(new AskCommit(task.Id, task.Stage, task.StageAttempt, task.Partition));
        answer.Task.Wait(TaskContext.Current?.CancellationToken ?? CancellationToken.None);
        return answer.Task.Result;
    }

    public byte[][] Meet(TaskDescription task, int meeting, MeetingKind kind, byte[] message, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var answer = _meetings.GetOrAdd((task.Id, meeting), static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
        _driver.Send(new AskMeeting(task.Id, task.Stage, task.StageAttempt, task.Partition, meeting, kind, message, timeout));
        answer.Task.Wait(cancellationToken);
        var given = answer.Task.Result;
        return given.Messages ?? throw new BarrierException($"{kind}() in task {task.Partition} of stage {task.Stage} did not come to an end: {given.Failure}.");
    }

    /// <summary>Ends tasks, the link and the listener, and removes what the executor kept.</summary>
    public async ValueTask DisposeAsync()
    {
        _backend?.Dispose();
        await _driver.CloseAsync("the executor ends").ConfigureAwait(false);
        _peers?.Dispose();
        await _server.DisposeAsync().ConfigureAwait(false);
        _client.Dispose();
        _services?.Dispose();
        _late?.Dispose();
    }

    private void Handle(ControlMessage message)
    {
        switch (message)
        {
            case Registered registered: Begin(registered); break;
            case StageBinaryAvailable offered: _offered[offered.Binary] = offered; break;
            case LaunchTasks launch when !_ended.Task.IsCompleted: Launch(launch.Tasks); break;
            case KillAttempt kill: _backend?.Kill(_start.Executor, kill.Task, kill.Reason); break;
            case ReportTaken taken: _reports.TryRemove(taken.Task, out _); break;
            case DropCachedBlocks drop: _backend?.DropCached(drop.Rdd, drop.Epoch); break;
            case CopyBlock copy: Copy(copy); break;
            case DropBroadcast drop:
                _broadcasts?.Drop(drop.Broadcast, drop.ForEver);
                _pieces?.Drop(drop.Broadcast);
                break;
            case RemoveShuffle remove:
                _outputs?.Forget(remove.Shuffle);
                _backend?.DropShuffle(remove.Shuffle);
                break;
            case Refused refused: _ended.TrySetResult(new LinkEnd(LinkEndKind.ClosedThere, refused.Reason)); break;
            case Shutdown shutdown: _ended.TrySetResult(new LinkEnd(LinkEndKind.ClosedThere, shutdown.Reason)); break;
            case HeartbeatAck: break;
        }
    }

    private void Begin(Registered registered)
    {
        var options = ExecutorSettings.Read(registered.Settings, _start.Slots, _start.MemoryBytes, _start.TempFolder) with { Resources = _start.Resources };
        var folder = _start.Shuffles is { } shuffles ? new ShuffleFolder(shuffles.Folder) : null;
        var services = new ExecutorServices(_start.Executor, Server, options, folder) { Culture = ExecutorSettings.CultureOf(registered.Settings) };
        _reader = new RemoteBlockReader(_client, services.Pool);
        _late = new LateAssemblies(Path.Combine(_start.TempFolder, "late"), name => AskDriver(name, "an assembly"));
        _outputs = new ExecutorMapOutputs(shuffle => _driver.Send(new MapOutputsAsked(shuffle, 0)));
        _pieces = new BroadcastFetcher(message => _driver.Send(message), FetchPiece, _ended.Task);
        _broadcasts = new FetchedBroadcasts(_code, _pieces.Fetch);
        services.Commits = this;
        services.Meetings = this;
        services.MapOutputs = _outputs;
        services.Fetcher = new ShuffleFetcher(_reader, _outputs, _start.Host, _start.Application, _start.Secret);
        services.Peers = _cached = new CachedPeers(_reader, _start.Application, _start.Secret);
        _services = services;
        services.Exchange.Links = _peers = new PeerLinks(_client, _server.Url, _start.Application, _start.Secret, services.Exchange);
        _server.AdmitPeers(_start.Application, _peers.ServeAsync);
        _server.Admit(_start.Application, _start.Secret, new Served(this, new ShuffleBlockProvider(services.Shuffles), new CachedBlockProvider(services.Blocks)));
        _backend = new LocalBackend(services, _start.Slots, _start.Node.Limits.Time);
        _backend.Start(Report);
    }

    private void Launch(IReadOnlyList<TaskLaunch> launches)
    {
        var tasks = new List<StageTask>(launches.Count);
        foreach (var launch in launches)
        {
            try
            {
                _outputs!.AdvanceTo(launch.Epoch);
                var binary = _binaries.GetOrAdd(launch.Binary, Load);
                var partition = ClosureCodec.Read<Partition>(launch.PartitionBytes, Context());
                var description = new TaskDescription(
                    launch.Task, launch.Job, launch.Stage, launch.StageAttempt, launch.Partition, launch.Attempt, launch.Speculative)
                {
                    Cpus = launch.Cpus,
                    Resources = launch.Resources,
                    Epoch = launch.Epoch,
                    CachePeers = launch.CachePeers,
                    Gang = launch.GangHosts is { } hosts ? new Gang(hosts) : null,
                };
                _running[launch.Task] = binary;
                tasks.Add(binary.MakeTask(description, partition, launch.Epoch));
            }
            catch (Exception error)
            {
                // Code that can't be loaded here: the task has failed, the executor has not.
                Send(launch.Task, NothingBinary.Instance, new TaskThrew(error), new TaskMetrics(), null);
            }
        }
        if (tasks.Count > 0) _backend!.Launch(_start.Executor, tasks);
    }

    private async void Copy(CopyBlock copy)
    {
        var id = new RddBlockId(copy.Rdd, copy.Partition);
        try
        {
            if (_cached is not { } peers || await peers.FetchAsync(new Uri(copy.From), id, CancellationToken.None).ConfigureAwait(false) is not { } fetched) return;
            _services!.Blocks.Add(id, fetched, copy.Replicas, copy.Epoch);
        }
        catch (ObjectDisposedException)
        {
            // The executor ends.
        }
    }

    private StageBinary Load(long id)
    {
        if (!_offered.TryGetValue(id, out var offered))
            throw new InvalidOperationException($"A task needs the code {id}, which the driver did not offer. This is a mistake in Dataflow: please report it.");
        var bytes = offered.Bytes ?? FetchFromDriver(BlockName.Binary(id), "the code of a stage").ToArray();
        if (!SHA256.HashData(bytes).AsSpan().SequenceEqual(offered.Hash)) throw new CorruptDataException($"The code {id} arrived damaged.");
        return ClosureCodec.Read<StageBinary>(bytes, Context());
    }

    private ReadContext Context() => new(_code) { Broadcasts = _broadcasts };

    private ReadOnlyMemory<byte> FetchFromDriver(BlockName name, string what) => AskDriver(name, what)
        ?? throw new ClusterException($"{what} ({name}) could not be fetched from the driver at {_start.Driver}: it does not have it.");

    private byte[]? FetchPiece(string? source, BlockName name)
    {
        try
        {
            return Ask(source is null ? _start.Driver : new Uri(source), name, "a piece of a broadcast")?.ToArray();
        }
        catch (ClusterException)
        {
            // The driver is told, and names another source.
            return null;
        }
    }

    /// <summary>Null if the driver does not have it.</summary>
    private ReadOnlyMemory<byte>? AskDriver(BlockName name, string what) => Ask(_start.Driver, name, what);

    private ReadOnlyMemory<byte>? Ask(Uri server, BlockName name, string what)
    {
        return FetchAsync().GetAwaiter().GetResult();

        async Task<ReadOnlyMemory<byte>?> FetchAsync()
        {
            await foreach (var block in _reader!.FetchAsync(new BlockSource(server, _start.Application, _start.Secret), [name], new BytesInFlight()).ConfigureAwait(false))
            {
                using (block)
                {
                    if (block.Failure is null) return block.ToArray();
                    if (block.Failure is FetchFailure.Missing) return null;
                    throw new ClusterException($"{what} ({name}) could not be fetched from {server}: {block.Problem}");
                }
            }
            throw new ClusterException($"{what} ({name}) could not be fetched from {server}.");
        }
    }

    private void Report(SchedulerEvent happened, bool mayRun)
    {
        switch (happened)
        {
            case TaskEnded ended when _running.TryRemove(ended.Task, out var binary):
                Send(ended.Task, binary, ended.Outcome, ended.Metrics, ended.Accumulators);

                // Its thread still runs, and nothing but the end of the process ends it.
                if (ended.Outcome is TaskThrew { Exception: TaskAbandonedException error }) Quit(error.Message);
                break;
            case BlockUpdated updated: _driver.Send(new BlocksUpdated([updated.Update])); break;
        }
    }

    /// <summary>Leaves at once: tasks that come meanwhile are the driver's to place elsewhere.</summary>
    private void Quit(string reason)
    {
        _ended.TrySetResult(new LinkEnd(LinkEndKind.ClosedHere, reason));
        _ = _driver.CloseAsync(reason);
    }

    private void Send(TaskId task, StageBinary binary, TaskOutcome outcome, TaskMetrics metrics, AccumulatorUpdates? accumulators)
    {
        _commits.TryRemove(task, out _);
        using var writer = new BlockWriter();
        TaskReport.Write(writer, binary, outcome, metrics, accumulators ?? new AccumulatorUpdates());
        var report = writer.Written.ToArray();
        if (report.Length <= LargestReport)
        {
            _driver.Send(new TasksFinished([new TaskFinish(task, report)]));
            return;
        }
        _reports[task] = report;
        _driver.Send(new TasksFinished([new TaskFinish(task, null)]));
    }

    /// <summary>What the driver asks for is done in order, one at a time.</summary>
    private sealed class Inbox(ExecutorHost host) : Actor(PoolDispatcher.Shared)
    {
        protected override void Receive(object message) => host.Handle((ControlMessage)message);

        protected override bool OnFailure(Exception error, object? message)
        {
            host._ended.TrySetResult(new LinkEnd(LinkEndKind.Violation, error.Message, error));
            return false;
        }
    }

    /// <summary>The blocks of an executor: its map outputs, its cached partitions, and reports that wait for the driver.</summary>
    private sealed class Served(ExecutorHost host, ShuffleBlockProvider shuffles, CachedBlockProvider cached) : IBlockProvider
    {
        public ServedBlock? Open(BlockName name, bool near) => name.Kind == BlockKind.Result
            ? host._reports.TryGetValue(new TaskId(name.First), out var report) ? ServedBlock.Of(report) : null
            : name.Kind == BlockKind.Broadcast ? host._pieces?.Open(name) : shuffles.Open(name, near) ?? cached.Open(name, near);
    }

    /// <summary>Stands for code that could not be read: only failures are reported of it.</summary>
    private sealed class NothingBinary() : StageBinary(null!)
    {
        public static NothingBinary Instance { get; } = new();

        public override StageTask MakeTask(TaskDescription description, Partition partition, long epoch) => throw new NotSupportedException();
    }
}
