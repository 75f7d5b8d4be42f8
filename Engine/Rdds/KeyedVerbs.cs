using Dataflow.Closures;
using Dataflow.Fusion;

namespace Dataflow;

// Narrow verbs of keyed Rdds, and the actions that look at keys.
public static partial class PairRdd
{
    extension<TKey, TValue>(Rdd<(TKey Key, TValue Value)> rdd)
    {
        /// <summary>Changes the values and leaves keys and placement as they are.</summary>
        /// <remarks>Transformation, narrow.</remarks>
        /// <typeparam name="TOut">Type of the new values.</typeparam>
        /// <param name="selector">Makes one value of each.</param>
        public Rdd<(TKey Key, TOut Value)> MapValues<TOut>(Func<TValue, TOut> selector)
        {
            ClosureGuard.Check(selector, "MapValues");
            return new NarrowRdd<(TKey Key, TValue Value), (TKey Key, TOut Value)>(
                rdd, "MapValues", new MapValuesOperation<TKey, TValue, TOut>(selector), keepsPartitioner: true);
        }

        /// <summary>Makes zero or more values of each and leaves keys and placement as they are.</summary>
        /// <remarks>Transformation, narrow.</remarks>
        /// <typeparam name="TOut">Type of the new values.</typeparam>
        /// <param name="selector">Makes zero or more values of each.</param>
        public Rdd<(TKey Key, TOut Value)> FlatMapValues<TOut>(Func<TValue, IEnumerable<TOut>> selector)
        {
            ClosureGuard.Check(selector, "FlatMapValues");
            return new NarrowRdd<(TKey Key, TValue Value), (TKey Key, TOut Value)>(
                rdd, "FlatMapValues", new FlatMapValuesOperation<TKey, TValue, TOut>(selector), keepsPartitioner: true);
        }

        /// <summary>The keys, in order. What is known of the placement does not carry over.</summary>
        /// <remarks>Transformation, narrow.</remarks>
        public Rdd<TKey> Keys()
        {
            using var scope = CallSite.Open("Keys");
            return rdd.Map(static pair => pair.Key);
        }

        /// <summary>The values, in order.</summary>
        /// <remarks>Transformation, narrow.</remarks>
        public Rdd<TValue> Values()
        {
            using var scope = CallSite.Open("Values");
            return rdd.Map(static pair => pair.Value);
        }

        /// <summary>Picks pairs at random, with a fraction for each key.</summary>
        /// <remarks>Transformation, narrow. Keys without a fraction are left out. The same seed picks the same pairs of the same partitions.</remarks>
        /// <param name="withReplacement">True: a pair may be picked several times (Poisson). False: at most once (Bernoulli).</param>
        /// <param name="fractions">Expected share of each key's pairs; from 0 to 1 without replacement, 0 or more with it.</param>
        /// <param name="seed">Where the random numbers start; null takes a new start with each call, the same ones in each run of the program.</param>
        /// <exception cref="ArgumentOutOfRangeException">A fraction is out of range.</exception>
        public Rdd<(TKey Key, TValue Value)> SampleByKey(bool withReplacement, IReadOnlyDictionary<TKey, double> fractions, long? seed = null)
        {
            CheckFractions(withReplacement, fractions);
            var start = seed ?? rdd.Context.NewSeed();
            return rdd.FromIterator("SampleByKey", null, (index, pairs) => SampleOf(pairs, withReplacement, fractions, new PartitionRandom(start, index)), true);
        }

        /// <summary>Picks, for each key, exactly ceil(fraction x number of its pairs) pairs.</summary>
        /// <remarks>Transformation, wide: one more pass than <c>SampleByKey</c>, which counts the keys, and a shuffle of a random number per pair.</remarks>
        /// <param name="withReplacement">True: a pair may be picked several times. False: at most once.</param>
        /// <param name="fractions">Share of each key's pairs, from 0 to 1 without replacement, 0 or more with it; keys without one are left out.</param>
        /// <param name="seed">Where the random numbers start; null takes a new start with each call, the same ones in each run of the program.</param>
        /// <exception cref="ArgumentOutOfRangeException">A fraction is out of range.</exception>
        public Rdd<(TKey Key, TValue Value)> SampleByKeyExact(bool withReplacement, IReadOnlyDictionary<TKey, double> fractions, long? seed = null)
        {
            CheckFractions(withReplacement, fractions);
            using var scope = CallSite.Open("SampleByKeyExact");
            var start = seed ?? rdd.Context.NewSeed();
            return rdd
                .FromIterator("SampleByKeyExact", null, (index, pairs) => WithRandom(pairs, fractions, new PartitionRandom(start, index)), false)
                .GroupByKey()
                .FlatMap(group =>
                {
                    var count = (long)Math.Ceiling(fractions[group.Key] * group.Value.Count);
                    var picked = withReplacement ? Draws(group.Value, count) : group.Value.OrderBy(item => item.Random).Take((int)count);
                    return picked.Select(item => (group.Key, item.Value));
                });
        }

        /// <summary>How many pairs each key has.</summary>
        /// <remarks>Action. All distinct keys come to the driver.</remarks>
        public IReadOnlyDictionary<TKey, long> CountByKey() => Rdd<TKey>.Wait(rdd.CountByKeyAsync());

