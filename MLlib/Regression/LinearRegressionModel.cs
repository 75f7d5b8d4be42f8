using Dataflow.MLlib.Data;
using Dataflow.MLlib.Linalg;
using Dataflow.MLlib.Regression;
using Dataflow.Sql.Physical;

namespace Dataflow.MLlib;

/// <summary>What a <see cref="LinearRegression"/> learned. Predictions of single rows need no context and are safe to ask for from many threads.</summary>
public sealed record LinearRegressionModel : FeatureModel
{
    private readonly double[] _coefficients;

    internal LinearRegressionModel(double[] coefficients, double intercept, double scale)
    {
        _coefficients = coefficients;
        Intercept = intercept;
        Scale = scale;
    }

    internal LinearRegressionModel(ModelFolder folder) : this(folder.ReadArray<double>("coefficients"), folder.Get<double>("intercept"), folder.Get<double>("scale")) => Updates = LinearUpdates.Read(folder);

    /// <summary>By feature.</summary>
    public ReadOnlySpan<double> Coefficients => _coefficients;

    /// <summary>The prediction where all features are 0.</summary>
    public double Intercept { get; }

    /// <summary>How large ordinary differences are, as learned with <see cref="RegressionLoss.Huber"/>; else 1.</summary>
    public double Scale { get; }

    /// <summary>How training went; null for a model that was loaded.</summary>
    public LinearSummary? Summary { get; internal init; }

    internal LinearUpdates? Updates { get; init; }

    /// <inheritdoc/>
    public override int FeatureCount => _coefficients.Length;

    /// <summary>Predicts one row.</summary>
    /// <param name="features">As many as the model was fitted with, in the same order.</param>
    /// <exception cref="ArgumentException">There are more or fewer.</exception>
    public double Predict(ReadOnlySpan<double> features)
    {
        CheckRow(features.Length);
        return RowProducts.Multiply(features, _coefficients) + Intercept;
    }

    /// <summary>The model of the rows so far and of more: exactly what fitting them all at once gives, where nothing decays.</summary>
    /// <remarks>Action: one pass over the new rows. The sums of products so far count at <paramref name="decay"/>, so that a stream is followed. Rows of weight 0, or none, change
    /// nothing. Labels and weights are in the columns that the model was fitted with.</remarks>
    /// <param name="frame">The new rows.</param>
    /// <param name="decay">What all earlier rows count from now on, 0 to 1: 1 forgets nothing, 0 everything.</param>
    /// <exception cref="InvalidOperationException">The model was not fitted with <see cref="LinearRegression.Updatable"/>.</exception>
    /// <exception cref="QueryException">A column is missing or does not fit, or rows have another number of features.</exception>
    public LinearRegressionModel Update(DataFrame frame, double decay = 1) => UpdateAsync(frame, decay).GetAwaiter().GetResult();

    /// <inheritdoc cref="Update"/>
    /// <param name="cancellationToken">Ends the work.</param>
    public Task<LinearRegressionModel> UpdateAsync(DataFrame frame, double decay = 1, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(frame);
        Check.Between(decay, 0, 1, nameof(decay));
        var (learner, sums) = Updates ?? throw new InvalidOperationException(
            $"The model keeps no sums of the rows it learned from. Fit it with {nameof(LinearRegression)} {{ {nameof(LinearRegression.Updatable)} = true }}.");
        var blocks = FeatureBlock.Read(frame, FeaturesOf(frame), nameof(LinearRegression), learner.LabelColumn, learner.WeightColumn, keepsSparse: true);
        return QueryRunErrors.Unwrap(LearnAsync());

        async Task<LinearRegressionModel> LearnAsync()
        {
            if (await GramSums.TryOfAsync(blocks, withLabel: true, nameof(LinearRegression), cancellationToken).ConfigureAwait(false) is not { } more) return this;
            var next = await learner.SolveAsync(sums.Decayed(decay, more), cancellationToken).ConfigureAwait(false);
            return next with { FeatureColumns = FeatureColumns, PredictionColumn = PredictionColumn };
        }
    }

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        return Add(frame, PredictionColumn, new Scorer(_coefficients, Intercept).Of(frame, FeaturesOf(frame)));
    }

    /// <inheritdoc/>
    protected internal override void Write(ModelFolder folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        folder.WriteArray<double>("coefficients", _coefficients);
        folder.Set("intercept", Intercept);
        folder.Set("scale", Scale);
        Updates?.Write(folder);
    }

    /// <summary>Loads what <see cref="PipelineStage.Save"/> wrote.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="ModelFormatException">As for <see cref="PipelineStage.Load{T}"/>.</exception>
    public static LinearRegressionModel Load(string path) => Load<LinearRegressionModel>(path);

    private sealed class Scorer(double[] coefficients, double intercept) : RowScorer("linear_regression"), ISparseScorer
    {
        public override int Width => coefficients.Length;

        public bool TakesSparse => true;

        public unsafe void Score(SparseRows rows, Span<double> output)
        {
            fixed (double* by = coefficients)
            {
                for (var row = 0; row < output.Length; row++) output[row] = RowProducts.Multiply(rows, row, by) + intercept;
            }
        }

        public override void Score(ReadOnlySpan<double> rows, int count, int width, Span<double> output)
        {
            for (var row = 0; row < count; row++) output[row] = RowProducts.Multiply(rows.Slice(row * width, width), coefficients) + intercept;
        }
    }
}
