using Dataflow.MLlib.TreeGrowth;
using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.TreeObjectives;
using Dataflow.MLlib.Trees;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib;

/// <summary>A random forest that predicts a number (Breiman 2001): trees of differing rows and features, which are averaged.</summary>
/// <remarks>Splits lower the variance of labels. See <see cref="AveragedTrees{TModel}"/> for cost and guarantees.</remarks>
public sealed record RandomForestRegressor : AveragedTrees<RandomForestRegressionModel>
{
    /// <summary>How many trees.</summary>
    public int Trees { get; init => field = Check.AtLeast(value, 1); } = 100;

    /// <summary>The part of the rows that each tree is grown on, drawn without replacement: by default as many as differ in a sample with replacement.</summary>
    public double RowFraction { get; init => field = Check.Between(Check.MoreThan(value, 0), 0, 1); } = 0.632;

    /// <summary>Whether each tree's rows are drawn with replacement, about as many as there are, instead of <see cref="RowFraction"/> of them without: the bootstrap of Breiman. A row counts as
    /// often as it is drawn (by Poisson's law of mean 1, by a hash of its number and the tree's); for <see cref="AveragedTrees{TModel}.MinLeafRows"/> once.</summary>
    public bool Bootstrap { get; init; }

    /// <summary>How many features each node may ask.</summary>
    public FeatureSubset FeatureSubset { get; init => field = Check.Defined(value); } = FeatureSubset.OneThird;

    /// <summary>The part of the features that each node may ask, instead of <see cref="FeatureSubset"/>; null goes by that.</summary>
    public double? FeatureFraction { get; init => field = value is null ? null : Check.Between(Check.MoreThan(value.Value, 0), 0, 1); }

    internal override TreeObjective ObjectiveFor(double greatestLabel) => new SquaredObjective();

    internal override TreeTrainingOptions Shape(TreeTrainingOptions options) => options with
    {
        Iterations = Trees,
        Sampling = new SamplingOptions { Fraction = RowFraction, WithReplacement = Bootstrap, Seed = (ulong)Seed },
        Growth = options.Growth with { Subset = FeatureFraction is null ? FeatureSubset : FeatureSubset.All, FeaturesByNode = FeatureFraction ?? 1 },
    };

    internal override RandomForestRegressionModel ModelOf(TreeEnsemble ensemble) => new(ensemble);
}