        /// <inheritdoc cref="PairRdd.CountByKey{TKey, TValue}"/>
        /// <param name="cancellationToken">Cancels the job.</param>
        public async Task<IReadOnlyDictionary<TKey, long>> CountByKeyAsync(CancellationToken cancellationToken = default) =>
            Dictionaries.Of(await rdd.MapValues(static _ => 1L).ReduceByKey(static (a, b) => a + b).CollectAsync(cancellationToken).ConfigureAwait(false));

        /// <summary>All pairs as a dictionary; of several pairs with one key the last, in partition order, wins.</summary>
        /// <remarks>Action. All pairs come to the driver.</remarks>
        public IReadOnlyDictionary<TKey, TValue> CollectAsMap() => Rdd<TKey>.Wait(rdd.CollectAsMapAsync());

        /// <inheritdoc cref="PairRdd.CollectAsMap{TKey, TValue}"/>
        /// <param name="cancellationToken">Cancels the job.</param>
        public async Task<IReadOnlyDictionary<TKey, TValue>> CollectAsMapAsync(CancellationToken cancellationToken = default) =>
            Dictionaries.Of(await rdd.CollectAsync(cancellationToken).ConfigureAwait(false));

        /// <summary>Merges the values of each key and brings the result to the driver.</summary>
        /// <remarks>Action. All distinct keys come to the driver.</remarks>
        /// <param name="merge">Associative and commutative.</param>
        public IReadOnlyDictionary<TKey, TValue> ReduceByKeyLocally(Func<TValue, TValue, TValue> merge) =>
            Rdd<TKey>.Wait(rdd.ReduceByKeyLocallyAsync(merge));

        /// <inheritdoc cref="PairRdd.ReduceByKeyLocally{TKey, TValue}"/>
        /// <param name="merge">Associative and commutative.</param>
        /// <param name="cancellationToken">Cancels the job.</param>
        public async Task<IReadOnlyDictionary<TKey, TValue>> ReduceByKeyLocallyAsync(
            Func<TValue, TValue, TValue> merge, CancellationToken cancellationToken = default) =>
            Dictionaries.Of(await rdd.ReduceByKey(merge).CollectAsync(cancellationToken).ConfigureAwait(false));

        /// <summary>The values of one key.</summary>
        /// <remarks>Action. Reads one partition if a partitioner is known, else all.</remarks>
        /// <param name="key">The key.</param>
        public IReadOnlyList<TValue> Lookup(TKey key) => Rdd<TKey>.Wait(rdd.LookupAsync(key));

        /// <inheritdoc cref="PairRdd.Lookup{TKey, TValue}"/>
        /// <param name="key">The key.</param>
        /// <param name="cancellationToken">Cancels the job.</param>
        public async Task<IReadOnlyList<TValue>> LookupAsync(TKey key, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (rdd.Partitioner is { } placed) await placed.SettleAsync(cancellationToken).ConfigureAwait(false);
            var found = rdd.Filter(pair => Hashing.KeyEquality<TKey>.AreEqual(pair.Key, key)).Values();
            int[]? partitions = rdd.Partitioner is Partitioner<TKey> partitioner ? [partitioner.PartitionOf(key)] : null;
            var parts = await rdd.Context.RunJobAsync(found, ResultLimit.Collect, partitions, CallSite.Here("Lookup"), cancellationToken)
                .ConfigureAwait(false);
            return [.. parts.SelectMany(part => part)];
        }
    }

    private static void CheckFractions<TKey>(bool withReplacement, IReadOnlyDictionary<TKey, double> fractions)
    {
        ArgumentNullException.ThrowIfNull(fractions);
        foreach (var (key, fraction) in fractions)
        {
            if (!(fraction >= 0) || (!withReplacement && fraction > 1) || double.IsInfinity(fraction))
            {
                throw new ArgumentOutOfRangeException(
                    nameof(fractions), fraction, $"The fraction of '{key}' must be {(withReplacement ? "0 or more" : "from 0 to 1")}.");
            }
        }
    }

    private static IEnumerable<(TKey, TValue)> SampleOf<TKey, TValue>(
        IEnumerable<(TKey Key, TValue Value)> pairs, bool withReplacement, IReadOnlyDictionary<TKey, double> fractions, PartitionRandom random)
    {
        foreach (var pair in pairs)
        {
            if (pair.Key is null || !fractions.TryGetValue(pair.Key, out var fraction)) continue;
            for (var copies = withReplacement ? random.NextPoisson(fraction) : random.NextDouble() < fraction ? 1 : 0; copies > 0; copies--)
                yield return pair;
        }
    }

    // Values come in the same order each time, so the first one's number is as good a start as any.
    private static IEnumerable<(ulong Random, TValue Value)> Draws<TValue>(IReadOnlyList<(ulong Random, TValue Value)> items, long count)
    {
        var random = new PartitionRandom((long)items[0].Random, 0);
        for (; count > 0; count--) yield return items[(int)random.NextLong(items.Count)];
    }

    private static IEnumerable<(TKey Key, (ulong Random, TValue Value) Value)> WithRandom<TKey, TValue>(
        IEnumerable<(TKey Key, TValue Value)> pairs, IReadOnlyDictionary<TKey, double> fractions, PartitionRandom random)
    {
        foreach (var (key, value) in pairs)
        {
            var number = random.Next();
            if (key is not null && fractions.ContainsKey(key)) yield return (key, (number, value));
        }
    }
}
