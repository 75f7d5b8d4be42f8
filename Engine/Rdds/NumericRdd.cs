using System.Numerics;
using Dataflow.Fusion;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>The actions of Rdds of numbers.</summary>
public static class NumericRdd
{
    extension<T>(Rdd<T> rdd)
        where T : INumber<T>
    {
        /// <summary>The sum; 0 of no numbers.</summary>
        /// <remarks>Action. Partial sums merge in partition order: the same digits every run. Integers are summed with a check for overflow.</remarks>
        /// <exception cref="JobFailedException">The sum of a partition does not fit the type (cause: <see cref="OverflowException"/>).</exception>
        /// <exception cref="OverflowException">The sum of all partitions does not fit the type.</exception>
        public T Sum() => Rdd<T>.Wait(rdd.SumAsync());

        /// <inheritdoc cref="NumericRdd.Sum{T}"/>
        /// <param name="cancellationToken">Cancels the job.</param>
        public async Task<T> SumAsync(CancellationToken cancellationToken = default)
        {
            var parts = await rdd.Context.RunJobAsync(rdd, SumOf, null, CallSite.Here("Sum"), cancellationToken)
                .ConfigureAwait(false);
            return parts.Aggregate(T.Zero, static (a, b) => checked(a + b));
        }

        /// <summary>Count, mean, variance, smallest and largest in one pass.</summary>
        /// <remarks>Action.</remarks>
        public Statistics Stats() => Rdd<T>.Wait(rdd.StatsAsync());

        /// <inheritdoc cref="NumericRdd.Stats{T}"/>
        /// <param name="cancellationToken">Cancels the job.</param>
        public async Task<Statistics> StatsAsync(CancellationToken cancellationToken = default)
        {
            var parts = await rdd.Context.RunJobAsync(rdd, StatsOf, null, CallSite.Here("Stats"), cancellationToken)
                .ConfigureAwait(false);
            return parts.Aggregate(Statistics.Empty, static (a, b) => a.Merge(b));
        }

        /// <summary>The mean; NaN of no numbers.</summary>
        /// <remarks>Action.</remarks>
        public double Mean() => Rdd<T>.Wait(rdd.MeanAsync());

        /// <inheritdoc cref="NumericRdd.Mean{T}"/>
        /// <param name="cancellationToken">Cancels the job.</param>
        public async Task<double> MeanAsync(CancellationToken cancellationToken = default) =>
            await rdd.StatsAsync(cancellationToken).ConfigureAwait(false) is { Count: > 0 } stats ? stats.Mean : double.NaN;

        /// <summary>The population variance; NaN of no numbers.</summary>
        /// <remarks>Action.</remarks>
        public double Variance() => Rdd<T>.Wait(rdd.VarianceAsync());

        /// <inheritdoc cref="NumericRdd.Variance{T}"/>
        /// <param name="cancellationToken">Cancels the job.</param>
        public async Task<double> VarianceAsync(CancellationToken cancellationToken = default) =>
            (await rdd.StatsAsync(cancellationToken).ConfigureAwait(false)).Variance;

        /// <summary>The sample variance; NaN of fewer than two numbers.</summary>
        /// <remarks>Action.</remarks>
        public double SampleVariance() => Rdd<T>.Wait(rdd.SampleVarianceAsync());

        /// <inheritdoc cref="NumericRdd.SampleVariance{T}"/>
        /// <param name="cancellationToken">Cancels the job.</param>
        public async Task<double> SampleVarianceAsync(CancellationToken cancellationToken = default) =>
            (await rdd.StatsAsync(cancellationToken).ConfigureAwait(false)).SampleVariance;

        /// <summary>The population standard deviation; NaN of no numbers.</summary>
        /// <remarks>Action.</remarks>
        public double StandardDeviation() => Rdd<T>.Wait(rdd.StandardDeviationAsync());

        /// <inheritdoc cref="NumericRdd.StandardDeviation{T}"/>
        /// <param name="cancellationToken">Cancels the job.</param>
        public async Task<double> StandardDeviationAsync(CancellationToken cancellationToken = default) =>
            (await rdd.StatsAsync(cancellationToken).ConfigureAwait(false)).StandardDeviation;

        /// <summary>The sample standard deviation; NaN of fewer than two numbers.</summary>
        /// <remarks>Action.</remarks>
        public double SampleStandardDeviation() => Rdd<T>.Wait(rdd.SampleStandardDeviationAsync());

        /// <inheritdoc cref="NumericRdd.SampleStandardDeviation{T}"/>
        /// <param name="cancellationToken">Cancels the job.</param>
        public async Task<double> SampleStandardDeviationAsync(CancellationToken cancellationToken = default) =>
            (await rdd.StatsAsync(cancellationToken).ConfigureAwait(false)).SampleStandardDeviation;

        /// <summary>The mean of the partitions that end within a time, with bounds.</summary>
        /// <remarks>Action. Exact if all end in time; the job is cancelled otherwise. The bounds assume that partitions are alike.</remarks>
        /// <param name="timeout">How long to wait.</param>
        /// <param name="confidence">Probability that the bounds hold, between 0 and 1.</param>
        public BoundedValue MeanApprox(TimeSpan timeout, double confidence = 0.95) => Rdd<T>.Wait(rdd.MeanApproxAsync(timeout, confidence));

        /// <inheritdoc cref="NumericRdd.MeanApprox{T}"/>
        /// <param name="timeout">How long to wait.</param>
        /// <param name="confidence">Probability that the bounds hold, between 0 and 1.</param>
        /// <param name="cancellationToken">Cancels the job.</param>
        public async Task<BoundedValue> MeanApproxAsync(TimeSpan timeout, double confidence = 0.95, CancellationToken cancellationToken = default)
        {
            Rdd<T>.CheckConfidence(confidence);
            var parts = await rdd.Context.RunApproximateJobAsync(rdd, StatsOf, timeout, CallSite.Here("MeanApprox"), cancellationToken)
                .ConfigureAwait(false);
            var stats = parts.Aggregate(Statistics.Empty, static (a, b) => a.Merge(b.Value));
            return Extrapolation.Mean(stats, parts.Count == rdd.PartitionCount, confidence);
        }

        /// <summary>The sum, estimated from the partitions that end within a time, with bounds.</summary>
        /// <remarks>Action. Exact if all end in time; the job is cancelled otherwise. The bounds assume that partitions are alike.</remarks>
        /// <param name="timeout">How long to wait.</param>
        /// <param name="confidence">Probability that the bounds hold, between 0 and 1.</param>
        public BoundedValue SumApprox(TimeSpan timeout, double confidence = 0.95) => Rdd<T>.Wait(rdd.SumApproxAsync(timeout, confidence));

        /// <inheritdoc cref="NumericRdd.SumApprox{T}"/>
        /// <param name="timeout">How long to wait.</param>
        /// <param name="confidence">Probability that the bounds hold, between 0 and 1.</param>
        /// <param name="cancellationToken">Cancels the job.</param>
        public async Task<BoundedValue> SumApproxAsync(TimeSpan timeout, double confidence = 0.95, CancellationToken cancellationToken = default)
        {
            Rdd<T>.CheckConfidence(confidence);
            var parts = await rdd.Context.RunApproximateJobAsync(rdd, DoubleSumOf, timeout, CallSite.Here("SumApprox"), cancellationToken)
                .ConfigureAwait(false);
            return Extrapolation.Total([.. parts.Select(part => part.Value)], rdd.PartitionCount, confidence);
        }

        /// <summary>Counts numbers in evenly spaced buckets from the smallest to the largest.</summary>
        /// <remarks>Action: two passes, the first for the extremes. NaN is not counted.</remarks>
        /// <param name="buckets">How many; at least 1. One if all numbers are equal.</param>
        /// <returns>The edges, one more than counts, and the counts. The last bucket includes its upper edge.</returns>
        /// <exception cref="InvalidOperationException">There are no numbers, or an extreme is NaN or infinite.</exception>
        public (double[] Edges, long[] Counts) Histogram(int buckets) => Rdd<T>.Wait(rdd.HistogramAsync(buckets));

        /// <inheritdoc cref="NumericRdd.Histogram{T}(Rdd{T}, int)"/>
        /// <param name="buckets">How many; at least 1. One if all numbers are equal.</param>
        /// <param name="cancellationToken">Cancels the job.</param>
        public async Task<(double[] Edges, long[] Counts)> HistogramAsync(int buckets, CancellationToken cancellationToken = default)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(buckets);
            var stats = await rdd.StatsAsync(cancellationToken).ConfigureAwait(false);
            if (stats.Count == 0) throw rdd.Empty("Histogram");
            if (!double.IsFinite(stats.Min) || !double.IsFinite(stats.Max))
            {
                throw new InvalidOperationException(
                    $"Histogram can't space buckets from {stats.Min} to {stats.Max}. Filter such numbers out, or give the edges yourself.");
            }
            var edges = stats.Min == stats.Max
                ? [stats.Min, stats.Max]
                : Enumerable.Range(0, buckets + 1).Select(i => HistogramBuckets.Edge(stats.Min, stats.Max, i, buckets)).ToArray();
            return (edges, await rdd.HistogramAsync(edges, cancellationToken).ConfigureAwait(false));
        }

