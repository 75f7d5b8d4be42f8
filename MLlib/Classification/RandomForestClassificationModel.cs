using Dataflow.MLlib.TreeModels;

namespace Dataflow.MLlib;

/// <summary>A forest that tells classes apart: the mean of the trees' class shares.</summary>
public sealed record RandomForestClassificationModel : TreeClassificationModel
{
    internal RandomForestClassificationModel(TreeEnsemble ensemble) : base(ensemble) { }

    internal RandomForestClassificationModel(ModelFolder folder) : base(folder) { }

    /// <summary>Loads a model that was saved.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="ModelFormatException">The folder holds something else, or is damaged.</exception>
    public static RandomForestClassificationModel Load(string path) => Load<RandomForestClassificationModel>(path);
}
