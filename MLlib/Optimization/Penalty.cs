namespace Dataflow.MLlib.Optimization;

/// <summary>The elastic net: regularization x (mix x sum of |b| + (1 - mix) / 2 x sum of b²), of coefficients of standardised features or of features as they
/// are.</summary>
/// <param name="Regularization">The whole weight.</param>
/// <param name="Mix">Share of the absolute values, 0 to 1.</param>
/// <param name="Standardize">Whether coefficients of standardised features are meant.</param>
internal readonly record struct Penalty(double Regularization, double Mix, bool Standardize)
{
    /// <summary>What each feature is divided by; 0 for features that get no coefficient.</summary>
    public double[] ScalesOf(double[] deviations, double[] means, bool hasIntercept)
    {
        var scales = new double[deviations.Length];

        // Next to an intercept a constant says nothing; without one it is the intercept.
        for (var i = 0; i < scales.Length; i++)
        {
            var isConstant = !(deviations[i] > 1e-13 * Math.Abs(means[i]));
            scales[i] = !isConstant ? deviations[i] : hasIntercept ? 0 : Math.Abs(means[i]);
        }
        return scales;
    }

    /// <summary>Factors of half squares of coefficients of standardised features.</summary>
    public double[] Squared(double[] scales)
    {
        var (weight, standardize) = (Regularization * (1 - Mix), Standardize);
        return Array.ConvertAll(scales, scale => scale == 0 ? 0 : standardize ? weight : weight / (scale * scale));
    }

    /// <summary>Factors of absolute values of coefficients of standardised features.</summary>
    public double[] Absolute(double[] scales)
    {
        var (weight, standardize) = (Regularization * Mix, Standardize);
        return Array.ConvertAll(scales, scale => scale == 0 ? 0 : standardize ? weight : weight / scale);
    }
}
