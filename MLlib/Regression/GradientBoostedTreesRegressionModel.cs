using Dataflow.MLlib.TreeExchange;
using Dataflow.MLlib.TreeModels;

namespace Dataflow.MLlib;

/// <summary>Boosted trees that predict a number: what <c>GradientBoostedTreesRegressor</c> learns, or LightGBM or XGBoost learned.</summary>
/// <remarks>The prediction is a row's number: what the objective's transform makes of the score.</remarks>
public sealed record GradientBoostedTreesRegressionModel : TreeRegressionModel
{
    internal GradientBoostedTreesRegressionModel(TreeEnsemble ensemble) : base(ensemble)
    {
        if (Predictor.ScoreCount != 1) throw new ArgumentException(Unfit(ensemble), nameof(ensemble));
    }

    internal GradientBoostedTreesRegressionModel(ModelFolder folder) : base(folder) { }

    /// <summary>Reads a model that LightGBM saved.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ModelFormatException">It can't be read, or has several scores a row.</exception>
    public static GradientBoostedTreesRegressionModel FromLightGbm(string path) => Of(LightGbmText.Read(path), path);

    /// <summary>Reads a model that XGBoost saved as JSON.</summary>
    /// <remarks>See <see cref="XGBoostJson"/> for what becomes of it.</remarks>
    /// <param name="path">The file.</param>
    /// <exception cref="ModelFormatException">It can't be read, or has several scores a row.</exception>
    public static GradientBoostedTreesRegressionModel FromXGBoost(string path) => Of(XGBoostJson.Read(path), path);

    /// <summary>Loads a model that was saved.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="ModelFormatException">The folder holds something else, or is damaged.</exception>
    public static GradientBoostedTreesRegressionModel Load(string path) => Load<GradientBoostedTreesRegressionModel>(path);

    private static GradientBoostedTreesRegressionModel Of(TreeEnsemble ensemble, string path) =>
        ensemble.TreesPerIteration == 1 ? new(ensemble) : throw new ModelFormatException(path, 0, Unfit(ensemble));

    private static string Unfit(TreeEnsemble ensemble) =>
        $"the model has {ensemble.TreesPerIteration} scores a row; read it as GradientBoostedTreesClassificationModel.";
}
