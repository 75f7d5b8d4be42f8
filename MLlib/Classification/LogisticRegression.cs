using Dataflow.MLlib.Classification;
using Dataflow.MLlib.Data;
using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.Optimization;

namespace Dataflow.MLlib;

/// <summary>Predicts probabilities of classes, whose logarithms differ by what is linear in the features.</summary>
/// <remarks>
/// <para>Minimises 1 / W x sum of weight x -log(probability of the row's class) + <see cref="Regularization"/> x (<see cref="ElasticNet"/> x sum of |b| + (1 -
/// <see cref="ElasticNet"/>) / 2 x sum of b²), with W the sum of the weights and b the coefficients (of standardised features, unless
/// <see cref="Standardize"/> is off). Intercepts are not penalised. Scikit-learn's C is 1 / (W x <see cref="Regularization"/>).</para>
/// <para>By L-BFGS (Liu and Nocedal 1989), and OWL-QN (Andrew and Gao 2007) where absolute values are penalised. Rows are kept in memory while it runs; an
/// iteration is one or two passes over them, each rows x features x classes x 2 multiplications. Vectors of mostly zeros stay sparse.</para>
/// <para>Equal partitions give equal bits, on any number of threads and executors.</para>
/// </remarks>
public sealed record LogisticRegression : Predictor<LogisticRegressionModel>
{
    /// <summary>Weight of the penalties; 0 for none.</summary>
    public double Regularization { get; init => field = Check.AtLeast(value, 0); }

    /// <summary>Share of the penalty on absolute values (lasso), which makes coefficients 0; the rest is on squares (ridge). 0 to 1.</summary>
    public double ElasticNet { get; init => field = Check.Between(value, 0, 1); }

    /// <summary>Whether there are intercepts.</summary>
    public bool FitIntercept { get; init; } = true;

    /// <summary>Whether penalties are on coefficients of features divided by their standard deviation, so that units do not matter. Coefficients given are of
    /// the features as they are.</summary>
    public bool Standardize { get; init; } = true;

    /// <summary>One vector of coefficients, or one a class.</summary>
    public LogisticFamily Family { get; init => field = Check.Defined(value); } = LogisticFamily.Auto;

    /// <summary>Most iterations.</summary>
    public int MaxIterations { get; init => field = Check.AtLeast(value, 0); } = 100;

    /// <summary>Iterations end when one lowers the objective by this share of it or less.</summary>
    public double Tolerance { get; init => field = Check.AtLeast(value, 0); } = 1e-6;

    /// <summary>Least coefficients, one a feature (or classes x features, class by class), or one for all of them (0: none is negative); empty for no bounds. Not together with penalties on absolute
    /// values.</summary>
    public ValueList<double> LowerBounds { get; init => field = CoefficientBounds.Checked(value); } = [];

    /// <summary>Largest coefficients, as <see cref="LowerBounds"/>.</summary>
    public ValueList<double> UpperBounds { get; init => field = CoefficientBounds.Checked(value); } = [];

    /// <summary>Least intercepts, one or one a class, or one for all; empty for no bounds.</summary>
    public ValueList<double> LowerInterceptBounds { get; init => field = CoefficientBounds.Checked(value); } = [];

    /// <summary>Largest intercepts, as <see cref="LowerInterceptBounds"/>.</summary>
    public ValueList<double> UpperInterceptBounds { get; init => field = CoefficientBounds.Checked(value); } = [];

    /// <summary>Of two classes, the probability of class 1 above which it is predicted. Not used if <see cref="Thresholds"/> are given.</summary>
    public double Threshold { get; init => field = Check.Between(value, 0, 1); } = 0.5;

    /// <summary>One a class: the class with the largest probability / threshold is predicted. Empty for the largest probability.</summary>
    public ValueList<double> Thresholds { get; init => field = ClassThresholds.Checked(value); } = [];

    /// <summary>The column of margins, a vector of one a class, that the model adds; null for none.</summary>
    public string? RawPredictionColumn { get; init => field = value is null ? null : Check.Name(value); } = "rawPrediction";

    /// <summary>The column of probabilities, a vector of one a class, that the model adds; null for none.</summary>
    public string? ProbabilityColumn { get; init => field = value is null ? null : Check.Name(value); } = "probability";

