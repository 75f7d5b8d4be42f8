using Dataflow.MLlib.Data;
using Dataflow.MLlib.Linalg;

namespace Dataflow.MLlib;

/// <summary>Principal components: the few directions along which rows differ most (Pearson 1901; Jolliffe 2002, section 1.1).</summary>
/// <remarks>One pass over the rows for the covariances (rows x features² / 2 multiplications), then the eigenvectors of a matrix of features x features, of
/// which 4,096 are allowed. The sign of a component is fixed: its number of largest absolute value is positive. Features in large units rule: use
/// <see cref="StandardScaler"/> first. Equal partitions give equal bits.</remarks>
public sealed record Pca : Estimator<PcaModel>
{
    /// <summary>Most features.</summary>
    public const int MostFeatures = 4096;

    /// <summary>Columns of features: numbers or vectors.</summary>
    public ValueList<string> InputColumns { get; init => field = Check.Names(value); } = ["features"];

    /// <summary>The column of vectors of <see cref="Components"/> numbers that the model adds.</summary>
    public string OutputColumn { get; init => field = Check.Name(value); } = "components";

    /// <summary>How many components.</summary>
    public int Components { get; init => field = Check.AtLeast(value, 1); } = 2;

    /// <summary>Whether means are taken away before rows are projected. Spark does not; scikit-learn does.</summary>
    public bool Center { get; init; } = true;

    /// <inheritdoc/>
    protected override async Task<PcaModel> LearnAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var columns = FeatureColumns.Of(frame, InputColumns, nameof(Pca));
        return await FitAsync(FeatureBlock.Read(frame, columns, nameof(Pca), keepsSparse: true), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Learns from rows that are read already, or will be.</summary>
    internal async Task<PcaModel> FitAsync(Rdd<FeatureBlock> blocks, CancellationToken cancellationToken)
    {
        var (components, most) = (Components, MostFeatures);
        var sums = await GramSums.OfAsync(blocks.Map(block => Checked(block, components, most)), withLabel: false, nameof(Pca), cancellationToken).ConfigureAwait(false);
        var freedom = sums.Weight > 1 ? sums.Weight - 1 : 1;
        var eigen = SymmetricEigen.Of(sums.Width, (i, j) => sums.Of(i, j) / freedom);
        double total = 0;
        for (var i = 0; i < sums.Width; i++) total += sums.Of(i, i) / freedom;

        // Rounding may leave what should be 0 a little below it.
        double[] variances = [.. eigen.Values.Take(Components).Select(value => Math.Max(0, value))];
        var shares = Array.ConvertAll(variances, value => total > 0 ? value / total : 0);
        return new PcaModel([.. eigen.Vectors.Take(Components).SelectMany(vector => vector)], variances, shares, sums.Means)
        {
            InputColumns = InputColumns,
            OutputColumn = OutputColumn,
            Center = Center,
        };
    }

    private static FeatureBlock Checked(FeatureBlock block, int components, int most)
    {
        if (components > block.Width)
            throw new QueryException("INVALID_FEATURE",
                $"Pca was asked for {components} components of {block.Width} features. There are as many components as features at most.");
        return block.Width <= most
            ? block
            : throw new QueryException("TOO_MANY_FEATURES", $"Pca takes up to {most} features, and there are {block.Width}. Choose among them first.");
    }
}

/// <summary>What <see cref="Pca"/> learned.</summary>
public sealed record PcaModel : Transformer
{
    private readonly double[] _components;
    private readonly double[] _variances;
    private readonly double[] _shares;
    private readonly double[] _means;

    internal PcaModel(double[] components, double[] variances, double[] shares, double[] means)
    {
        if (components.Length != variances.Length * means.Length || shares.Length != variances.Length)
            throw new ArgumentException($"{components.Length} numbers are not {variances.Length} components of {means.Length} features.");
        _components = components;
        _variances = variances;
        _shares = shares;
        _means = means;
    }

    internal PcaModel(ModelFolder folder)
        : this(folder.ReadArray<double>("components"), folder.Get<double[]>("variances"), folder.Get<double[]>("shares"), folder.ReadArray<double>("means")) { }

    /// <inheritdoc cref="Pca.InputColumns"/>
    public ValueList<string> InputColumns { get; init => field = Check.Names(value); } = ["features"];

    /// <inheritdoc cref="Pca.OutputColumn"/>
    public string OutputColumn { get; init => field = Check.Name(value); } = "components";

    /// <inheritdoc cref="Pca.Center"/>
    public bool Center { get; init; } = true;

    /// <summary>How many components there are.</summary>
    public int Count => _variances.Length;

    /// <summary>The directions, components x features, each of length 1; the one with most variance first.</summary>
    public ReadOnlySpan<double> Components => _components;

    /// <summary>The variance along each component (of a sample, n - 1).</summary>
    public ReadOnlySpan<double> ExplainedVariance => _variances;

    /// <summary>The share of the whole variance along each component.</summary>
    public ReadOnlySpan<double> ExplainedShare => _shares;

    /// <summary>The mean of each feature.</summary>
    public ReadOnlySpan<double> Means => _means;

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        if (frame.Schema.IndexOf(OutputColumn) >= 0)
            throw new QueryException("COLUMN_ALREADY_EXISTS",
                $"{nameof(PcaModel)} adds a column '{OutputColumn}', and the frame has one already. Drop that, or give the model another name with {{ ... }}.");
        var columns = FeatureColumns.Of(frame, InputColumns, nameof(PcaModel));
        return frame.WithColumn(OutputColumn, new ProjectionScorer("pca", _components, Shift(), _means.Length).Of(frame, columns));
    }

    /// <summary>Projects one row, without any engine running.</summary>
    /// <param name="features">As many as the model was fitted with, in the same order.</param>
    /// <returns><see cref="Count"/> numbers.</returns>
    /// <exception cref="ArgumentException">There are more or fewer.</exception>
    public double[] Project(ReadOnlySpan<double> features)
    {
        if (features.Length != _means.Length) throw new ArgumentException(
            $"{nameof(PcaModel)} needs rows of {_means.Length} features, and this one has {features.Length}.");
        var result = new double[Count];
        new ProjectionScorer("pca", _components, Shift(), _means.Length).Score(features, 1, features.Length, result);
        return result;
    }

    /// <inheritdoc/>
    protected internal override void Write(ModelFolder folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        folder.WriteArray<double>("components", _components, _means.Length);
        folder.WriteArray<double>("means", _means);
        folder.Set("variances", _variances);
        folder.Set("shares", _shares);
    }

    /// <summary>Loads what <see cref="PipelineStage.Save"/> wrote.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="ModelFormatException">As for <see cref="PipelineStage.Load{T}"/>.</exception>
    public static PcaModel Load(string path) => Load<PcaModel>(path);

    private double[] Shift() => Center ? _means : new double[_means.Length];
}
