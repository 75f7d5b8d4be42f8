using Dataflow.Closures;
using Dataflow.Shuffle;

namespace Dataflow;

// Verbs that join by key.
public static partial class PairRdd
{
    extension<TKey, TValue>(Rdd<(TKey Key, TValue Value)> rdd)
    {
        /// <summary>Pairs the values of each key that both Rdds have: one row for each combination. LINQ's Join takes key selectors; this joins pairs.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already; two inputs with equal partitioners join without a
        /// shuffle. The smaller side of a hash range is held in a table.</remarks>
        /// <typeparam name="TOther">Type of the other's values.</typeparam>
        /// <param name="other">Of the same context.</param>
        /// <param name="partitions">Output partitions; 0 keeps an input's placement, or takes as many as the largest input has.</param>
        public Rdd<(TKey Key, (TValue Left, TOther Right) Value)> Join<TOther>(Rdd<(TKey Key, TOther Value)> other, int partitions = 0)
        {
            rdd.Own(other);
            return rdd.Join(other, Placement.Choose<TKey>(partitions, rdd, other));
        }

        /// <summary>As <c>Join(other)</c>, with a placement of one's own.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already.</remarks>
        /// <typeparam name="TOther">Type of the other's values.</typeparam>
        /// <param name="other">Of the same context.</param>
        /// <param name="partitioner">Places the keys of the result.</param>
        public Rdd<(TKey Key, (TValue Left, TOther Right) Value)> Join<TOther>(Rdd<(TKey Key, TOther Value)> other, Partitioner<TKey> partitioner) =>
            Joined("Join", rdd, other, partitioner, new JoinRows<TKey, TValue, TOther, (TKey Key, (TValue Left, TOther Right) Value)>(
                static (key, left, right) => (key, (left, right)), null, null));

        /// <summary>As <c>Join(other)</c>, with one value made of the two of each row.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already.</remarks>
        /// <typeparam name="TOther">Type of the other's values.</typeparam>
        /// <typeparam name="TOut">Type of the values of the result.</typeparam>
        /// <param name="other">Of the same context.</param>
        /// <param name="select">Makes a value of this Rdd's and the other's.</param>
        /// <param name="partitions">Output partitions; 0 keeps an input's placement, or takes as many as the largest input has.</param>
        public Rdd<(TKey Key, TOut Value)> Join<TOther, TOut>(Rdd<(TKey Key, TOther Value)> other, Func<TValue, TOther, TOut> select, int partitions = 0)
        {
            rdd.Own(other);
            return rdd.Join(other, select, Placement.Choose<TKey>(partitions, rdd, other));
        }

        /// <summary>As <c>Join(other, select)</c>, with a placement of one's own.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already.</remarks>
        /// <typeparam name="TOther">Type of the other's values.</typeparam>
        /// <typeparam name="TOut">Type of the values of the result.</typeparam>
        /// <param name="other">Of the same context.</param>
        /// <param name="select">Makes a value of this Rdd's and the other's.</param>
        /// <param name="partitioner">Places the keys of the result.</param>
        public Rdd<(TKey Key, TOut Value)> Join<TOther, TOut>(
            Rdd<(TKey Key, TOther Value)> other, Func<TValue, TOther, TOut> select, Partitioner<TKey> partitioner)
        {
            ClosureGuard.Check(select, "Join");
            return Joined("Join", rdd, other, partitioner, new JoinRows<TKey, TValue, TOther, (TKey Key, TOut Value)>(
                (key, left, right) => (key, select(left, right)), null, null), select);
        }

        /// <summary>As <c>Join</c>, and a row for each pair of this Rdd whose key the other does not have.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already.</remarks>
        /// <typeparam name="TOther">Type of the other's values.</typeparam>
        /// <param name="other">Of the same context.</param>
        /// <param name="partitions">Output partitions; 0 keeps an input's placement, or takes as many as the largest input has.</param>
        public Rdd<(TKey Key, (TValue Left, Optional<TOther> Right) Value)> LeftOuterJoin<TOther>(
            Rdd<(TKey Key, TOther Value)> other, int partitions = 0)
        {
            rdd.Own(other);
            return rdd.LeftOuterJoin(other, Placement.Choose<TKey>(partitions, rdd, other));
        }

        /// <summary>As <c>LeftOuterJoin(other)</c>, with a placement of one's own.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already.</remarks>
        /// <typeparam name="TOther">Type of the other's values.</typeparam>
        /// <param name="other">Of the same context.</param>
        /// <param name="partitioner">Places the keys of the result.</param>
        public Rdd<(TKey Key, (TValue Left, Optional<TOther> Right) Value)> LeftOuterJoin<TOther>(
            Rdd<(TKey Key, TOther Value)> other, Partitioner<TKey> partitioner) =>
            Joined("LeftOuterJoin", rdd, other, partitioner,
                new JoinRows<TKey, TValue, TOther, (TKey Key, (TValue Left, Optional<TOther> Right) Value)>(
                    static (key, left, right) => (key, (left, new Optional<TOther>(true, right))),
                    static (key, left) => (key, (left, Optional<TOther>.None)),
                    null));

