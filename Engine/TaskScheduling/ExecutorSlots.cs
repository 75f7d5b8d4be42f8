using Dataflow.Scheduling;

namespace Dataflow.TaskScheduling;

/// <summary>An executor as the task scheduler sees it: where it is, and how much of what it offers is free.</summary>
internal sealed class ExecutorSlots(ExecutorAdded added)
{
    private readonly NamedResources _named = new(added.Resources);
    private int _free = added.Slots;

    public ExecutorId Id => added.Executor;

    public WorkerId Worker => added.Worker;

    public string Host => added.Host;

    /// <summary>Where it is, for people.</summary>
    public string Place => added.WorkerName is { } name ? $"worker {name} of host {added.Host}" : added.Host;

    /// <summary>Slots that are free now.</summary>
    public int Free => IsDraining ? 0 : _free;

    /// <summary>Whether nothing new starts here.</summary>
    public bool IsDraining { get; private set; }

    /// <summary>Whether nothing runs here.</summary>
    public bool IsIdle => _free == added.Slots;

    /// <summary>Slots that it has.</summary>
    public int Slots => added.Slots;

    /// <summary>Slots that tasks hold.</summary>
    public int Busy => added.Slots - _free;

    /// <summary>When a task last ended here, or it came.</summary>
    public TimeSpan LastBusy { get; set; }

    /// <summary>Whether it is in the list of executors to be offered next.</summary>
    public bool IsOffered { get; set; }

    /// <summary>How many tasks could start now.</summary>
    public int Room(ResourceProfile needs) => Math.Min(Free / needs.Cpus, _named.Room(needs, whenIdle: false));

    /// <summary>How many tasks could run at once if nothing else did.</summary>
    public int Capacity(ResourceProfile needs) => IsDraining ? 0 : Math.Min(added.Slots / needs.Cpus, _named.Room(needs, whenIdle: true));

    /// <summary>Whether slots are all that a task lacks: they come free as others end.</summary>
    public bool LacksOnlySlots(ResourceProfile needs) => !IsDraining && Free < needs.Cpus && added.Slots >= needs.Cpus && _named.Room(needs, whenIdle: false) > 0;

    /// <summary>Takes what one task needs; there must be room for it.</summary>
    /// <returns>What it holds of named resources.</returns>
    public ResourceShare[] Take(ResourceProfile needs)
    {
        _free -= needs.Cpus;
        return needs.Named.Count == 0 ? [] : _named.Take(needs);
    }

    /// <summary>Takes back what a task held.</summary>
    public void Return(ResourceProfile needs, ResourceShare[] shares)
    {
        _free += needs.Cpus;
        _named.Return(shares);
    }

    /// <summary>Nothing starts here any more.</summary>
    public void Close() => IsDraining = true;

    /// <summary>What it offers, as errors say it: <c>4 slots and 2 gpu</c>.</summary>
    public override string ToString()
    {
        var slots = added.Slots == 1 ? "1 slot" : $"{added.Slots} slots";
        return added.Resources.Count == 0 ? slots : $"{slots} and {_named}";
    }
}
