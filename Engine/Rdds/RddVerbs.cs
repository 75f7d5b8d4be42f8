using Dataflow.Closures;
using Dataflow.Errors;
using Dataflow.Tasks;

namespace Dataflow;

// Narrow verbs that see a whole partition, and verbs that put Rdds side by side.
public abstract partial class Rdd<T>
{
    /// <summary>Turns the iterator of each partition into another; called once per partition, also for empty ones.</summary>
    /// <remarks>Transformation, narrow. Stays streaming as long as <paramref name="transform"/> does.</remarks>
    /// <typeparam name="TOut">Element type of the result.</typeparam>
    /// <param name="transform">Gets an iterator that can be read once; a good place to open a connection once per partition.</param>
    /// <param name="keepsPartitioner">True if keys are left as they are, so that the placement still holds.</param>
    public Rdd<TOut> MapPartitions<TOut>(Func<IEnumerable<T>, IEnumerable<TOut>> transform, bool keepsPartitioner = false)
    {
        ArgumentNullException.ThrowIfNull(transform);
        return FromIterator("MapPartitions", transform, (_, items) => transform(items), keepsPartitioner);
    }

    /// <summary>As <see cref="MapPartitions{TOut}"/>, with the index of the partition.</summary>
    /// <remarks>Transformation, narrow.</remarks>
    /// <typeparam name="TOut">Element type of the result.</typeparam>
    /// <param name="transform">Gets the partition's index and an iterator that can be read once.</param>
    /// <param name="keepsPartitioner">True if keys are left as they are, so that the placement still holds.</param>
    public Rdd<TOut> MapPartitionsWithIndex<TOut>(
        Func<int, IEnumerable<T>, IEnumerable<TOut>> transform, bool keepsPartitioner = false)
    {
        ArgumentNullException.ThrowIfNull(transform);
        return FromIterator("MapPartitionsWithIndex", transform, transform, keepsPartitioner);
    }

    /// <summary>As <see cref="MapPartitions{TOut}"/>, with an evaluator that a factory makes afresh for each partition.</summary>
    /// <remarks>Transformation, narrow. For transforms that need state of their own: nothing is shared between tasks.</remarks>
    /// <typeparam name="TOut">Element type of the result.</typeparam>
    /// <param name="factory">Makes the evaluator of one partition.</param>
    public Rdd<TOut> MapPartitionsWithEvaluator<TOut>(Func<IPartitionEvaluator<T, TOut>> factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        return FromIterator("MapPartitionsWithEvaluator", factory, (index, items) => factory().Evaluate(index, items), false);
    }

    /// <summary>Has the tasks of the verb that follows start together, so that they can wait for each other and swap messages.</summary>
    /// <remarks>Lazy. See <see cref="RddBarrier{T}"/> for what that costs and what it rules out.</remarks>
    public RddBarrier<T> Barrier() => new(this);

    /// <summary>Makes one array of each partition.</summary>
    /// <remarks>Transformation, narrow. Each partition must fit memory.</remarks>
    public Rdd<T[]> Glom() => FromIterator<T[]>("Glom", null, (_, items) => [items.ToArray()], false);

    /// <summary>The elements of this Rdd and then those of another; duplicates stay, as in SQL's UNION ALL and LINQ's Concat
    /// (LINQ's Union drops them).</summary>
    /// <remarks>Transformation, narrow: the partitions of both, no shuffle. If all inputs have equal partitioners, partition i of the
    /// result reads partition i of each, and the partitioner is kept. If not, the result has as many partitions as both together; a wide
    /// verb that follows takes as many as the larger of them has, unless it is given a number.</remarks>
    /// <param name="other">Of the same context.</param>
    public Rdd<T> Union(Rdd<T> other)
    {
        Own(other);
        return Context.Union(this, other);
    }

    /// <summary>All pairs of an element of this Rdd with one of another.</summary>
    /// <remarks>Transformation, narrow. As many partitions as the product of both; the other Rdd is read once for each chunk of this one,
    /// so cache it if it is not cheap.</remarks>
    /// <typeparam name="TOther">Element type of the other.</typeparam>
    /// <param name="other">Of the same context.</param>
    public Rdd<(T Left, TOther Right)> Cartesian<TOther>(Rdd<TOther> other)
    {
        Own(other);
        return new CartesianRdd<T, TOther>(this, other);
    }

    /// <summary>Fewer partitions without a shuffle: each reads several of this Rdd's, one after the other.</summary>
    /// <remarks>Transformation, narrow. Neighbours stay together unless partitions prefer hosts. Asking for more partitions than there
    /// are changes nothing; <see cref="Repartition"/> spreads elements over more.</remarks>
    /// <param name="partitions">At most how many; at least 1.</param>
    /// <param name="coalescer">Which partitions are read together; null packs by locality.</param>
    /// <param name="shuffle">True spreads the elements over the partitions by a shuffle first, as <see cref="Repartition"/> does: then there may be more of them.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="partitions"/> is not positive.</exception>
    public Rdd<T> Coalesce(int partitions, [RunsInDriver] PartitionCoalescer? coalescer = null, bool shuffle = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(partitions);
        if (shuffle)
        {
            using var scope = CallSite.Open("Coalesce");
            var spread = Repartition(partitions);
            return coalescer is null ? spread : spread.Coalesce(partitions, coalescer);
        }
        return new CoalescedRdd<T>(this, partitions, coalescer);
    }

