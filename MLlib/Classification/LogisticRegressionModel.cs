using Dataflow.MLlib.Classification;
using Dataflow.MLlib.Data;

namespace Dataflow.MLlib;

/// <summary>What a <see cref="LogisticRegression"/> learned. Predictions of single rows need no context and are safe to ask for from many threads.</summary>
public sealed record LogisticRegressionModel : FeatureModel
{
    private readonly LogisticScores _scores;

    internal LogisticRegressionModel(double[] coefficients, double[] intercepts, int classes) => _scores = new LogisticScores(coefficients, intercepts, classes);

    internal LogisticRegressionModel(ModelFolder folder)
        : this(folder.ReadArray<double>("coefficients"), folder.ReadArray<double>("intercepts"), folder.Get<int>("classes")) { }

    /// <inheritdoc cref="LogisticRegression.Threshold"/>
    public double Threshold { get; init => field = Check.Between(value, 0, 1); } = 0.5;

    /// <inheritdoc cref="LogisticRegression.Thresholds"/>
    public ValueList<double> Thresholds { get; init => field = ClassThresholds.Checked(value); } = [];

    /// <inheritdoc cref="LogisticRegression.RawPredictionColumn"/>
    public string? RawPredictionColumn { get; init => field = value is null ? null : Check.Name(value); } = "rawPrediction";

    /// <inheritdoc cref="LogisticRegression.ProbabilityColumn"/>
    public string? ProbabilityColumn { get; init => field = value is null ? null : Check.Name(value); } = "probability";

    /// <summary>How many classes there are.</summary>
    public int ClassCount => _scores.Classes;

    /// <summary>Coefficients: by feature for class 1 against class 0 (<see cref="IsBinomial"/>), or classes x features, class by class.</summary>
    public ReadOnlySpan<double> Coefficients => _scores.Coefficients;

    /// <summary>One, or one a class.</summary>
    public ReadOnlySpan<double> Intercepts => _scores.Intercepts;

    /// <summary>The intercept of class 1 against class 0.</summary>
    /// <exception cref="InvalidOperationException">There is one a class: see <see cref="Intercepts"/>.</exception>
    public double Intercept => IsBinomial ? _scores.Intercepts[0] : throw new InvalidOperationException(
        $"The model has {Intercepts.Length} intercepts, one a class. Read {nameof(Intercepts)}.");

    /// <summary>Whether there is one vector of coefficients for two classes, instead of one a class.</summary>
    public bool IsBinomial => _scores.Intercepts.Length == 1;

    /// <summary>How training went; null for a model that was loaded.</summary>
    public LogisticSummary? Summary { get; internal init; }

    /// <inheritdoc/>
    public override int FeatureCount => _scores.Width;

    /// <summary>Predicts the class of one row.</summary>
    /// <param name="features">As many as the model was fitted with, in the same order.</param>
    /// <exception cref="ArgumentException">There are more or fewer.</exception>
    public int Predict(ReadOnlySpan<double> features)
    {
        Span<double> probabilities = ClassCount <= 128 ? stackalloc double[ClassCount] : new double[ClassCount];
        PredictProbabilities(features, probabilities);
        return Choose(probabilities);
    }

    /// <summary>The probability of each class for one row.</summary>
    /// <param name="features">As many as the model was fitted with, in the same order.</param>
    /// <param name="probabilities">Filled; <see cref="ClassCount"/> long.</param>
    /// <exception cref="ArgumentException">A length is wrong.</exception>
    public void PredictProbabilities(ReadOnlySpan<double> features, Span<double> probabilities)
    {
        CheckRow(features.Length);
        if (probabilities.Length != ClassCount) throw new ArgumentException(
            $"There are {ClassCount} classes, and room for {probabilities.Length} probabilities.", nameof(probabilities));
        _scores.Margins(features, probabilities);
        LogisticScores.Normalize(probabilities, IsBinomial);
    }

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        ClassThresholds.CheckCount(Thresholds, ClassCount);

        // Each column is made of the one before it where there is one, so that margins and powers are computed once.
        var columns = FeaturesOf(frame);
        var known = LogisticStep.Features;
        if (RawPredictionColumn is { } raw) (frame, columns, known) = Next(frame, raw, LogisticStep.Margins);
        if (ProbabilityColumn is { } probability) (frame, columns, known) = Next(frame, probability, LogisticStep.Probabilities);
        return Add(frame, PredictionColumn, Scorer(LogisticStep.Prediction).Of(frame, columns));

        (DataFrame, FeatureColumns, LogisticStep) Next(DataFrame before, string name, LogisticStep to)
        {
            var after = Add(before, name, Scorer(to).Of(before, columns));
            return (after, Data.FeatureColumns.Of(after, [name], nameof(LogisticRegressionModel)), to);
        }

        LogisticScorer Scorer(LogisticStep to) => new(_scores, known, to, Threshold, [.. Thresholds]);
    }

    /// <inheritdoc/>
    protected internal override void Write(ModelFolder folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        folder.WriteArray<double>("coefficients", _scores.Coefficients, _scores.Width);
        folder.WriteArray<double>("intercepts", _scores.Intercepts);
        folder.Set("classes", ClassCount);
    }

    /// <summary>Loads what <see cref="PipelineStage.Save"/> wrote.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="ModelFormatException">As for <see cref="PipelineStage.Load{T}"/>.</exception>
    public static LogisticRegressionModel Load(string path) => Load<LogisticRegressionModel>(path);

    private int Choose(ReadOnlySpan<double> probabilities) => LogisticScores.Choose(probabilities, Threshold, Thresholds.Span);
}