    /// <inheritdoc/>
    protected override async Task<LogisticRegressionModel> LearnAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        Bounds.CheckWith(Penalty, FitIntercept, nameof(LogisticRegression));
        var blocks = FeatureBlock.Read(frame, FeaturesOf(frame), nameof(LogisticRegression), LabelColumn, WeightColumn, keepsSparse: true);
        return await FitAsync(blocks, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Whether the model keeps what <see cref="LogisticRegressionModel.Update"/> needs: one number a coefficient, for which fitting takes one more pass.</summary>
    public bool Updatable { get; init; }

    internal CoefficientBounds Bounds => new(LowerBounds, UpperBounds, LowerInterceptBounds, UpperInterceptBounds);

    private Penalty Penalty => new(Regularization, ElasticNet, Standardize);

    /// <summary>Learns from rows that are read already, or will be.</summary>
    internal Task<LogisticRegressionModel> FitAsync(Rdd<FeatureBlock> blocks, CancellationToken cancellationToken) =>
        KeptBlocks.UseAsync(blocks, kept => FitKeptAsync(kept, cancellationToken));

    private async Task<LogisticRegressionModel> FitKeptAsync(Rdd<FeatureBlock> blocks, CancellationToken cancellationToken)
    {
        var moments = await FeatureMoments.OfAsync(blocks, nameof(LogisticRegression), cancellationToken).ConfigureAwait(false);
        var classes = await ClassWeights.OfAsync(blocks, LabelColumn, nameof(LogisticRegression), cancellationToken).ConfigureAwait(false);
        CheckClasses(classes);
        var isBinomial = Family == LogisticFamily.Binomial || (Family == LogisticFamily.Auto && classes.Length == 2);
        var margins = isBinomial ? 1 : classes.Length;
        RowLoss loss = isBinomial ? new LogisticLoss() : new SoftmaxLoss(margins);
        var function = new PenalizedLoss(
            blocks, moments, Penalty, FitIntercept, margins, Curvature(margins), nameof(LogisticRegression), centres: !Bounds.OnIntercepts);
        var start = new double[function.ExtraAt];
        if (FitIntercept) StartFrom(classes, isBinomial, start.AsSpan(function.InterceptsAt));
        double[] penalties = [.. function.Absolute, .. new double[start.Length - function.Absolute.Length]];
        var box = Bounds.Any ? Bounds.Of(function.Scales, margins, start.Length, nameof(LogisticRegression)) : null;
        var end = await new Lbfgs { MaxIterations = MaxIterations, Tolerance = Tolerance }.MinimizeAsync(
            (point, gradient, token) => function.EvaluateAsync(loss, point, gradient, token), start, penalties, box, cancellationToken).ConfigureAwait(false);
        if (!isBinomial && box is null) Centre(end.Point, function);
        var (coefficients, intercepts) = function.Unscale(end.Point, function.Width);
        var scores = new LogisticScores(coefficients, intercepts, classes.Length);
        return new LogisticRegressionModel(scores)
        {
            Updates = Updatable ? await UpdatesAsync(blocks, scores, function, moments.Weight, cancellationToken).ConfigureAwait(false) : null,
            FeatureColumns = Features,
            PredictionColumn = PredictionColumn,
            RawPredictionColumn = RawPredictionColumn,
            ProbabilityColumn = ProbabilityColumn,
            Threshold = Threshold,
            Thresholds = Thresholds,
            Summary = new LogisticSummary(end.History, end.Reason),
        };
    }

    private async Task<LogisticUpdates> UpdatesAsync(Rdd<FeatureBlock> blocks, LogisticScores scores, PenalizedLoss function, double weight, CancellationToken cancellationToken)
    {
        var precisions = await LogisticUpdates.InformationAsync(blocks, scores, function.Centers, cancellationToken).ConfigureAwait(false);
        var squared = function.SquaredPenalties;
        var scales = function.Scales;
        for (var i = 0; i < scores.Coefficients.Length; i++) precisions[i] += weight * squared[i % scores.Width] * scales[i % scores.Width] * scales[i % scores.Width];
        return new LogisticUpdates(this, function.Centers, precisions);
    }

    // Of -log(probability) by a margin: p x (1 - p), where all classes are as likely.
    private static double Curvature(int margins) => margins == 1 ? 0.25 : (margins - 1.0) / ((double)margins * margins);

    private void CheckClasses(double[] classes)
    {
        if (classes.Count(weight => weight > 0) < 2)
        {
            throw new QueryException("ONE_CLASS", classes.Sum() > 0
                ? $"All rows that count have the label {Array.FindIndex(classes, weight => weight > 0)} in column '{LabelColumn}', "
                    + $"and {nameof(LogisticRegression)} needs two classes or more."
                : $"{nameof(LogisticRegression)} was given only rows of weight 0, from which nothing can be learned.");
        }
        if (Family == LogisticFamily.Binomial && classes.Length > 2)
            throw new QueryException("INVALID_LABEL",
                $"Column '{LabelColumn}' holds {classes.Length} classes, and {nameof(LogisticFamily.Binomial)} takes two. "
                + $"Set {nameof(Family)} to {nameof(LogisticFamily.Auto)}.");
        ClassThresholds.CheckCount(Thresholds, classes.Length);
    }

    // The intercepts that would be best if features said nothing. A class without rows gets that of a hundredth of a row: minus infinity would be best.
    private static void StartFrom(double[] classes, bool isBinomial, Span<double> intercepts)
    {
        if (isBinomial)
        {
            intercepts[0] = Elementary.Log(classes[1] / classes[0]);
            return;
        }
        var least = classes.Where(weight => weight > 0).Min() / 100;
        double sum = 0;
        for (var k = 0; k < classes.Length; k++) sum += intercepts[k] = Elementary.Log(Math.Max(classes[k], least));
        for (var k = 0; k < classes.Length; k++) intercepts[k] -= sum / classes.Length;
    }

    // The same number added to the margins of all classes changes no probability: what is not penalised is made to have the mean 0.
    private void Centre(double[] point, PenalizedLoss function)
    {
        if (FitIntercept) CentreAt(function.InterceptsAt, 1);
        if (Regularization == 0) for (var i = 0; i < function.Width; i++) CentreAt(i, function.Width);

        void CentreAt(int first, int step)
        {
            double sum = 0;
            for (var k = 0; k < function.Margins; k++) sum += point[first + (k * step)];
            for (var k = 0; k < function.Margins; k++) point[first + (k * step)] -= sum / function.Margins;
        }
    }
}

/// <summary>Which coefficients a logistic regression has.</summary>
public enum LogisticFamily
{
    /// <summary>One vector for two classes, else one a class.</summary>
    Auto,

    /// <summary>One vector, for two classes.</summary>
    Binomial,

    /// <summary>One vector a class, for two classes too.</summary>
    Multinomial,
}
