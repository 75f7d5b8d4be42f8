using Dataflow.Closures;
using Dataflow.Cluster;
using Dataflow.Scheduling;
using Dataflow.Shared;
using Dataflow.Shuffle;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Simulation;

/// <summary>
/// An executor: speaks the real messages, decodes and runs the real tasks, each on a fiber, and serves the map outputs that they write. It lives
/// from its start to the end of its link or a crash.
/// </summary>
internal sealed partial class SimulatedExecutor : IControlHandler, IOutputServer
{
    private static readonly LoadedCode Code = new();

    private readonly Cluster _cluster;
    private readonly World _world;
    private readonly SimulatedLink.End _driver;
    private readonly ShuffleFolder? _folder;
    private readonly ExecutorServices _services;
    private readonly ExecutorMapOutputs _outputs;
    private readonly FetchedBroadcasts _broadcasts;
    private readonly Dictionary<long, StageBinaryAvailable> _offered = [];
    private readonly Dictionary<long, StageBinary> _binaries = [];
    private readonly Dictionary<TaskId, SimulatedTask> _running = [];

    public SimulatedExecutor(Cluster cluster, SimulatedWorker worker, ExecutorId id, WorkerId server, ShuffleFolder? folder, int slots)
    {
        var machine = worker.Machine;
        Server = server;
        _folder = folder;
        _cluster = cluster;
        _world = cluster.World;
        Machine = machine;
        Id = id;
        Slots = slots;
        _services = new ExecutorServices(
            id, Server, cluster.Options with { Threads = slots, TempFolder = $"/simulated/executors/{id}" }, folder, machine.Disk, _world.Time)
        {
            Commits = this,
            Meetings = this,
            Fetcher = this,
            Waits = WaitFor,
        };
        _outputs = new ExecutorMapOutputs(shuffle => _driver!.Send(new MapOutputsAsked(shuffle, 0)));
        _services.MapOutputs = _outputs;
        _broadcasts = new FetchedBroadcasts(Code, cluster.BroadcastOf);
        _services.Blocks.Updated += update => _driver!.Send(new BlocksUpdated([update]));
        var link = cluster.Network.Connect(machine.Number, Machine.Driver);
        _driver = link.Here;
        _driver.Start(this);
        cluster.Accept(link.There);
        _world.Note("machine {0} starts executor {1} with {2} slots", machine.Number, id.Value, slots);
    }

    public Machine Machine { get; }

    public ExecutorId Id { get; }

    /// <summary>Who serves its map outputs.</summary>
    public WorkerId Server { get; }

    public int Slots { get; }

    public bool IsDead { get; private set; }

    public bool IsRegistered { get; private set; }

    /// <summary>Whether its machine went with it, so that nobody answers at its address.</summary>
    public bool DiedSilently { get; private set; }

    public int RunningCount => _running.Count;

    public ExecutorServices Services => _services;

    public string Url => $"http://executor-{Id}:1/";

    /// <summary>Told when the process has ended.</summary>
    public event Action? Ended;

    /// <summary>Offers itself to the driver.</summary>
    /// <param name="workerUrl">Where its map outputs are fetched.</param>
    public void Register(string workerUrl) => _driver.Send(new RegisterExecutor(
        "simulated", Id, Server, $"host{Machine.Number}", Url, workerUrl, null, Slots, new Dictionary<string, IReadOnlyList<string>>(), 1));

    public ServedBlock? Open(BlockName name) => new ShuffleBlockProvider(_services.Shuffles).Open(name, near: false);

    public void Received(IReadOnlyList<ControlMessage> messages)
    {
        foreach (var message in messages) Handle(message);
    }

    void IControlHandler.Ended(LinkEnd end)
    {
        if (!IsDead) Crash(silently: false, "its link ended");
    }

    /// <summary>Ends the process, whatever it does.</summary>
    public void Crash(bool silently, string why)
    {
        if (IsDead) return;
        _world.Note(silently ? "executor {0} ends silently" : "executor {0} ends", Id.Value);
        _world.Explain(why);
        IsDead = true;
        DiedSilently = silently;
        foreach (var task in _running.Values.ToArray()) task.End();
        _running.Clear();
        _driver.Die(silently);
        _services.Dispose();
        Ended?.Invoke();
    }

    private void Handle(ControlMessage message)
    {
        if (IsDead) return;
        switch (message)
        {
            case Registered: IsRegistered = true; break;
            case StageBinaryAvailable offered: _offered[offered.Binary] = offered; break;
            case LaunchTasks launch:
                foreach (var task in launch.Tasks) Launch(task);
                break;
            case KillAttempt kill: Kill(kill.Task); break;
            case CommitAnswer answer: _running.GetValueOrDefault(answer.Task)?.Answer(answer); break;
            case MeetingAnswer answer: _running.GetValueOrDefault(answer.Task)?.Answer(answer); break;
            case MapOutputsAnswer answer: _outputs.Learn(answer); break;
            case DropCachedBlocks drop: _services.Blocks.Remove(drop.Rdd, drop.Epoch); break;
            case DropBroadcast drop: _broadcasts.Drop(drop.Broadcast); break;
            case RemoveShuffle remove:
                _outputs.Forget(remove.Shuffle);
                _services.Shuffles.Remove(remove.Shuffle);
                break;
            case CopyOutputs copy: TakeOver(copy); break;
            case CopyBlock { Transfer: { } transfer }: _driver.Send(new TookOver(transfer, [])); break;
            case OutputsMoved moved: _outputs.AdvanceTo(moved.Epoch); break;
            case ServerLost lost: _outputs.Lose(lost.Server); break;
            case Refused refused: Crash(silently: false, refused.Reason); break;
            case Shutdown shutdown: Crash(silently: false, shutdown.Reason); break;
        }
    }

    private void Launch(TaskLaunch launch)
    {
        if (_running.Count >= Slots) throw new SimulationException($"Executor {Id} has {Slots} slots and was given task {launch.Task} while {_running.Count} run.");
        if (_running.ContainsKey(launch.Task)) throw new SimulationException($"Task {launch.Task} was launched twice.");
        _outputs.AdvanceTo(launch.Epoch);
        if (!_binaries.TryGetValue(launch.Binary, out var binary))
            _binaries[launch.Binary] = binary = ClosureCodec.Read<StageBinary>(_offered[launch.Binary].Bytes!, Context());
        var partition = ClosureCodec.Read<Partition>(launch.PartitionBytes, Context());
        var description = new TaskDescription(
            launch.Task, launch.Job, launch.Stage, launch.StageAttempt, launch.Partition, launch.Attempt, launch.Speculative)
        {
            Cpus = launch.Cpus,
            Epoch = launch.Epoch,
            Resources = launch.Resources,
            Gang = launch.GangHosts is { } hosts ? new Gang(hosts) : null,
        };
        var task = new SimulatedTask(this, binary.MakeTask(description, partition, launch.Epoch), binary);
        _running.Add(launch.Task, task);
        _world.Note("executor {0} starts task {1} for partition {2}", Id.Value, launch.Task.Value, launch.Partition);
        task.Start();
    }

    private void Kill(TaskId id)
    {
        if (!_running.TryGetValue(id, out var task)) return;
        _world.Note("executor {0} is asked to end task {1}", Id.Value, id.Value);

        // Some code does not look.
        if (!_world.Chance(0.1)) task.Cancel();
    }

    private ReadContext Context() => new(Code) { Broadcasts = _broadcasts };
}
