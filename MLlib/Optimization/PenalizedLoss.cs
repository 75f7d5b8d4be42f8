using Dataflow.MLlib.Data;
using Dataflow.MLlib.Linalg;

namespace Dataflow.MLlib.Optimization;

/// <summary>
/// The mean loss of a linear model over all rows, plus its squared penalty, as a function of coefficients of scaled features: so that L-BFGS meets a
/// well-conditioned function whatever the units of the features. Rows are not changed: scaling and shifting are done to the coefficients.
/// </summary>
/// <remarks>A point is margins x features coefficients, then the intercepts if there are any, then the extra parameter if there is one. Features that are constant
/// keep the coefficient 0 next to an intercept.</remarks>
internal sealed class PenalizedLoss
{
    private readonly Rdd<FeatureBlock> _blocks;
    private readonly FeatureMoments _moments;
    private readonly double[] _scales;
    private readonly double[] _centers;
    private readonly double[] _squaredPenalties;
    private readonly bool _hasIntercept;
    private readonly string _user;

    /// <summary>The function.</summary>
    /// <param name="blocks">The rows.</param>
    /// <param name="moments">Of their features.</param>
    /// <param name="penalty">What is penalised.</param>
    /// <param name="hasIntercept">Whether there are intercepts.</param>
    /// <param name="margins">Margins of a row.</param>
    /// <param name="curvature">About the second derivative of the loss by a margin.</param>
    /// <param name="user">Who asks, for errors.</param>
    /// <param name="centres">Whether intercepts of a point are those at the features' means, which is better conditioned; else those at 0, which can be bounded.</param>
    public PenalizedLoss(
        Rdd<FeatureBlock> blocks, FeatureMoments moments, Penalty penalty, bool hasIntercept, int margins, double curvature, string user, bool centres = true)
    {
        moments.CheckSums(user);
        _blocks = blocks;
        _moments = moments;
        _hasIntercept = hasIntercept;
        _user = user;
        Margins = margins;
        _scales = penalty.ScalesOf(moments.ReliabilityDeviations(), moments.Means, hasIntercept, curvature);
        _centers = hasIntercept && centres ? moments.Means : new double[_scales.Length];
        _squaredPenalties = penalty.Squared(_scales);
        Absolute = [.. Enumerable.Repeat(penalty.Absolute(_scales), margins).SelectMany(values => values)];
    }

    /// <summary>Margins of a row.</summary>
    public int Margins { get; }

    /// <summary>What each feature is divided by; 0 for features without coefficient.</summary>
    public ReadOnlySpan<double> Scales => _scales;

    /// <summary>Factors of half squares of the coefficients of scaled features, by feature.</summary>
    public ReadOnlySpan<double> SquaredPenalties => _squaredPenalties;

    /// <summary>What is taken away from each feature.</summary>
    public double[] Centers => _centers;

    /// <summary>Features.</summary>
    public int Width => _scales.Length;

    /// <summary>Penalties of absolute values, by coefficient.</summary>
    public double[] Absolute { get; }

    /// <summary>Where the intercepts are in a point.</summary>
    public int InterceptsAt => Margins * Width;

    /// <summary>Where the extra parameter is in a point.</summary>
    public int ExtraAt => InterceptsAt + (_hasIntercept ? Margins : 0);

    /// <summary>Value and gradient.</summary>
    public async Task<double> EvaluateAsync(RowLoss loss, double[] point, double[] gradient, CancellationToken cancellationToken)
    {
        var (coefficients, intercepts) = Unscale(point, Lanes.Padded(Width));
        var sums = await LossSums.OfAsync(_blocks, loss, Width, coefficients, intercepts, _user, cancellationToken).ConfigureAwait(false);
        var head = LossSums.Head(Margins);
        var value = sums[0] / _moments.Weight;
        for (var k = 0; k < Margins; k++)
        {
            var sum = sums[2 + k];
            for (var i = 0; i < Width; i++)
            {
                var at = (k * Width) + i;
                gradient[at] = 0;
                if (_scales[i] == 0) continue;
                var centred = sums[head + at] - (_centers[i] * sum);
                gradient[at] = (centred / _scales[i] / _moments.Weight) + (_squaredPenalties[i] * point[at]);
                value += 0.5 * _squaredPenalties[i] * point[at] * point[at];
            }
            if (_hasIntercept) gradient[InterceptsAt + k] = sum / _moments.Weight;
        }
        if (gradient.Length > ExtraAt) gradient[ExtraAt] = sums[1] / _moments.Weight;
        return value;
    }

    /// <summary>The squared penalty of a point.</summary>
    public double SquaredPenalty(double[] point)
    {
        double sum = 0;
        for (var at = 0; at < InterceptsAt; at++) sum += 0.5 * _squaredPenalties[at % Width] * point[at] * point[at];
        return sum;
    }

    /// <summary>Coefficients of features as they are, margins x <paramref name="stride"/>, and intercepts.</summary>
    public (double[] Coefficients, double[] Intercepts) Unscale(double[] point, int stride)
    {
        var coefficients = new double[Margins * stride];
        var intercepts = new double[Margins];
        for (var k = 0; k < Margins; k++)
        {
            double shift = 0;
            for (var i = 0; i < Width; i++)
            {
                if (_scales[i] == 0) continue;
                var coefficient = point[(k * Width) + i] / _scales[i];
                coefficients[(k * stride) + i] = coefficient;
                shift += coefficient * _centers[i];
            }
            if (_hasIntercept) intercepts[k] = point[InterceptsAt + k] - shift;
        }
        return (coefficients, intercepts);
    }
}
