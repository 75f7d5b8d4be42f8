using Dataflow.Hashing;

namespace Dataflow;

/// <summary>Chooses a partitioner for a wide verb when the program names none.</summary>
internal static class Placement
{
    /// <summary>
    /// The partitioner of an input with the most partitions, if it has more than the default parallelism or at least a tenth of the
    /// partitions of the largest input; else a hash partitioner over the default parallelism, or over as many partitions as the largest
    /// input has when no default is set.
    /// </summary>
    /// <remarks>
    /// A union counts as its largest input, or as many partitions as tasks run at once if that is more: if the sum counted, a loop that
    /// adds something in each round would double its partitions in each.
    /// </remarks>
    /// <param name="partitions">What the program asked for; 0 leaves the choice here.</param>
    /// <param name="inputs">What is combined.</param>
    public static Partitioner<TKey> Choose<TKey>(int partitions, params ReadOnlySpan<Rdd> inputs)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(partitions);
        Partitioner<TKey>? placed = null;
        var largest = 1;
        foreach (var input in inputs)
        {
            if (input.Partitioner is Partitioner<TKey> partitioner && partitioner.PartitionCount > (placed?.PartitionCount ?? 0)) placed = partitioner;
        }
        if (partitions > 0)
            return placed is not null && placed.PartitionCount == partitions ? placed : new HashPartitioner<TKey>(partitions);

        foreach (var input in inputs) largest = Math.Max(largest, WidthOf(input));
        var wanted = inputs[0].Context.Options.DefaultParallelism is { } set ? set : largest;
        return placed is not null && (placed.PartitionCount >= wanted || placed.PartitionCount * 10 >= largest)
            ? placed
            : new HashPartitioner<TKey>(wanted);
    }

    /// <summary>Partitions of the widest source or shuffle that the partitions of an Rdd are made of one by one.</summary>
    private static int WidthOf(Rdd rdd)
    {
        var widest = Math.Min(rdd.PartitionCount, rdd.Context.DefaultParallelism);
        var seen = new HashSet<Rdd>();
        var waiting = new Stack<Rdd>([rdd]);
        while (waiting.TryPop(out var next))
        {
            if (!seen.Add(next)) continue;
            var parents = next.LiveDependencies;
            if (parents.Count > 0 && (next.AppendsInputs || parents.All(static parent => parent is OneToOneDependency)))
            {
                foreach (var parent in parents) waiting.Push(parent.Rdd);
            }
            else
            {
                widest = Math.Max(widest, next.PartitionCount);
            }
        }
        return widest;
    }

    /// <summary>Refuses keys that no process could tell apart from their contents alone.</summary>
    /// <exception cref="KeyException">The message names the part of the key, says why, and what to use instead.</exception>
    public static void CheckKey<TKey>()
    {
        if (!StableHash.CanHash(typeof(TKey), out _)) throw StableHash.Refusal(typeof(TKey));
    }
}
