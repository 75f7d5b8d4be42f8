using Dataflow.MLlib.Classification;
using Dataflow.MLlib.TreeModels;

namespace Dataflow.MLlib;

/// <summary>Trees that tell classes apart: what models of boosted trees, forests and single trees have in common.</summary>
/// <remarks>Transform adds scores, probabilities and the most likely class. Classes are 0, 1, 2 ... as in training.</remarks>
public abstract record TreeClassificationModel : TreeEnsembleModel
{
    private protected TreeClassificationModel(TreeEnsemble ensemble) : base(ensemble) { }

    private protected TreeClassificationModel(ModelFolder folder) : base(folder) { }

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
            (columns, known) = (Data.FeatureColumns.Of(after, [name], GetType().Name), to);
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
}
