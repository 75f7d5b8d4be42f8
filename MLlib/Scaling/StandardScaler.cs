using Dataflow.MLlib.Data;
using Dataflow.MLlib.Features;
using Dataflow.MLlib.Scaling;

namespace Dataflow.MLlib;

/// <summary>Gives each feature the mean 0 and the standard deviation 1, as learned from a frame.</summary>
/// <remarks>Fit reads the rows once; the deviation is that of a sample (n - 1), as in Spark. Means and deviations are computed by block and merged in the order of
/// the partitions (Chan, Golub and LeVeque 1979).</remarks>
public sealed record StandardScaler : Estimator<StandardScalerModel>
{
    /// <summary>Columns of features: numbers or vectors.</summary>
    public ValueList<string> InputColumns { get; init => field = Check.Names(value); } = ["features"];

    /// <summary>The column of scaled vectors that the model adds.</summary>
    public string OutputColumn { get; init => field = Check.Name(value); } = "scaled";

    /// <summary>Whether the mean is taken away. Makes sparse vectors dense.</summary>
    public bool WithMean { get; init; } = true;

    /// <summary>Whether it is divided by the standard deviation. A feature that is constant is not.</summary>
    public bool WithDeviation { get; init; } = true;

    /// <inheritdoc/>
    protected override async Task<StandardScalerModel> LearnAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var columns = FeatureColumns.Of(frame, InputColumns, nameof(StandardScaler));
        var blocks = FeatureBlock.Read(frame, columns, nameof(StandardScaler), keepsSparse: true, largest: FeatureBlock.LargestSquared);
        var moments = await FeatureMoments.OfAsync(blocks, nameof(StandardScaler), cancellationToken).ConfigureAwait(false);
        return new StandardScalerModel(moments.Means, moments.SampleDeviations()) { InputColumns = InputColumns, OutputColumn = OutputColumn, WithMean = WithMean, WithDeviation = WithDeviation };
    }
}

/// <summary>What a <see cref="StandardScaler"/> learned.</summary>
public sealed record StandardScalerModel : Transformer
{
    private readonly double[] _means;
    private readonly double[] _deviations;

    internal StandardScalerModel(double[] means, double[] deviations)
    {
        _means = means;
        _deviations = deviations;
    }

    internal StandardScalerModel(ModelFolder folder) : this(folder.Get<double[]>("means"), folder.Get<double[]>("deviations")) { }

    /// <inheritdoc cref="StandardScaler.InputColumns"/>
    public ValueList<string> InputColumns { get; init => field = Check.Names(value); } = ["features"];

    /// <inheritdoc cref="StandardScaler.OutputColumn"/>
    public string OutputColumn { get; init => field = Check.Name(value); } = "scaled";

    /// <inheritdoc cref="StandardScaler.WithMean"/>
    public bool WithMean { get; init; } = true;

    /// <inheritdoc cref="StandardScaler.WithDeviation"/>
    public bool WithDeviation { get; init; } = true;

    /// <summary>The mean of each feature.</summary>
    public ReadOnlySpan<double> Means => _means;

    /// <summary>The standard deviation of each feature.</summary>
    public ReadOnlySpan<double> Deviations => _deviations;

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var shift = WithMean ? _means : new double[_means.Length];
        var factor = Array.ConvertAll(_deviations, deviation => WithDeviation ? AffineScorer.Factor(deviation) : 1);
        var scorer = new AffineScorer("standard_scaler", shift, factor, compresses: !WithMean);
        return ColumnPairs.Add(frame, nameof(StandardScalerModel), (OutputColumn, scorer.Of(frame, FeatureColumns.Of(frame, InputColumns, nameof(StandardScaler)))));
    }

    /// <inheritdoc/>
    protected internal override void Write(ModelFolder folder)
    {
        folder.Set("means", _means);
        folder.Set("deviations", _deviations);
    }
}
