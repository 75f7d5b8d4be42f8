using Dataflow.Shuffle;

namespace Dataflow;

// Verbs that bring the pairs of one key together.
public static partial class PairRdd
{
    extension<TKey, TValue>(Rdd<(TKey Key, TValue Value)> rdd)
    {
        /// <summary>Gathers the values of each key. <c>ReduceByKey</c> or <c>AggregateByKey</c> move far less where they can say the same.</summary>
        /// <remarks>Transformation, wide: shuffles every pair; narrow if already placed. All values of one key must fit one task's memory.
        /// The values of a key are in the order of the input.</remarks>
        /// <param name="partitions">Output partitions; 0 chooses.</param>
        public Rdd<(TKey Key, IReadOnlyList<TValue> Value)> GroupByKey(int partitions = 0) =>
            rdd.GroupByKey(Placement.Choose<TKey>(partitions, rdd));

        /// <summary>As <c>GroupByKey()</c>, with a placement of one's own.</summary>
        /// <remarks>Transformation, wide; narrow if already placed by an equal partitioner.</remarks>
        /// <param name="partitioner">Places the keys of the result.</param>
        public Rdd<(TKey Key, IReadOnlyList<TValue> Value)> GroupByKey(Partitioner<TKey> partitioner) =>
            new CoGroupedRdd<TKey, TValue, Nothing, (TKey Key, IReadOnlyList<TValue> Value)>(
                "GroupByKey", rdd, null, partitioner, static (left, right, context) =>
                    new CoGroupReader<TKey, TValue, Nothing, (TKey Key, IReadOnlyList<TValue> Value)>(
                        left, right, static (key, values, _) => (key, values), context));

        /// <summary>Gathers the values of each key of two Rdds.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already. All values of one key must fit one task's memory.</remarks>
        /// <typeparam name="TOther">Type of the other's values.</typeparam>
        /// <param name="other">Of the same context.</param>
        /// <param name="partitions">Output partitions; 0 chooses.</param>
        public Rdd<(TKey Key, (IReadOnlyList<TValue> Left, IReadOnlyList<TOther> Right) Value)> CoGroup<TOther>(
            Rdd<(TKey Key, TOther Value)> other, int partitions = 0)
        {
            rdd.Own(other);
            return rdd.CoGroup(other, Placement.Choose<TKey>(partitions, rdd, other));
        }

        /// <summary>As <c>CoGroup(other)</c>, with a placement of one's own.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already.</remarks>
        /// <typeparam name="TOther">Type of the other's values.</typeparam>
        /// <param name="other">Of the same context.</param>
        /// <param name="partitioner">Places the keys of the result.</param>
        public Rdd<(TKey Key, (IReadOnlyList<TValue> Left, IReadOnlyList<TOther> Right) Value)> CoGroup<TOther>(
            Rdd<(TKey Key, TOther Value)> other, Partitioner<TKey> partitioner)
        {
            rdd.Own(other);
            return new CoGroupedRdd<TKey, TValue, TOther, (TKey Key, (IReadOnlyList<TValue> Left, IReadOnlyList<TOther> Right) Value)>(
                "CoGroup", rdd, other, partitioner, static (left, right, context) =>
                    new CoGroupReader<TKey, TValue, TOther, (TKey Key, (IReadOnlyList<TValue> Left, IReadOnlyList<TOther> Right) Value)>(
                        left, right, static (key, lefts, rights) => (key, (lefts, rights)), context));
        }

        /// <summary>Gathers the values of each key of three Rdds.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already.</remarks>
        /// <typeparam name="T2">Type of the second's values.</typeparam>
        /// <typeparam name="T3">Type of the third's values.</typeparam>
        /// <param name="second">Of the same context.</param>
        /// <param name="third">Of the same context.</param>
        /// <param name="partitions">Output partitions; 0 chooses.</param>
        public Rdd<(TKey Key, (IReadOnlyList<TValue> First, IReadOnlyList<T2> Second, IReadOnlyList<T3> Third) Value)> CoGroup<T2, T3>(
            Rdd<(TKey Key, T2 Value)> second, Rdd<(TKey Key, T3 Value)> third, int partitions = 0)
        {
            using var scope = CallSite.Open("CoGroup");
            var partitioner = Placement.Choose<TKey>(partitions, rdd, second, third);
            return rdd.CoGroup(second, partitioner).CoGroup(third, partitioner).MapValues(static groups =>
            {
                var (first, others) = groups.Left.Count > 0 ? groups.Left[0] : ([], []);
                return (first, others, groups.Right);
            });
        }

        /// <summary>Gathers the values of each key of four Rdds.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already.</remarks>
        /// <typeparam name="T2">Type of the second's values.</typeparam>
        /// <typeparam name="T3">Type of the third's values.</typeparam>
        /// <typeparam name="T4">Type of the fourth's values.</typeparam>
        /// <param name="second">Of the same context.</param>
        /// <param name="third">Of the same context.</param>
        /// <param name="fourth">Of the same context.</param>
        /// <param name="partitions">Output partitions; 0 chooses.</param>
        public Rdd<(TKey Key, (IReadOnlyList<TValue> First, IReadOnlyList<T2> Second, IReadOnlyList<T3> Third, IReadOnlyList<T4> Fourth) Value)>
            CoGroup<T2, T3, T4>(Rdd<(TKey Key, T2 Value)> second, Rdd<(TKey Key, T3 Value)> third, Rdd<(TKey Key, T4 Value)> fourth, int partitions = 0)
        {
            using var scope = CallSite.Open("CoGroup");
            var partitioner = Placement.Choose<TKey>(partitions, rdd, second, third, fourth);
            return rdd.CoGroup(second, partitioner).CoGroup(third.CoGroup(fourth, partitioner), partitioner).MapValues(static groups =>
            {
                var (first, second) = groups.Left.Count > 0 ? groups.Left[0] : ([], []);
                var (third, fourth) = groups.Right.Count > 0 ? groups.Right[0] : ([], []);
                return (first, second, third, fourth);
            });
        }

