using Dataflow.Closures;
using Dataflow.Fusion;
using Dataflow.Sorting;
using Dataflow.Tasks;

namespace Dataflow;

// Actions that merge partial results on the executors first, so that the driver gets few of them.
public abstract partial class Rdd<T>
{
    /// <summary>As <see cref="Reduce"/>, with partial results merged on the executors in several rounds.</summary>
    /// <remarks>Action. For many partitions with large partial results. Partial results merge in partition order.</remarks>
    /// <param name="merge">Associative. It may change its first argument and give it back.</param>
    /// <param name="depth">Rounds, the one on the driver included; at least 1.</param>
    /// <exception cref="InvalidOperationException">There is no element.</exception>
    public T TreeReduce(Func<T, T, T> merge, int depth = 2) => Wait(TreeReduceAsync(merge, depth));

    /// <inheritdoc cref="TreeReduce"/>
    /// <param name="merge">Associative. It may change its first argument and give it back.</param>
    /// <param name="depth">Rounds, the one on the driver included; at least 1.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
    public async Task<T> TreeReduceAsync(Func<T, T, T> merge, int depth = 2, CancellationToken cancellationToken = default)
    {
        ClosureGuard.Check(merge, "TreeReduce");
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(depth);
        var parts = await RoundsOf().CollectAsync(cancellationToken).ConfigureAwait(false);
        return parts.Length > 0 ? parts.Aggregate(merge) : throw Empty("TreeReduce");

        Rdd<T> RoundsOf()
        {
            using var scope = CallSite.Open("TreeReduce", merge);
            var partial = Partial<T>("TreeReduce", merge, (reader, context) => reader.TryReduce(merge, context, out var merged) ? [merged] : []);
            return Rounds(partial, merge, depth);
        }
    }

    /// <summary>As <see cref="Aggregate"/>, with accumulators merged on the executors in several rounds.</summary>
    /// <remarks>Action. For many partitions with large accumulators. Accumulators merge in partition order.</remarks>
    /// <typeparam name="TAccumulate">Type of the accumulator.</typeparam>
    /// <param name="seed">Copied for each partition, so it may be a mutable object.</param>
    /// <param name="update">Adds one element to an accumulator and gives it back.</param>
    /// <param name="merge">Adds one accumulator to another and gives it back.</param>
    /// <param name="depth">Rounds, the one on the driver included; at least 1.</param>
    /// <param name="finalOnExecutor">Whether the last merge happens on an executor too, so that the driver gets one accumulator.</param>
    public TAccumulate TreeAggregate<TAccumulate>(
        TAccumulate seed,
        Func<TAccumulate, T, TAccumulate> update,
        Func<TAccumulate, TAccumulate, TAccumulate> merge,
        int depth = 2,
        bool finalOnExecutor = false) => Wait(TreeAggregateAsync(seed, update, merge, depth, finalOnExecutor));

    /// <inheritdoc cref="TreeAggregate"/>
    /// <typeparam name="TAccumulate">Type of the accumulator.</typeparam>
    /// <param name="seed">Copied for each partition, so it may be a mutable object.</param>
    /// <param name="update">Adds one element to an accumulator and gives it back.</param>
    /// <param name="merge">Adds one accumulator to another and gives it back.</param>
    /// <param name="depth">Rounds, the one on the driver included; at least 1.</param>
    /// <param name="finalOnExecutor">Whether the last merge happens on an executor too, so that the driver gets one accumulator.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
    public async Task<TAccumulate> TreeAggregateAsync<TAccumulate>(
        TAccumulate seed,
        Func<TAccumulate, T, TAccumulate> update,
        Func<TAccumulate, TAccumulate, TAccumulate> merge,
        int depth = 2,
        bool finalOnExecutor = false,
        CancellationToken cancellationToken = default)
    {
        ClosureGuard.Check(update, "TreeAggregate");
        ClosureGuard.Check(merge, "TreeAggregate");
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(depth);
        var copies = new SeedCopies<TAccumulate>(seed);
        var rounds = RoundsOf();
        var parts = await rounds.CollectAsync(cancellationToken).ConfigureAwait(false);
        return parts.Aggregate(copies.Next(), merge);

        Rdd<TAccumulate> RoundsOf()
        {
            using var scope = CallSite.Open("TreeAggregate", update);
            var partial = Partial<TAccumulate>("TreeAggregate", update, (reader, context) => [reader.Fold(copies.Next(), update, context)]);
            var gathered = Rounds(partial, merge, depth);
            return finalOnExecutor && gathered.PartitionCount > 1 ? Gathered(gathered, merge, 1) : gathered;
        }
    }

    // What each partition comes to: one element, or none.
    private MapPartitionsRdd<T, TItem> Partial<TItem>(string operation, Delegate lambda, Func<ChunkReader<T>, TaskContext, TItem[]> fold) =>
        new(this, operation, (_, reader, context) => ChunkReader<TItem>.From(Once(() => fold(reader, context)), reader), lambda: lambda);

    // Computed when it is asked for, not when the partition is opened.
    private static IEnumerable<TItem> Once<TItem>(Func<TItem[]> items)
    {
        foreach (var item in items()) yield return item;
    }

    private static Rdd<TItem> Rounds<TItem>(Rdd<TItem> partial, Func<TItem, TItem, TItem> merge, int depth)
    {
        var scale = Math.Max((int)Math.Ceiling(Math.Pow(partial.PartitionCount, 1.0 / depth)), 2);
        while (partial.PartitionCount > scale + (partial.PartitionCount + scale - 1) / scale)
            partial = Gathered(partial, merge, (partial.PartitionCount + scale - 1) / scale);
        return partial;
    }

    // Partial result i of n goes to partition i * m / n of m, so neighbours merge with neighbours, in order.
    private static Rdd<TItem> Gathered<TItem>(Rdd<TItem> partial, Func<TItem, TItem, TItem> merge, int partitions)
    {
        var count = partial.PartitionCount;
        var numbered = partial.FromIterator("TreeAggregate", null, (index, items) => items.Select(item => (Key: index, Value: item)), false);
        return new SortedWithinRdd<int, TItem>(numbered, new NeighbourPartitioner(count, partitions), new KeyOrder<int>(false), mergedInPlace: true)
            .FromIterator("TreeAggregate", null, (_, pairs) => Rdd<TItem>.Merged(pairs.Select(pair => pair.Value), merge), false);
    }

    private static IEnumerable<T> Merged(IEnumerable<T> items, Func<T, T, T> merge)
    {
        using var enumerator = items.GetEnumerator();
        if (!enumerator.MoveNext()) yield break;
        var result = enumerator.Current;
        while (enumerator.MoveNext()) result = merge(result, enumerator.Current);
        yield return result;
    }
}

/// <summary>Places the indices below a count into fewer partitions, neighbours together.</summary>
internal sealed class NeighbourPartitioner(int count, int partitions) : Partitioner<int>
{
    private readonly int _count = count;

    public override int PartitionCount { get; } = partitions;

    public override int PartitionOf(int key) => (int)((long)key * PartitionCount / _count);

    public override bool Equals(object? obj) => obj is NeighbourPartitioner other && other._count == _count && other.PartitionCount == PartitionCount;

    public override int GetHashCode() => HashCode.Combine(_count, PartitionCount);
}
