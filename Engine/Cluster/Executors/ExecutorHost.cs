using System.Collections.Concurrent;
using Dataflow.Closures;
using Dataflow.Errors;
using Dataflow.Scheduling;
using Dataflow.Shared;
using Dataflow.Shuffle;
using Dataflow.Storage;
using Dataflow.TaskScheduling;
using Dataflow.Tasks;

namespace Dataflow.Cluster;

/// <summary>
/// An executor: runs tasks for one application, on the threads of a <see cref="LocalBackend"/>. Map outputs go to its worker's folder, which
/// serves them. It lives as long as its link to the driver.
/// </summary>
internal sealed class ExecutorHost : IControlHandler, IAsyncDisposable
{
    private readonly ExecutorStart _start;
    private readonly NodeServer _server;
    private readonly NodeClient _client;
    private readonly IControlChannel _driver;
    private readonly Inbox _inbox;
    private readonly LoadedCode _code = new();
    private readonly TaskCompletionSource<LinkEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<TaskId, StageBinary> _running = new();
    private readonly DriverAnswers _answers;
    private readonly TaskReports _reports;
    private ExecutorServices? _services;
    private LocalBackend? _backend;
    private ShippedStages? _stages;
    private FetchedBroadcasts? _broadcasts;
    private BroadcastFetcher? _pieces;
    private TakeOvers? _takeOvers;
    private ExecutorMapOutputs? _outputs;
    private PeerLinks? _peers;
    private LateAssemblies? _late;
    private ExecutorBeat? _beat;

