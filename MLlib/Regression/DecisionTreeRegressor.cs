using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.TreeObjectives;

namespace Dataflow.MLlib;

/// <summary>A decision tree that predicts a number (Breiman et al. 1984), grown on histograms.</summary>
/// <remarks>Splits lower the variance of labels. See <see cref="AveragedTrees{TModel}"/> for cost and guarantees.</remarks>
public sealed record DecisionTreeRegressor : AveragedTrees<DecisionTreeRegressionModel>
{
    internal override TreeObjective ObjectiveFor(double greatestLabel) => new SquaredObjective();

    internal override DecisionTreeRegressionModel ModelOf(TreeEnsemble ensemble) => new(ensemble);
}