        /// <summary>Counts numbers in buckets with given edges.</summary>
        /// <remarks>Action. Numbers outside, and NaN, are not counted. Evenly spaced edges are looked up in constant time.</remarks>
        /// <param name="edges">Ascending, at least two. Bucket i holds edge i, inclusive, to edge i + 1, exclusive; the last includes both.</param>
        /// <exception cref="ArgumentException">Edges are not ascending.</exception>
        public long[] Histogram(IReadOnlyList<double> edges) => Rdd<T>.Wait(rdd.HistogramAsync(edges));

        /// <inheritdoc cref="NumericRdd.Histogram{T}(Rdd{T}, IReadOnlyList{double})"/>
        /// <param name="edges">Ascending, at least two. Bucket i holds edge i, inclusive, to edge i + 1, exclusive; the last includes both.</param>
        /// <param name="cancellationToken">Cancels the job.</param>
        public async Task<long[]> HistogramAsync(IReadOnlyList<double> edges, CancellationToken cancellationToken = default)
        {
            ArgumentNullException.ThrowIfNull(edges);
            var buckets = new HistogramBuckets([.. edges]);
            var parts = await rdd.Context.RunJobAsync(
                rdd,
                (reader, _) =>
                {
                    var counts = new long[buckets.Count];
                    while (reader.TryRead(out var chunk))
                    {
                        foreach (var item in chunk)
                        {
                            var bucket = buckets.BucketOf(double.CreateTruncating(item));
                            if (bucket >= 0) counts[bucket]++;
                        }
                    }
                    return counts;
                },
                null,
                CallSite.Here("Histogram"),
                cancellationToken).ConfigureAwait(false);
            var total = new long[buckets.Count];
            foreach (var part in parts)
            {
                for (var i = 0; i < total.Length; i++) total[i] += part[i];
            }
            return total;
        }
    }

    private static T SumOf<T>(ChunkReader<T> reader, TaskContext context)
        where T : INumber<T> => reader.Fold(T.Zero, static (sum, item) => checked(sum + item), context);

    private static double DoubleSumOf<T>(ChunkReader<T> reader, TaskContext context)
        where T : INumber<T> => reader.Fold(0.0, static (sum, item) => sum + double.CreateTruncating(item), context);

    private static Statistics StatsOf<T>(ChunkReader<T> reader, TaskContext context)
        where T : INumber<T> => reader.Fold(Statistics.Empty, static (stats, item) => stats.Add(double.CreateTruncating(item)), context);
}

