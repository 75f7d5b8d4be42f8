using Dataflow.Cluster;

namespace Dataflow.Simulation;

/// <summary>The process of the coordinator, which is real: it may end, with all that it knew, and another one takes its place.</summary>
internal sealed class SimulatedCoordinator
{
    private readonly Cluster _cluster;
    private readonly World _world;
    private readonly List<SimulatedLink.End> _links = [];
    private CoordinatorHost? _host;
    private int _starts;

    public SimulatedCoordinator(Cluster cluster, int machine)
    {
        _cluster = cluster;
        _world = cluster.World;
        Machine = machine;
        Start();
    }

    /// <summary>Where it runs.</summary>
    public int Machine { get; }

    /// <summary>Ends it, and starts it anew after a while.</summary>
    public void Crash()
    {
        if (_host is not { } host) return;
        _world.Note("the coordinator ends");
        _host = null;
        foreach (var link in _links) link.Die(silently: false);
        _links.Clear();
        host.Self.Stop();
        _world.Time.After(_world.Milliseconds(100, 6000), Start);
    }

    /// <summary>Makes a link to it.</summary>
    /// <param name="from">From which machine.</param>
    /// <param name="isAlive">Whether whoever dials is still there.</param>
    public Task<IControlChannel> Dial(int from, Func<bool> isAlive)
    {
        // Whoever waits goes on within the step that completes it, on the simulation's own thread.
        var dialled = new TaskCompletionSource<IControlChannel>();
        _world.Time.After(_cluster.Network.Latency(), () =>
        {
            if (!isAlive()) return;
            var isWhole = _cluster.Network.IsWhole(from, Machine);
            if (isWhole && _host is { } host)
            {
                var link = _cluster.Network.Connect(from, Machine);
                _links.Add(link.There);
                host.Accept(link.There);
                dialled.SetResult(link.Here);
                return;
            }
            _world.Time.After(isWhole ? TimeSpan.Zero : TimeSpan.FromSeconds(5), () =>
            {
                if (isAlive()) dialled.SetException(new ClusterException("The coordinator does not answer."));
            });
        });
        return dialled.Task;
    }

    private void Start()
    {
        _starts++;
        _world.Note("a coordinator starts on machine {0}", Machine);
        _host = new CoordinatorHost(new CoordinatorSettings { Dispatcher = _world.Time, Time = _world.Time, Random = new Random((_world.Seed * 17) + _starts) });
    }
}
