using Dataflow.MLlib.Classification;
using Dataflow.MLlib.TreeExchange;
using Dataflow.MLlib.TreeModels;

namespace Dataflow.MLlib;

/// <summary>Boosted trees that tell classes apart: what <c>GradientBoostedTreesClassifier</c> learns, or LightGBM or XGBoost learned.</summary>
/// <remarks>Transform adds scores, probabilities and the most likely class. Classes are 0, 1, 2 ... as in training.</remarks>
public sealed record GradientBoostedTreesClassificationModel : TreeEnsembleModel
{
    internal GradientBoostedTreesClassificationModel(TreeEnsemble ensemble) : base(ensemble)
    {
        if (!Predictor.IsProbability) throw new ArgumentException(Unfit(ensemble), nameof(ensemble));
    }

    internal GradientBoostedTreesClassificationModel(ModelFolder folder) : base(folder) { }

    /// <summary>Of two classes, the probability of class 1 above which it is predicted. Not used if <see cref="Thresholds"/> are given.</summary>
    public double Threshold { get; init => field = Check.Between(value, 0, 1); } = 0.5;

    /// <summary>One number a class: the largest probability / threshold wins, the first of equal ones. Empty compares probabilities alone.</summary>
    public ValueList<double> Thresholds { get; init => field = ClassThresholds.Checked(value); } = [];

    /// <summary>The column of scores, a vector with one a class, that is added; null adds none.</summary>
    public string? RawPredictionColumn { get; init => field = value is null ? null : Check.Name(value); } = "rawPrediction";

    /// <summary>The column of probabilities, a vector with one a class, that is added; null adds none.</summary>
    public string? ProbabilityColumn { get; init => field = value is null ? null : Check.Name(value); } = "probability";

    /// <summary>How many classes there are.</summary>
    public int ClassCount => Math.Max(2, Predictor.ScoreCount);

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

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        ClassThresholds.CheckCount(Thresholds, ClassCount);

        // Each column is made of the one before it where there is one, so that trees are asked once.
        var classes = Classes;
        var columns = FeaturesOf(frame);
        var known = ClassStep.Features;
        if (RawPredictionColumn is { } raw) frame = Next(frame, raw, ClassStep.Scores);
        if (ProbabilityColumn is { } probability) frame = Next(frame, probability, ClassStep.Probabilities);
        return AddExplanations(Add(frame, PredictionColumn, new TreeClassScorer(classes, known, ClassStep.Prediction).Of(frame, columns)));

        DataFrame Next(DataFrame before, string name, ClassStep to)
        {
            var after = Add(before, name, new TreeClassScorer(classes, known, to).Of(before, columns));
            (columns, known) = (Data.FeatureColumns.Of(after, [name], nameof(GradientBoostedTreesClassificationModel)), to);
            return after;
        }
    }

    /// <summary>The most likely class of a row.</summary>
    /// <remarks>About a microsecond for 100 trees of 31 leaves.</remarks>
    /// <param name="row">One value a feature; NaN is missing.</param>
    /// <exception cref="ArgumentException">The row is of the wrong length.</exception>
    public int Predict(ReadOnlySpan<double> row)
    {
        CheckRow(row.Length);
        Span<double> probabilities = ClassCount <= 64 ? stackalloc double[ClassCount] : new double[ClassCount];
        var classes = Classes;
        classes.Probabilities(row, probabilities);
        return classes.Choose(probabilities);
    }

    /// <summary>The probability of every class of a row.</summary>
    /// <param name="row">One value a feature; NaN is missing.</param>
    /// <param name="probabilities">Takes <see cref="ClassCount"/> numbers.</param>
    /// <exception cref="ArgumentException">A span is of the wrong length.</exception>
    public void PredictProbabilities(ReadOnlySpan<double> row, Span<double> probabilities)
    {
        CheckRow(row.Length);
        if (probabilities.Length != ClassCount) throw new ArgumentException($"There are {ClassCount} classes, but room for {probabilities.Length} probabilities.", nameof(probabilities));
        Classes.Probabilities(row, probabilities);
    }

    /// <summary>The most likely classes of many rows, on this thread.</summary>
    /// <param name="rows">rows x features, row by row; NaN is missing.</param>
    /// <param name="predictions">Takes one number a row.</param>
    /// <exception cref="ArgumentException">A span is of the wrong length.</exception>
    public void PredictBatch(ReadOnlySpan<double> rows, Span<double> predictions) =>
        Classes.Compute(ClassStep.Features, ClassStep.Prediction, rows, CheckBatch(rows, predictions, 1), predictions);

    /// <summary>The probabilities of many rows, on this thread.</summary>
    /// <param name="rows">rows x features, row by row; NaN is missing.</param>
    /// <param name="probabilities">Takes rows x <see cref="ClassCount"/> numbers.</param>
    /// <exception cref="ArgumentException">A span is of the wrong length.</exception>
    public void PredictProbabilitiesBatch(ReadOnlySpan<double> rows, Span<double> probabilities) =>
        Classes.Compute(ClassStep.Features, ClassStep.Probabilities, rows, CheckBatch(rows, probabilities, ClassCount), probabilities);

    private TreeClasses Classes => new(Predictor, Threshold, Thresholds.Count == 0 ? [] : [.. Thresholds]);

    private static GradientBoostedTreesClassificationModel Of(TreeEnsemble ensemble, string path) =>
        OutputTransform.Of(ensemble.Objective).IsProbability ? new(ensemble) : throw new ModelFormatException(path, 0, Unfit(ensemble));

    private static string Unfit(TreeEnsemble ensemble) =>
        $"the objective '{ensemble.Objective}' gives no probabilities of classes; read it as GradientBoostedTreesRegressionModel or GradientBoostedTreesRankerModel.";
}
