namespace Dataflow.Streaming.DStreams;

// Verbs on each Rdd by itself.
public abstract partial class DStream<T>
{
    /// <summary>One element for each.</summary>
    /// <param name="selector">As for <see cref="Rdd{T}.Map{TOut}"/>.</param>
    public DStream<TOut> Map<TOut>(Func<T, TOut> selector)
    {
        ArgumentNullException.ThrowIfNull(selector);
        return Derive("Map", rdd => rdd.Map(selector));
    }

    /// <summary>Any number of elements for each.</summary>
    /// <param name="selector">As for <see cref="Rdd{T}.FlatMap{TOut}"/>.</param>
    public DStream<TOut> FlatMap<TOut>(Func<T, IEnumerable<TOut>> selector)
    {
        ArgumentNullException.ThrowIfNull(selector);
        return Derive("FlatMap", rdd => rdd.FlatMap(selector));
    }

    /// <summary>The elements that a condition holds for.</summary>
    /// <param name="predicate">The condition.</param>
    public DStream<T> Filter(Func<T, bool> predicate)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        return Derive("Filter", rdd => rdd.Filter(predicate));
    }

    /// <summary>Any number of elements for each partition.</summary>
    /// <param name="transform">As for <see cref="Rdd{T}.MapPartitions{TOut}"/>.</param>
    /// <param name="keepsPartitioner">Whether keys stay where they are.</param>
    public DStream<TOut> MapPartitions<TOut>(Func<IEnumerable<T>, IEnumerable<TOut>> transform, bool keepsPartitioner = false)
    {
        ArgumentNullException.ThrowIfNull(transform);
        return Derive("MapPartitions", rdd => rdd.MapPartitions(transform, keepsPartitioner));
    }

    /// <summary>The elements of each partition as one array.</summary>
    public DStream<T[]> Glom() => Derive("Glom", rdd => rdd.Glom());

    /// <summary>Spreads the elements over so many partitions. Shuffles.</summary>
    /// <param name="partitions">1 or more.</param>
    public DStream<T> Repartition(int partitions)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(partitions, 1);
        return Derive("Repartition", rdd => rdd.Repartition(partitions));
    }

    /// <summary>The elements of both; duplicates stay.</summary>
    /// <param name="other">Of the same context, with the same interval or slide.</param>
    public DStream<T> Union(DStream<T> other) => Streaming.Union(this, other);

    /// <summary>How many elements there are: one number each time, also 0.</summary>
    public DStream<long> Count() => Derive("Count", CountOf);

    /// <summary>Merges all elements into one; none if there is none.</summary>
    /// <param name="merge">Associative and commutative.</param>
    public DStream<T> Reduce(Func<T, T, T> merge)
    {
        ArgumentNullException.ThrowIfNull(merge);
        return Derive("Reduce", rdd => rdd.MapPartitions(items => Merged(items, merge)).Coalesce(1).MapPartitions(items => Merged(items, merge)));
    }

    /// <summary>How often each value comes.</summary>
    /// <param name="partitions">Of the result; 0 takes the default parallelism.</param>
    public DStream<(T Key, long Value)> CountByValue(int partitions = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(partitions);
        return Derive("CountByValue", rdd => rdd.Map(static value => (value, 1L)).ReduceByKey(static (a, b) => a + b, partitions));
    }

    /// <summary>Whatever Rdds can do: makes an Rdd of each.</summary>
    /// <param name="transform">Runs in the driver, for each time.</param>
    public DStream<TOut> Transform<TOut>([RunsInDriver] Func<Rdd<T>, Rdd<TOut>> transform)
    {
        ArgumentNullException.ThrowIfNull(transform);
        return Derive("Transform", transform);
    }

    /// <inheritdoc cref="Transform{TOut}(Func{Rdd{T}, Rdd{TOut}})"/>
    public DStream<TOut> Transform<TOut>([RunsInDriver] Func<Rdd<T>, DateTimeOffset, Rdd<TOut>> transform)
    {
        ArgumentNullException.ThrowIfNull(transform);
        return new DerivedDStream<TOut>(this, "Transform", [this], time => RddAt(time) is { } rdd ? transform(rdd, time) : null);
    }

    /// <summary>Makes an Rdd of each of two streams.</summary>
    /// <param name="other">Of the same context, with the same interval or slide.</param>
    /// <param name="transform">Runs in the driver, for each time.</param>
    /// <exception cref="StreamingException">The two slide by different times.</exception>
    public DStream<TOut> TransformWith<TOther, TOut>(DStream<TOther> other, [RunsInDriver] Func<Rdd<T>, Rdd<TOther>, DateTimeOffset, Rdd<TOut>> transform) => With(other, "TransformWith", transform);

    internal DStream<TOut> With<TOther, TOut>(DStream<TOther> other, string operation, Func<Rdd<T>, Rdd<TOther>, DateTimeOffset, Rdd<TOut>> transform)
    {
        ArgumentNullException.ThrowIfNull(other);
        ArgumentNullException.ThrowIfNull(transform);
        Streaming.CheckSlides([this, other]);
        return new DerivedDStream<TOut>(this, operation, [this, other], time => RddAt(time) is { } rdd && other.RddAt(time) is { } with ? transform(rdd, with, time) : null);
    }

    internal DStream<TOut> Derive<TOut>(string operation, Func<Rdd<T>, Rdd<TOut>> make) => new DerivedDStream<TOut>(this, operation, [this], time => RddAt(time) is { } rdd ? make(rdd) : null);

    private static Rdd<long> CountOf(Rdd<T> rdd) =>
        rdd.Context.Union<long>(rdd.MapPartitions<long>(static items => [items.LongCount()]), rdd.Context.Parallelize([0L], 1)).Coalesce(1).MapPartitions<long>(static counts => [Enumerable.Sum(counts)]);

    private static IEnumerable<T> Merged(IEnumerable<T> items, Func<T, T, T> merge)
    {
        using var each = items.GetEnumerator();
        if (!each.MoveNext()) yield break;
        var merged = each.Current;
        while (each.MoveNext()) merged = merge(merged, each.Current);
        yield return merged;
    }
}
