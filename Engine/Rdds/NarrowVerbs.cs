using Dataflow.Closures;
using Dataflow.Fusion;

namespace Dataflow;

// The verbs that go element by element.
public abstract partial class Rdd<T>
{
    /// <summary>Makes one element of each.</summary>
    /// <remarks>Transformation, narrow: no data moves. Neighbouring element-by-element verbs run as one compiled loop, about a nanosecond an
    /// element and more only by what the lambdas do.</remarks>
    /// <typeparam name="TOut">Element type of the result.</typeparam>
    /// <param name="selector">Called once per element and attempt; should give equal results when a task is retried.</param>
    /// <exception cref="ClosureException"><paramref name="selector"/> writes a captured variable or reads what lives in the driver only.</exception>
    public Rdd<TOut> Map<TOut>(Func<T, TOut> selector)
    {
        ArgumentNullException.ThrowIfNull(selector);
        ClosureGuard.Check(selector, "Map");
        return new NarrowRdd<T, TOut>(this, "Map", new MapOperation<T, TOut>(selector));
    }

    /// <summary>Keeps the elements for which <paramref name="predicate"/> gives true.</summary>
    /// <remarks>Transformation, narrow: no data moves. Partitions stay, also those that become empty, and so does the partitioner.</remarks>
    /// <param name="predicate">Called once per element and attempt; should give equal results when a task is retried.</param>
    /// <exception cref="ClosureException"><paramref name="predicate"/> writes a captured variable or reads what lives in the driver only.</exception>
    public Rdd<T> Filter(Func<T, bool> predicate)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        ClosureGuard.Check(predicate, "Filter");
        return new NarrowRdd<T, T>(this, "Filter", new FilterOperation<T>(predicate), keepsPartitioner: true);
    }

    /// <summary>Makes zero or more elements of each, and gives them one after the other.</summary>
    /// <remarks>
    /// Transformation, narrow: no data moves. The sequence of an element is read as its elements are asked for, so it may be longer than
    /// memory, even endless if only a part is taken; its enumerator is disposed when it is used up or given up. Arrays are the fastest.
    /// </remarks>
    /// <typeparam name="TOut">Element type of the result.</typeparam>
    /// <param name="selector">Gives a sequence, not null. Called once per element and attempt.</param>
    /// <exception cref="ClosureException"><paramref name="selector"/> writes a captured variable or reads what lives in the driver only.</exception>
    public Rdd<TOut> FlatMap<TOut>(Func<T, IEnumerable<TOut>> selector)
    {
        ArgumentNullException.ThrowIfNull(selector);
        ClosureGuard.Check(selector, "FlatMap");
        return new NarrowRdd<T, TOut>(this, "FlatMap", new FlatMapOperation<T, TOut>(selector));
    }
}
