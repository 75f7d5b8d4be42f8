using Dataflow.Closures;
using Dataflow.Fusion;

namespace Dataflow;

/// <summary>A value that says nothing: for sets kept as pairs.</summary>
internal readonly record struct Nothing;

// Verbs that compare elements with each other, or number them.
public abstract partial class Rdd<T>
{
    /// <summary>Pairs each element with a key.</summary>
    /// <remarks>Transformation, narrow.</remarks>
    /// <typeparam name="TKey">Type of the key.</typeparam>
    /// <param name="by">The key of an element.</param>
    public Rdd<(TKey Key, T Value)> KeyBy<TKey>(Func<T, TKey> by)
    {
        ClosureGuard.Check(by, "KeyBy");
        return new NarrowRdd<T, (TKey Key, T Value)>(this, "KeyBy", new KeyByOperation<T, TKey>(by));
    }

    /// <summary>Gathers the elements of each key. LINQ's GroupBy gives groupings; this gives pairs.</summary>
    /// <remarks>Transformation, wide: shuffles every element. All elements of one key must fit one task's memory; <c>ReduceByKey</c> and
    /// <c>AggregateByKey</c> move far less where they can say the same.</remarks>
    /// <typeparam name="TKey">Type of the key.</typeparam>
    /// <param name="by">The key of an element.</param>
    /// <param name="partitions">Output partitions; 0 keeps an input's placement, or takes as many as the largest input has.</param>
    public Rdd<(TKey Key, IReadOnlyList<T> Value)> GroupBy<TKey>(Func<T, TKey> by, int partitions = 0)
    {
        ClosureGuard.Check(by, "GroupBy");
        using var scope = CallSite.Open("GroupBy", by);
        return KeyBy(by).GroupByKey(partitions);
    }

    /// <summary>As <c>GroupBy(by)</c>, with a placement of one's own.</summary>
    /// <remarks>Transformation, wide: shuffles every element.</remarks>
    /// <typeparam name="TKey">Type of the key.</typeparam>
    /// <param name="by">The key of an element.</param>
    /// <param name="partitioner">Places the keys of the result.</param>
    public Rdd<(TKey Key, IReadOnlyList<T> Value)> GroupBy<TKey>(Func<T, TKey> by, Partitioner<TKey> partitioner)
    {
        ClosureGuard.Check(by, "GroupBy");
        using var scope = CallSite.Open("GroupBy", by);
        return KeyBy(by).GroupByKey(partitioner);
    }

    /// <summary>Gathers a part of the elements of each key: what <c>group line.Length by word</c> in a query becomes. LINQ's GroupBy gives
    /// groupings; this gives pairs.</summary>
    /// <remarks>Transformation, wide: shuffles one value for every element. All values of one key must fit one task's memory.</remarks>
    /// <typeparam name="TKey">Type of the key.</typeparam>
    /// <typeparam name="TValue">Type of the part that is kept.</typeparam>
    /// <param name="by">The key of an element.</param>
    /// <param name="select">The part of an element to keep.</param>
    /// <param name="partitions">Output partitions; 0 keeps an input's placement, or takes as many as the largest input has.</param>
    public Rdd<(TKey Key, IReadOnlyList<TValue> Value)> GroupBy<TKey, TValue>(Func<T, TKey> by, Func<T, TValue> select, int partitions = 0)
    {
        ClosureGuard.Check(select, "GroupBy");
        ClosureGuard.Check(by, "GroupBy");
        using var scope = CallSite.Open("GroupBy", by);
        return KeyBy(by).MapValues(select).GroupByKey(partitions);
    }

    /// <summary>Each element once.</summary>
    /// <remarks>Transformation, wide: equal elements are merged in each partition before they are shuffled. Narrow, and placed as before,
    /// where a partitioner has placed the elements by a part of them.</remarks>
    /// <param name="partitions">Output partitions; 0 keeps this Rdd's placement, or takes as many as the largest input has.</param>
    /// <exception cref="KeyException">Elements of this type can't be compared alike in every process.</exception>
    public Rdd<T> Distinct(int partitions = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(partitions);
        using var scope = CallSite.Open("Distinct");

        // Equal elements have equal keys, so whatever placed those has them in one partition already.
        return Partitioner is { } placed && (partitions == 0 || partitions == placed.PartitionCount)
            ? DistinctInPlace()
            : AsSet().ReduceByKey(static (one, _) => one, partitions).Keys();
    }

    /// <summary>The elements that both Rdds have, each once.</summary>
    /// <remarks>Transformation, wide: shuffles both.</remarks>
    /// <param name="other">Of the same context.</param>
    /// <param name="partitions">Output partitions; 0 keeps an input's placement, or takes as many as the largest input has.</param>
    public Rdd<T> Intersection(Rdd<T> other, int partitions = 0)
    {
        Own(other);
        return Intersection(other, Placement.Choose<T>(partitions, this, other));
    }

