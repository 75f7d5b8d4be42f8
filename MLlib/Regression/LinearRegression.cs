using Dataflow.MLlib.Data;
using Dataflow.MLlib.Linalg;
using Dataflow.MLlib.Optimization;
using Dataflow.MLlib.Regression;

namespace Dataflow.MLlib;

/// <summary>Predicts a number as intercept + coefficients x features.</summary>
/// <remarks>
/// <para>Minimises 1 / (2 W) x sum of weight x loss + <see cref="Regularization"/> x (<see cref="ElasticNet"/> x sum of |b| + (1 - <see cref="ElasticNet"/>) /
/// 2 x sum of b²), with W the sum of the weights and b the coefficients (of standardised features, unless <see cref="Standardize"/> is off). The intercept is
/// not penalised.</para>
/// <para>Squared loss with up to 4,096 features: one pass over the rows for the sums of products (rows x features² / 2 multiplications), and the rest on a
/// matrix of features x features. Else one pass an iteration. The label is divided by a power of two only, and coefficients scaled back, so that the objective is the one written here also with a squared
/// penalty.</para>
/// <para>Equal partitions give equal bits, on any number of threads and executors.</para>
/// </remarks>
public sealed record LinearRegression : Predictor<LinearRegressionModel>
{
    /// <summary>Weight of the penalties; 0 for none.</summary>
    public double Regularization { get; init => field = Check.AtLeast(value, 0); }

    /// <summary>Share of the penalty on absolute values (lasso), which makes coefficients 0; the rest is on squares (ridge). 0 to 1.</summary>
    public double ElasticNet { get; init => field = Check.Between(value, 0, 1); }

    /// <summary>Whether there is an intercept.</summary>
    public bool FitIntercept { get; init; } = true;

    /// <summary>Whether penalties are on coefficients of features divided by their standard deviation, so that units do not matter. Coefficients given are of
    /// the features as they are.</summary>
    public bool Standardize { get; init; } = true;

    /// <summary>What a difference costs.</summary>
    public RegressionLoss Loss { get; init => field = Check.Defined(value); } = RegressionLoss.Squared;

    /// <summary>For <see cref="RegressionLoss.Huber"/>: from how many scales on a difference counts as an outlier; more than 1.</summary>
    public double Epsilon { get; init => field = Check.MoreThan(value, 1); } = 1.35;

    /// <summary>How the coefficients are found.</summary>
    public LinearSolver Solver { get; init => field = Check.Defined(value); } = LinearSolver.Auto;

    /// <summary>Most iterations, where there are any.</summary>
    public int MaxIterations { get; init => field = Check.AtLeast(value, 0); } = 100;

    /// <summary>Iterations end when one lowers the objective by this share of it or less.</summary>
    public double Tolerance { get; init => field = Check.AtLeast(value, 0); } = 1e-6;

    /// <summary>Least coefficients, one a feature, or one for all of them (0: none is negative); empty for no bounds. Not together with penalties on absolute
    /// values.</summary>
    public ValueList<double> LowerBounds { get; init => field = CoefficientBounds.Checked(value); } = [];

    /// <summary>Largest coefficients, as <see cref="LowerBounds"/>.</summary>
    public ValueList<double> UpperBounds { get; init => field = CoefficientBounds.Checked(value); } = [];

    /// <summary>The least intercept. Rows are gone over by L-BFGS then, whatever the <see cref="Solver"/>.</summary>
    public double LowerInterceptBound { get; init => field = CoefficientBounds.Checked([value])[0]; } = double.NegativeInfinity;

    /// <summary>The largest intercept, as <see cref="LowerInterceptBound"/>.</summary>
    public double UpperInterceptBound { get; init => field = CoefficientBounds.Checked([value])[0]; } = double.PositiveInfinity;

    /// <summary>Whether the model keeps what <see cref="LinearRegressionModel.Update"/> needs: 8 bytes x features². For the squared loss by normal equations.</summary>
    public bool Updatable { get; init; }

    private CoefficientBounds Bounds => new(LowerBounds, UpperBounds, [LowerInterceptBound], [UpperInterceptBound]);

    private Lbfgs Optimizer => new() { MaxIterations = MaxIterations, Tolerance = Tolerance };

    private Penalty Penalty => new(Regularization, ElasticNet, Standardize);

