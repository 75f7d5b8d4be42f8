using Dataflow.Closures;
using Dataflow.Sorting;

namespace Dataflow;

/// <summary>The verbs that sort.</summary>
public static class OrderedRdd
{
    extension<T>(Rdd<T> rdd)
    {
        /// <summary>Sorts by a key: across partitions by range, and within each. Equal elements keep no promised order across runs of
        /// different inputs, but the same input gives the same order.</summary>
        /// <remarks>Transformation, wide. Reads the input once more beforehand to sample the ranges, so cache it if it is not cheap.
        /// Strings sort ordinally, unlike LINQ's OrderBy, so that every machine agrees.</remarks>
        /// <typeparam name="TKey">Type of the key; comparable, or give a comparer.</typeparam>
        /// <param name="by">The key of an element; called several times for each.</param>
        /// <param name="descending">True for the largest first.</param>
        /// <param name="partitions">Output partitions; 0 takes as many as the input has, or the default parallelism if that is set.</param>
        /// <param name="comparer">The order of keys; null takes the natural one.</param>
        /// <exception cref="NotSupportedException"><typeparamref name="TKey"/> has no order and no comparer was given.</exception>
        public Rdd<T> SortBy<TKey>(Func<T, TKey> by, bool descending = false, int partitions = 0, IComparer<TKey>? comparer = null)
        {
            ClosureGuard.Check(by, "SortBy");
            return new SortedRdd<T, TKey>("SortBy", rdd, by, Count(rdd, partitions), new KeyOrder<TKey>(descending, comparer), keyed: false, by);
        }
    }

    extension<TKey, TValue>(Rdd<(TKey Key, TValue Value)> rdd)
    {
        /// <summary>Sorts pairs by key: across partitions by range, and within each.</summary>
        /// <remarks>Transformation, wide. Reads the input once more beforehand to sample the ranges, so cache it if it is not cheap.
        /// Strings sort ordinally, so that every machine agrees.</remarks>
        /// <param name="descending">True for the largest first.</param>
        /// <param name="partitions">Output partitions; 0 takes as many as the input has, or the default parallelism if that is set.</param>
        /// <param name="comparer">The order of keys; null takes the natural one.</param>
        /// <exception cref="NotSupportedException">The key type has no order and no comparer was given.</exception>
        public Rdd<(TKey Key, TValue Value)> SortByKey(bool descending = false, int partitions = 0, IComparer<TKey>? comparer = null) =>
            new SortedRdd<(TKey Key, TValue Value), TKey>(
                "SortByKey", rdd, static pair => pair.Key, Count(rdd, partitions), new KeyOrder<TKey>(descending, comparer), keyed: true, null);

        /// <summary>Moves pairs to where a partitioner places their keys and sorts each partition by key, within the shuffle.</summary>
        /// <remarks>Transformation, wide. Cheaper than <c>PartitionBy</c> and a sort of each partition.</remarks>
        /// <param name="partitioner">Places the keys.</param>
        /// <param name="descending">True for the largest first.</param>
        /// <param name="comparer">The order of keys; null takes the natural one.</param>
        public Rdd<(TKey Key, TValue Value)> RepartitionAndSortWithinPartitions(
            Partitioner<TKey> partitioner, bool descending = false, IComparer<TKey>? comparer = null)
        {
            ArgumentNullException.ThrowIfNull(partitioner);
            return new SortedWithinRdd<TKey, TValue>(rdd, partitioner, new KeyOrder<TKey>(descending, comparer));
        }

        /// <summary>Keeps the pairs whose key lies in a range, both ends included.</summary>
        /// <remarks>Transformation, narrow. After a sort by key only the partitions that can hold such keys are read.</remarks>
        /// <param name="low">Smallest key.</param>
        /// <param name="high">Largest key.</param>
        public Rdd<(TKey Key, TValue Value)> FilterByRange(TKey low, TKey high)
        {
            var order = rdd.Partitioner is RangePartitioner<TKey> { Order: var placed } ? placed : new KeyOrder<TKey>(false);
            var (first, last) = order.Descending ? (high, low) : (low, high);
            var kept = rdd.Partitioner is RangePartitioner<TKey> ranges
                ? new PrunedRdd<(TKey Key, TValue Value)>(
                    "FilterByRange", rdd, index => index >= ranges.PartitionOf(first) && index <= ranges.PartitionOf(last))
                : rdd;
            return kept.Filter(pair => order.Compare(pair.Key, first) >= 0 && order.Compare(pair.Key, last) <= 0);
        }
    }

    private static int Count(Rdd rdd, int partitions)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(partitions);
        return partitions > 0 ? partitions : rdd.Context.Options.DefaultParallelism ?? Math.Max(1, rdd.PartitionCount);
    }
}
