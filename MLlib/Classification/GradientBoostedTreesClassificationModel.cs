using Dataflow.MLlib.TreeExchange;
using Dataflow.MLlib.TreeModels;

namespace Dataflow.MLlib;

/// <summary>Boosted trees that tell classes apart: what <c>GradientBoostedTreesClassifier</c> learns, or LightGBM or XGBoost learned.</summary>
/// <remarks>Transform adds scores, probabilities and the most likely class. Classes are 0, 1, 2 ... as in training.</remarks>
public sealed record GradientBoostedTreesClassificationModel : TreeClassificationModel
{
    internal GradientBoostedTreesClassificationModel(TreeEnsemble ensemble) : base(ensemble)
    {
        if (!Predictor.IsProbability) throw new ArgumentException(Unfit(ensemble), nameof(ensemble));
    }

    internal GradientBoostedTreesClassificationModel(ModelFolder folder) : base(folder) { }

    /// <summary>Reads a model that LightGBM saved.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ModelFormatException">It can't be read, or is no classifier.</exception>
    public static GradientBoostedTreesClassificationModel FromLightGbm(string path) => Of(LightGbmText.Read(path), path);

    /// <summary>Reads a model that XGBoost saved as JSON.</summary>
    /// <remarks>See <see cref="XGBoostJson"/> for what becomes of it.</remarks>
    /// <param name="path">The file.</param>
    /// <exception cref="ModelFormatException">It can't be read, or is no classifier.</exception>
    public static GradientBoostedTreesClassificationModel FromXGBoost(string path) => Of(XGBoostJson.Read(path), path);

    /// <summary>Loads a model that was saved.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="ModelFormatException">The folder holds something else, or is damaged.</exception>
    public static GradientBoostedTreesClassificationModel Load(string path) => Load<GradientBoostedTreesClassificationModel>(path);

    private static GradientBoostedTreesClassificationModel Of(TreeEnsemble ensemble, string path) =>
        OutputTransform.Of(ensemble.Objective).IsProbability ? new(ensemble) : throw new ModelFormatException(path, 0, Unfit(ensemble));

    private static string Unfit(TreeEnsemble ensemble) =>
        $"the objective '{ensemble.Objective}' gives no probabilities of classes; read it as GradientBoostedTreesRegressionModel or GradientBoostedTreesRankerModel.";
}
