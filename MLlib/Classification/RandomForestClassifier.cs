using Dataflow.MLlib.TreeFitting;
using Dataflow.MLlib.TreeGrowth;
using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.TreeObjectives;
using Dataflow.MLlib.Trees;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib;

/// <summary>A random forest that tells classes apart (Breiman 2001): trees of differing rows and features, whose class shares are averaged.</summary>
/// <remarks>Splits lower <see cref="Impurity"/>. Several classes are learned by a tree each (one class against the rest), whose shares are divided by their sum. See <see cref="AveragedTrees{TModel}"/> for cost and guarantees.</remarks>
public sealed record RandomForestClassifier : AveragedTrees<RandomForestClassificationModel>
{
    /// <summary>How many trees.</summary>
    public int Trees { get; init => field = Check.AtLeast(value, 1); } = 100;

    /// <summary>The part of the rows that each tree is grown on, drawn without replacement: by default as many as differ in a sample with replacement.</summary>
    public double RowFraction { get; init => field = Check.Between(Check.MoreThan(value, 0), 0, 1); } = 0.632;

    /// <summary>Whether each tree's rows are drawn with replacement, about as many as there are, instead of <see cref="RowFraction"/> of them without: the bootstrap of Breiman. A row counts as
    /// often as it is drawn (by Poisson's law of mean 1, by a hash of its number and the tree's); for <see cref="AveragedTrees{TModel}.MinLeafRows"/> once.</summary>
    public bool Bootstrap { get; init; }

    /// <summary>How many features each node may ask.</summary>
    public FeatureSubset FeatureSubset { get; init => field = Check.Defined(value); } = FeatureSubset.Sqrt;

    /// <summary>The part of the features that each node may ask, instead of <see cref="FeatureSubset"/>; null goes by that.</summary>
    public double? FeatureFraction { get; init => field = value is null ? null : Check.Between(Check.MoreThan(value.Value, 0), 0, 1); }

    /// <summary>How many classes there are; 0 takes one more than the greatest label, and at least two.</summary>
    public int Classes { get; init => field = value == 0 ? 0 : Check.Between(value, 2, ClassShareObjective.MostClasses); }

    /// <summary>What splits lower.</summary>
    public ClassImpurity Impurity { get; init => field = Check.Defined(value); } = ClassImpurity.Gini;

    /// <summary>The column of probabilities, a vector with one a class, that the model adds.</summary>
    public string ProbabilityColumn { get; init => field = Check.Name(value); } = "probability";

    internal override TreeObjective ObjectiveFor(double greatestLabel) => ClassShareObjective.For(Classes, greatestLabel, LabelColumn);

    internal override TreeTrainingOptions Shape(TreeTrainingOptions options) => (options with
    {
        Iterations = Trees,
        Sampling = new SamplingOptions { Fraction = RowFraction, WithReplacement = Bootstrap, Seed = (ulong)Seed },
        Growth = options.Growth with { Subset = FeatureFraction is null ? FeatureSubset : FeatureSubset.All, FeaturesByNode = FeatureFraction ?? 1 },
    }).Lowering(Impurity);

    internal override RandomForestClassificationModel ModelOf(TreeEnsemble ensemble) => new(ensemble) { RawPredictionColumn = null, ProbabilityColumn = ProbabilityColumn };
}
