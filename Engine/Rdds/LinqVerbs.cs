namespace Dataflow;

/// <summary>LINQ names for the verbs whose meaning is identical, so that query syntax compiles on an Rdd.</summary>
public static class LinqVerbs
{
    extension<T>(Rdd<T> rdd)
    {
        /// <summary>LINQ's name for <see cref="Rdd{T}.Map"/>.</summary>
        /// <remarks>Transformation, narrow.</remarks>
        /// <typeparam name="TOut">Element type of the result.</typeparam>
        /// <param name="selector">Makes one element of each.</param>
        public Rdd<TOut> Select<TOut>(Func<T, TOut> selector) => rdd.Map(selector);

        /// <summary>LINQ's name for <see cref="Rdd{T}.Filter"/>.</summary>
        /// <remarks>Transformation, narrow.</remarks>
        /// <param name="predicate">True for elements to keep.</param>
        public Rdd<T> Where(Func<T, bool> predicate) => rdd.Filter(predicate);

        /// <summary>LINQ's name for <c>FlatMap</c>.</summary>
        /// <remarks>Transformation, narrow.</remarks>
        /// <typeparam name="TOut">Element type of the result.</typeparam>
        /// <param name="selector">Makes zero or more elements of each.</param>
        public Rdd<TOut> SelectMany<TOut>(Func<T, IEnumerable<TOut>> selector) => rdd.FlatMap(selector);

        /// <summary>What two <c>from</c> clauses of a query become.</summary>
        /// <remarks>Transformation, narrow.</remarks>
        /// <typeparam name="TInner">Element type of the inner sequence.</typeparam>
        /// <typeparam name="TOut">Element type of the result.</typeparam>
        /// <param name="selector">The inner sequence of an element.</param>
        /// <param name="result">Makes an element of each pair.</param>
        public Rdd<TOut> SelectMany<TInner, TOut>(Func<T, IEnumerable<TInner>> selector, Func<T, TInner, TOut> result) =>
            rdd.FlatMap(outer => selector(outer).Select(inner => result(outer, inner)));

        /// <summary>LINQ's name for <see cref="Rdd{T}.Union"/>: both keep duplicates.</summary>
        /// <remarks>Transformation, narrow.</remarks>
        /// <param name="other">Of the same context.</param>
        public Rdd<T> Concat(Rdd<T> other) => rdd.Union(other);
    }
}
