using Dataflow.Hashing;
using Dataflow.Sketches;

namespace Dataflow;

// Actions that answer in a bounded time, or in bounded memory, with a stated error.
public abstract partial class Rdd<T>
{
    /// <summary>Counts until a time is up, and estimates the rest from the partitions that were counted.</summary>
    /// <remarks>Action. Exact if all partitions end in time; the job is cancelled otherwise. The bounds assume that partitions are alike.</remarks>
    /// <param name="timeout">How long to wait.</param>
    /// <param name="confidence">Probability that the bounds hold, between 0 and 1.</param>
    public BoundedValue CountApprox(TimeSpan timeout, double confidence = 0.95) => Wait(CountApproxAsync(timeout, confidence));

    /// <inheritdoc cref="CountApprox"/>
    /// <param name="timeout">How long to wait.</param>
    /// <param name="confidence">Probability that the bounds hold, between 0 and 1.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
    public async Task<BoundedValue> CountApproxAsync(TimeSpan timeout, double confidence = 0.95, CancellationToken cancellationToken = default)
    {
        CheckConfidence(confidence);
        var parts = await Context.RunApproximateJobAsync(this, CountChunks, timeout, CallSite.Here("CountApprox"), cancellationToken).ConfigureAwait(false);
        return Extrapolation.Total([.. parts.Select(part => (double)part.Value)], PartitionCount, confidence);
    }

    /// <summary>How often each element occurs, as far as could be counted in a time, with an estimate for the rest.</summary>
    /// <remarks>Action. As <see cref="CountApprox"/> for each element. All distinct elements come to the driver.</remarks>
    /// <param name="timeout">How long to wait.</param>
    /// <param name="confidence">Probability that the bounds of one element hold, between 0 and 1.</param>
    public IReadOnlyDictionary<T, BoundedValue> CountByValueApprox(TimeSpan timeout, double confidence = 0.95) =>
        Wait(CountByValueApproxAsync(timeout, confidence));

    /// <inheritdoc cref="CountByValueApprox"/>
    /// <param name="timeout">How long to wait.</param>
    /// <param name="confidence">Probability that the bounds of one element hold, between 0 and 1.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
#pragma warning disable CS8714 // The value null is refused, with a message of its own.
    public async Task<IReadOnlyDictionary<T, BoundedValue>> CountByValueApproxAsync(
        TimeSpan timeout, double confidence = 0.95, CancellationToken cancellationToken = default)
    {
        CheckConfidence(confidence);
        Placement.CheckKey<T>();
        var parts = await Context.RunApproximateJobAsync(
            this, (reader, _) => Counted(reader), timeout, CallSite.Here("CountByValueApprox"), cancellationToken).ConfigureAwait(false);
        var counts = Dictionaries.Empty<T, double[]>();
        for (var i = 0; i < parts.Count; i++)
        {
            foreach (var (item, count) in parts[i].Value)
            {
                if (!counts.TryGetValue(Dictionaries.NotNull(item), out var list)) counts.Add(item, list = new double[parts.Count]);
                list[i] = count;
            }
        }
        return counts.ToDictionary(
            pair => pair.Key, pair => Extrapolation.Total(pair.Value, PartitionCount, confidence), KeyEquality<T>.Comparer);
    }

    /// <summary>How often each element occurs.</summary>
    /// <remarks>Action. All distinct elements come to the driver.</remarks>
    public IReadOnlyDictionary<T, long> CountByValue() => Wait(CountByValueAsync());

    /// <inheritdoc cref="CountByValue"/>
    /// <param name="cancellationToken">Cancels the job.</param>
    public async Task<IReadOnlyDictionary<T, long>> CountByValueAsync(CancellationToken cancellationToken = default)
    {
        var counts = await Map(static item => (item, 1L)).ReduceByKey(static (a, b) => a + b).CollectAsync(cancellationToken).ConfigureAwait(false);
        return Dictionaries.Of<T, long>(counts);
    }
#pragma warning restore CS8714

    /// <summary>Estimates how many distinct elements there are.</summary>
    /// <remarks>Action. Each task keeps a sketch of 2^p bytes, where a relative error of 0.05 needs p = 9 and half of it two bits more.</remarks>
    /// <param name="relativeError">Relative standard deviation, from 0.0021 to 0.5.</param>
    public long CountApproxDistinct(double relativeError = 0.05) => Wait(CountApproxDistinctAsync(relativeError));

    /// <inheritdoc cref="CountApproxDistinct"/>
    /// <param name="relativeError">Relative standard deviation, from 0.0021 to 0.5.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
    public async Task<long> CountApproxDistinctAsync(double relativeError = 0.05, CancellationToken cancellationToken = default)
    {
        var precision = HyperLogLog.PrecisionFor(relativeError);
        Placement.CheckKey<T>();
        var parts = await Context.RunJobAsync(
            this,
            (reader, _) =>
            {
                var sketch = new HyperLogLog(precision);
                while (reader.TryRead(out var chunk))
                {
                    foreach (var item in chunk) sketch.Add(StableHash<T>.Of64(item));
                }
                return sketch;
            },
            null,
            CallSite.Here("CountApproxDistinct"),
            cancellationToken).ConfigureAwait(false);
        return parts.Aggregate(new HyperLogLog(precision), static (a, b) => a.Merge(b)).Estimate();
    }

