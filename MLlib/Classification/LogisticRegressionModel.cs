using Dataflow.MLlib.Classification;
using Dataflow.MLlib.Data;
using Dataflow.Sql.Physical;

namespace Dataflow.MLlib;

/// <summary>What a <see cref="LogisticRegression"/> learned. Predictions of single rows need no context and are safe to ask for from many threads.</summary>
public sealed record LogisticRegressionModel : FeatureModel
{
    private readonly LogisticScores _scores;

    internal LogisticRegressionModel(LogisticScores scores) => _scores = scores;

    internal LogisticRegressionModel(double[] coefficients, double[] intercepts, int classes) : this(new LogisticScores(coefficients, intercepts, classes)) { }

    internal LogisticRegressionModel(ModelFolder folder)
        : this(folder.ReadArray<double>("coefficients"), folder.ReadArray<double>("intercepts"), folder.Get<int>("classes")) =>
        Updates = LogisticUpdates.Read(folder, _scores.Width, _scores.Intercepts.Length);

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

    internal LogisticUpdates? Updates { get; init; }

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

    /// <summary>A model that has learned from more rows: coefficients that fit these, and stray from those so far by as little as the rows before were sure of
    /// them.</summary>
    /// <remarks>Action: begins at the coefficients there are, a pass or two an iteration over the new rows alone, and one pass at the end. The rows before stand as a square around their coefficients, each by
    /// itself (Chapelle and Li 2011, algorithm 3), so the result is near that of fitting all rows at once, and not the same. Penalties on squares go on as part of it; those on
    /// absolute values do not. Rows of weight 0, or none, change nothing; rows of one class are fine. Labels and weights are in the columns that the model was fitted with.</remarks>
    /// <param name="frame">The new rows.</param>
    /// <param name="decay">What all earlier rows count from now on, 0 to 1: 1 forgets nothing, 0 everything.</param>
    /// <exception cref="InvalidOperationException">The model was not fitted with <see cref="LogisticRegression.Updatable"/>.</exception>
    /// <exception cref="QueryException">A column is missing or does not fit, rows have another number of features, or a label is none of the classes.</exception>
    public LogisticRegressionModel Update(DataFrame frame, double decay = 1) => UpdateAsync(frame, decay).GetAwaiter().GetResult();

    /// <inheritdoc cref="Update"/>
    /// <param name="cancellationToken">Ends the work.</param>
    public Task<LogisticRegressionModel> UpdateAsync(DataFrame frame, double decay = 1, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(frame);
        Check.Between(decay, 0, 1, nameof(decay));
        var updates = Updates ?? throw new InvalidOperationException(
            $"The model does not keep how sure it is of its coefficients. Fit it with {nameof(LogisticRegression)} {{ {nameof(LogisticRegression.Updatable)} = true }}.");
        var learner = updates.Learner;
        var blocks = FeatureBlock.Read(frame, FeaturesOf(frame), nameof(LogisticRegression), learner.LabelColumn, learner.WeightColumn, keepsSparse: true);
        return QueryRunErrors.Unwrap(KeptBlocks.UseAsync(blocks, LearnAsync));

        async Task<LogisticRegressionModel> LearnAsync(Rdd<FeatureBlock> kept)
        {
            if (await FeatureMoments.TryOfAsync(kept, nameof(LogisticRegression), cancellationToken).ConfigureAwait(false) is not { Weight: > 0 } moments) return this;
            moments.CheckSums(nameof(LogisticRegression));
            if (moments.Means.Length != FeatureCount)
                throw new QueryException("VECTOR_SIZE_MISMATCH", $"{nameof(LogisticRegressionModel)} was fitted with {FeatureCount} features, and the new rows have {moments.Means.Length}.");
            var classes = await ClassWeights.OfAsync(kept, learner.LabelColumn, nameof(LogisticRegression), cancellationToken).ConfigureAwait(false);
            if (classes.Length > ClassCount)
                throw new QueryException("INVALID_LABEL", $"Column '{learner.LabelColumn}' holds the label {classes.Length - 1}, and the model has the classes 0 to {ClassCount - 1}. Fit one with all classes.");
            var (scores, end, next) = await updates.StepAsync(kept, moments, _scores, decay, learner.Bounds, cancellationToken).ConfigureAwait(false);
            return new LogisticRegressionModel(scores)
            {
                FeatureColumns = FeatureColumns,
                PredictionColumn = PredictionColumn,
                RawPredictionColumn = RawPredictionColumn,
                ProbabilityColumn = ProbabilityColumn,
                Threshold = Threshold,
                Thresholds = Thresholds,
                Updates = next,
                Summary = new LogisticSummary(end.History, end.Reason),
            };
        }
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
        Updates?.Write(folder);
    }

    /// <summary>Loads what <see cref="PipelineStage.Save"/> wrote.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="ModelFormatException">As for <see cref="PipelineStage.Load{T}"/>.</exception>
    public static LogisticRegressionModel Load(string path) => Load<LogisticRegressionModel>(path);

    private int Choose(ReadOnlySpan<double> probabilities) => LogisticScores.Choose(probabilities, Threshold, Thresholds.Span);
}
