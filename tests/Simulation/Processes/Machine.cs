namespace Dataflow.Simulation;

/// <summary>A machine with a worker, and another one when that ends.</summary>
internal sealed class Machine(Cluster cluster, int number)
{
    /// <summary>The machine of the driver program.</summary>
    public const int Driver = 0;

    private readonly bool _serves = cluster.World.Chance(0.85);

    public int Number => number;

    /// <summary>How many tasks it runs at once.</summary>
    public int Slots { get; } = cluster.World.Dice.Next(1, 4);

    public SimulatedDisk Disk { get; } = new(cluster.World);

    /// <summary>Tasks take much longer before this time.</summary>
    public TimeSpan SlowUntil { get; set; }

    /// <summary>The worker that runs here now.</summary>
    public SimulatedWorker? Worker { get; private set; }

    /// <summary>An executor that runs here now.</summary>
    public SimulatedExecutor? Executor => Worker?.Executors.FirstOrDefault();

    /// <summary>Starts a worker after a while, and whenever it has ended.</summary>
    public void Start(TimeSpan delay) => cluster.World.Time.After(delay, () =>
    {
        if (cluster.IsEnding) return;
        Worker = cluster.StartWorker(this, _serves);
        Watch(Worker);
    });

    private void Watch(SimulatedWorker worker) => cluster.World.Time.After(TimeSpan.FromMilliseconds(500), () =>
    {
        if (worker.Agent.Ended.IsCompleted) worker.Crash(silently: false, $"its agent has left: {worker.Agent.Ended.Exception?.InnerException?.Message ?? "on request"}");
        if (worker.IsDead)
            Start(cluster.World.Milliseconds(50, worker.DiedSilently ? 8000 : 1500));
        else
            Watch(worker);
    });
}
