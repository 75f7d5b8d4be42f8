using Dataflow.Cluster;
using Dataflow.Scheduling;

namespace Dataflow.Simulation;

/// <summary>
/// Another driver program on the same cluster, from the same coordinator: it takes executors, which do nothing, now more and now fewer, and ends after a while.
/// The programs whose results are looked at have to do with what it leaves them.
/// </summary>
internal sealed class RivalProgram : IExecutorRoster
{
    /// <summary>Its name in the cluster.</summary>
    public const string Name = "rival";

    /// <summary>Where it runs.</summary>
    private const int Machine = 101;

    private readonly Cluster _cluster;
    private readonly DriverLink _link;
    private readonly Dictionary<ExecutorId, Action> _executors = [];
    private readonly HashSet<ExecutorId> _seen = [];
    private readonly HashSet<Action> _running = [];
    private Task? _ended;

    public RivalProgram(Cluster cluster)
    {
        _cluster = cluster;
        var world = cluster.World;
        _link = new DriverLink(
            new DriverApplication(Name, Name, new Uri("http://rival:1/"), ClusterToken.Create(), [], new Dictionary<string, string>()),
            Wish(world), _ => cluster.Coordinator.Dial(Machine, () => _ended is null), this, _ => { }, new DriverLinkSettings { Dispatcher = world.Time, Time = world.Time });
        _ = _link.StartAsync();
        for (var i = world.Dice.Next(4); i > 0; i--) world.Time.After(world.Milliseconds(200, 15_000), () => Change(world));
        world.Time.After(world.Milliseconds(500, 20_000), () => End());
    }

    public IReadOnlyList<ExecutorId> Executors => [.. _executors.Keys];

    /// <summary>Processes of executors that run, known to it or not.</summary>
    public int RunningCount => _running.Count;

    /// <summary>Takes an executor in.</summary>
    /// <param name="executor">Its number.</param>
    /// <param name="end">Ends its process.</param>
    /// <returns>Told that it has ended.</returns>
    public Action Take(ExecutorId executor, Action end)
    {
        if (!_seen.Add(executor)) throw new SimulationException($"Two executors of the rival program have the number {executor}.");
        _running.Add(end);
        if (_ended is null)
        {
            _cluster.World.Note("the rival program takes in executor {0}", executor.Value);
            _executors.Add(executor, end);
            _link.Ready(executor);
        }
        else
        {
            _cluster.World.Time.After(_cluster.Network.Latency(), end);
        }
        return () =>
        {
            _executors.Remove(executor);
            _running.Remove(end);
        };
    }

    /// <summary>Ends it, if it has not ended.</summary>
    /// <returns>Completes when its link is closed.</returns>
    public Task End()
    {
        if (_ended is not null) return _ended;
        _cluster.World.Note("the rival program ends");
        _ended = _link.EndAsync("the rival program ended");

        // Executors end with their driver.
        foreach (var end in _executors.Values.ToArray()) _cluster.World.Time.After(_cluster.Network.Latency(), end);
        return _ended;
    }

    void IExecutorRoster.Lose(ExecutorId executor, string reason)
    {
        if (_executors.TryGetValue(executor, out var end)) end();
    }

    // Its executors' own links tell it.
    void IExecutorRoster.LoseWorker(WorkerId worker, string reason) { }

    void IExecutorRoster.DrainWorker(WorkerId worker, string reason)
    {
        foreach (var executor in _executors.Keys.ToArray()) _link.Release(executor, reason);
        _link.HandedOver(worker);
    }

    void IExecutorRoster.GiveBack(IReadOnlyList<ExecutorId> any, int count, TimeSpan grace, string reason)
    {
        foreach (var executor in any.Where(_executors.ContainsKey).Take(count).ToArray()) _link.Release(executor, reason);
    }

    private static ExecutorWish Wish(World world) => new(1, world.Dice.Next(3), 1, 0, new Dictionary<string, int>());

    private void Change(World world)
    {
        if (_ended is not null) return;
        _link.Want(Wish(world));
        if (_executors.Count > 0 && world.Chance(0.5)) _link.Release(world.Pick(Executors), "the rival program needs it no more");
    }
}
