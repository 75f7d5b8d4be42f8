using Dataflow.Closures;
using Dataflow.Shuffle;

namespace Dataflow;

/// <summary>The verbs of keyed Rdds: Rdds of (key, value) tuples.</summary>
/// <remarks>
/// Where a verb takes <c>partitions</c>, 0 means: keep the placement of an input that has enough partitions, or else hash over as many
/// as <see cref="DataflowOptions.DefaultParallelism"/> says or, if that is not set, as the largest input has. A union
/// counts as the largest of its own inputs, or as many as tasks run at once. Keys must be of a type that hashes alike in every process; the verb
/// refuses others when it is called.
/// </remarks>
public static partial class PairRdd
{
    extension<TKey, TValue>(Rdd<(TKey Key, TValue Value)> rdd)
    {
        /// <summary>Merges the values of each key with <paramref name="merge"/>, first inside each partition, then across them.</summary>
        /// <remarks>Transformation, wide: shuffles at most (distinct keys x input partitions) pairs. Narrow if already placed.</remarks>
        /// <param name="merge">Associative and commutative. It may be called in any order, and again when a task is retried. It may change its
        /// first argument and give it back.</param>
        /// <param name="partitions">Output partitions; 0 keeps an input's placement, or takes as many as the largest input has.</param>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="partitions"/> is negative.</exception>
        public Rdd<(TKey Key, TValue Value)> ReduceByKey(Func<TValue, TValue, TValue> merge, int partitions = 0) =>
            rdd.ReduceByKey(merge, Placement.Choose<TKey>(partitions, rdd));

        /// <summary>As <c>ReduceByKey(merge)</c>, with a placement of one's own.</summary>
        /// <remarks>Transformation, wide; narrow if already placed by an equal partitioner.</remarks>
        /// <param name="merge">Associative and commutative. It may be called in any order, and again when a task is retried. It may change its
        /// first argument and give it back.</param>
        /// <param name="partitioner">Places the keys of the result.</param>
        public Rdd<(TKey Key, TValue Value)> ReduceByKey(Func<TValue, TValue, TValue> merge, Partitioner<TKey> partitioner)
        {
            ClosureGuard.Check(merge, "ReduceByKey");
            return Combine(rdd, "ReduceByKey", Aggregator.Merging(merge), partitioner, mapSideCombine: true, merge);
        }

        /// <summary>Folds the values of each key, starting from a neutral element.</summary>
        /// <remarks>Transformation, wide. The neutral element is copied for each key and partition.</remarks>
        /// <param name="zero">Neutral: merging it changes nothing.</param>
        /// <param name="merge">Associative and commutative.</param>
        /// <param name="partitions">Output partitions; 0 keeps an input's placement, or takes as many as the largest input has.</param>
        public Rdd<(TKey Key, TValue Value)> FoldByKey(TValue zero, Func<TValue, TValue, TValue> merge, int partitions = 0) =>
            rdd.FoldByKey(zero, merge, Placement.Choose<TKey>(partitions, rdd));

        /// <summary>As <c>FoldByKey(zero, merge)</c>, with a placement of one's own.</summary>
        /// <remarks>Transformation, wide; narrow if already placed by an equal partitioner.</remarks>
        /// <param name="zero">Neutral: merging it changes nothing.</param>
        /// <param name="merge">Associative and commutative.</param>
        /// <param name="partitioner">Places the keys of the result.</param>
        public Rdd<(TKey Key, TValue Value)> FoldByKey(TValue zero, Func<TValue, TValue, TValue> merge, Partitioner<TKey> partitioner)
        {
            ClosureGuard.Check(merge, "FoldByKey");
            var copies = new SeedCopies<TValue>(zero);
            var aggregator = new Aggregator<TValue, TValue>(value => merge(copies.Next(), value), merge, merge);
            return Combine(rdd, "FoldByKey", aggregator, partitioner, mapSideCombine: true, merge);
        }

        /// <summary>Folds the values of each key into an accumulator of another type.</summary>
        /// <remarks>Transformation, wide. The seed is copied for each key and partition, so it may be a mutable object.</remarks>
        /// <typeparam name="TAccumulate">Type of the accumulator.</typeparam>
        /// <param name="seed">The empty accumulator.</param>
        /// <param name="update">Adds a value to an accumulator and gives it back.</param>
        /// <param name="merge">Adds an accumulator to another and gives it back.</param>
        /// <param name="partitions">Output partitions; 0 keeps an input's placement, or takes as many as the largest input has.</param>
        public Rdd<(TKey Key, TAccumulate Value)> AggregateByKey<TAccumulate>(
            TAccumulate seed,
            Func<TAccumulate, TValue, TAccumulate> update,
            Func<TAccumulate, TAccumulate, TAccumulate> merge,
            int partitions = 0) => rdd.AggregateByKey(seed, update, merge, Placement.Choose<TKey>(partitions, rdd));

