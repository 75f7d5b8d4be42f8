using System.Runtime.CompilerServices;
using Dataflow.MLlib.Numerics;

namespace Dataflow.MLlib.NeighborKernels;

/// <summary>
/// The key by which rows are ordered: the distance, or what grows with it and has no root (squares, powers). Keys, not distances, are compared and merged, so that a root
/// that rounds never makes a tie.
/// </summary>
internal sealed unsafe class RankKeys(Metric metric, int features)
{
    public DistanceMetric Kind { get; } = metric.Kind;

    public int Features { get; } = features;

    /// <summary>Of Minkowski's distance.</summary>
    public double Power { get; } = metric.Power;

    private readonly int _wholePower = metric.Power == Math.Floor(metric.Power) && metric.Power <= 16 ? (int)metric.Power : 0;

    /// <summary>The key of a pair.</summary>
    /// <param name="queryNorm">Squared length of the query, for the cosine: <see cref="ExactDistances.Dot"/> with itself.</param>
    /// <param name="rowNorm">The row's.</param>
    public double Of(float* query, double queryNorm, float* row, double rowNorm) => Kind switch
    {
        DistanceMetric.Euclidean or DistanceMetric.SquaredEuclidean => ExactDistances.Squared(query, row, Features),
        DistanceMetric.Cosine => Cosine(ExactDistances.Dot(query, row, Features), queryNorm, rowNorm),
        DistanceMetric.InnerProduct => 0 - ExactDistances.Dot(query, row, Features),
        DistanceMetric.Manhattan => ExactDistances.Manhattan(query, row, Features),
        DistanceMetric.Chebyshev => ExactDistances.Chebyshev(query, row, Features),
        DistanceMetric.Hamming => ExactDistances.Unequal(query, row, Features),
        DistanceMetric.Jaccard => Jaccard(query, row),
        _ => Minkowski(query, row),
    };

    /// <summary>The distance of a key.</summary>
    public double ToDistance(double key) => Kind switch
    {
        DistanceMetric.Euclidean => Math.Sqrt(key),
        DistanceMetric.Hamming => key / Features,
        DistanceMetric.Minkowski => Elementary.Pow(key, 1 / Power),
        _ => key,
    };

    /// <summary>A key that no row within the distance passes; a few behind it may not pass it either, and are told apart by <see cref="ToDistance"/>.</summary>
    public double ToBound(double distance) => Kind switch
    {
        DistanceMetric.Euclidean => distance < 0 ? -1 : distance * distance * (1 + 1e-14),
        DistanceMetric.Hamming => distance * Features * (1 + 1e-14),
        DistanceMetric.Minkowski => distance < 0 ? -1 : Elementary.Pow(distance, Power) * (1 + 1e-9),
        _ => distance,
    };

    private static double Cosine(double dot, double queryNorm, double rowNorm)
    {
        if (queryNorm == 0 || rowNorm == 0) return 1;

        // The root of a product: for equal rows it is the dot product itself, and their distance 0.
        return Math.Clamp(1 - (dot / Math.Sqrt(queryNorm * rowNorm)), 0, 2);
    }

    private double Jaccard(float* query, float* row)
    {
        var (both, either) = ScanKernels.SetCounts(query, row, Features);
        return OfCounts(both, either);
    }

    /// <summary>Jaccard's distance of how many features are in both rows and in any of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double OfCounts(int both, int either) => either == 0 ? 0 : (double)(either - both) / either;

    private double Minkowski(float* query, float* row)
    {
        var sum = 0.0;
        for (var i = 0; i < Features; i++)
        {
            var difference = Math.Abs((double)query[i] - row[i]);
            if (_wholePower == 0)
            {
                sum += Elementary.Pow(difference, Power);
                continue;
            }
            var product = difference;
            for (var p = 1; p < _wholePower; p++) product *= difference;
            sum += product;
        }

        // Where powers have left what a double can hold, rows would seem equally far.
        if (sum is < 1e-300 or > 1e300) MustBeEqual(query, row);
        return sum;
    }

    private void MustBeEqual(float* query, float* row)
    {
        var most = ExactDistances.Chebyshev(query, row, Features);
        if (most == 0) return;
        throw new QueryException("NUMERIC_VALUE_OUT_OF_RANGE", $"Two rows differ by {most} in a feature, and that to the power of {Power} does not fit double precision, so that Minkowski's distance can't tell who is "
            + "nearer. Scale the features (StandardScaler, MinMaxScaler), take a smaller MinkowskiPower, or Chebyshev's distance, which a high power comes close to.");
    }
}
