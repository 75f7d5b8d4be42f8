using System.Runtime.CompilerServices;

namespace Dataflow.MLlib.Numerics;

/// <summary>
/// Exponential and logarithm with the same bits on every machine: additions, multiplications and divisions of IEEE 754 in a fixed order, no fused
/// operations and no library. Learners use them instead of <see cref="Math"/>, whose last digits differ between systems and instruction sets.
/// </summary>
/// <remarks>About 1 ulp. Source: Cody and Waite 1980, chapters 5 and 6 (reduction); coefficients of the minimax forms as in W. J. Cody's and fdlibm's public
/// descriptions. The JIT does not contract a * b + c, so the written order is the order that runs.</remarks>
public static class Elementary
{
    private const double Ln2High = 6.93147180369123816490e-01;
    private const double Ln2Low = 1.90821492927058770002e-10;
    private const double Log2E = 1.44269504088896338700;

    /// <summary>e to the power of <paramref name="x"/>: 0 below -745.13, infinity above 709.78, NaN for NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Exp(double x)
    {
        if (!(x < 709.782712893384)) return x > 0 ? double.PositiveInfinity : x;
        if (x < -745.1332191019412) return 0;

        // x = k ln 2 + r, |r| <= ln 2 / 2; e^r = 1 + r + r c / (2 - c), where c = r - r^2 P(r^2).
        var k = (int)((x * Log2E) + (x < 0 ? -0.5 : 0.5));
        var high = x - (k * Ln2High);
        var low = k * Ln2Low;
        var r = high - low;
        var t = r * r;
        var c = r - (t * (1.66666666666666019037e-01 + (t * (-2.77777777770155933842e-03 + (t * (6.61375632143793436117e-05
            + (t * (-1.65339022054652515390e-06 + (t * 4.13813679705723846039e-08)))))))));
        var y = 1 - ((low - (r * c / (2 - c))) - high);
        return k > -1022 && k < 1024
            ? y * BitConverter.Int64BitsToDouble((long)(k + 1023) << 52)
            : y * BitConverter.Int64BitsToDouble((long)((k / 2) + 1023) << 52) * BitConverter.Int64BitsToDouble((long)(k - (k / 2) + 1023) << 52);
    }

    /// <summary>The natural logarithm: minus infinity for 0, NaN below it and for NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Log(double x)
    {
        if (!(x > 0)) return x == 0 ? double.NegativeInfinity : double.NaN;
        if (double.IsInfinity(x)) return x;
        var k = 0;
        if (x < 2.2250738585072014e-308)
        {
            x *= 18014398509481984.0;
            k = -54;
        }

        // x = 2^k (1 + f), with 1 + f between sqrt(1/2) and sqrt(2); log(1 + f) by s = f / (2 + f).
        var bits = BitConverter.DoubleToInt64Bits(x) + (0x3FF0000000000000 - 0x3FE6A09E00000000);
        k += (int)(bits >> 52) - 1023;
        var f = BitConverter.Int64BitsToDouble((bits & 0x000FFFFFFFFFFFFF) + 0x3FE6A09E00000000) - 1;
        var s = f / (2 + f);
        var z = s * s;
        var w = z * z;
        var odd = z * (6.666666666666735130e-01 + (w * (2.857142874366239149e-01 + (w * (1.818357216161805012e-01 + (w * 1.479819860511658591e-01))))));
        var even = w * (3.999999999940941908e-01 + (w * (2.222219843214978396e-01 + (w * 1.531383769920937332e-01))));
        var half = 0.5 * f * f;
        return (k * Ln2High) - ((half - ((s * (half + (odd + even))) + (k * Ln2Low))) - f);
    }

    /// <summary>1 / (1 + e^-x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Sigmoid(double x) => 1 / (1 + Exp(-x));

    /// <summary>x to the power of y, for x of at least 0: e^(y log x).</summary>
    public static double Pow(double x, double y) => y == 0 ? 1 : x == 0 ? (y > 0 ? 0 : double.PositiveInfinity) : Exp(y * Log(x));

    /// <summary>log(1 + e^x) without overflow.</summary>
    public static double Softplus(double x) => x > 0 ? x + Log(1 + Exp(-x)) : Log(1 + Exp(x));
}
