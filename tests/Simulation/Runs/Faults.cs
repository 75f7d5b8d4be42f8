using Dataflow.Scheduling;

namespace Dataflow.Simulation;

/// <summary>What goes wrong in a run, and when: chosen by its seed. It is over after a while, and everything that ended has been started again.</summary>
internal sealed class Faults
{
    private readonly Cluster _cluster;
    private readonly World _world;

    public Faults(Cluster cluster)
    {
        _cluster = cluster;
        _world = cluster.World;
        var count = _world.Chance(0.1) ? 0 : _world.Dice.Next(1, 10);
        var storm = _world.Milliseconds(500, 12_000);
        for (var i = 0; i < count; i++) _world.Time.After(storm * _world.Dice.NextDouble(), Strike);
    }

    public int Count { get; private set; }

    private void Strike()
    {
        if (_cluster.IsEnding || !_cluster.IsRegistered) return;
        Count++;
        var machine = _world.Pick(_cluster.Machines);
        var executor = machine.Executor is { IsDead: false } alive ? alive : null;
        switch (_world.Dice.Next(16))
        {
            case 0 or 1: executor?.Crash(silently: false, "a crash"); break;
            case 2: machine.Worker?.Crash(silently: false, "a crash"); break;
            case 3: machine.Worker?.Crash(silently: true, "its machine fell silent"); break;
            case 4 or 5: Cut(machine.Number, Machine.Driver); break;
            case 6: Cut(machine.Number, _world.Pick(_cluster.Machines).Number); break;
            case 7:
                _world.Note("machine {0} is slow", machine.Number);
                machine.SlowUntil = _world.Time.Now + _world.Milliseconds(100, 5000);
                break;
            case 8: Damage(machine); break;
            case 9:
                _world.Note("the disk of machine {0} is full", machine.Number);
                machine.Disk.FullUntil = _world.Time.Now + _world.Milliseconds(10, 2000);
                break;
            case 10:
                machine.Disk.CorruptReads++;
                break;
            case 11: _cluster.Coordinator.Crash(); break;
            case 12: Cut(_world.Chance(0.3) ? Machine.Driver : machine.Number, _cluster.Coordinator.Machine); break;
            case 13: _cluster.AddMachine(); break;
            default: machine.Worker?.Drain(_world.Milliseconds(100, 60_000)); break;
        }
    }

    private void Cut(int a, int b)
    {
        if (a == b) return;
        var time = _world.Milliseconds(10, 25_000);
        var ways = _world.Dice.Next(3);
        if (ways != 0) _cluster.Network.Cut(a, b, time);
        if (ways != 1) _cluster.Network.Cut(b, a, time);
    }

    // One of the map outputs there is gone, or not what it was.
    private void Damage(Machine machine)
    {
        if (machine.Worker is { IsDead: false } worker && worker.Files() is { Count: > 0 } files)
        {
            var file = _world.Pick(files);
            _world.Note("the disk of machine {0} loses a map output or damages it", machine.Number);
            _world.Explain(file);
            if (_world.Chance(0.5))
                machine.Disk.Damage(file);
            else
                machine.Disk.Delete(file);
        }
        else if (machine.Executor is { IsDead: false } executor)
        {
            var shuffle = new ShuffleId(_world.Dice.Next(8));
            var map = _world.Dice.Next(4);
            if (executor.Services.Shuffles.Remove(shuffle, map)) _world.Note("executor {0} loses output {1} of shuffle {2}", executor.Id.Value, map, shuffle.Value);
        }
    }
}
