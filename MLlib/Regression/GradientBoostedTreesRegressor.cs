using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.TreeObjectives;

namespace Dataflow.MLlib;

/// <summary>Boosted trees that predict a number.</summary>
/// <remarks>See <see cref="GradientBoostedTrees{TModel}"/> for cost and guarantees.</remarks>
public sealed record GradientBoostedTreesRegressor : GradientBoostedTrees<GradientBoostedTreesRegressionModel>
{
    /// <summary>What is minimised.</summary>
    public BoostingLoss Loss { get; init => field = Check.Defined(value); } = BoostingLoss.Squared;

    /// <summary>Quantile loss: which quantile is predicted, between 0 and 1.</summary>
    public double Quantile { get; init => field = value is > 0 and < 1 ? value : throw new ArgumentOutOfRangeException(nameof(Quantile), value, "Quantile must lie between 0 and 1."); } = 0.9;

    /// <summary>Huber loss: beyond which error, in units of the label, it is linear.</summary>
    public double HuberBound { get; init => field = Check.MoreThan(value, 0); } = 0.9;

    /// <summary>Tweedie loss: how the variance grows with the mean; from 1 (Poisson) to 2 (gamma), both excluded.</summary>
    public double TweediePower { get; init => field = value is > 1 and < 2 ? value : throw new ArgumentOutOfRangeException(nameof(TweediePower), value, "TweediePower must lie between 1 and 2."); } = 1.5;

    /// <summary>Poisson loss: keeps steps small; as <c>poisson_max_delta_step</c> of LightGBM.</summary>
    public double PoissonMaxDeltaStep { get; init => field = Check.MoreThan(value, 0); } = 0.7;

    internal override TreeObjective ObjectiveFor(double greatestLabel) => CustomLoss is { } own ? new CustomObjective(own) : Loss switch
    {
        BoostingLoss.Squared => new SquaredObjective(),
        BoostingLoss.Absolute => new QuantileObjective(0.5, isMedian: true),
        BoostingLoss.Huber => new HuberObjective(HuberBound),
        BoostingLoss.Quantile => new QuantileObjective(Quantile, isMedian: false),
        BoostingLoss.Poisson => new DevianceObjective(1, PoissonMaxDeltaStep),
        BoostingLoss.Gamma => new DevianceObjective(2, 0),
        _ => new DevianceObjective(TweediePower, 0),
    };

    internal override GradientBoostedTreesRegressionModel ModelOf(TreeEnsemble ensemble) => new(ensemble);
}

/// <summary>What a regression minimises.</summary>
public enum BoostingLoss
{
    /// <summary>Squared error: predicts the mean.</summary>
    Squared,

    /// <summary>Absolute error: predicts the median.</summary>
    Absolute,

    /// <summary>Squared up to a bound, absolute beyond it: the mean, with less regard to outliers.</summary>
    Huber,

    /// <summary>Predicts a quantile.</summary>
    Quantile,

    /// <summary>Counts: the mean is e to the score, the variance as large as the mean.</summary>
    Poisson,

    /// <summary>Positive amounts: the standard deviation grows with the mean.</summary>
    Gamma,

    /// <summary>Amounts of which many are zero, such as claims.</summary>
    Tweedie,
}