    /// <inheritdoc/>
    protected override async Task<LinearRegressionModel> LearnAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        if (Loss == RegressionLoss.Huber && Solver == LinearSolver.Normal)
            throw new ArgumentException(
                $"{nameof(LinearSolver.Normal)} solves the squared loss only. Set {nameof(Solver)} to {nameof(LinearSolver.Auto)} for the Huber loss.");
        Bounds.CheckWith(Penalty, FitIntercept, nameof(LinearRegression));
        var blocks = FeatureBlock.Read(frame, FeaturesOf(frame), nameof(LinearRegression), LabelColumn, WeightColumn, keepsSparse: true);
        return await FitAsync(blocks, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Learns from rows that are read already, or will be.</summary>
    internal async Task<LinearRegressionModel> FitAsync(Rdd<FeatureBlock> blocks, CancellationToken cancellationToken)
    {
        if (Loss == RegressionLoss.Squared && Solver != LinearSolver.Lbfgs && !Bounds.OnIntercepts)
        {
            // The first block says how many features there are: vectors do not say so before they are read.
            var first = await blocks.MapPartitions(items => items.Take(1).Select(block => block.Width)).TakeAsync(1, cancellationToken).ConfigureAwait(false);
            if (first.Length == 0) throw FeatureMoments.NoRows(nameof(LinearRegression));
            if (first[0] <= NormalEquations.MostFeatures) return await FitSumsAsync(blocks, cancellationToken).ConfigureAwait(false);
            if (Solver == LinearSolver.Normal)
            {
                throw new QueryException("TOO_MANY_FEATURES",
                    $"The normal equations take up to {NormalEquations.MostFeatures} features, and there are {first[0]}. "
                    + $"Set {nameof(Solver)} to {nameof(LinearSolver.Lbfgs)} or {nameof(LinearSolver.Auto)}.");
            }
        }
        if (Updatable)
        {
            throw new ArgumentException($"{nameof(Updatable)} needs sums of products: the squared loss, up to {NormalEquations.MostFeatures} features, no bounds on the intercept, "
                + $"and a {nameof(Solver)} that is not {nameof(LinearSolver.Lbfgs)}.");
        }
        return await KeptBlocks.UseAsync(blocks, kept => FitPassesAsync(kept, cancellationToken)).ConfigureAwait(false);
    }

    private async Task<LinearRegressionModel> FitSumsAsync(Rdd<FeatureBlock> blocks, CancellationToken cancellationToken)
    {
        var sums = await GramSums.OfAsync(blocks, withLabel: true, nameof(LinearRegression), cancellationToken).ConfigureAwait(false);
        return await SolveAsync(sums, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The model of rows of which these are the sums.</summary>
    internal async Task<LinearRegressionModel> SolveAsync(GramSums sums, CancellationToken cancellationToken)
    {
        var width = sums.Width - 1;
        var equations = new NormalEquations(sums, Penalty, FitIntercept);
        (double[] Coefficients, Minimum End) solved;
        if (equations.HasAbsolutePenalties || Bounds.Any) solved = await equations.DescendAsync(Optimizer, Bounds, cancellationToken).ConfigureAwait(false);
        else if (equations.TrySolve() is { } exact) solved = exact;
        else if (Solver == LinearSolver.Auto) solved = await equations.DescendAsync(Optimizer, Bounds, cancellationToken).ConfigureAwait(false);
        else
        {
            throw new QueryException("SINGULAR_MATRIX",
                $"Some of the {width} features follow from others (or there are fewer rows, {sums.Rows}, than features), so the normal equations have many solutions. "
                + $"Leave such features out, set {nameof(Regularization)}, or set {nameof(Solver)} to {nameof(LinearSolver.Auto)}, "
                + "which takes the solution with small coefficients.");
        }
        var intercept = 0.0;
        if (FitIntercept)
        {
            intercept = sums.Means[width];
            for (var i = 0; i < width; i++) intercept -= solved.Coefficients[i] * sums.Means[i];
        }
        var squares = sums.Of(width, width);
        var left = squares;
        double shift = sums.Means[width] - intercept;
        for (var i = 0; i < width; i++)
        {
            double sum = 0;
            for (var j = 0; j < width; j++) sum += sums.Of(i, j) * solved.Coefficients[j];
            left += solved.Coefficients[i] * (sum - (2 * sums.Of(i, width)));
            shift -= solved.Coefficients[i] * sums.Means[i];
        }
        left = Math.Max(0, left + (sums.Weight * shift * shift));
        var summary = LinearSummary.Of(solved.End, Math.Sqrt(left / sums.Weight), squares > 0 ? 1 - (left / squares) : double.NaN);
        return Model(solved.Coefficients, intercept, 1, summary) with { Updates = Updatable ? new LinearUpdates(this, sums) : null };
    }

    private async Task<LinearRegressionModel> FitPassesAsync(Rdd<FeatureBlock> blocks, CancellationToken cancellationToken)
    {
        var moments = await FeatureMoments.OfAsync(blocks, nameof(LinearRegression), cancellationToken).ConfigureAwait(false);
        if (moments.Weight == 0) throw FeatureMoments.NoRows(nameof(LinearRegression));
        var isHuber = Loss == RegressionLoss.Huber;
        if (!isHuber && !double.IsFinite(moments.LabelSquares)) throw FeatureMoments.Overflow(nameof(LinearRegression), "the label");

        // Labels in units of what most of them differ by. The squared loss is ruled by outliers anyway, and measures with them.
        var deviation = Math.Sqrt(moments.LabelSquares / moments.Weight);
        var middle = isHuber ? await LabelSpread.OfAsync(blocks, cancellationToken).ConfigureAwait(false) : default;
        if (!(middle.Spread > 0)) middle = new LabelSpread(moments.LabelMean, deviation);
        var size = FitIntercept ? middle.Spread : Math.Max(middle.Spread, Math.Abs(middle.Center));
        var unit = ScaledObjective.Unit(size);
        var function = new PenalizedLoss(blocks, moments, Penalty, FitIntercept, 1, isHuber ? 1 / unit : 1, nameof(LinearRegression), centres: !Bounds.OnIntercepts);
        var start = new double[function.ExtraAt + (isHuber ? 1 : 0)];
        if (FitIntercept) start[function.InterceptsAt] = middle.Center;
        var units = new double[start.Length];
        units.AsSpan().Fill(unit);

        // The logarithm of scale / unit has no unit.
        if (isHuber) (start[^1], units[^1]) = (size > 0 ? Numerics.Elementary.Log(size / unit) : 0, 1);
        double[] penalties = [.. function.Absolute, .. new double[start.Length - function.Absolute.Length]];
        var objective = new ScaledObjective(
            (point, gradient, token) => function.EvaluateAsync(LossAt(point, unit), point, gradient, token), isHuber ? unit : unit * unit, units);
        var optimizer = isHuber ? Optimizer with { LargestValue = 1 } : Optimizer;
        var box = Bounds.Any ? Bounds.Of(function.Scales, 1, start.Length, nameof(LinearRegression)) : null;
        var end = await objective.MinimizeAsync(optimizer, start, penalties, box, cancellationToken).ConfigureAwait(false);
        var (coefficients, intercepts) = function.Unscale(end.Point, function.Width);

        // The squared loss is what the objective is without its penalties; with another loss it would take one more pass.
        var (error, r2) = (double.NaN, double.NaN);
        if (!isHuber)
        {
            var mean = end.Value - function.SquaredPenalty(end.Point);
            for (var i = 0; i < penalties.Length; i++) mean -= penalties[i] * Math.Abs(end.Point[i]);
            error = Math.Sqrt(Math.Max(0, 2 * mean));
            r2 = moments.LabelSquares > 0 ? 1 - (2 * mean * moments.Weight / moments.LabelSquares) : double.NaN;
        }
        return Model(coefficients, intercepts[0], isHuber ? unit * Numerics.Elementary.Exp(end.Point[^1]) : 1, LinearSummary.Of(end, error, r2));
    }

    private RowLoss LossAt(double[] point, double unit) =>
        Loss == RegressionLoss.Huber ? new HuberLoss(Epsilon, unit * Numerics.Elementary.Exp(point[^1])) : new SquaredLoss();

    private LinearRegressionModel Model(double[] coefficients, double intercept, double scale, LinearSummary summary) =>
        new(coefficients, intercept, scale) { FeatureColumns = Features, PredictionColumn = PredictionColumn, Summary = summary };
}

/// <summary>What a difference between prediction and label costs.</summary>
public enum RegressionLoss
{
    /// <summary>Its square.</summary>
    Squared,

    /// <summary>Its square if it is small, and its absolute value if it is large: outliers pull less. The scale of differences is learned as well (Owen
    /// 2007).</summary>
    Huber,
}

/// <summary>How coefficients of a linear regression are found.</summary>
public enum LinearSolver
{
    /// <summary>By normal equations for squared loss and up to 4,096 features, else by L-BFGS. Features that depend on each other get small
    /// coefficients.</summary>
    Auto,

    /// <summary>By normal equations only; features that depend on each other are an error.</summary>
    Normal,

    /// <summary>By L-BFGS (OWL-QN where absolute values are penalised), a pass over the rows an iteration.</summary>
    Lbfgs,
}
