using Dataflow.MLlib.TreeModels;

namespace Dataflow.MLlib;

/// <summary>A tree that predicts the mean label of the rows of its leaves.</summary>
public sealed record DecisionTreeRegressionModel : TreeRegressionModel
{
    internal DecisionTreeRegressionModel(TreeEnsemble ensemble) : base(ensemble) { }

    internal DecisionTreeRegressionModel(ModelFolder folder) : base(folder) { }

    /// <summary>Loads a model that was saved.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="ModelFormatException">The folder holds something else, or is damaged.</exception>
    public static DecisionTreeRegressionModel Load(string path) => Load<DecisionTreeRegressionModel>(path);
}
