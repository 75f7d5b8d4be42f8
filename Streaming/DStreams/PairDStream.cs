namespace Dataflow.Streaming.DStreams;

/// <summary>Verbs of streams of pairs: those of <see cref="PairRdd"/>, for each Rdd.</summary>
public static partial class PairDStream
{
    extension<TKey, TValue>(DStream<(TKey Key, TValue Value)> stream)
    {
        /// <summary>The values of each key.</summary>
        /// <param name="partitions">Of the result; 0 takes the default parallelism.</param>
        public DStream<(TKey Key, IReadOnlyList<TValue> Value)> GroupByKey(int partitions = 0)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(partitions);
            return stream.Derive("GroupByKey", rdd => rdd.GroupByKey(partitions));
        }

        /// <summary>Merges the values of each key.</summary>
        /// <param name="merge">Associative and commutative.</param>
        /// <param name="partitions">Of the result; 0 takes the default parallelism.</param>
        public DStream<(TKey Key, TValue Value)> ReduceByKey(Func<TValue, TValue, TValue> merge, int partitions = 0)
        {
            ArgumentNullException.ThrowIfNull(merge);
            ArgumentOutOfRangeException.ThrowIfNegative(partitions);
            return stream.Derive("ReduceByKey", rdd => rdd.ReduceByKey(merge, partitions));
        }

        /// <summary>Gathers the values of each key in something else.</summary>
        /// <param name="create">Begins with a value.</param>
        /// <param name="add">Adds a value.</param>
        /// <param name="merge">Merges two.</param>
        /// <param name="partitions">Of the result; 0 takes the default parallelism.</param>
        public DStream<(TKey Key, TCombined Value)> CombineByKey<TCombined>(
            Func<TValue, TCombined> create, Func<TCombined, TValue, TCombined> add, Func<TCombined, TCombined, TCombined> merge, int partitions = 0)
        {
            ArgumentNullException.ThrowIfNull(create);
            ArgumentNullException.ThrowIfNull(add);
            ArgumentNullException.ThrowIfNull(merge);
            ArgumentOutOfRangeException.ThrowIfNegative(partitions);
            return stream.Derive("CombineByKey", rdd => rdd.CombineByKey(create, add, merge, partitions));
        }

        /// <summary>One value for each; keys stay where they are.</summary>
        /// <param name="selector">Makes it.</param>
        public DStream<(TKey Key, TOut Value)> MapValues<TOut>(Func<TValue, TOut> selector)
        {
            ArgumentNullException.ThrowIfNull(selector);
            return stream.Derive("MapValues", rdd => rdd.MapValues(selector));
        }

        /// <summary>Any number of values for each; keys stay where they are.</summary>
        /// <param name="selector">Makes them.</param>
        public DStream<(TKey Key, TOut Value)> FlatMapValues<TOut>(Func<TValue, IEnumerable<TOut>> selector)
        {
            ArgumentNullException.ThrowIfNull(selector);
            return stream.Derive("FlatMapValues", rdd => rdd.FlatMapValues(selector));
        }

        /// <summary>The values of each key in both, for each time.</summary>
        /// <param name="other">Of the same context, with the same interval or slide.</param>
        /// <param name="partitions">Of the result; 0 takes as many as the larger has.</param>
        public DStream<(TKey Key, (IReadOnlyList<TValue> Left, IReadOnlyList<TOther> Right) Value)> CoGroup<TOther>(DStream<(TKey Key, TOther Value)> other, int partitions = 0) =>
            stream.With(other, "CoGroup", (left, right, _) => left.CoGroup(right, partitions));

        /// <summary>Pairs of values of keys that both have, for each time.</summary>
        /// <inheritdoc cref="CoGroup{TKey, TValue, TOther}"/>
        public DStream<(TKey Key, (TValue Left, TOther Right) Value)> Join<TOther>(DStream<(TKey Key, TOther Value)> other, int partitions = 0) =>
            stream.With(other, "Join", (left, right, _) => left.Join(right, partitions));

        /// <summary>Pairs of values of the left one's keys, for each time.</summary>
        /// <inheritdoc cref="CoGroup{TKey, TValue, TOther}"/>
        public DStream<(TKey Key, (TValue Left, Optional<TOther> Right) Value)> LeftOuterJoin<TOther>(DStream<(TKey Key, TOther Value)> other, int partitions = 0) =>
            stream.With(other, "LeftOuterJoin", (left, right, _) => left.LeftOuterJoin(right, partitions));

        /// <summary>Pairs of values of the right one's keys, for each time.</summary>
        /// <inheritdoc cref="CoGroup{TKey, TValue, TOther}"/>
        public DStream<(TKey Key, (Optional<TValue> Left, TOther Right) Value)> RightOuterJoin<TOther>(DStream<(TKey Key, TOther Value)> other, int partitions = 0) =>
            stream.With(other, "RightOuterJoin", (left, right, _) => left.RightOuterJoin(right, partitions));

        /// <summary>Pairs of values of all keys, for each time.</summary>
        /// <inheritdoc cref="CoGroup{TKey, TValue, TOther}"/>
        public DStream<(TKey Key, (Optional<TValue> Left, Optional<TOther> Right) Value)> FullOuterJoin<TOther>(DStream<(TKey Key, TOther Value)> other, int partitions = 0) =>
            stream.With(other, "FullOuterJoin", (left, right, _) => left.FullOuterJoin(right, partitions));
    }
}
