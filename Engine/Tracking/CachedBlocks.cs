using Dataflow.Scheduling;
using Dataflow.Storage;

namespace Dataflow.Tracking;

/// <summary>Which executors keep which partitions of which Rdds.</summary>
internal sealed class CachedBlocks
{
    private readonly Dictionary<int, Dictionary<int, List<ExecutorId>>> _rdds = [];
    private readonly Dictionary<int, int> _replicas = [];

    /// <summary>Whether every partition is kept somewhere, so that nothing below it needs to be read.</summary>
    public bool HasAll(int rdd, int partitions) => _rdds.TryGetValue(rdd, out var kept) && kept.Count == partitions;

    public bool HasAny(int rdd) => _rdds.ContainsKey(rdd);

    public IReadOnlyList<ExecutorId> ExecutorsOf(int rdd, int partition) =>
        _rdds.TryGetValue(rdd, out var kept) && kept.TryGetValue(partition, out var executors) ? executors : [];

    /// <summary>All executors that keep something. Costs the number of partitions that are kept.</summary>
    public HashSet<ExecutorId> Keepers() => [.. _rdds.Values.SelectMany(kept => kept.Values).SelectMany(executors => executors)];

    /// <summary>What an executor keeps, and on how many executors each is to be. Costs the number of partitions that are kept.</summary>
    public List<(RddBlockId Block, int Replicas)> KeptBy(ExecutorId executor) =>
    [
        .. from rdd in _rdds
           orderby rdd.Key
           from partition in rdd.Value
           where partition.Value.Contains(executor)
           orderby partition.Key
           select (new RddBlockId(rdd.Key, partition.Key), _replicas.GetValueOrDefault(rdd.Key, 1)),
    ];

    /// <summary>What is kept on fewer executors than it is to be: on which it is, and on how many it is to be. Costs the partitions of replicated Rdds.</summary>
    public List<(RddBlockId Block, IReadOnlyList<ExecutorId> Keepers, int Replicas)> Scarce() =>
    [
        .. from rdd in _replicas
           orderby rdd.Key
           from partition in _rdds[rdd.Key]
           where partition.Value.Count < rdd.Value
           orderby partition.Key
           select (new RddBlockId(rdd.Key, partition.Key), (IReadOnlyList<ExecutorId>)partition.Value, rdd.Value),
    ];

    public void Add(int rdd, int partition, ExecutorId executor, int replicas = 1)
    {
        if (replicas > 1) _replicas[rdd] = replicas;
        if (!_rdds.TryGetValue(rdd, out var kept)) _rdds[rdd] = kept = [];
        if (!kept.TryGetValue(partition, out var executors)) kept[partition] = executors = new(1);
        if (!executors.Contains(executor)) executors.Add(executor);
    }

    public void Remove(int rdd, int partition, ExecutorId executor)
    {
        if (!_rdds.TryGetValue(rdd, out var kept) || !kept.TryGetValue(partition, out var executors) || !executors.Remove(executor)) return;
        if (executors.Count == 0) kept.Remove(partition);
        if (kept.Count == 0) RemoveRdd(rdd);
    }

    public void RemoveRdd(int rdd)
    {
        _rdds.Remove(rdd);
        _replicas.Remove(rdd);
    }

    public void RemoveExecutor(ExecutorId executor)
    {
        foreach (var (rdd, kept) in _rdds.ToArray())
        {
            foreach (var partition in kept.Keys.ToArray()) Remove(rdd, partition, executor);
        }
    }
}
