using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dataflow.MLlib.Numerics;

/// <summary>The functions of <see cref="Elementary"/> over many values at once: the same operations in the same order, so the same bits.</summary>
internal static unsafe class ElementaryVectors
{
    private const double Ln2High = 6.93147180369123816490e-01;
    private const double Ln2Low = 1.90821492927058770002e-10;
    private const double Log2E = 1.44269504088896338700;

    // Added to a whole double of less than 2^51, it leaves that number in the low bits.
    private const double Magic = 6755399441055744.0;

    /// <summary>Replaces each value by e to its power.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Exp(double* values, int count)
    {
        var i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i + 8 <= count; i += 8)
            {
                var x = Vector512.Load(values + i);
                if (!Vector512.LessThanOrEqualAll(Vector512.Abs(x), Vector512.Create(700.0))) break;
                Vector512.Store(ExpInRange(x), values + i);
            }
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            for (; i + 4 <= count; i += 4)
            {
                var x = Vector256.Load(values + i);
                if (!Vector256.LessThanOrEqualAll(Vector256.Abs(x), Vector256.Create(700.0))) break;
                Vector256.Store(ExpInRange(x), values + i);
            }
        }

        // The rest, and all of it from the first value on that needs care.
        for (; i < count; i++) values[i] = Elementary.Exp(values[i]);
    }

    /// <summary>Replaces each value x by 1 / (1 + e^-x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Sigmoid(double* values, int count)
    {
        var i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            var one = Vector512.Create(1.0);
            for (; i + 8 <= count; i += 8)
            {
                var x = -Vector512.Load(values + i);
                if (!Vector512.LessThanOrEqualAll(Vector512.Abs(x), Vector512.Create(700.0))) break;
                Vector512.Store(one / (one + ExpInRange(x)), values + i);
            }
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            var one = Vector256.Create(1.0);
            for (; i + 4 <= count; i += 4)
            {
                var x = -Vector256.Load(values + i);
                if (!Vector256.LessThanOrEqualAll(Vector256.Abs(x), Vector256.Create(700.0))) break;
                Vector256.Store(one / (one + ExpInRange(x)), values + i);
            }
        }
        for (; i < count; i++) values[i] = Elementary.Sigmoid(values[i]);
    }

    /// <summary>e to powers from -700 to 700; NaN gives NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<double> ExpInRange(Vector512<double> x)
    {
        var half = Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512<double>.Zero), Vector512.Create(-0.5), Vector512.Create(0.5));
        var k = Vector512.Truncate((x * Vector512.Create(Log2E)) + half);
        var high = x - (k * Vector512.Create(Ln2High));
        var low = k * Vector512.Create(Ln2Low);
        var r = high - low;
        var t = r * r;
        var c = r - (t * (Vector512.Create(1.66666666666666019037e-01) + (t * (Vector512.Create(-2.77777777770155933842e-03)
            + (t * (Vector512.Create(6.61375632143793436117e-05) + (t * (Vector512.Create(-1.65339022054652515390e-06)
            + (t * Vector512.Create(4.13813679705723846039e-08))))))))));
        var y = Vector512.Create(1.0) - ((low - (r * c / (Vector512.Create(2.0) - c))) - high);
        var whole = (k + Vector512.Create(Magic)).AsInt64() - Vector512.Create(Magic).AsInt64();
        return y * ((whole + Vector512.Create(1023L)) << 52).AsDouble();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> ExpInRange(Vector256<double> x)
    {
        var half = Vector256.ConditionalSelect(Vector256.LessThan(x, Vector256<double>.Zero), Vector256.Create(-0.5), Vector256.Create(0.5));
        var k = Vector256.Truncate((x * Vector256.Create(Log2E)) + half);
        var high = x - (k * Vector256.Create(Ln2High));
        var low = k * Vector256.Create(Ln2Low);
        var r = high - low;
        var t = r * r;
        var c = r - (t * (Vector256.Create(1.66666666666666019037e-01) + (t * (Vector256.Create(-2.77777777770155933842e-03)
            + (t * (Vector256.Create(6.61375632143793436117e-05) + (t * (Vector256.Create(-1.65339022054652515390e-06)
            + (t * Vector256.Create(4.13813679705723846039e-08))))))))));
        var y = Vector256.Create(1.0) - ((low - (r * c / (Vector256.Create(2.0) - c))) - high);
        var whole = (k + Vector256.Create(Magic)).AsInt64() - Vector256.Create(Magic).AsInt64();
        return y * ((whole + Vector256.Create(1023L)) << 52).AsDouble();
    }
}