    /// <summary>Picks elements at random, each independently: the size of the result is the expected one only.</summary>
    /// <remarks>Transformation, narrow. The same seed picks the same elements of the same partitions, also when recomputed.</remarks>
    /// <param name="withReplacement">True: an element may be picked several times (Poisson). False: at most once (Bernoulli).</param>
    /// <param name="fraction">Expected share, from 0 to 1; with replacement, the expected number of copies, at least 0.</param>
    /// <param name="seed">Where the random numbers start; null takes a new start with each call, the same ones in each run of the program.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="fraction"/> is out of range.</exception>
    public Rdd<T> Sample(bool withReplacement, double fraction, long? seed = null)
    {
        if (!(fraction >= 0) || (!withReplacement && fraction > 1) || double.IsInfinity(fraction))
        {
            throw new ArgumentOutOfRangeException(
                nameof(fraction), fraction, withReplacement ? "It must be 0 or more." : "It must be from 0 to 1.");
        }
        var start = seed ?? Context.NewSeed();
        return FromIterator("Sample", null, (index, items) => SampleOf(items, withReplacement, fraction, new PartitionRandom(start, index)), true,
            Sampled);
    }

    /// <summary>Splits the elements at random into disjoint Rdds that together hold all of them.</summary>
    /// <remarks>Transformation, narrow. Each result reads this Rdd again: cache it if it is not cheap.</remarks>
    /// <param name="weights">Relative sizes of the parts; each 0 or more, not all 0.</param>
    /// <param name="seed">Where the random numbers start; null takes a new start with each call, the same ones in each run of the program.</param>
    /// <exception cref="ArgumentException"><paramref name="weights"/> is empty, or has negative values, or sums to 0.</exception>
    public IReadOnlyList<Rdd<T>> RandomSplit(IReadOnlyList<double> weights, long? seed = null)
    {
        ArgumentNullException.ThrowIfNull(weights);
        var sum = weights.Sum();
        if (!(sum > 0) || double.IsInfinity(sum) || weights.Any(weight => !(weight >= 0)))
            throw new ArgumentException($"Weights must be 0 or more and not all 0, but were [{string.Join(", ", weights)}].", nameof(weights));

        var start = seed ?? Context.NewSeed();
        var parts = new Rdd<T>[weights.Count];
        var below = 0.0;
        for (var i = 0; i < parts.Length; i++)
        {
            var from = below / sum;
            below += weights[i];
            var to = i == parts.Length - 1 ? 1.0 : below / sum;
            parts[i] = FromIterator("RandomSplit", null, (index, items) => Between(items, from, to, new PartitionRandom(start, index)), true, Sampled);
        }
        return parts;
    }

    internal Rdd<TOut> FromIterator<TOut>(
        string operation, Delegate? lambda, Func<int, IEnumerable<T>, IEnumerable<TOut>> transform, bool keepsPartitioner,
        Func<Determinacy, Determinacy>? determinacy = null)
    {
        if (lambda is not null) ClosureGuard.Check(lambda, operation);
        return new MapPartitionsRdd<T, TOut>(
            this, operation, (partition, reader, _) => ChunkReader<TOut>.From(NotNull(transform(partition.Index, reader.AsEnumerable()), operation), reader),
            keepsPartitioner, lambda, determinacy);
    }

    internal static IEnumerable<TOut> NotNull<TOut>(IEnumerable<TOut>? items, string operation) => items ?? throw new VerbException(
        $"The lambda of {operation} returned null in place of a sequence. Return an empty array where a partition has nothing to give.");

    internal void Own(Rdd other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Context != Context)
            throw new ArgumentException($"{other} belongs to another context than {this}. Rdds of two contexts can't be combined.", nameof(other));
    }

    // What a random choice by position gives depends on the order it reads in.
    private static Determinacy Sampled(Determinacy parents) => parents == Determinacy.Unordered ? Determinacy.Indeterminate : parents;

    private static IEnumerable<T> SampleOf(IEnumerable<T> items, bool withReplacement, double fraction, PartitionRandom random)
    {
        foreach (var item in items)
        {
            if (!withReplacement)
            {
                if (random.NextDouble() < fraction) yield return item;
                continue;
            }
            for (var copies = random.NextPoisson(fraction); copies > 0; copies--) yield return item;
        }
    }

    private static IEnumerable<T> Between(IEnumerable<T> items, double from, double to, PartitionRandom random)
    {
        foreach (var item in items)
        {
            var value = random.NextDouble();
            if (value >= from && value < to) yield return item;
        }
    }
}

/// <summary>Turns the elements of one partition into others; made afresh for each partition.</summary>
/// <typeparam name="TIn">Element type read.</typeparam>
/// <typeparam name="TOut">Element type given.</typeparam>
public interface IPartitionEvaluator<in TIn, out TOut>
{
    /// <summary>Turns the elements of one partition into others.</summary>
    /// <param name="partition">Index of the partition.</param>
    /// <param name="items">Can be read once.</param>
    IEnumerable<TOut> Evaluate(int partition, IEnumerable<TIn> items);
}