    /// <summary>As <c>Intersection(other)</c>, with a placement of one's own.</summary>
    /// <remarks>Transformation, wide: shuffles both.</remarks>
    /// <param name="other">Of the same context.</param>
    /// <param name="partitioner">Places the elements of the result.</param>
    public Rdd<T> Intersection(Rdd<T> other, Partitioner<T> partitioner)
    {
        Own(other);
        using var scope = CallSite.Open("Intersection");
        return AsSet().ReduceByKey(static (one, _) => one, partitioner)
            .CoGroup(other.AsSet().ReduceByKey(static (one, _) => one, partitioner), partitioner)
            .Filter(static pair => pair.Value.Left.Count > 0 && pair.Value.Right.Count > 0)
            .Keys();
    }

    /// <summary>The elements of this Rdd that another does not have; duplicates stay (LINQ's Except drops them).</summary>
    /// <remarks>Transformation, wide: shuffles both.</remarks>
    /// <param name="other">Of the same context.</param>
    /// <param name="partitions">Output partitions; 0 keeps an input's placement, or takes as many as the largest input has.</param>
    public Rdd<T> Subtract(Rdd<T> other, int partitions = 0)
    {
        Own(other);
        return Subtract(other, Placement.Choose<T>(partitions, this, other));
    }

    /// <summary>As <c>Subtract(other)</c>, with a placement of one's own.</summary>
    /// <remarks>Transformation, wide: shuffles both.</remarks>
    /// <param name="other">Of the same context.</param>
    /// <param name="partitioner">Places the elements of the result.</param>
    public Rdd<T> Subtract(Rdd<T> other, Partitioner<T> partitioner)
    {
        Own(other);
        using var scope = CallSite.Open("Subtract");
        return AsSet().SubtractByKey(other.AsSet().ReduceByKey(static (one, _) => one, partitioner), partitioner).Keys();
    }

    /// <summary>Spreads the elements evenly over another number of partitions.</summary>
    /// <remarks>Transformation, wide: shuffles every element. Elements are dealt out in turn from a start that depends on the partition
    /// alone, so a retry deals them alike. <see cref="Coalesce"/> makes fewer partitions without a shuffle.</remarks>
    /// <param name="partitions">How many; at least 1.</param>
    public Rdd<T> Repartition(int partitions)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(partitions);
        return new RepartitionedRdd<T>(this, partitions);
    }

    /// <summary>Pairs each element with its position, in partition order.</summary>
    /// <remarks>Transformation, narrow; runs a counting job at once if there is more than one partition.</remarks>
    public Rdd<(T Item, long Index)> ZipWithIndex()
    {
        var site = CallSite.Here("ZipWithIndex");
        var starts = new long[PartitionCount];
        if (starts.Length > 1)
        {
            var counts = Wait(Context.RunJobAsync(this, CountChunks, null, site, CancellationToken.None));
            for (var i = 1; i < starts.Length; i++) starts[i] = starts[i - 1] + counts[i - 1];
        }
        return FromIterator("ZipWithIndex", null, (index, items) => Numbered(items, starts[index], 1), false, Positioned);
    }

    /// <summary>Pairs each element with a number of its own, without a job: element k of partition i of n gets k * n + i.</summary>
    /// <remarks>Transformation, narrow.</remarks>
    public Rdd<(T Item, long Id)> ZipWithUniqueId()
    {
        var count = PartitionCount;
        return FromIterator("ZipWithUniqueId", null, (index, items) => Numbered(items, index, count), false, Positioned);
    }

    internal Rdd<(T Key, Nothing Value)> AsSet() => Map(static item => (item, default(Nothing)));

    private NarrowRdd<(T Key, Nothing Value), T> DistinctInPlace()
    {
        Placement.CheckKey<T>();
        var aggregator = Aggregator.Merging<Nothing>(static (one, _) => one);
        var set = new NarrowRdd<T, (T Key, Nothing Value)>(this, "Distinct", new MapOperation<T, (T Key, Nothing Value)>(static item => (item, default)), true);
        var once = new MapPartitionsRdd<(T Key, Nothing Value), (T Key, Nothing Value)>(
            set, "Distinct", (_, reader, context) => Shuffle.HashAggregation.Combine(reader, aggregator, context), keepsPartitioner: true);
        return new NarrowRdd<(T Key, Nothing Value), T>(once, "Distinct", new MapOperation<(T Key, Nothing Value), T>(static pair => pair.Key), true);
    }

    // Numbers by position depend on the order it reads in.
    private static Determinacy Positioned(Determinacy parents) => parents == Determinacy.Unordered ? Determinacy.Indeterminate : parents;

    private static IEnumerable<(T, long)> Numbered(IEnumerable<T> items, long start, long step)
    {
        var number = start;
        foreach (var item in items)
        {
            yield return (item, number);
            number += step;
        }
    }
}
