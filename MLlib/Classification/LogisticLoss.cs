using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dataflow.MLlib.Linalg;
using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.Optimization;

namespace Dataflow.MLlib.Classification;

/// <summary>Minus the logarithm of the probability of a row's class, of two: log(1 + e^-margin) for class 1, log(1 + e^margin) for class 0.</summary>
internal sealed unsafe class LogisticLoss : RowLoss
{
    // No calls in the loop: values in registers would go to the stack and back in every round.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override double Evaluate(double* margins, int stride, double* labels, double* weights, int count, ref double extra)
    {
        var sum = Vector512<double>.Zero;
        var one = Vector512.Create(1.0);
        for (var i = 0; i < count; i += 8)
        {
            var margin = Vector512.Load(margins + i);
            var label = Vector512.Load(labels + i);
            var weight = Vector512.Load(weights + i);
            var small = SmallExp.Exp(-Vector512.Abs(margin));
            var whole = one + small;
            var negative = Vector512.LessThan(margin, Vector512<double>.Zero);
            var probability = Vector512.ConditionalSelect(negative, small, one) / whole;

            // Class 1 loses log(1 + e^-m), class 0 log(1 + e^m): the same but for m where m is positive.
            var loss = SmallExp.LogOfOneToTwo(whole) + Vector512.ConditionalSelect(negative, Vector512<double>.Zero, margin) - (label * margin);
            sum += weight * loss;
            (weight * (probability - label)).Store(margins + i);
        }
        return Lanes.Sum(sum);
    }
}

/// <summary>Minus the logarithm of the probability of a row's class, of several, each of which has a margin (softmax).</summary>
internal sealed unsafe class SoftmaxLoss(int classes) : RowLoss
{
    public override int Margins => classes;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override double Evaluate(double* margins, int stride, double* labels, double* weights, int count, ref double extra)
    {
        double sum = 0;
        for (var i = 0; i < count; i += 8)
        {
            var most = Vector512.Load(margins + i);
            for (var k = 1; k < classes; k++)
            {
                var margin = Vector512.Load(margins + ((nint)k * stride) + i);
                most = Vector512.ConditionalSelect(Vector512.GreaterThan(margin, most), margin, most);
            }

            // The margin of the row's own class is needed after all margins are replaced.
            for (var j = i; j < i + 8 && j < count; j++) sum += weights[j] * (most[j - i] - margins[((nint)labels[j] * stride) + j]);
            var total = Vector512<double>.Zero;
            for (var k = 0; k < classes; k++)
            {
                var at = margins + ((nint)k * stride) + i;
                var power = SmallExp.Exp(Vector512.Load(at) - most);
                power.Store(at);
                total += power;
            }
            var weight = Vector512.Load(weights + i);
            var share = weight / total;
            for (var k = 0; k < classes; k++)
            {
                var at = margins + ((nint)k * stride) + i;
                (Vector512.Load(at) * share).Store(at);
            }
            for (var j = i; j < i + 8 && j < count; j++)
            {
                sum += weights[j] * Elementary.Log(total[j - i]);
                margins[((nint)labels[j] * stride) + j] -= weights[j];
            }
        }
        return sum;
    }
}

/// <summary>Exponentials and logarithms of the ranges that probabilities need, eight at a time: as <see cref="Elementary"/>, without its cases.</summary>
internal static class SmallExp
{
    private const double Ln2High = 6.93147180369123816490e-01;
    private const double Ln2Low = 1.90821492927058770002e-10;

    /// <summary>e to powers of 0 or less. Below -700, where nothing is left of it next to 1, that of -700; NaN gives NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Exp(Vector512<double> x) =>
        ElementaryVectors.ExpInRange(Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512.Create(-700.0)), Vector512.Create(-700.0), x));

    /// <summary>Natural logarithms of numbers from 1 to 2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> LogOfOneToTwo(Vector512<double> x)
    {
        var isLarge = Vector512.GreaterThan(x, Vector512.Create(1.4142135623730951));
        var k = Vector512.ConditionalSelect(isLarge, Vector512.Create(1.0), Vector512<double>.Zero);
        var f = Vector512.ConditionalSelect(isLarge, x * Vector512.Create(0.5), x) - Vector512.Create(1.0);
        var s = f / (Vector512.Create(2.0) + f);
        var z = s * s;
        var w = z * z;
        var odd = z * (Vector512.Create(6.666666666666735130e-01) + (w * (Vector512.Create(2.857142874366239149e-01)
            + (w * (Vector512.Create(1.818357216161805012e-01) + (w * Vector512.Create(1.479819860511658591e-01)))))));
        var even = w * (Vector512.Create(3.999999999940941908e-01) + (w * (Vector512.Create(2.222219843214978396e-01) + (w * Vector512.Create(1.531383769920937332e-01)))));
        var half = Vector512.Create(0.5) * f * f;
        return (k * Vector512.Create(Ln2High)) - ((half - ((s * (half + (odd + even))) + (k * Vector512.Create(Ln2Low)))) - f);
    }
}
