using Dataflow.MLlib.Data;
using Dataflow.MLlib.Features;
using Dataflow.MLlib.Scaling;

namespace Dataflow.MLlib;

/// <summary>Takes the median away from each feature and divides by the distance of two quantiles, which single far values do not move.</summary>
/// <remarks>The quantiles are exact, so they are the same for any partitions; cost as for <see cref="QuantileDiscretizer"/>. NaN and null are left out of fitting and stay
/// NaN. A feature whose quantiles are equal is not divided.</remarks>
public sealed record RobustScaler : Estimator<RobustScalerModel>
{
    /// <summary>Columns of features: numbers or vectors.</summary>
    public ValueList<string> InputColumns { get; init => field = Check.Names(value); } = ["features"];

    /// <summary>The column of scaled vectors that the model adds.</summary>
    public string OutputColumn { get; init => field = Check.Name(value); } = "scaled";

    /// <summary>Whether the median is taken away. Makes sparse vectors dense.</summary>
    public bool WithCentering { get; init; } = true;

    /// <summary>Whether it is divided by the distance of the quantiles.</summary>
    public bool WithScaling { get; init; } = true;

    /// <summary>The lower quantile, from 0 to 1.</summary>
    public double Lower { get; init => field = Check.Between(value, 0, 1); } = 0.25;

    /// <summary>The upper quantile, from 0 to 1.</summary>
    public double Upper { get; init => field = Check.Between(value, 0, 1); } = 0.75;

    /// <inheritdoc/>
    protected override async Task<RobustScalerModel> LearnAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        if (!(Lower < Upper)) throw new ArgumentException($"{nameof(RobustScaler)} needs a Lower quantile ({Lower}) below the Upper one ({Upper}).");
        var columns = FeatureColumns.Of(frame, InputColumns, nameof(RobustScaler));
        var quantiles = await Quantiles.OfAsync(frame, columns, [Lower, 0.5, Upper], nameof(RobustScaler), cancellationToken).ConfigureAwait(false);
        if (quantiles.Length == 0) throw FeatureMoments.NoRows(nameof(RobustScaler));
        return new RobustScalerModel([.. quantiles.Select(each => each[1])], AffineScorer.CheckRanges([.. quantiles.Select(each => each[2] - each[0])], columns, nameof(RobustScaler)))
        {
            InputColumns = InputColumns,
            OutputColumn = OutputColumn,
            WithCentering = WithCentering,
            WithScaling = WithScaling,
        };
    }
}

/// <summary>What a <see cref="RobustScaler"/> learned.</summary>
public sealed record RobustScalerModel : Transformer
{
    private readonly double[] _medians;
    private readonly double[] _ranges;

    internal RobustScalerModel(double[] medians, double[] ranges)
    {
        _medians = medians;
        _ranges = ranges;
    }

    internal RobustScalerModel(ModelFolder folder) : this(folder.Get<double[]>("medians"), folder.Get<double[]>("ranges")) { }

    /// <inheritdoc cref="RobustScaler.InputColumns"/>
    public ValueList<string> InputColumns { get; init => field = Check.Names(value); } = ["features"];

    /// <inheritdoc cref="RobustScaler.OutputColumn"/>
    public string OutputColumn { get; init => field = Check.Name(value); } = "scaled";

    /// <inheritdoc cref="RobustScaler.WithCentering"/>
    public bool WithCentering { get; init; } = true;

    /// <inheritdoc cref="RobustScaler.WithScaling"/>
    public bool WithScaling { get; init; } = true;

    /// <summary>The median of each feature; NaN if it had no values.</summary>
    public ReadOnlySpan<double> Medians => _medians;

    /// <summary>The distance of the two quantiles of each feature; NaN if it had no values.</summary>
    public ReadOnlySpan<double> Ranges => _ranges;

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var shift = Array.ConvertAll(_medians, median => WithCentering && !double.IsNaN(median) ? median : 0);
        var factor = Array.ConvertAll(_ranges, range => WithScaling ? AffineScorer.Factor(range) : 1);
        var scorer = new AffineScorer("robust_scaler", shift, factor, compresses: !WithCentering);
        return ColumnPairs.Add(frame, nameof(RobustScalerModel), (OutputColumn, scorer.Of(frame, FeatureColumns.Of(frame, InputColumns, nameof(RobustScaler)))));
    }

    /// <inheritdoc/>
    protected internal override void Write(ModelFolder folder)
    {
        folder.Set("medians", _medians);
        folder.Set("ranges", _ranges);
    }
}
