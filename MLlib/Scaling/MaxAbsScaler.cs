using Dataflow.MLlib.Data;
using Dataflow.MLlib.Features;
using Dataflow.MLlib.Scaling;

namespace Dataflow.MLlib;

/// <summary>Divides each feature by its largest magnitude, as learned from a frame: values come to lie between -1 and 1, and zeros stay zeros.</summary>
/// <remarks>Fit reads the rows once; the result does not depend on partitions. NaN and null are left out of fitting and stay NaN.</remarks>
public sealed record MaxAbsScaler : Estimator<MaxAbsScalerModel>
{
    /// <summary>Columns of features: numbers or vectors.</summary>
    public ValueList<string> InputColumns { get; init => field = Check.Names(value); } = ["features"];

    /// <summary>The column of scaled vectors that the model adds.</summary>
    public string OutputColumn { get; init => field = Check.Name(value); } = "scaled";

    /// <inheritdoc/>
    protected override async Task<MaxAbsScalerModel> LearnAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var columns = FeatureColumns.Of(frame, InputColumns, nameof(MaxAbsScaler));
        var (least, most) = await FeatureRanges.OfAsync(frame, columns, nameof(MaxAbsScaler), cancellationToken).ConfigureAwait(false);
        return new MaxAbsScalerModel([.. least.Select((value, i) => Math.Max(Math.Abs(value), Math.Abs(most[i])))]) { InputColumns = InputColumns, OutputColumn = OutputColumn };
    }
}

/// <summary>What a <see cref="MaxAbsScaler"/> learned.</summary>
public sealed record MaxAbsScalerModel : Transformer
{
    private readonly double[] _magnitudes;

    internal MaxAbsScalerModel(double[] magnitudes) => _magnitudes = magnitudes;

    internal MaxAbsScalerModel(ModelFolder folder) : this(folder.Get<double[]>("magnitudes")) { }

    /// <inheritdoc cref="MaxAbsScaler.InputColumns"/>
    public ValueList<string> InputColumns { get; init => field = Check.Names(value); } = ["features"];

    /// <inheritdoc cref="MaxAbsScaler.OutputColumn"/>
    public string OutputColumn { get; init => field = Check.Name(value); } = "scaled";

    /// <summary>The largest magnitude of each feature; NaN if it had no values.</summary>
    public ReadOnlySpan<double> Magnitudes => _magnitudes;

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var scorer = new AffineScorer("max_abs_scaler", new double[_magnitudes.Length], Array.ConvertAll(_magnitudes, AffineScorer.Factor), compresses: true);
        return ColumnPairs.Add(frame, nameof(MaxAbsScalerModel), (OutputColumn, scorer.Of(frame, FeatureColumns.Of(frame, InputColumns, nameof(MaxAbsScaler)))));
    }

    /// <inheritdoc/>
    protected internal override void Write(ModelFolder folder) => folder.Set("magnitudes", _magnitudes);
}