    private ExecutorHost(ExecutorStart start, NodeServer server, NodeClient client, IControlChannel driver)
    {
        _start = start;
        _server = server;
        _client = client;
        _driver = driver;
        _answers = new DriverAnswers(driver);
        _reports = new TaskReports(driver);
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
                start.Shuffles?.Folder, start.Slots, start.Resources, 1));
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
                case CommitAnswer answer: _answers.Learn(answer); break;
                case MeetingAnswer answer: _answers.Learn(answer); break;
                case PieceAt answer: _pieces?.Answer(answer); break;
                case MapOutputsAnswer answer: _outputs?.Learn(answer); break;
                case ServerLost lost: _outputs?.Lose(lost.Server); break;
                default: _inbox.Self.Tell(message); break;
            }
        }
    }

    void IControlHandler.Ended(LinkEnd end) => _ended.TrySetResult(end);

    /// <summary>Ends tasks, the link and the listener, and removes what the executor kept.</summary>
    public async ValueTask DisposeAsync()
    {
        _beat?.Dispose();
        _backend?.Dispose();
        _takeOvers?.Dispose();
        await _driver.CloseAsync("the executor ends").ConfigureAwait(false);
        _peers?.Dispose();
        await _server.DisposeAsync().ConfigureAwait(false);
        _client.Dispose();
        _pieces?.Dispose();
        _services?.Dispose();
        _late?.Dispose();
    }

    private void Handle(ControlMessage message)
    {
        switch (message)
        {
            case Registered registered: Begin(registered); break;
            case StageBinaryAvailable offered: _stages?.Offer(offered); break;
            case LaunchTasks launch when !_ended.Task.IsCompleted: Launch(launch.Tasks); break;
            case KillAttempt kill: _backend?.Kill(_start.Executor, kill.Task, kill.Reason); break;
            case ReportTaken taken: _reports.Taken(taken.Task); break;
            case DropCachedBlocks drop: _backend?.DropCached(drop.Rdd, drop.Epoch); break;
            case CopyBlock copy: _takeOvers?.Take(copy); break;
            case CopyOutputs copy: _takeOvers?.Take(copy); break;
            case OutputsMoved moved: _outputs?.AdvanceTo(moved.Epoch); break;
            case DropBroadcast drop:
                _broadcasts?.Drop(drop.Broadcast, drop.ForEver);
                _pieces?.Drop(drop.Broadcast);
                break;
            case RemoveShuffle remove:
                _outputs?.Forget(remove.Shuffle);
                _backend?.DropShuffle(remove.Shuffle);
                break;
            case RemoveState remove: _backend?.DropState(remove.Name); break;
            case Refused refused: _ended.TrySetResult(new LinkEnd(LinkEndKind.ClosedThere, refused.Reason)); break;
            case Shutdown shutdown: _ended.TrySetResult(new LinkEnd(LinkEndKind.ClosedThere, shutdown.Reason)); break;
        }
    }

    private void Begin(Registered registered)
    {
        var options = ExecutorSettings.Read(registered.Settings, _start.Slots, _start.MemoryBytes, _start.TempFolder) with { Resources = _start.Resources };
        var folder = _start.Shuffles is { } shuffles ? new ShuffleFolder(shuffles.Folder, LocalDisk.Instance, shuffles.Worker) : null;
        var services = new ExecutorServices(_start.Executor, Server, options, folder) { Culture = ExecutorSettings.CultureOf(registered.Settings) };
        var reader = new RemoteBlockReader(_client, services.Pool);
        var driver = new DriverBlocksReader(reader, _start);
        _late = new LateAssemblies(Path.Combine(_start.TempFolder, "late"), name => driver.Ask(name, "an assembly"));
        _outputs = new ExecutorMapOutputs(shuffle => _driver.Send(new MapOutputsAsked(shuffle, 0)));
        _pieces = new BroadcastFetcher(services.Memory, message => _driver.Send(message), driver.FetchPiece, _ended.Task);
        _broadcasts = new FetchedBroadcasts(_code, _pieces.Fetch);
        _stages = new ShippedStages(driver, () => new ReadContext(_code) { Broadcasts = _broadcasts });
        services.Commits = _answers;
        services.Meetings = _answers;
        services.MapOutputs = _outputs;
        services.Fetcher = new ShuffleFetcher(reader, _outputs, _start.Host, _start.Application, _start.Secret, _start.Node.Limits.Time);
        var cached = new CachedPeers(reader, _start.Application, _start.Secret);
        services.Peers = cached;
        _takeOvers = new TakeOvers(reader, cached, services.Blocks, folder, _start, message => _driver.Send(message));
        _services = services;
        services.Exchange.Links = _peers = new PeerLinks(_client, _server.Url, _start.Application, _start.Secret, services.Exchange);
        _server.AdmitPeers(_start.Application, _peers.ServeAsync);
        _server.Admit(_start.Application, _start.Secret, new Served(this, new ShuffleBlockProvider(services.Shuffles), new CachedBlockProvider(services.Blocks)));
        _backend = new LocalBackend(services, _start.Slots, _start.Node.Limits.Time);
        _backend.Start(Report);
        _beat = new ExecutorBeat(services, () => _running.Count, registered.HeartbeatInterval, _start.Node.Limits.Time, message => _driver.Send(message));
    }

    private void Launch(IReadOnlyList<TaskLaunch> launches)
    {
        var tasks = new List<StageTask>(launches.Count);
        foreach (var launch in launches)
        {
            try
            {
                _outputs!.AdvanceTo(launch.Epoch);
                var (task, binary) = _stages!.TaskOf(launch);
                _running[launch.Task] = binary;
                tasks.Add(task);
            }
            catch (Exception error)
            {
                // Code that can't be loaded here: the task has failed, the executor has not.
                _reports.Send(launch.Task, null, new TaskThrew(error), new TaskMetrics(), null);
            }
        }
        if (tasks.Count > 0) _backend!.Launch(_start.Executor, tasks);
    }

    private void Report(SchedulerEvent happened, bool mayRun)
    {
        switch (happened)
        {
            case TaskEnded ended when _running.TryRemove(ended.Task, out var binary):
                _answers.Forget(ended.Task);
                _beat?.Count(ended.Metrics);
                _reports.Send(ended.Task, binary, ended.Outcome, ended.Metrics, ended.Accumulators);

                // Its thread still runs, and nothing but the end of the process ends it.
                if (ended.Outcome is TaskThrew { Exception: TaskAbandonedException error }) Quit(error.Message);
                break;
            case StateMoved moved: _driver.Send(new StateUpdated(moved.Update)); break;
            case BlockUpdated updated: _driver.Send(new BlocksUpdated([updated.Update])); break;
        }
    }

    /// <summary>Leaves at once: tasks that come meanwhile are the driver's to place elsewhere.</summary>
    private void Quit(string reason)
    {
        _ended.TrySetResult(new LinkEnd(LinkEndKind.ClosedHere, reason));
        _ = _driver.CloseAsync(reason);
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
            ? host._reports.Open(name)
            : name.Kind == BlockKind.Broadcast ? host._pieces?.Open(name) : shuffles.Open(name, near) ?? cached.Open(name, near);
    }
}
