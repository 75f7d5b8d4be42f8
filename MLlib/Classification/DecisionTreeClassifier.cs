using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.TreeObjectives;

namespace Dataflow.MLlib;

/// <summary>A decision tree that tells classes apart (Breiman et al. 1984), grown on histograms.</summary>
/// <remarks>Of two classes splits lower the Gini impurity. Several classes are learned by a tree each (one class against the rest), whose shares are divided by their sum. See <see cref="AveragedTrees{TModel}"/> for cost and guarantees.</remarks>
public sealed record DecisionTreeClassifier : AveragedTrees<DecisionTreeClassificationModel>
{
    /// <summary>How many classes there are; 0 takes one more than the greatest label, and at least two.</summary>
    public int Classes { get; init => field = value == 0 ? 0 : Check.Between(value, 2, ClassShareObjective.MostClasses); }

    /// <summary>The column of probabilities, a vector with one a class, that the model adds.</summary>
    public string ProbabilityColumn { get; init => field = Check.Name(value); } = "probability";

    internal override TreeObjective ObjectiveFor(double greatestLabel) => ClassShareObjective.For(Classes, greatestLabel, LabelColumn);

    internal override DecisionTreeClassificationModel ModelOf(TreeEnsemble ensemble) => new(ensemble) { RawPredictionColumn = null, ProbabilityColumn = ProbabilityColumn };
}
