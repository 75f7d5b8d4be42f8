using Dataflow.MLlib.Features;

namespace Dataflow.MLlib;

/// <summary>Makes numbers 1 where they are above a threshold and 0 elsewhere. Learns nothing.</summary>
/// <remarks>Transform is lazy, about a nanosecond a number. Columns of numbers become numbers, those of vectors vectors; sparse ones stay sparse unless the threshold is below 0. What is
/// missing (null, NaN) stays missing.</remarks>
public sealed record Binarizer : Transformer
{
    /// <summary>Columns of numbers or vectors.</summary>
    public ValueList<string> InputColumns { get; init => field = Check.Names(value); } = [];

    /// <summary>Columns that are added, one for each input; empty gives the inputs' names with <c>_binary</c>.</summary>
    public ValueList<string> OutputColumns { get; init => field = Check.Names(value); } = [];

    /// <summary>What is above this becomes 1.</summary>
    public double Threshold { get; init => field = double.IsNaN(value) ? throw new ArgumentOutOfRangeException(nameof(Threshold), value, "Threshold must be a number.") : value; }

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var outputs = ColumnPairs.Outputs(InputColumns, OutputColumns, "_binary", nameof(Binarizer));
        var columns = Data.FeatureColumns.Of(frame, InputColumns, nameof(Binarizer));
        return ColumnPairs.Add(frame, nameof(Binarizer), [.. outputs.Select((name, i) => (name, columns.IsVector[i] ? Functions.Call(new AllAbove(Threshold), frame[InputColumns[i]])
            : Functions.Call(new Above(Threshold), frame[InputColumns[i]].Cast(DataType.Double))))]);
    }

    private static double Of(double value, double threshold) => value > threshold ? 1 : double.IsNaN(value) ? value : 0;

    private sealed class Above(double threshold) : NumberFunction("binarized", nullable: true)
    {
        public override double Of(double value) => Binarizer.Of(value, threshold);
    }

    private sealed class AllAbove(double threshold) : StoredFunction("binarized")
    {
        // Below 0, zeros become 1.
        public override bool MakesDense => threshold < 0;

        public override void Apply(ReadOnlySpan<int> places, Span<double> values)
        {
            foreach (ref var value in values) value = Of(value, threshold);
        }
    }
}