/// <summary>Edges of a histogram, and the bucket of a number.</summary>
internal sealed class HistogramBuckets
{
    private readonly double[] _edges;
    private readonly double _width;
    private readonly bool _even;

    public HistogramBuckets(double[] edges)
    {
        if (edges.Length < 2) throw new ArgumentException($"A histogram needs at least two edges, but got {edges.Length}.", nameof(edges));
        for (var i = 0; i < edges.Length; i++)
        {
            if (double.IsNaN(edges[i]) || (i > 0 && !(edges[i] > edges[i - 1]) && edges.Length > 2))
                throw new ArgumentException($"Edges must ascend, but edge {i} is {edges[i]}{(i > 0 ? $" after {edges[i - 1]}" : "")}.", nameof(edges));
        }
        if (edges[0] > edges[1]) throw new ArgumentException($"Edges must ascend, but edge 1 is {edges[1]} after {edges[0]}.", nameof(edges));
        _edges = edges;
        _width = (edges[^1] - edges[0]) / Count;
        _even = double.IsFinite(_width) && _width > 0 && !edges.Where((edge, i) => Math.Abs(edge - (edges[0] + _width * i)) > _width * 1e-9).Any();
    }

    public int Count => _edges.Length - 1;

    /// <summary>Edge i of evenly spaced buckets.</summary>
    public static double Edge(double min, double max, int i, int buckets)
    {
        if (i == buckets) return max;
        var width = max - min;
        return double.IsFinite(width) ? min + width * i / buckets : min + (max / buckets - min / buckets) * i;
    }

    /// <summary>The bucket of a number; -1 for one outside, or NaN.</summary>
    public int BucketOf(double value)
    {
        if (!(value >= _edges[0] && value <= _edges[^1])) return -1;
        if (value == _edges[^1]) return Count - 1;
        if (!_even)
        {
            var found = Array.BinarySearch(_edges, value);
            return found >= 0 ? found : ~found - 1;
        }
        // Rounding may miss by one; the edges themselves decide.
        var bucket = Math.Clamp((int)((value - _edges[0]) / _width), 0, Count - 1);
        if (value < _edges[bucket]) bucket--;
        else if (value >= _edges[bucket + 1]) bucket++;
        return bucket;
    }
}
