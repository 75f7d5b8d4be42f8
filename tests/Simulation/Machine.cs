using Dataflow.Scheduling;

namespace Dataflow.Simulation;

/// <summary>A machine with a worker, which starts an executor and another one when that ends.</summary>
internal sealed class Machine(Cluster cluster, int number)
{
    /// <summary>The machine of the driver program.</summary>
    public const int Driver = 0;

    private readonly int _slots = cluster.World.Dice.Next(1, 4);
    private readonly bool _serves = cluster.World.Chance(0.75);

    public int Number => number;

    public SimulatedDisk Disk { get; } = new(cluster.World);

    /// <summary>Tasks take much longer before this time.</summary>
    public TimeSpan SlowUntil { get; set; }

    /// <summary>The worker that runs here now.</summary>
    public SimulatedWorker? Worker { get; private set; }

    /// <summary>The executor that runs here now.</summary>
    public SimulatedExecutor? Executor { get; private set; }

    /// <summary>Starts a worker if there is none, and its executor, after a while.</summary>
    public void Start(TimeSpan delay) => cluster.World.Time.After(delay, () =>
    {
        if (cluster.IsEnding || Executor is { IsDead: false }) return;
        if (!cluster.Network.IsWhole(number, Driver))
        {
            // It can't dial a driver that it does not reach.
            Start(TimeSpan.FromMilliseconds(500));
            return;
        }
        if (Worker is null or { IsDead: true }) Worker = cluster.StartWorker(this, _serves);
        Executor = cluster.StartExecutor(Worker, _slots);
    });

    /// <summary>The worker ends, and its executor with it.</summary>
    public void Crash(bool silently, string why)
    {
        if (Worker is null or { IsDead: true }) return;
        cluster.World.Note(silently ? "machine {0} falls silent" : "the worker of machine {0} ends", number);
        Worker.Crash(silently);
        if (Executor is { IsDead: false } executor)
            executor.Crash(silently, why);
        else
            Start(cluster.World.Milliseconds(50, 1500));
    }

    public void OnExecutorEnded(SimulatedExecutor executor)
    {
        if (executor == Executor) Start(cluster.World.Milliseconds(50, executor.DiedSilently ? 8000 : 1500));
    }
}