    /// <summary>Picks an exact number of elements at random.</summary>
    /// <remarks>Action. Counts first, then samples a little more than needed, and samples again in the rare case that it was too few.</remarks>
    /// <param name="withReplacement">Whether an element may be picked several times.</param>
    /// <param name="count">How many; without replacement at most as many as there are.</param>
    /// <param name="seed">Where the random numbers start; null takes a new start with each call, the same ones in each run of the program.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is negative, or more than an array can hold with what is sampled in excess.</exception>
    public T[] TakeSample(bool withReplacement, int count, long? seed = null) => Wait(TakeSampleAsync(withReplacement, count, seed));

    /// <inheritdoc cref="TakeSample"/>
    /// <param name="withReplacement">Whether an element may be picked several times.</param>
    /// <param name="count">How many; without replacement at most as many as there are.</param>
    /// <param name="seed">Where the random numbers start; null takes a new start with each call, the same ones in each run of the program.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
    public async Task<T[]> TakeSampleAsync(bool withReplacement, int count, long? seed = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, MostSampled);
        if (count == 0) return [];
        var start = seed ?? Context.NewSeed();
        var total = await CountAsync(cancellationToken).ConfigureAwait(false);
        if (total == 0) return [];
        var random = new PartitionRandom(start, -1);
        var sample = total <= count && !withReplacement
            ? await CollectAsync(cancellationToken).ConfigureAwait(false)
            : await SampledAsync().ConfigureAwait(false);
        for (var i = 0; i < Math.Min(count, sample.Length); i++)
        {
            var other = i + (int)random.NextLong(sample.Length - i);
            (sample[i], sample[other]) = (sample[other], sample[i]);
        }
        return sample.Length <= count ? sample : sample[..count];

        async Task<T[]> SampledAsync()
        {
            // Nine standard deviations more than needed: one try is nearly always enough (Poisson; Bernoulli varies less).
            var fraction = (count + 9 * Math.Sqrt(count) + 9) / total;
            if (!withReplacement) fraction = Math.Min(1, fraction);
            for (var attempt = 0L; ; attempt++)
            {
                var taken = await Sample(withReplacement, fraction, start + attempt).CollectAsync(cancellationToken).ConfigureAwait(false);
                if (taken.Length >= count) return taken;
            }
        }
    }

    // What is sampled in excess must fit an array too.
    private static int MostSampled => (int)(Array.MaxLength - 10 * Math.Sqrt(Array.MaxLength));

    internal static void CheckConfidence(double confidence)
    {
        if (!(confidence > 0 && confidence < 1)) throw new ArgumentOutOfRangeException(nameof(confidence), confidence, "It must be between 0 and 1.");
    }

    private static List<(T Item, long Count)> Counted(ChunkReader<T> reader)
    {
        var table = new AggregationTable<T, long>();
        var pairs = new (T, long)[ChunkReader<T>.DefaultLength];
        while (reader.TryRead(out var chunk))
        {
            for (; chunk.Length > 0; chunk = chunk[Math.Min(chunk.Length, pairs.Length)..])
            {
                var count = Math.Min(chunk.Length, pairs.Length);
                for (var i = 0; i < count; i++) pairs[i] = (chunk[i], 1);
                table.Combine(pairs.AsSpan(0, count), static (a, b) => a + b);
            }
        }
        var result = new List<(T, long)>(table.Count);
        for (var i = 0; i < table.Count; i++) result.Add((table.Keys[i], table.Values[i]));
        return result;
    }
}

/// <summary>Estimates a total from some of its parts, taken as a random sample of all (Cochran 1977, section 2.6).</summary>
internal static class Extrapolation
{
    public static BoundedValue Total(IReadOnlyList<double> parts, int partitions, double confidence)
    {
        var sum = parts.Sum();
        if (parts.Count == partitions) return new BoundedValue(sum, 1, sum, sum);
        if (parts.Count == 0) return new BoundedValue(0, confidence, 0, double.PositiveInfinity);
        var estimate = sum / parts.Count * partitions;
        if (parts.Count == 1) return new BoundedValue(estimate, confidence, sum, double.PositiveInfinity);

        var mean = sum / parts.Count;
        var variance = parts.Sum(part => (part - mean) * (part - mean)) / (parts.Count - 1);
        var deviation = partitions * Math.Sqrt(variance / parts.Count * (1 - (double)parts.Count / partitions));
        var half = Quantiles.Student(confidence, parts.Count - 1) * deviation;
        return new BoundedValue(estimate, confidence, estimate - half, estimate + half);
    }

    public static BoundedValue Mean(Statistics stats, bool exact, double confidence)
    {
        if (exact) return new BoundedValue(stats.Mean, 1, stats.Mean, stats.Mean);
        if (stats.Count < 2) return new BoundedValue(stats.Mean, confidence, double.NegativeInfinity, double.PositiveInfinity);
        var half = Quantiles.Student(confidence, stats.Count - 1) * Math.Sqrt(stats.SampleVariance / stats.Count);
        return new BoundedValue(stats.Mean, confidence, stats.Mean - half, stats.Mean + half);
    }
}
