using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dataflow.MLlib.NeighborKernels;

/// <summary>One query against the 32 rows of a leaf of few features, feature by feature, in single precision: which rows are worth an exact distance.</summary>
internal static unsafe class LeafKernels
{
    /// <summary>Whether a metric has a loop here.</summary>
    public static bool Has(DistanceMetric metric) => metric is
        DistanceMetric.Euclidean or DistanceMetric.SquaredEuclidean or DistanceMetric.Manhattan or DistanceMetric.Chebyshev;

    /// <param name="leaf">features x 32.</param>
    /// <param name="sums">32 results.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(DistanceMetric metric, float* query, float* leaf, int features, float* sums)
    {
        if (metric == DistanceMetric.Manhattan) Manhattan(query, leaf, features, sums);
        else if (metric == DistanceMetric.Chebyshev) Chebyshev(query, leaf, features, sums);
        else Squared(query, leaf, features, sums);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Squared(float* query, float* leaf, int features, float* sums)
    {
        Vector512<float> a = default, b = default;
        for (var i = 0; i < features; i++, leaf += 32)
        {
            var q = Vector512.Create(query[i]);
            var x = q - Vector512.Load(leaf);
            var y = q - Vector512.Load(leaf + 16);
            a = Vector512.MultiplyAddEstimate(x, x, a);
            b = Vector512.MultiplyAddEstimate(y, y, b);
        }
        a.Store(sums);
        b.Store(sums + 16);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Manhattan(float* query, float* leaf, int features, float* sums)
    {
        Vector512<float> a = default, b = default;
        for (var i = 0; i < features; i++, leaf += 32)
        {
            var q = Vector512.Create(query[i]);
            a += Vector512.Abs(q - Vector512.Load(leaf));
            b += Vector512.Abs(q - Vector512.Load(leaf + 16));
        }
        a.Store(sums);
        b.Store(sums + 16);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Chebyshev(float* query, float* leaf, int features, float* sums)
    {
        Vector512<float> a = default, b = default;
        for (var i = 0; i < features; i++, leaf += 32)
        {
            var q = Vector512.Create(query[i]);
            a = Vector512.Max(a, Vector512.Abs(q - Vector512.Load(leaf)));
            b = Vector512.Max(b, Vector512.Abs(q - Vector512.Load(leaf + 16)));
        }
        a.Store(sums);
        b.Store(sums + 16);
    }
}
