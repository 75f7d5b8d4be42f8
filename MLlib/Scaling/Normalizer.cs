using Dataflow.MLlib.Features;
using Dataflow.MLlib.Numerics;

namespace Dataflow.MLlib;

/// <summary>Makes each vector as long as 1: divides it by its own norm. Learns nothing.</summary>
/// <remarks>Transform is lazy, some nanoseconds a stored number; sparse vectors stay sparse. Vectors of zeros stay so, NaN makes the whole vector NaN, and null stays null.</remarks>
public sealed record Normalizer : Transformer
{
    /// <summary>The column of vectors.</summary>
    public string InputColumn { get; init => field = Check.Name(value); } = "features";

    /// <summary>The column of vectors that is added.</summary>
    public string OutputColumn { get; init => field = Check.Name(value); } = "normalized";

    /// <summary>Which norm: (sum of |x|^p)^(1/p), with p of 1 or more; infinity for the largest magnitude.</summary>
    public double P { get; init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(P), value, "P must be 1 or more; infinity takes the largest magnitude."); } = 2;

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        return ColumnPairs.Add(frame, nameof(Normalizer), (OutputColumn, Functions.Call(new Normalized(P, InputColumn), ColumnPairs.VectorOf(frame, InputColumn, nameof(Normalizer)))));
    }

    private sealed class Normalized(double p, string column) : StoredFunction("normalized")
    {
        public override void Apply(ReadOnlySpan<int> places, Span<double> values)
        {
            double largest = 0;
            foreach (var value in values)
            {
                if (double.IsInfinity(value))
                    throw new QueryException("INVALID_FEATURE", $"Column '{column}' holds an infinite number, and {nameof(Normalizer)} needs numbers there. Filter such rows first.");
                largest = double.IsNaN(value) ? value : Math.Max(largest, Math.Abs(value));
            }
            if (largest == 0) return;

            // By a power of two, which rounds nothing, so that no power overflows or vanishes.
            var shift = double.IsNaN(largest) ? 0 : -Math.ILogB(largest);
            if (shift is > -300 and < 300) shift = 0;
            for (var i = 0; shift != 0 && i < values.Length; i++) values[i] = Math.ScaleB(values[i], shift);
            var norm = Norm(values);
            for (var i = 0; i < values.Length; i++) values[i] /= norm;
        }

        private double Norm(ReadOnlySpan<double> values)
        {
            double sum = 0;
            if (double.IsInfinity(p) || p > 100) return PowerNorm(values);
            foreach (var value in values) sum += p == 1 ? Math.Abs(value) : p == 2 ? value * value : value == 0 ? 0 : Elementary.Exp(p * Elementary.Log(Math.Abs(value)));
            return p == 1 ? sum : p == 2 ? Math.Sqrt(sum) : Elementary.Exp(Elementary.Log(sum) / p);
        }

        // Relative to the largest, so that high powers do not overflow.
        private double PowerNorm(ReadOnlySpan<double> values)
        {
            double largest = 0, sum = 0;
            foreach (var value in values) largest = Math.Max(largest, Math.Abs(value));
            if (double.IsInfinity(p) || double.IsNaN(largest)) return largest;
            foreach (var value in values) sum += value == 0 ? 0 : Elementary.Exp(p * Elementary.Log(Math.Abs(value) / largest));
            return largest * Elementary.Exp(Elementary.Log(sum) / p);
        }
    }
}
