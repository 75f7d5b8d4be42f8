using Dataflow.Cluster;
using Dataflow.Scheduling;
using Dataflow.Shared;
using Dataflow.Shuffle;
using Dataflow.Storage;

namespace Dataflow.Simulation;

/// <summary>The processes of a run: the driver's end of things, which is all real, and the machines around it.</summary>
internal sealed class Cluster : IWorkerCalls
{
    private static readonly ApplicationFiles NoFiles = new(EmptyFolder());

    private readonly DriverBlocks _blocks = new(NoFiles);
    private readonly List<SimulatedExecutor> _executors = [];
    private readonly Dictionary<Uri, IOutputServer> _addresses = [];
    private readonly Task _registered;
    private readonly DriverLink _link;
    private readonly DemandWatch? _demand;
    private int _workers;

    public Cluster(World world, DataflowOptions options, PlantedFault plant)
    {
        World = world;
        Options = options;
        Network = new Network(world);
        Backend = new ClusterBackend(_blocks, ExecutorSettings.Write(options), id => Context!.FindAccumulator(id), null!, this);
        Observer = new Observer(world, Backend, plant);
        Context = DataflowContext.On(Observer, options, world.Time, world.Time);
        Backend.MapOutputs = Context.Loop.MapOutputs;
        Coordinator = new SimulatedCoordinator(this, world.Chance(0.5) ? Machine.Driver : CoordinatorMachine);
        var sizes = new ClusterOptions
        {
            ExecutorIdleTimeout = world.Chance(0.3) ? world.Milliseconds(200, 20_000) : null,
            MinExecutors = world.Dice.Next(2),
            // No fewer than a barrier stage takes.
            MaxExecutors = world.Chance(0.5) ? world.Dice.Next(2, 5) : int.MaxValue,
            BacklogTimeout = world.Milliseconds(50, 3000),
        };
        var wish = new ExecutorWish(1, sizes.ExecutorIdleTimeout is null ? int.MaxValue : sizes.MinExecutors, 0, 0, new Dictionary<string, int>());
        var link = _link = new DriverLink(
            new DriverApplication("simulated", "simulated", new Uri("http://driver:1/"), ClusterToken.Create(), [], new Dictionary<string, string>()),
            wish, _ => Coordinator.Dial(Machine.Driver, static () => true), Backend, _ => { },
            new DriverLinkSettings { Dispatcher = world.Time, Time = world.Time });
        Backend.Changed += (executor, isHere) =>
        {
            if (isHere) link.Ready(executor);
        };
        Backend.Emptied += link.HandedOver;
        Backend.Idle += executor => link.Release(executor, Backend.ReasonToLeave(executor));
        if (sizes.ExecutorIdleTimeout is not null) _demand = new DemandWatch(sizes, wish, Backend, link, world.Time);
        _registered = link.StartAsync();
        if (world.Chance(0.3)) Rival = new RivalProgram(this);
        for (var i = world.Dice.Next(2, 5); i > 0; i--) AddMachine();
    }

    /// <summary>Where the coordinator runs if not beside the driver.</summary>
    public const int CoordinatorMachine = 100;

    public World World { get; }

    public SimulatedCoordinator Coordinator { get; }

    /// <summary>Another program on the same cluster; null if there is none.</summary>
    public RivalProgram? Rival { get; }

    /// <summary>Whether the program has been taken in by the coordinator once: before that, it may not start at all.</summary>
    public bool IsRegistered => _registered.IsCompletedSuccessfully;

    public DataflowOptions Options { get; }

    public Network Network { get; }

    public ClusterBackend Backend { get; }

    /// <summary>Sees what passes between scheduler and backend.</summary>
    public Observer Observer { get; }

    public DataflowContext Context { get; }

    public List<Machine> Machines { get; } = [];

    public IReadOnlyList<SimulatedExecutor> Executors => _executors;

    /// <summary>Whether the program is over, so that nothing is started any more.</summary>
    public bool IsEnding { get; set; }

    /// <summary>Whether the code of tasks throws now and then.</summary>
    public bool CodeFails { get; set; }

    /// <summary>Says that the program has ended.</summary>
    public void EndProgram()
    {
        IsEnding = true;
        _demand?.Dispose();
        Backend.Dispose();
        var (ended, rival) = (_link.EndAsync("the application ended"), Rival?.End() ?? Task.CompletedTask);
        while (!ended.IsCompleted || !rival.IsCompleted)
        {
            World.Time.RunReady();

            // Cancelling calls back on another thread, which goes on with the goodbye.
            lock (World.Time.Sync)
            {
                if (!World.Time.HasReady && (!ended.IsCompleted || !rival.IsCompleted) && !Monitor.Wait(World.Time.Sync, TimeSpan.FromSeconds(60)))
                    throw new SimulationException("The driver's link to the coordinator does not end.");
            }
        }
    }

    public void AddMachine()
    {
        var machine = new Machine(this, Machines.Count + 1);
        Machines.Add(machine);
        machine.Start(World.Milliseconds(0, 500));
    }

    public SimulatedWorker StartWorker(Machine machine, bool serves)
    {
        var worker = new SimulatedWorker(this, machine, ++_workers, serves);
        _addresses[new Uri(worker.Url)] = worker;
        return worker;
    }

    public SimulatedExecutor StartExecutor(SimulatedWorker worker, ExecutorId id, WorkerId server, ShuffleFolder? folder, int slots)
    {
        var executor = new SimulatedExecutor(this, worker, id, server, folder, slots);
        _executors.Add(executor);
        IOutputServer serves = folder is null ? executor : worker;
        _addresses[new Uri(serves.Url)] = serves;
        executor.Register(serves.Url);
        return executor;
    }

    void IWorkerCalls.Check(Uri server, Action<bool> take)
    {
        var asked = Find(server);
        World.Time.After(Network.Latency(), () =>
        {
            if (Network.IsWhole(Machine.Driver, asked.Machine.Number) && !asked.IsDead)
                World.Time.After(Network.Latency(), () => take(true));
            else
                World.Time.After(asked.IsDead && !asked.DiedSilently ? Network.Latency() : TimeSpan.FromSeconds(3), () => take(false));
        });
    }

    void IWorkerCalls.Drop(Uri server, ShuffleId shuffle)
    {
        if (Find(server) is SimulatedWorker worker && Network.IsWhole(Machine.Driver, worker.Machine.Number)) World.Time.After(Network.Latency(), () => worker.Drop(shuffle));
    }

    /// <summary>Takes the driver's end of a link.</summary>
    public void Accept(IControlChannel channel) => Backend.Accept(channel);

    /// <summary>Whoever is, or was, found at an address.</summary>
    public IOutputServer Find(Uri address) => _addresses.GetValueOrDefault(address) ?? throw new SimulationException($"Nobody ever had the address {address}.");

    /// <summary>The bytes of a broadcast value.</summary>
    public ReadOnlyMemory<byte> BroadcastOf(long id)
    {
        var pieces = new byte[_blocks.PiecesOf(id)][];
        for (var i = 0; i < pieces.Length; i++)
        {
            using var block = _blocks.Open(BlockName.Broadcast(new BroadcastBlockId(id, i)), near: true)
                ?? throw new SimulationException($"The driver does not have piece {i} of the broadcast {id}.");
            var bytes = new List<byte>();
            while (block.TryNext(out var part)) bytes.AddRange(part.Stored.Span);
            pieces[i] = bytes.ToArray();
        }
        return BroadcastPieces.Join(pieces);
    }

    private static string EmptyFolder()
    {
        var folder = Directory.CreateTempSubdirectory("dataflow-simulation-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        return folder;
    }
}
