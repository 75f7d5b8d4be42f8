namespace Dataflow.Sketches;

/// <summary>Quantiles of the distributions that confidence intervals need.</summary>
internal static class Quantiles
{
    /// <summary>The value below which a standard normal variable falls with a probability (Acklam 2003, relative error below 1.2e-9).</summary>
    public static double Normal(double probability)
    {
        ReadOnlySpan<double> a = [-3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02, 1.383577518672690e+02, -3.066479806614716e+01, 2.506628277459239e+00];
        ReadOnlySpan<double> b = [-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02, 6.680131188771972e+01, -1.328068155288572e+01];
        ReadOnlySpan<double> c = [-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00, -2.549732539343734e+00, 4.374664141464968e+00, 2.938163982698783e+00];
        ReadOnlySpan<double> d = [7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00];
        if (probability is <= 0 or >= 1) return probability <= 0 ? double.NegativeInfinity : double.PositiveInfinity;
        const double low = 0.02425;
        if (probability < low || probability > 1 - low)
        {
            var tail = probability < low ? probability : 1 - probability;
            var q = Math.Sqrt(-2 * Math.Log(tail));
            var x = (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) / ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
            return probability < low ? x : -x;
        }
        var p = probability - 0.5;
        var r = p * p;
        return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * p / (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
    }

    /// <summary>The two-sided factor of Student's t for a confidence (Hill 1970, expansion around the normal quantile; exact for 1 and 2 degrees).</summary>
    public static double Student(double confidence, long degrees)
    {
        var upper = 1 - (1 - confidence) / 2;
        if (degrees == 1) return Math.Tan(Math.PI * (upper - 0.5));
        if (degrees == 2)
        {
            var u = 2 * upper - 1;
            return u * Math.Sqrt(2 / (1 - u * u));
        }
        var z = Normal(upper);
        if (degrees > 100_000) return z;
        double n = degrees, z2 = z * z;
        return z * (1 + (z2 + 1) / (4 * n) + ((5 * z2 + 16) * z2 + 3) / (96 * n * n) + (((3 * z2 + 19) * z2 + 17) * z2 - 15) / (384 * n * n * n)
            + ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / (92160 * n * n * n * n));
    }
}
