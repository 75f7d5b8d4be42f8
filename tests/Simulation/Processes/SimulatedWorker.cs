using Dataflow.Cluster;
using Dataflow.Scheduling;
using Dataflow.Shuffle;

namespace Dataflow.Simulation;

/// <summary>Whoever serves map outputs: a worker, or an executor that has none to do it.</summary>
internal interface IOutputServer
{
    Machine Machine { get; }

    /// <summary>Where it is found.</summary>
    string Url { get; }

    bool IsDead { get; }

    /// <summary>Whether its machine went with it, so that nobody answers at its address.</summary>
    bool DiedSilently { get; }

    ServedBlock? Open(BlockName name);
}

/// <summary>
/// The process of a worker: the real agent, which the coordinator tells what to start, and the files that its executors leave. It lives until it crashes,
/// or its agent has left.
/// </summary>
internal sealed class SimulatedWorker : IOutputServer, IExecutorStarter
{
    private readonly Cluster _cluster;
    private readonly World _world;
    private readonly bool _serves;
    private readonly string _path;
    private readonly MapFileProvider _provider;
    private readonly List<SimulatedExecutor> _executors = [];
    private readonly List<Process> _processes = [];
    private readonly List<SimulatedLink.End> _links = [];

    public SimulatedWorker(Cluster cluster, Machine machine, int number, bool serves)
    {
        _cluster = cluster;
        _world = cluster.World;
        _serves = serves;
        Machine = machine;
        Url = $"http://worker-{number}:1/";
        _path = $"/simulated/shuffles/{number}";
        _provider = new MapFileProvider(new ShuffleFolder(_path, machine.Disk));
        _world.Note("machine {0} starts worker process {1}", machine.Number, number);
        Agent = new WorkerAgent(
            new WorkerOffer($"worker{machine.Number}", $"host{machine.Number}", machine.Slots, 1L << 30, new Dictionary<string, IReadOnlyList<string>>(), Url),
            _ => DialAsync(), this, new WorkerAgentSettings { Dispatcher = _world.Time, Time = _world.Time });
        Agent.Start();
    }

    public WorkerAgent Agent { get; }

    public Machine Machine { get; }

    public string Url { get; }

    public bool IsDead { get; private set; }

    public bool DiedSilently { get; private set; }

    /// <summary>Its executors that run.</summary>
    public IEnumerable<SimulatedExecutor> Executors => _executors.Where(executor => !executor.IsDead);

    public ServedBlock? Open(BlockName name) => _provider.Open(name, near: false);

    public void Drop(ShuffleId shuffle) => _provider.Drop(BlockName.Shuffle(shuffle, 0, new TaskId(0), 0, 1));

    /// <summary>Files of map outputs.</summary>
    public List<string> Files() => Machine.Disk.FilesOf(_path);

    /// <summary>Asks it to leave: others take over what it serves, until a deadline.</summary>
    public void Drain(TimeSpan deadline)
    {
        if (IsDead) return;
        _world.Note("the worker of machine {0} is to leave within {1} ms", Machine.Number, (long)deadline.TotalMilliseconds);
        Agent.Drain(deadline);
    }

    /// <summary>Ends the process, and its executors with it.</summary>
    public void Crash(bool silently, string why)
    {
        if (IsDead) return;
        _world.Note(silently ? "machine {0} falls silent" : "the worker of machine {0} ends", Machine.Number);
        _world.Explain(why);
        IsDead = true;
        DiedSilently = silently;
        foreach (var link in _links) link.Die(silently);
        foreach (var executor in Executors.ToArray()) executor.Crash(silently, "its worker ended");
        foreach (var process in _processes.ToArray()) process.Exit();

        // One that starts anew clears what is left.
        Machine.Disk.DeleteFolder(_path);
    }

    public Task<IStartedExecutor> StartAsync(LaunchExecutor launch, ClusterToken secret, FileSources sources)
    {
        var started = new TaskCompletionSource<IStartedExecutor>();
        _world.Time.After(_world.Milliseconds(20, 800), () =>
        {
            if (IsDead) return;
            if (_world.Chance(0.02))
            {
                started.SetException(new ClusterException("The files of the program could not be staged."));
                return;
            }
            var process = new Process(launch.Executor.Value);
            _processes.Add(process);
            process.Exited.ContinueWith(_ => _processes.Remove(process), TaskContinuationOptions.ExecuteSynchronously);
            started.SetResult(process);
            Run(launch, process, TimeSpan.Zero);
        });
        return started.Task;
    }

    public void Forget(string application)
    {
        if (application != RivalProgram.Name) Machine.Disk.DeleteFolder(_path);
    }

    // A process that does not reach its driver tries for some time, and ends.
    private void Run(LaunchExecutor launch, Process process, TimeSpan waited)
    {
        if (IsDead || process.Exited.IsCompleted) return;
        if (launch.Application == RivalProgram.Name)
        {
            var ended = _cluster.Rival!.Take(launch.Executor, process.End);
            process.Exited.ContinueWith(_ => ended(), TaskContinuationOptions.ExecuteSynchronously);
        }
        else if (_cluster.Network.IsWhole(Machine.Number, Machine.Driver) && !_cluster.IsEnding)
        {
            var folder = _serves ? new ShuffleFolder(_path, Machine.Disk) : null;
            var executor = _cluster.StartExecutor(this, launch.Executor, _serves ? launch.Worker : new WorkerId(launch.Executor.Value), folder, launch.Cores);
            executor.Ended += process.Exit;
            process.Executor = executor;
            _executors.Add(executor);
        }
        else if (waited > TimeSpan.FromSeconds(5))
        {
            process.Exit();
        }
        else
        {
            _world.Time.After(TimeSpan.FromMilliseconds(500), () => Run(launch, process, waited + TimeSpan.FromMilliseconds(500)));
        }
    }

    private async Task<IControlChannel> DialAsync()
    {
        var link = await _cluster.Coordinator.Dial(Machine.Number, () => !IsDead).ConfigureAwait(false);
        _links.Add((SimulatedLink.End)link);
        return link;
    }

    private sealed class Process(int id) : IStartedExecutor
    {
        private readonly TaskCompletionSource<(int, string)> _exited = new();

        public SimulatedExecutor? Executor { get; set; }

        public int ProcessId => id;

        public Task<(int Code, string Reason)> Exited => _exited.Task;

        public void End()
        {
            Executor?.Crash(silently: false, "its worker asks it to end");
            Exit();
        }

        public void Kill() => End();

        public void Exit() => _exited.TrySetResult((1, "it ended"));
    }
}