        /// <summary>Pairs the values of each key that both Rdds have: one row for each combination. LINQ's Join takes key selectors; this joins pairs.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already; two inputs with equal partitioners join without a
        /// shuffle. The smaller side of a hash range is held in a table.</remarks>
        /// <typeparam name="TOther">Type of the other's values.</typeparam>
        /// <param name="other">Of the same context.</param>
        /// <param name="partitions">Output partitions; 0 chooses.</param>
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

        /// <summary>As <c>Join</c>, and a row for each pair of this Rdd whose key the other does not have.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already.</remarks>
        /// <typeparam name="TOther">Type of the other's values.</typeparam>
        /// <param name="other">Of the same context.</param>
        /// <param name="partitions">Output partitions; 0 chooses.</param>
        public Rdd<(TKey Key, (TValue Left, Optional<TOther> Right) Value)> LeftOuterJoin<TOther>(
            Rdd<(TKey Key, TOther Value)> other, int partitions = 0)
        {
            rdd.Own(other);
            return Joined("LeftOuterJoin", rdd, other, Placement.Choose<TKey>(partitions, rdd, other),
                new JoinRows<TKey, TValue, TOther, (TKey Key, (TValue Left, Optional<TOther> Right) Value)>(
                    static (key, left, right) => (key, (left, new Optional<TOther>(true, right))),
                    static (key, left) => (key, (left, Optional<TOther>.None)),
                    null));
        }

        /// <summary>As <c>Join</c>, and a row for each pair of the other Rdd whose key this one does not have.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already.</remarks>
        /// <typeparam name="TOther">Type of the other's values.</typeparam>
        /// <param name="other">Of the same context.</param>
        /// <param name="partitions">Output partitions; 0 chooses.</param>
        public Rdd<(TKey Key, (Optional<TValue> Left, TOther Right) Value)> RightOuterJoin<TOther>(
            Rdd<(TKey Key, TOther Value)> other, int partitions = 0)
        {
            rdd.Own(other);
            return Joined("RightOuterJoin", rdd, other, Placement.Choose<TKey>(partitions, rdd, other),
                new JoinRows<TKey, TValue, TOther, (TKey Key, (Optional<TValue> Left, TOther Right) Value)>(
                    static (key, left, right) => (key, (new Optional<TValue>(true, left), right)),
                    null,
                    static (key, right) => (key, (Optional<TValue>.None, right))));
        }

        /// <summary>As <c>Join</c>, and a row for each pair of either Rdd whose key the other one does not have.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already.</remarks>
        /// <typeparam name="TOther">Type of the other's values.</typeparam>
        /// <param name="other">Of the same context.</param>
        /// <param name="partitions">Output partitions; 0 chooses.</param>
        public Rdd<(TKey Key, (Optional<TValue> Left, Optional<TOther> Right) Value)> FullOuterJoin<TOther>(
            Rdd<(TKey Key, TOther Value)> other, int partitions = 0)
        {
            rdd.Own(other);
            return Joined("FullOuterJoin", rdd, other, Placement.Choose<TKey>(partitions, rdd, other),
                new JoinRows<TKey, TValue, TOther, (TKey Key, (Optional<TValue> Left, Optional<TOther> Right) Value)>(
                    static (key, left, right) => (key, (new Optional<TValue>(true, left), new Optional<TOther>(true, right))),
                    static (key, left) => (key, (new Optional<TValue>(true, left), Optional<TOther>.None)),
                    static (key, right) => (key, (Optional<TValue>.None, new Optional<TOther>(true, right)))));
        }

        /// <summary>The pairs whose key the other Rdd does not have.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already. This Rdd's placement is kept where it has one.</remarks>
        /// <typeparam name="TOther">Type of the other's values.</typeparam>
        /// <param name="other">Of the same context.</param>
        /// <param name="partitions">Output partitions; 0 keeps this Rdd's placement, or else chooses.</param>
        public Rdd<(TKey Key, TValue Value)> SubtractByKey<TOther>(Rdd<(TKey Key, TOther Value)> other, int partitions = 0)
        {
            rdd.Own(other);
            var partitioner = partitions == 0 && rdd.Partitioner is Partitioner<TKey> own ? own : Placement.Choose<TKey>(partitions, rdd, other);
            return Joined("SubtractByKey", rdd, other, partitioner,
                new JoinRows<TKey, TValue, TOther, (TKey Key, TValue Value)>(null, static (key, left) => (key, left), null));
        }
    }

    private static CoGroupedRdd<TKey, TLeft, TRight, TRow> Joined<TKey, TLeft, TRight, TRow>(
        string operation,
        Rdd<(TKey Key, TLeft Value)> left,
        Rdd<(TKey Key, TRight Value)> right,
        Partitioner<TKey> partitioner,
        JoinRows<TKey, TLeft, TRight, TRow> rows)
    {
        ArgumentNullException.ThrowIfNull(right);
        return new CoGroupedRdd<TKey, TLeft, TRight, TRow>(
            operation, left, right, partitioner, (l, r, context) => new JoinReader<TKey, TLeft, TRight, TRow>(l, r, rows, context));
    }
}
