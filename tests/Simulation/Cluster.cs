using Dataflow.Cluster;
using Dataflow.Scheduling;
using Dataflow.Shared;
using Dataflow.Storage;

namespace Dataflow.Simulation;

/// <summary>The processes of a run: the driver's end of things, which is all real, and the machines around it.</summary>
internal sealed class Cluster : IWorkerCalls
{
    private static readonly ApplicationFiles NoFiles = new(Directory.CreateTempSubdirectory("dataflow-simulation-").FullName);

    private readonly DriverBlocks _blocks = new(NoFiles);
    private readonly List<SimulatedExecutor> _executors = [];
    private readonly List<IOutputServer> _servers = [];

    public Cluster(World world, DataflowOptions options, PlantedFault plant)
    {
        World = world;
        Options = options;
        Network = new Network(world);
        Backend = new ClusterBackend(_blocks, ExecutorSettings.Write(options), id => Context!.FindAccumulator(id), null!, this);
        Observer = new Observer(world, Backend, plant);
        Context = DataflowContext.On(Observer, options, world.Time, world.Time);
        Backend.MapOutputs = Context.Loop.MapOutputs;
        for (var i = world.Dice.Next(2, 5); i > 0; i--) AddMachine();
    }

    public World World { get; }

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

    public void AddMachine()
    {
        var machine = new Machine(this, Machines.Count + 1);
        Machines.Add(machine);
        machine.Start(World.Milliseconds(0, 500));
    }

    public SimulatedWorker StartWorker(Machine machine, bool serves)
    {
        var worker = new SimulatedWorker(machine, new WorkerId(_servers.Count + 1), serves);
        _servers.Add(worker);
        World.Note("machine {0} starts worker {1}", machine.Number, worker.Server.Value);
        return worker;
    }

    public SimulatedExecutor StartExecutor(SimulatedWorker worker, int slots)
    {
        var executor = new SimulatedExecutor(this, worker, new ExecutorId(_executors.Count + 1), worker.Serves ? worker.Server : new WorkerId(_servers.Count + 1), slots);
        _executors.Add(executor);
        if (!worker.Serves) _servers.Add(executor);
        executor.Register();
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

    /// <summary>Whoever serves, or served, map outputs under a number.</summary>
    public IOutputServer Find(WorkerId server) => _servers[server.Value - 1];

    private IOutputServer Find(Uri server) => _servers.Find(one => server.Host == $"worker-{one.Server}") ?? throw new SimulationException($"Nobody ever had the address {server}.");

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
}
