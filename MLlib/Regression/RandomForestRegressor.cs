using Dataflow.MLlib.TreeGrowth;
using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.TreeObjectives;
using Dataflow.MLlib.Trees;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib;

/// <summary>A random forest that predicts a number (Breiman 2001): trees of differing rows and features, which are averaged.</summary>
/// <remarks>Splits lower the variance of labels. See <see cref="AveragedTrees{TModel}"/> for cost and guarantees.</remarks>
public sealed record RandomForestRegressor : RandomForest<RandomForestRegressionModel>
{
    /// <summary>Makes one with the defaults.</summary>
    public RandomForestRegressor() : base(FeatureSubset.OneThird) { }

    internal override TreeObjective ObjectiveFor(double greatestLabel) => new SquaredObjective();

    internal override RandomForestRegressionModel ModelOf(TreeEnsemble ensemble) => new(ensemble);
}
