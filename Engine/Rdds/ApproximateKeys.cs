using Dataflow.Hashing;
using Dataflow.Sketches;

namespace Dataflow;

// Approximate verbs of keyed Rdds.
public static partial class PairRdd
{
    extension<TKey, TValue>(Rdd<(TKey Key, TValue Value)> rdd)
    {
        /// <summary>Estimates how many distinct values each key has.</summary>
        /// <remarks>Transformation, wide: shuffles one sketch of 2^p bytes per key and input partition.</remarks>
        /// <param name="relativeError">Relative standard deviation, from 0.0021 to 0.5.</param>
        /// <param name="partitions">Output partitions; 0 keeps an input's placement, or takes as many as the largest input has.</param>
        public Rdd<(TKey Key, long Value)> CountApproxDistinctByKey(double relativeError = 0.05, int partitions = 0)
        {
            var precision = HyperLogLog.PrecisionFor(relativeError);
            Placement.CheckKey<TValue>();
            using var scope = CallSite.Open("CountApproxDistinctByKey");
            return rdd.CombineByKey(
                    value => Added(new HyperLogLog(precision), value),
                    static (sketch, value) => Added(sketch, value),
                    static (a, b) => a.Merge(b),
                    Placement.Choose<TKey>(partitions, rdd))
                .MapValues(static sketch => sketch.Estimate());
        }

        /// <summary>How many pairs each key has, as far as could be counted in a time, with an estimate for the rest.</summary>
        /// <remarks>Action. All distinct keys come to the driver.</remarks>
        /// <param name="timeout">How long to wait.</param>
        /// <param name="confidence">Probability that the bounds of one key hold, between 0 and 1.</param>
        public IReadOnlyDictionary<TKey, BoundedValue> CountByKeyApprox(TimeSpan timeout, double confidence = 0.95) =>
            rdd.Keys().CountByValueApprox(timeout, confidence);

        /// <inheritdoc cref="PairRdd.CountByKeyApprox{TKey, TValue}"/>
        /// <param name="timeout">How long to wait.</param>
        /// <param name="confidence">Probability that the bounds of one key hold, between 0 and 1.</param>
        /// <param name="cancellationToken">Cancels the job.</param>
        public Task<IReadOnlyDictionary<TKey, BoundedValue>> CountByKeyApproxAsync(
            TimeSpan timeout, double confidence = 0.95, CancellationToken cancellationToken = default) =>
            rdd.Keys().CountByValueApproxAsync(timeout, confidence, cancellationToken);
    }

    private static HyperLogLog Added<TValue>(HyperLogLog sketch, TValue value)
    {
        sketch.Add(StableHash<TValue>.Of64(value));
        return sketch;
    }
}
