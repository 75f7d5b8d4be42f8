using Dataflow.MLlib.TreeModels;

namespace Dataflow.MLlib;

/// <summary>A tree that tells classes apart by the shares of classes among the rows of its leaves.</summary>
public sealed record DecisionTreeClassificationModel : TreeClassificationModel
{
    internal DecisionTreeClassificationModel(TreeEnsemble ensemble) : base(ensemble) { }

    internal DecisionTreeClassificationModel(ModelFolder folder) : base(folder) { }

    /// <summary>Loads a model that was saved.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="ModelFormatException">The folder holds something else, or is damaged.</exception>
    public static DecisionTreeClassificationModel Load(string path) => Load<DecisionTreeClassificationModel>(path);
}