        /// <summary>As <c>Join</c>, and a row for each pair of the other Rdd whose key this one does not have.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already.</remarks>
        /// <typeparam name="TOther">Type of the other's values.</typeparam>
        /// <param name="other">Of the same context.</param>
        /// <param name="partitions">Output partitions; 0 keeps an input's placement, or takes as many as the largest input has.</param>
        public Rdd<(TKey Key, (Optional<TValue> Left, TOther Right) Value)> RightOuterJoin<TOther>(
            Rdd<(TKey Key, TOther Value)> other, int partitions = 0)
        {
            rdd.Own(other);
            return rdd.RightOuterJoin(other, Placement.Choose<TKey>(partitions, rdd, other));
        }

        /// <summary>As <c>RightOuterJoin(other)</c>, with a placement of one's own.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already.</remarks>
        /// <typeparam name="TOther">Type of the other's values.</typeparam>
        /// <param name="other">Of the same context.</param>
        /// <param name="partitioner">Places the keys of the result.</param>
        public Rdd<(TKey Key, (Optional<TValue> Left, TOther Right) Value)> RightOuterJoin<TOther>(
            Rdd<(TKey Key, TOther Value)> other, Partitioner<TKey> partitioner) =>
            Joined("RightOuterJoin", rdd, other, partitioner,
                new JoinRows<TKey, TValue, TOther, (TKey Key, (Optional<TValue> Left, TOther Right) Value)>(
                    static (key, left, right) => (key, (new Optional<TValue>(true, left), right)),
                    null,
                    static (key, right) => (key, (Optional<TValue>.None, right))));

        /// <summary>As <c>Join</c>, and a row for each pair of either Rdd whose key the other one does not have.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already.</remarks>
        /// <typeparam name="TOther">Type of the other's values.</typeparam>
        /// <param name="other">Of the same context.</param>
        /// <param name="partitions">Output partitions; 0 keeps an input's placement, or takes as many as the largest input has.</param>
        public Rdd<(TKey Key, (Optional<TValue> Left, Optional<TOther> Right) Value)> FullOuterJoin<TOther>(
            Rdd<(TKey Key, TOther Value)> other, int partitions = 0)
        {
            rdd.Own(other);
            return rdd.FullOuterJoin(other, Placement.Choose<TKey>(partitions, rdd, other));
        }

        /// <summary>As <c>FullOuterJoin(other)</c>, with a placement of one's own.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already.</remarks>
        /// <typeparam name="TOther">Type of the other's values.</typeparam>
        /// <param name="other">Of the same context.</param>
        /// <param name="partitioner">Places the keys of the result.</param>
        public Rdd<(TKey Key, (Optional<TValue> Left, Optional<TOther> Right) Value)> FullOuterJoin<TOther>(
            Rdd<(TKey Key, TOther Value)> other, Partitioner<TKey> partitioner) =>
            Joined("FullOuterJoin", rdd, other, partitioner,
                new JoinRows<TKey, TValue, TOther, (TKey Key, (Optional<TValue> Left, Optional<TOther> Right) Value)>(
                    static (key, left, right) => (key, (new Optional<TValue>(true, left), new Optional<TOther>(true, right))),
                    static (key, left) => (key, (new Optional<TValue>(true, left), Optional<TOther>.None)),
                    static (key, right) => (key, (Optional<TValue>.None, new Optional<TOther>(true, right)))));

        /// <summary>The pairs whose key the other Rdd does not have.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already. This Rdd's placement is kept where it has one.</remarks>
        /// <typeparam name="TOther">Type of the other's values.</typeparam>
        /// <param name="other">Of the same context.</param>
        /// <param name="partitions">Output partitions; 0 keeps this Rdd's placement, or takes as many as the largest input has.</param>
        public Rdd<(TKey Key, TValue Value)> SubtractByKey<TOther>(Rdd<(TKey Key, TOther Value)> other, int partitions = 0)
        {
            rdd.Own(other);
            return rdd.SubtractByKey(
                other, partitions == 0 && rdd.Partitioner is Partitioner<TKey> own ? own : Placement.Choose<TKey>(partitions, rdd, other));
        }

        /// <summary>As <c>SubtractByKey(other)</c>, with a placement of one's own.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already.</remarks>
        /// <typeparam name="TOther">Type of the other's values.</typeparam>
        /// <param name="other">Of the same context.</param>
        /// <param name="partitioner">Places the keys of the result.</param>
        public Rdd<(TKey Key, TValue Value)> SubtractByKey<TOther>(Rdd<(TKey Key, TOther Value)> other, Partitioner<TKey> partitioner) =>
            Joined("SubtractByKey", rdd, other, partitioner,
                new JoinRows<TKey, TValue, TOther, (TKey Key, TValue Value)>(null, static (key, left) => (key, left), null));
    }

    private static CoGroupedRdd<TKey, TLeft, TRight, TRow> Joined<TKey, TLeft, TRight, TRow>(
        string operation,
        Rdd<(TKey Key, TLeft Value)> left,
        Rdd<(TKey Key, TRight Value)> right,
        Partitioner<TKey> partitioner,
        JoinRows<TKey, TLeft, TRight, TRow> rows,
        Delegate? lambda = null)
    {
        ArgumentNullException.ThrowIfNull(right);
        return new CoGroupedRdd<TKey, TLeft, TRight, TRow>(
            operation, left, right, partitioner, (l, r, context) => new JoinReader<TKey, TLeft, TRight, TRow>(l, r, rows, context), lambda);
    }
}
