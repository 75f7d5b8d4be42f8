using Dataflow.Shuffle;

namespace Dataflow;

// Verbs that gather the values of each key.
public static partial class PairRdd
{
    extension<TKey, TValue>(Rdd<(TKey Key, TValue Value)> rdd)
    {
        /// <summary>Gathers the values of each key. <c>ReduceByKey</c> or <c>AggregateByKey</c> move far less where they can say the same.</summary>
        /// <remarks>Transformation, wide: shuffles every pair; narrow if already placed. All values of one key must fit one task's memory.
        /// The values of a key are in the order of the input.</remarks>
        /// <param name="partitions">Output partitions; 0 keeps an input's placement, or takes as many as the largest input has.</param>
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
        /// <param name="partitions">Output partitions; 0 keeps an input's placement, or takes as many as the largest input has.</param>
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
        /// <param name="partitions">Output partitions; 0 keeps an input's placement, or takes as many as the largest input has.</param>
        public Rdd<(TKey Key, (IReadOnlyList<TValue> First, IReadOnlyList<T2> Second, IReadOnlyList<T3> Third) Value)> CoGroup<T2, T3>(
            Rdd<(TKey Key, T2 Value)> second, Rdd<(TKey Key, T3 Value)> third, int partitions = 0)
        {
            rdd.Own(second);
            rdd.Own(third);
            return rdd.CoGroup(second, third, Placement.Choose<TKey>(partitions, rdd, second, third));
        }

        /// <summary>As <c>CoGroup(second, third)</c>, with a placement of one's own.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already.</remarks>
        /// <typeparam name="T2">Type of the second's values.</typeparam>
        /// <typeparam name="T3">Type of the third's values.</typeparam>
        /// <param name="second">Of the same context.</param>
        /// <param name="third">Of the same context.</param>
        /// <param name="partitioner">Places the keys of the result.</param>
        public Rdd<(TKey Key, (IReadOnlyList<TValue> First, IReadOnlyList<T2> Second, IReadOnlyList<T3> Third) Value)> CoGroup<T2, T3>(
            Rdd<(TKey Key, T2 Value)> second, Rdd<(TKey Key, T3 Value)> third, Partitioner<TKey> partitioner)
        {
            using var scope = CallSite.Open("CoGroup");
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
        /// <param name="partitions">Output partitions; 0 keeps an input's placement, or takes as many as the largest input has.</param>
        public Rdd<(TKey Key, (IReadOnlyList<TValue> First, IReadOnlyList<T2> Second, IReadOnlyList<T3> Third, IReadOnlyList<T4> Fourth) Value)>
            CoGroup<T2, T3, T4>(Rdd<(TKey Key, T2 Value)> second, Rdd<(TKey Key, T3 Value)> third, Rdd<(TKey Key, T4 Value)> fourth, int partitions = 0)
        {
            rdd.Own(second);
            rdd.Own(third);
            rdd.Own(fourth);
            return rdd.CoGroup(second, third, fourth, Placement.Choose<TKey>(partitions, rdd, second, third, fourth));
        }

        /// <summary>As <c>CoGroup(second, third, fourth)</c>, with a placement of one's own.</summary>
        /// <remarks>Transformation, wide: shuffles each input that is not placed already.</remarks>
        /// <typeparam name="T2">Type of the second's values.</typeparam>
        /// <typeparam name="T3">Type of the third's values.</typeparam>
        /// <typeparam name="T4">Type of the fourth's values.</typeparam>
        /// <param name="second">Of the same context.</param>
        /// <param name="third">Of the same context.</param>
        /// <param name="fourth">Of the same context.</param>
        /// <param name="partitioner">Places the keys of the result.</param>
        public Rdd<(TKey Key, (IReadOnlyList<TValue> First, IReadOnlyList<T2> Second, IReadOnlyList<T3> Third, IReadOnlyList<T4> Fourth) Value)>
            CoGroup<T2, T3, T4>(
                Rdd<(TKey Key, T2 Value)> second, Rdd<(TKey Key, T3 Value)> third, Rdd<(TKey Key, T4 Value)> fourth, Partitioner<TKey> partitioner)
        {
            using var scope = CallSite.Open("CoGroup");
            return rdd.CoGroup(second, partitioner).CoGroup(third.CoGroup(fourth, partitioner), partitioner).MapValues(static groups =>
            {
                var (first, second) = groups.Left.Count > 0 ? groups.Left[0] : ([], []);
                var (third, fourth) = groups.Right.Count > 0 ? groups.Right[0] : ([], []);
                return (first, second, third, fourth);
            });
        }
    }
}
