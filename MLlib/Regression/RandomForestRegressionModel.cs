using Dataflow.MLlib.TreeModels;

namespace Dataflow.MLlib;

/// <summary>A forest that predicts a number: the mean of its trees.</summary>
public sealed record RandomForestRegressionModel : TreeRegressionModel
{
    internal RandomForestRegressionModel(TreeEnsemble ensemble) : base(ensemble) { }

    internal RandomForestRegressionModel(ModelFolder folder) : base(folder) { }

    /// <summary>Loads a model that was saved.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="ModelFormatException">The folder holds something else, or is damaged.</exception>
    public static RandomForestRegressionModel Load(string path) => Load<RandomForestRegressionModel>(path);
}