        /// <summary>As <c>AggregateByKey(seed, update, merge)</c>, with a placement of one's own.</summary>
        /// <remarks>Transformation, wide; narrow if already placed by an equal partitioner.</remarks>
        /// <typeparam name="TAccumulate">Type of the accumulator.</typeparam>
        /// <param name="seed">The empty accumulator.</param>
        /// <param name="update">Adds a value to an accumulator and gives it back.</param>
        /// <param name="merge">Adds an accumulator to another and gives it back.</param>
        /// <param name="partitioner">Places the keys of the result.</param>
        public Rdd<(TKey Key, TAccumulate Value)> AggregateByKey<TAccumulate>(
            TAccumulate seed,
            Func<TAccumulate, TValue, TAccumulate> update,
            Func<TAccumulate, TAccumulate, TAccumulate> merge,
            Partitioner<TKey> partitioner)
        {
            ClosureGuard.Check(update, "AggregateByKey");
            ClosureGuard.Check(merge, "AggregateByKey");
            var copies = new SeedCopies<TAccumulate>(seed);
            var aggregator = new Aggregator<TValue, TAccumulate>(value => update(copies.Next(), value), update, merge);
            return Combine(rdd, "AggregateByKey", aggregator, partitioner, mapSideCombine: true, update);
        }

        /// <summary>Combines the values of each key: the base of the verbs above.</summary>
        /// <remarks>Transformation, wide; narrow if already placed by an equal partitioner.</remarks>
        /// <typeparam name="TCombined">Type of the combined values.</typeparam>
        /// <param name="create">Makes a combined value of the first value of a key.</param>
        /// <param name="mergeValue">Adds a value to a combined one and gives it back.</param>
        /// <param name="mergeCombined">Adds a combined value to another and gives it back.</param>
        /// <param name="partitioner">Places the keys of the result; null chooses.</param>
        /// <param name="mapSideCombine">Whether values are combined before they are shuffled. It turns itself off where it does not reduce.</param>
        public Rdd<(TKey Key, TCombined Value)> CombineByKey<TCombined>(
            Func<TValue, TCombined> create,
            Func<TCombined, TValue, TCombined> mergeValue,
            Func<TCombined, TCombined, TCombined> mergeCombined,
            Partitioner<TKey>? partitioner = null,
            bool mapSideCombine = true)
        {
            ClosureGuard.Check(create, "CombineByKey");
            ClosureGuard.Check(mergeValue, "CombineByKey");
            ClosureGuard.Check(mergeCombined, "CombineByKey");
            return Combine(
                rdd, "CombineByKey", new Aggregator<TValue, TCombined>(create, mergeValue, mergeCombined),
                partitioner ?? Placement.Choose<TKey>(0, rdd), mapSideCombine, create);
        }

        /// <summary>As <c>CombineByKey(create, mergeValue, mergeCombined)</c>, over a number of partitions.</summary>
        /// <remarks>Transformation, wide; narrow if already placed over as many partitions.</remarks>
        /// <typeparam name="TCombined">Type of the combined values.</typeparam>
        /// <param name="create">Makes a combined value of the first value of a key.</param>
        /// <param name="mergeValue">Adds a value to a combined one and gives it back.</param>
        /// <param name="mergeCombined">Adds a combined value to another and gives it back.</param>
        /// <param name="partitions">Output partitions; 0 keeps this Rdd's placement, or takes as many as it has.</param>
        public Rdd<(TKey Key, TCombined Value)> CombineByKey<TCombined>(
            Func<TValue, TCombined> create, Func<TCombined, TValue, TCombined> mergeValue, Func<TCombined, TCombined, TCombined> mergeCombined, int partitions) =>
            rdd.CombineByKey(create, mergeValue, mergeCombined, Placement.Choose<TKey>(partitions, rdd));

        /// <summary>Moves each pair to where a partitioner places its key.</summary>
        /// <remarks>Transformation, wide: shuffles every pair. Gives this Rdd itself if it is placed so already.</remarks>
        /// <param name="partitioner">Places the keys.</param>
        public Rdd<(TKey Key, TValue Value)> PartitionBy(Partitioner<TKey> partitioner)
        {
            ArgumentNullException.ThrowIfNull(partitioner);
            return partitioner.Equals(rdd.Partitioner) ? rdd : new ShuffledRdd<TKey, TValue>("PartitionBy", rdd, partitioner);
        }
    }

    internal static Rdd<(TKey Key, TCombined Value)> Combine<TKey, TValue, TCombined>(
        Rdd<(TKey Key, TValue Value)> rdd,
        string operation,
        Aggregator<TValue, TCombined> aggregator,
        Partitioner<TKey> partitioner,
        bool mapSideCombine,
        Delegate lambda)
    {
        ArgumentNullException.ThrowIfNull(partitioner);
        Placement.CheckKey<TKey>();

        // Keys that already sit where this partitioner would put them need no shuffle at all.
        if (partitioner.Equals(rdd.Partitioner))
        {
            return new MapPartitionsRdd<(TKey Key, TValue Value), (TKey Key, TCombined Value)>(
                rdd, operation, (_, reader, context) => HashAggregation.Combine(reader, aggregator, context), keepsPartitioner: true, lambda);
        }
        return new AggregatedRdd<TKey, TValue, TCombined>(operation, rdd, partitioner, aggregator, mapSideCombine, lambda);
    }
}
