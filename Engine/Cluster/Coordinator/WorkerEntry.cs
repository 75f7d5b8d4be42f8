using Dataflow.Scheduling;

namespace Dataflow.Cluster;

/// <summary>A worker as the coordinator knows it: what it offers, and which executors hold how much of it.</summary>
/// <param name="number">Its number.</param>
/// <param name="offer">What it said when it registered last.</param>
/// <param name="order">Counts workers in the order they came.</param>
internal sealed class WorkerEntry(WorkerId number, RegisterWorker offer, int order)
{
    private readonly Dictionary<string, List<string>> _freeResources =
        offer.Resources.ToDictionary(resource => resource.Key, resource => resource.Value.ToList(), StringComparer.Ordinal);

    public WorkerId Number => number;

    public RegisterWorker Offer { get; set; } = offer;

    public int Order => order;

    /// <summary>Its link; null while it is away.</summary>
    public CoordinatorPeer? Peer { get; set; }

    /// <summary>When it is gone if it is still away then.</summary>
    public TimeSpan? MissedAt { get; set; }

    /// <summary>What it said when it was about to leave; null if it is not.</summary>
    public Drain? Drain { get; set; }

    /// <summary>Whether it is about to leave: nothing new starts there.</summary>
    public bool IsDraining => Drain is not null;

    public int FreeCores { get; private set; } = offer.Cores;

    public long FreeMemoryBytes { get; private set; } = offer.MemoryBytes;

    /// <summary>Executors whose processes it has, as far as known.</summary>
    public Dictionary<(string Application, ExecutorId Executor), GrantedExecutor> Executors { get; } = [];

    /// <summary>Memory that goes with so many of its cores.</summary>
    public long ShareOfMemory(int cores) => (long)((Int128)Offer.MemoryBytes * cores / Offer.Cores);

    /// <summary>How many addresses of a resource nobody has.</summary>
    public int Free(string resource) => _freeResources.TryGetValue(resource, out var free) ? free.Count : 0;

    /// <summary>Gives an executor its part.</summary>
    public void Take(GrantedExecutor executor)
    {
        Executors.Add((executor.Application, executor.Id), executor);
        FreeCores -= executor.Cores;
        FreeMemoryBytes -= executor.MemoryBytes;
        foreach (var (name, addresses) in executor.Resources)
        {
            foreach (var address in addresses) _freeResources[name].Remove(address);
        }
    }

    /// <summary>Takes back what an executor had.</summary>
    public bool Return(GrantedExecutor executor)
    {
        if (!Executors.Remove((executor.Application, executor.Id))) return false;
        FreeCores += executor.Cores;
        FreeMemoryBytes += executor.MemoryBytes;
        foreach (var (name, addresses) in executor.Resources) _freeResources[name].AddRange(addresses);
        return true;
    }

    /// <summary>Addresses for an executor: as many as it wants of each kind or, where it takes all that is left of the worker and names none, all.</summary>
    public Dictionary<string, IReadOnlyList<string>> Choose(ExecutorWish wish, int cores) => wish.Resources.Count == 0 && wish.Cores == 0 && cores == FreeCores
        ? _freeResources.Where(resource => resource.Value.Count > 0).ToDictionary(resource => resource.Key, resource => (IReadOnlyList<string>)[.. resource.Value])
        : wish.Resources.ToDictionary(resource => resource.Key, resource => (IReadOnlyList<string>)[.. _freeResources[resource.Key].Take(resource.Value)]);
}

/// <summary>An executor as the coordinator knows it.</summary>
/// <param name="Application">Its program.</param>
/// <param name="Id">Its number.</param>
/// <param name="Worker">Who runs it.</param>
/// <param name="Cores">Its slots.</param>
/// <param name="MemoryBytes">Its memory.</param>
internal sealed record GrantedExecutor(string Application, ExecutorId Id, WorkerEntry Worker, int Cores, long MemoryBytes)
{
    public Dictionary<string, IReadOnlyList<string>> Resources { get; init; } = [];

    /// <summary>Whether it has registered with its program.</summary>
    public bool HasWorked { get; set; }

    /// <summary>Whether it was asked to end.</summary>
    public bool IsStopping { get; set; }

    /// <summary>The program for which it was asked back; null if it was not.</summary>
    public ApplicationEntry? GoesTo { get; set; }
}
