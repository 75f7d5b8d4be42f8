using Dataflow.Closures;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>Says which of the parent's partitions are read together as one.</summary>
/// <param name="parent">The parent: its partitions and their preferred locations.</param>
/// <param name="partitions">How many groups are asked for.</param>
/// <returns>At most <paramref name="partitions"/> groups of indices; each index of the parent in exactly one of them.</returns>
public delegate IReadOnlyList<IReadOnlyList<int>> PartitionCoalescer(Rdd parent, int partitions);

/// <summary>Fewer partitions without a shuffle: each reads a group of the parent's, one after the other.</summary>
internal sealed class CoalescedRdd<T> : Rdd<T>
{
    private readonly Rdd<T> _parent;
    private readonly int _partitions;
    [DriverOnly]
    private readonly PartitionCoalescer _coalescer;
    private readonly ManyToOneDependency _dependency;

    public CoalescedRdd(Rdd<T> parent, int partitions, PartitionCoalescer? coalescer) : base(parent.Context, "Coalesce")
    {
        _parent = parent;
        _partitions = partitions;
        _coalescer = coalescer ?? PackByLocality;
        _dependency = new ManyToOneDependency(
            parent, i => [.. ((CompositePartition)PartitionArray[i]).Parents.Select(partition => partition!.Index)]);
    }

    public override IReadOnlyList<Dependency> Dependencies => [_dependency];

    public override IReadOnlyList<string> PreferredLocations(Partition partition) =>
        [.. ((CompositePartition)partition).Parents.SelectMany(parent => _parent.PreferredLocations(parent!))
            .GroupBy(host => host).OrderByDescending(group => group.Count()).Select(group => group.Key).Take(3)];

    protected internal override Partition[] GetPartitions()
    {
        var parents = _parent.PartitionArray;
        var groups = _coalescer(_parent, _partitions);
        var seen = new bool[parents.Length];
        foreach (var index in groups.SelectMany(group => group))
        {
            if ((uint)index >= (uint)seen.Length || seen[index])
                throw new InvalidOperationException($"The coalescer of {CallSite} named partition {index} of {_parent} twice, or it does not exist.");
            seen[index] = true;
        }
        if (Array.IndexOf(seen, false) is >= 0 and var missing)
            throw new InvalidOperationException($"The coalescer of {CallSite} left out partition {missing} of {_parent}.");
        return [.. groups.Select((group, i) => new CompositePartition(i, [.. group.Select(index => (Partition?)parents[index])]))];
    }

    protected internal override ChunkReader<T> Compute(Partition partition, TaskContext context) =>
        new ConcatenatedReader<T>([_parent], ((CompositePartition)partition).Parents, context);

    // Neighbours stay together, which keeps the order of elements, unless partitions prefer hosts: then each host's are packed together.
    private static IReadOnlyList<IReadOnlyList<int>> PackByLocality(Rdd parent, int partitions)
    {
        var count = parent.PartitionCount;
        var order = Enumerable.Range(0, count).ToArray();
        var hosts = parent.PartitionArray.Select(partition => parent.PreferredLocations(partition) is [var first, ..] ? first : "").ToArray();
        if (hosts.Any(host => host.Length > 0)) Array.Sort([.. hosts.Select((host, i) => (host, i))], order);

        var groups = new int[Math.Min(partitions, count)][];
        for (var i = 0; i < groups.Length; i++)
        {
            var start = (int)((long)i * count / groups.Length);
            var end = (int)((i + 1L) * count / groups.Length);
            groups[i] = order[start..end];
        }
        return groups;
    }
}
