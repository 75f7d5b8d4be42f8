using Dataflow.MLlib.TreeExchange;
using Dataflow.MLlib.TreeModels;

namespace Dataflow.MLlib;

/// <summary>Boosted trees that put rows of a query in order: what <c>GradientBoostedTreesRanker</c> learns, or LightGBM or XGBoost learned.</summary>
/// <remarks>The prediction is a row's score; a higher one comes first.</remarks>
public sealed record GradientBoostedTreesRankerModel : TreeEnsembleModel
{
    internal GradientBoostedTreesRankerModel(TreeEnsemble ensemble) : base(ensemble)
    {
        if (Predictor.ScoreCount != 1) throw new ArgumentException(Unfit(ensemble), nameof(ensemble));
    }

    internal GradientBoostedTreesRankerModel(ModelFolder folder) : base(folder) { }

    /// <summary>Reads a model that LightGBM saved.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ModelFormatException">It can't be read, or has several scores a row.</exception>
    public static GradientBoostedTreesRankerModel FromLightGbm(string path) => Of(LightGbmText.Read(path), path);

    /// <summary>Reads a model that XGBoost saved as JSON.</summary>
    /// <remarks>See <see cref="XGBoostJson"/> for what becomes of it.</remarks>
    /// <param name="path">The file.</param>
    /// <exception cref="ModelFormatException">It can't be read, or has several scores a row.</exception>
    public static GradientBoostedTreesRankerModel FromXGBoost(string path) => Of(XGBoostJson.Read(path), path);

    /// <summary>Loads a model that was saved.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="ModelFormatException">The folder holds something else, or is damaged.</exception>
    public static GradientBoostedTreesRankerModel Load(string path) => Load<GradientBoostedTreesRankerModel>(path);

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame) => AddExplanations(AddColumn(frame, PredictionColumn, TreeOutput.Score));

    /// <summary>The prediction of a row.</summary>
    /// <remarks>About a microsecond for 100 trees of 31 leaves.</remarks>
    /// <param name="row">One value a feature; NaN is missing.</param>
    /// <exception cref="ArgumentException">The row is of the wrong length.</exception>
    public double Predict(ReadOnlySpan<double> row)
    {
        CheckRow(row.Length);
        var prediction = 0.0;
        Predictor.Scores(row, new Span<double>(ref prediction));
        return prediction;
    }

    /// <summary>The predictions of many rows, on this thread.</summary>
    /// <param name="rows">rows x features, row by row; NaN is missing.</param>
    /// <param name="predictions">Takes one number a row.</param>
    /// <exception cref="ArgumentException">A span is of the wrong length.</exception>
    public void PredictBatch(ReadOnlySpan<double> rows, Span<double> predictions) =>
        Predictor.Scores(rows, FeatureCount, CheckBatch(rows, predictions, 1), predictions);

    private static GradientBoostedTreesRankerModel Of(TreeEnsemble ensemble, string path) =>
        ensemble.TreesPerIteration == 1 ? new(ensemble) : throw new ModelFormatException(path, 0, Unfit(ensemble));

    private static string Unfit(TreeEnsemble ensemble) =>
        $"the model has {ensemble.TreesPerIteration} scores a row; read it as GradientBoostedTreesClassificationModel.";
}
