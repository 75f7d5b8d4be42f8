using Dataflow.Cluster;
using Dataflow.Scheduling;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Cluster;

/// <summary>Runs what is scheduled on the thread of the test, when it says so.</summary>
internal sealed class StepDispatcher : IDispatcher
{
    private readonly System.Collections.Concurrent.ConcurrentQueue<IThreadPoolWorkItem> _work = [];
    private int _scheduled;

    public bool RunsInline => false;

    /// <summary>How often something was scheduled.</summary>
    public int Scheduled => Volatile.Read(ref _scheduled);

    public void Schedule(IThreadPoolWorkItem work)
    {
        _work.Enqueue(work);
        Interlocked.Increment(ref _scheduled);
    }

    public void RunAll()
    {
        while (_work.TryDequeue(out var work)) work.Execute();
    }
}

/// <summary>The other end of a link, played by a test: keeps what it hears.</summary>
internal sealed class ScriptedPeer(StepDispatcher dispatcher, MemoryChannel channel) : IControlHandler
{
    private readonly List<ControlMessage> _heard = [];

    public MemoryChannel Channel => channel;

    public bool HasHeard => _heard.Count > 0;

    public LinkEnd? End { get; private set; }

    public void Received(IReadOnlyList<ControlMessage> messages) => _heard.AddRange(messages);

    void IControlHandler.Ended(LinkEnd end) => End = end;

    public void Say(ControlMessage message)
    {
        channel.Send(message);
        dispatcher.RunAll();
    }

    /// <summary>What it heard of a kind since it was asked last.</summary>
    public List<T> Take<T>() where T : ControlMessage
    {
        var taken = _heard.OfType<T>().ToList();
        _heard.RemoveAll(message => message is T);
        return taken;
    }
}

/// <summary>A coordinator whose workers and programs a test plays, on a clock that it moves.</summary>
internal sealed class ClusterScript
{
    private static readonly Dictionary<string, IReadOnlyList<string>> NoResources = [];

    private readonly Dictionary<string, ClusterToken> _secrets = [];
    private int _coordinators;

    public ClusterScript() => Coordinator = NewCoordinator();

    public ManualTimeProvider Time { get; } = new();

    public StepDispatcher Dispatcher { get; } = new();

    public CoordinatorHost Coordinator { get; private set; }

    public CoordinatorSettings Settings => new() { Dispatcher = Dispatcher, Time = Time, Random = new Random(100 + _coordinators) };

    /// <summary>The coordinator dies, with all that it knew; another one takes its place.</summary>
    public void Restart() => Coordinator = NewCoordinator();

    public void Pass(TimeSpan time)
    {
        Time.Advance(time);
        Dispatcher.RunAll();
    }

    /// <summary>A link to the coordinator.</summary>
    public ScriptedPeer Dial()
    {
        var (here, there) = MemoryChannel.CreatePair(Dispatcher);
        var peer = new ScriptedPeer(Dispatcher, here);
        here.Start(peer);
        Coordinator.Accept(there);
        return peer;
    }

    public ScriptedPeer Worker(
        string name, int cores = 4, long memory = 4000, WorkerId? before = null, long epoch = 1, RunningExecutor[]? running = null,
        Dictionary<string, IReadOnlyList<string>>? resources = null, string? version = null, string[]? applications = null)
    {
        var peer = Dial();
        peer.Say(new RegisterWorker(
            version ?? CoordinatorHost.EngineVersion, name, $"host of {name}", cores, memory, resources ?? NoResources, $"http://{name}:1/", epoch, before, running ?? [], applications ?? []));
        return peer;
    }

    public ScriptedPeer Program(
        string name, int least = 1, int most = int.MaxValue, int cores = 0, long memory = 0, Dictionary<string, int>? resources = null, int[]? executors = null,
        int first = 1, long epoch = 1, string? version = null, ClusterToken? secret = null,
        CodeFile[]? files = null)
    {
        var peer = Dial();
        secret ??= _secrets.TryGetValue(name, out var known) ? known : _secrets[name] = ClusterToken.Create();
        peer.Say(new RegisterApplication(
            version ?? CoordinatorHost.EngineVersion, name, $"title of {name}", $"http://{name}:2/", peer.Channel.Seal(secret.Export()), files ?? [],
            new ExecutorWish(least, most, cores, memory, resources ?? []), new Dictionary<string, string>(),
            [.. (executors ?? []).Select(executor => new ExecutorId(executor))], first, epoch));
        return peer;
    }

    private CoordinatorHost NewCoordinator()
    {
        _coordinators++;
        return new CoordinatorHost(Settings);
    }
}
