namespace Dataflow.MLlib.Optimization;

/// <summary>The elastic net: regularization x (mix x sum of |b| + (1 - mix) / 2 x sum of b²), of coefficients of standardised features or of features as they
/// are.</summary>
/// <param name="Regularization">The whole weight.</param>
/// <param name="Mix">Share of the absolute values, 0 to 1.</param>
/// <param name="Standardize">Whether coefficients of standardised features are meant.</param>
internal readonly record struct Penalty(double Regularization, double Mix, bool Standardize)
{
    /// <summary>What each feature is divided by; 0 for features that get no coefficient.</summary>
    /// <param name="deviations">Of the features.</param>
    /// <param name="means">Of the features.</param>
    /// <param name="hasIntercept">Whether there is one.</param>
    /// <param name="curvature">About the second derivative of the loss by a margin.</param>
    /// <remarks>Where coefficients of features as they are are penalised, the second derivatives by them are curvature x deviation² + penalty, and the root of that
    /// is the scale that makes all of them equal. By deviations alone, a feature that is nearly constant would meet a wall.</remarks>
    public double[] ScalesOf(double[] deviations, double[] means, bool hasIntercept, double curvature)
    {
        var scales = new double[deviations.Length];
        var damping = Standardize ? 0 : Regularization * (1 - Mix) / curvature;

        // Next to an intercept a constant says nothing; without one it is the intercept.
        for (var i = 0; i < scales.Length; i++)
        {
            var isConstant = !(deviations[i] > 1e-13 * Math.Abs(means[i]));
            scales[i] = !isConstant ? deviations[i] : hasIntercept ? 0 : Math.Abs(means[i]);
            if (scales[i] > 0 && damping > 0) scales[i] = Math.Sqrt((scales[i] * scales[i]) + damping);
        }
        return scales;
    }

    /// <summary>Factors of half squares of coefficients of features divided by these scales.</summary>
    public double[] Squared(double[] scales)
    {
        var (weight, standardize) = (Regularization * (1 - Mix), Standardize);
        return Array.ConvertAll(scales, scale => scale == 0 ? 0 : standardize ? weight : weight / (scale * scale));
    }

    /// <summary>Factors of absolute values of coefficients of features divided by these scales.</summary>
    public double[] Absolute(double[] scales)
    {
        var (weight, standardize) = (Regularization * Mix, Standardize);
        return Array.ConvertAll(scales, scale => scale == 0 ? 0 : standardize ? weight : weight / scale);
    }
}
