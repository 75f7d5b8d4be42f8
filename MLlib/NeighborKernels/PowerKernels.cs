using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dataflow.MLlib.NeighborKernels;

/// <summary>
/// Minkowski's distances from below, in single precision: sums of powers by products and roots. A power is taken up to the next quarter, and beyond 16 for the largest difference:
/// the distance of a higher power is never larger, so no row is lost.
/// </summary>
internal static unsafe class PowerKernels
{
    private const double MostPower = 16;

    /// <summary>Rows that may lie within a key.</summary>
    /// <param name="key">Of <paramref name="power"/>.</param>
    /// <returns>How many positions were written to <paramref name="passed"/>.</returns>
    public static int AtMost(float* query, float* rows, int count, int features, double power, double key, float* sums, int* passed)
    {
        if (power > MostPower)
        {
            ScanKernels.Chebyshev(query, rows, count, features, sums);
            return ScanKernels.AtMost(sums, count, 1, FloatBounds.Above(Raised(key, 1 / power), features), null, 0, passed);
        }
        var quarters = (int)Math.Ceiling(4 * power);
        Sums(query, rows, count, features, quarters >> 2, quarters & 3, sums);

        // A term is rounded about twenty times where a difference is, once.
        return ScanKernels.AtMost(sums, count, 1, FloatBounds.Above(Raised(key, quarters / (4 * power)), 24 * (features + 2)), null, 0, passed);
    }

    // The logarithm and the exponential are good to a few of the last bits; the margin is far above.
    private static double Raised(double key, double power) => key <= 0 ? key : Numerics.Elementary.Pow(key, power) * (1 + 1e-9);

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Sums(float* query, float* rows, int count, int features, int whole, int quarters, float* sums)
    {
        for (var r = 0; r < count; r++, rows += features)
        {
            Vector512<float> all = default;
            var i = 0;
            for (; i <= features - 16; i += 16)
            {
                var difference = Vector512.Abs(Vector512.Load(query + i) - Vector512.Load(rows + i));
                var term = difference;
                for (var p = 1; p < whole; p++) term *= difference;
                if (quarters != 0)
                {
                    var root = Vector512.Sqrt(difference);
                    if ((quarters & 2) != 0) term *= root;
                    if ((quarters & 1) != 0) term *= Vector512.Sqrt(root);
                }
                all += term;
            }
            var sum = Vector512.Sum(all);
            for (; i < features; i++)
            {
                var difference = Math.Abs(query[i] - rows[i]);
                var term = difference;
                for (var p = 1; p < whole; p++) term *= difference;
                if ((quarters & 2) != 0) term *= MathF.Sqrt(difference);
                if ((quarters & 1) != 0) term *= MathF.Sqrt(MathF.Sqrt(difference));
                sum += term;
            }
            sums[r] = sum;
        }
    }
}
