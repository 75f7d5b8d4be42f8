using Dataflow.MLlib.TreeGrowth;
using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib;

/// <summary>What random forests have in common (Breiman 2001): trees of differing rows and features, whose mean is the prediction.</summary>
/// <typeparam name="TModel">What is learned.</typeparam>
public abstract record RandomForest<TModel> : AveragedTrees<TModel> where TModel : TreeEnsembleModel
{
    private protected RandomForest(FeatureSubset subset) => FeatureSubset = subset;

    /// <summary>How many trees.</summary>
    public int Trees { get; init => field = Check.AtLeast(value, 1); } = 100;

    /// <summary>The part of the rows that each tree is grown on, drawn without replacement: by default as many as differ in a sample with replacement.</summary>
    public double RowFraction { get; init => field = Check.Between(Check.MoreThan(value, 0), 0, 1); } = 0.632;

    /// <summary>Whether each tree's rows are drawn with replacement, about as many as there are, instead of <see cref="RowFraction"/> of them without: the bootstrap of Breiman. A row counts as
    /// often as it is drawn (by Poisson's law of mean 1, by a hash of its number and the tree's); for <see cref="AveragedTrees{TModel}.MinLeafRows"/> once.</summary>
    public bool Bootstrap { get; init; }

    /// <summary>How many features each node may ask: <see cref="FeatureSubset.Sqrt"/> for classes, <see cref="FeatureSubset.OneThird"/> for numbers, unless it is set.</summary>
    public FeatureSubset FeatureSubset { get; init => field = Check.Defined(value); }

    /// <summary>The part of the features that each node may ask, instead of <see cref="FeatureSubset"/>; null goes by that.</summary>
    public double? FeatureFraction { get; init => field = value is null ? null : Check.Between(Check.MoreThan(value.Value, 0), 0, 1); }

    internal override TreeTrainingOptions Shape(TreeTrainingOptions options) => options with
    {
        Iterations = Trees,
        Sampling = new SamplingOptions { Fraction = RowFraction, WithReplacement = Bootstrap, Seed = (ulong)Seed },
        Growth = options.Growth with { Subset = FeatureFraction is null ? FeatureSubset : FeatureSubset.All, FeaturesByNode = FeatureFraction ?? 1 },
    };
}
