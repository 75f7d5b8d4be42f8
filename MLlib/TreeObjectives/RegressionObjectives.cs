using System.Globalization;
using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeObjectives;

/// <summary>Half the squared error; the score is the mean.</summary>
internal sealed unsafe class SquaredObjective : TreeObjective
{
    public override string Text => "regression";

    public override string Metric => "rmse";

    public override bool PredictsLabels => true;

    public override bool HasConstantHessian => true;

    public override string? Fault(float label) => null;

    public override double[] Averages(TreeShard shard, ITreeGroup group) => [LabelSums.WeightedMean(shard, group, label => label)];

    public override void Compute(in ObjectiveRows rows)
    {
        for (var i = 0; i < rows.Count; i++)
        {
            rows.Gradients[i] = rows.Scores[i] - rows.Labels[i];
            rows.Hessians[i] = 1;
        }
        rows.Weigh();
    }
}

/// <summary>The absolute error, or that of a quantile (Koenker and Bassett 1978): the score is the median, or the quantile. Leaves take the quantile of their rows' residuals.</summary>
/// <param name="alpha">Which quantile, between 0 and 1.</param>
/// <param name="isMedian">Whether it is the absolute error: gradients of 1 instead of one half.</param>
internal sealed unsafe class QuantileObjective(double alpha, bool isMedian) : TreeObjective
{
    public override string Text => isMedian ? "regression_l1" : string.Create(CultureInfo.InvariantCulture, $"quantile alpha:{alpha}");

    public override string Metric => isMedian ? "l1" : "quantile";

    /// <summary>Which quantile.</summary>
    public double Alpha => isMedian ? 0.5 : alpha;

    public override bool PredictsLabels => true;

    public override bool HasConstantHessian => true;

    public override (double Gradient, double Hessian)? Bounds => (1, 1);

    public override double? RenewalQuantile => isMedian ? 0.5 : alpha;

    public override string? Fault(float label) => null;

    public override double[] Averages(TreeShard shard, ITreeGroup group) => [ExactQuantiles.OfLabels(shard, group, isMedian ? 0.5 : alpha)];

    public override void Compute(in ObjectiveRows rows)
    {
        var (above, below) = isMedian ? (1.0, -1.0) : (1 - alpha, -alpha);
        for (var i = 0; i < rows.Count; i++)
        {
            var difference = rows.Scores[i] - rows.Labels[i];
            rows.Gradients[i] = difference > 0 ? above : difference < 0 ? below : isMedian ? 0 : above;
            rows.Hessians[i] = 1;
        }
        rows.Weigh();
    }
}

/// <summary>Half the squared error up to a bound, linear beyond it (Huber 1964).</summary>
/// <param name="bound">Where it becomes linear, in units of the label.</param>
internal sealed unsafe class HuberObjective(double bound) : TreeObjective
{
    public override string Text => "huber";

    public override string Metric => "huber";

    /// <summary>Where the loss becomes linear.</summary>
    public double Bound => bound;

    public override bool PredictsLabels => true;

    public override bool HasConstantHessian => true;

    public override (double Gradient, double Hessian)? Bounds => (bound, 1);

    public override string? Fault(float label) => null;

    public override double[] Averages(TreeShard shard, ITreeGroup group) => [LabelSums.WeightedMean(shard, group, label => label)];

    public override void Compute(in ObjectiveRows rows)
    {
        for (var i = 0; i < rows.Count; i++)
        {
            rows.Gradients[i] = Math.Clamp(rows.Scores[i] - rows.Labels[i], -bound, bound);
            rows.Hessians[i] = 1;
        }
        rows.Weigh();
    }
}

/// <summary>Deviances of counts and amounts whose mean is e to the score: Poisson, gamma, and Tweedie between them (Jorgensen 1987).</summary>
/// <param name="power">How the variance grows with the mean: 1 is Poisson, 2 gamma.</param>
/// <param name="maxDeltaStep">Poisson: added to the score in the hessian, so that steps stay small (0.7 in LightGBM).</param>
internal sealed unsafe class DevianceObjective(double power, double maxDeltaStep) : TreeObjective
{
    public override string Metric => power switch { 1 => "poisson", 2 => "gamma", _ => "tweedie" };

    /// <summary>How the variance grows with the mean.</summary>
    public double Power => power;

    public override string Text => power switch { 1 => "poisson", 2 => "gamma", _ => string.Create(CultureInfo.InvariantCulture, $"tweedie tweedie_variance_power:{power}") };

    public override string? Fault(float label) => power < 2
        ? label < 0 ? "labels of Poisson and Tweedie regression are not negative" : null
        : label <= 0 ? "labels of gamma regression are greater than 0" : null;

    public override double[] Averages(TreeShard shard, ITreeGroup group)
    {
        var mean = LabelSums.WeightedMean(shard, group, label => label);
        if (!(mean > 0)) throw new QueryException("INVALID_LABEL", $"The mean of the labels is {mean}, and {Text.Split(' ')[0]} regression needs one greater than 0. Are all labels 0?");
        return [Elementary.Log(mean)];
    }

    public override void Compute(in ObjectiveRows rows)
    {
        var gradients = rows.Gradients;
        var hessians = rows.Hessians;
        var count = rows.Count;
        if (power == 1)
        {
            var growth = Elementary.Exp(maxDeltaStep);
            for (var i = 0; i < count; i++) hessians[i] = rows.Scores[i];
            ElementaryVectors.Exp(hessians, count);
            for (var i = 0; i < count; i++)
            {
                gradients[i] = hessians[i] - rows.Labels[i];
                hessians[i] *= growth;
            }
        }
        else
        {
            // With the mean m = e^s: gradient m^(2-p) - y m^(1-p), hessian its derivative by s.
            for (var i = 0; i < count; i++)
            {
                gradients[i] = (1 - power) * rows.Scores[i];
                hessians[i] = (2 - power) * rows.Scores[i];
            }
            ElementaryVectors.Exp(gradients, count);
            if (power == 2) for (var i = 0; i < count; i++) hessians[i] = 1;
            else ElementaryVectors.Exp(hessians, count);
            for (var i = 0; i < count; i++)
            {
                var (label, high) = (rows.Labels[i] * gradients[i], hessians[i]);
                gradients[i] = high - label;
                hessians[i] = ((power - 1) * label) + ((2 - power) * high);
            }
        }
        rows.Weigh();
    }
}
