using Dataflow.MLlib.TreeFitting;
using Dataflow.MLlib.TreeGrowth;
using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.TreeObjectives;
using Dataflow.MLlib.Trees;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib;

/// <summary>A random forest that tells classes apart (Breiman 2001): trees of differing rows and features, whose class shares are averaged.</summary>
/// <remarks>Splits lower <see cref="Impurity"/>. Several classes are learned by a tree each (one class against the rest), whose shares are divided by their sum. See <see cref="AveragedTrees{TModel}"/> for cost and guarantees.</remarks>
public sealed record RandomForestClassifier : RandomForest<RandomForestClassificationModel>
{
    /// <summary>Makes one with the defaults.</summary>
    public RandomForestClassifier() : base(FeatureSubset.Sqrt) { }

    /// <summary>How many classes there are; 0 takes one more than the greatest label, and at least two.</summary>
    public int Classes { get; init => field = value == 0 ? 0 : Check.Between(value, 2, ClassShareObjective.MostClasses); }

    /// <summary>What splits lower.</summary>
    public ClassImpurity Impurity { get; init => field = Check.Defined(value); } = ClassImpurity.Gini;

    /// <summary>The column of probabilities, a vector with one a class, that the model adds.</summary>
    public string ProbabilityColumn { get; init => field = Check.Name(value); } = "probability";

    internal override TreeObjective ObjectiveFor(double greatestLabel) => ClassShareObjective.For(Classes, greatestLabel, LabelColumn);

    internal override TreeTrainingOptions Shape(TreeTrainingOptions options) => base.Shape(options).Lowering(Impurity);

    internal override RandomForestClassificationModel ModelOf(TreeEnsemble ensemble) => new(ensemble) { RawPredictionColumn = null, ProbabilityColumn = ProbabilityColumn };
}
