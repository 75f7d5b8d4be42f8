using Dataflow.MLlib.Data;
using Dataflow.MLlib.Features;
using Dataflow.MLlib.Scaling;

namespace Dataflow.MLlib;

/// <summary>Stretches each feature so that its smallest and largest values, as learned from a frame, become given numbers: 0 and 1.</summary>
/// <remarks>Fit reads the rows once; the result does not depend on partitions. NaN and null are left out of fitting and stay NaN. A feature that is constant becomes the
/// middle of the range, as in Spark. Sensitive to single far values: <see cref="RobustScaler"/> is not.</remarks>
public sealed record MinMaxScaler : Estimator<MinMaxScalerModel>
{
    /// <summary>Columns of features: numbers or vectors.</summary>
    public ValueList<string> InputColumns { get; init => field = Check.Names(value); } = ["features"];

    /// <summary>The column of scaled vectors that the model adds.</summary>
    public string OutputColumn { get; init => field = Check.Name(value); } = "scaled";

    /// <summary>What the smallest value becomes.</summary>
    public double Minimum { get; init => field = MinMaxScalerModel.Finite(value, nameof(Minimum)); }

    /// <summary>What the largest value becomes.</summary>
    public double Maximum { get; init => field = MinMaxScalerModel.Finite(value, nameof(Maximum)); } = 1;

    /// <inheritdoc/>
    protected override async Task<MinMaxScalerModel> LearnAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        if (!(Minimum < Maximum)) throw new ArgumentException($"{nameof(MinMaxScaler)} needs a Minimum ({Minimum}) below its Maximum ({Maximum}).");
        var columns = FeatureColumns.Of(frame, InputColumns, nameof(MinMaxScaler));
        var (least, most) = await FeatureRanges.OfAsync(frame, columns, nameof(MinMaxScaler), cancellationToken).ConfigureAwait(false);
        AffineScorer.CheckRanges([.. least.Zip(most, (low, high) => high - low)], columns, nameof(MinMaxScaler));
        return new MinMaxScalerModel(least, most) { InputColumns = InputColumns, OutputColumn = OutputColumn, Minimum = Minimum, Maximum = Maximum };
    }
}

/// <summary>What a <see cref="MinMaxScaler"/> learned.</summary>
public sealed record MinMaxScalerModel : Transformer
{
    private readonly double[] _least;
    private readonly double[] _most;

    internal MinMaxScalerModel(double[] least, double[] most)
    {
        _least = least;
        _most = most;
    }

    internal MinMaxScalerModel(ModelFolder folder) : this(folder.Get<double[]>("least"), folder.Get<double[]>("most")) { }

    /// <inheritdoc cref="MinMaxScaler.InputColumns"/>
    public ValueList<string> InputColumns { get; init => field = Check.Names(value); } = ["features"];

    /// <inheritdoc cref="MinMaxScaler.OutputColumn"/>
    public string OutputColumn { get; init => field = Check.Name(value); } = "scaled";

    /// <inheritdoc cref="MinMaxScaler.Minimum"/>
    public double Minimum { get; init => field = Finite(value, nameof(Minimum)); }

    /// <inheritdoc cref="MinMaxScaler.Maximum"/>
    public double Maximum { get; init => field = Finite(value, nameof(Maximum)); } = 1;

    /// <summary>The smallest value of each feature; NaN if it had none.</summary>
    public ReadOnlySpan<double> Least => _least;

    /// <summary>The largest value of each feature; NaN if it had none.</summary>
    public ReadOnlySpan<double> Most => _most;

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var factor = _least.Select((least, i) => _most[i] > least ? (Maximum - Minimum) / (_most[i] - least) : 0).ToArray();
        var offset = factor.Select(each => each == 0 ? (Minimum + Maximum) / 2 : Minimum).ToArray();
        var shift = Array.ConvertAll(_least, least => double.IsNaN(least) ? 0 : least);
        var scorer = new AffineScorer("min_max_scaler", shift, factor, compresses: true, offset);
        return ColumnPairs.Add(frame, nameof(MinMaxScalerModel), (OutputColumn, scorer.Of(frame, FeatureColumns.Of(frame, InputColumns, nameof(MinMaxScaler)))));
    }

    /// <inheritdoc/>
    protected internal override void Write(ModelFolder folder)
    {
        folder.Set("least", _least);
        folder.Set("most", _most);
    }

    internal static double Finite(double value, string name) => double.IsFinite(value) ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} must be a number.");
}
