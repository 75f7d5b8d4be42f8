using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dataflow.MLlib.Clustering;

/// <summary>What <see cref="NearestCenters"/> does with 24 sums of 512 bits, with 8 of 256: for machines with 16 registers.</summary>
internal static unsafe class NarrowCompare
{
    private const int Rows = NearestCenters.Rows;
    private const int Group = 8;

    /// <summary>48 rows against 8 centres.</summary>
    public static void Compare(float* rows, float* panel, int width, int first, float* best)
    {
        for (var row = 0; row < Rows; row += 16)
        {
            for (var center = 0; center < Group; center += 4) CompareTile(rows + row, panel + center, width, first + center, best + row);
        }
    }

    // 16 rows against 4 centres, without calls.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void CompareTile(float* rows, float* panel, int width, int first, float* best)
    {
        Vector256<float> a0 = Vector256.Create(panel[0]), a1 = a0, b0 = Vector256.Create(panel[1]), b1 = b0,
            c0 = Vector256.Create(panel[2]), c1 = c0, d0 = Vector256.Create(panel[3]), d1 = d0;
        var end = rows + ((nint)width * Rows);
        for (panel += Group; rows < end; rows += Rows, panel += Group)
        {
            Vector256<float> x = Vector256.Load(rows), y = Vector256.Load(rows + 8);
            var by = Vector256.Create(panel[0]);
            a0 = Vector256.MultiplyAddEstimate(x, by, a0);
            a1 = Vector256.MultiplyAddEstimate(y, by, a1);
            by = Vector256.Create(panel[1]);
            b0 = Vector256.MultiplyAddEstimate(x, by, b0);
            b1 = Vector256.MultiplyAddEstimate(y, by, b1);
            by = Vector256.Create(panel[2]);
            c0 = Vector256.MultiplyAddEstimate(x, by, c0);
            c1 = Vector256.MultiplyAddEstimate(y, by, c1);
            by = Vector256.Create(panel[3]);
            d0 = Vector256.MultiplyAddEstimate(x, by, d0);
            d1 = Vector256.MultiplyAddEstimate(y, by, d1);
        }
        Keep(a0, b0, c0, d0, first, best);
        Keep(a1, b1, c1, d1, first, best + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d, int first, float* best)
    {
        var least = Vector256.Load(best);
        var second = Vector256.Load(best + Rows);
        var index = Vector256.Load((int*)(best + (2 * Rows)));
        Keep(a, first, ref least, ref second, ref index);
        Keep(b, first + 1, ref least, ref second, ref index);
        Keep(c, first + 2, ref least, ref second, ref index);
        Keep(d, first + 3, ref least, ref second, ref index);
        least.Store(best);
        second.Store(best + Rows);
        index.Store((int*)(best + (2 * Rows)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(Vector256<float> distance, int center, ref Vector256<float> least, ref Vector256<float> second, ref Vector256<int> index)
    {
        index = Vector256.ConditionalSelect(Vector256.LessThan(distance, least).AsInt32(), Vector256.Create(center), index);
        second = Vector256.MinNative(second, Vector256.MaxNative(distance, least));
        least = Vector256.MinNative(distance, least);
    }
}
