using Dataflow.MLlib.Features;

namespace Dataflow.MLlib;

/// <summary>Puts numbers into buckets between given splits: bucket i holds what is at least split i and less than split i + 1; the last also its upper end.</summary>
/// <remarks>Transform is lazy, a binary search a value. Begin with minus infinity and end with infinity to take all numbers.</remarks>
public sealed record Bucketizer : Transformer
{
    internal const string Ending = "_bucket";

    /// <summary>Columns of numbers.</summary>
    public ValueList<string> InputColumns { get; init => field = Check.Names(value); } = [];

    /// <summary>Columns of bucket numbers (0, 1, 2 ...) that are added, one for each input; empty gives the inputs' names with <c>_bucket</c>.</summary>
    public ValueList<string> OutputColumns { get; init => field = Check.Names(value); } = [];

    /// <summary>For each input its splits, strictly ascending, at least three; one list serves all inputs.</summary>
    /// <exception cref="ArgumentException">Fewer, not ascending, or NaN.</exception>
    public ValueList<ValueList<double>> Splits { get; init => field = Checked(value); } = [];

    /// <summary>What becomes of null and NaN: an error, the row left out, or one more bucket behind the others. Numbers outside of the splits are always an error.</summary>
    public InvalidValues HandleInvalid { get; init => field = Check.Defined(value); } = InvalidValues.Error;

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var outputs = ColumnPairs.Outputs(InputColumns, OutputColumns, Ending, nameof(Bucketizer));
        if (Splits.Count != 1 && Splits.Count != outputs.Length)
            throw new ArgumentException(
                $"{nameof(Bucketizer)} has {outputs.Length} InputColumns and {Splits.Count} lists of Splits. Give one list for each, or one for all.");
        var columns = Data.FeatureColumns.Of(frame, InputColumns, nameof(Bucketizer));
        if (columns.KnownWidth < 0)
            throw new QueryException("DATATYPE_MISMATCH",
                $"{nameof(Bucketizer)} takes columns of numbers, and one of {string.Join(", ", InputColumns)} is a vector.");
        var bucketed = ColumnPairs.Add(frame, nameof(Bucketizer), [.. outputs.Select((name, i) =>
            (name, Functions.Call(new BucketOf([.. Splits[Splits.Count == 1 ? 0 : i]], InputColumns[i], HandleInvalid), frame[InputColumns[i]].Cast(DataType.Double))))]);
        if (HandleInvalid != InvalidValues.Skip) return bucketed;
        foreach (var name in outputs) bucketed = bucketed.Where(bucketed[name].IsNotNull());
        return bucketed;
    }

    private static ValueList<ValueList<double>> Checked(ValueList<ValueList<double>> lists)
    {
        ArgumentNullException.ThrowIfNull(lists, nameof(Splits));
        foreach (var splits in lists)
        {
            if (splits.Count < 3) throw new ArgumentException($"Splits must be three or more: [{splits}] makes no two buckets.", nameof(Splits));
            for (var i = 0; i < splits.Count; i++)
            {
                if (double.IsNaN(splits[i]) || (i > 0 && !(splits[i] > splits[i - 1])))
                    throw new ArgumentException($"Splits must be numbers that ascend, and these do not: [{splits}].", nameof(Splits));
            }
        }
        return lists;
    }

    private sealed class BucketOf(double[] splits, string column, InvalidValues handleInvalid) : NumberFunction("bucket", nullable: handleInvalid == InvalidValues.Skip)
    {
        public override double Of(double value)
        {
            if (double.IsNaN(value))
            {
                return handleInvalid switch
                {
                    InvalidValues.Keep => splits.Length - 1,
                    InvalidValues.Skip => double.NaN,
                    _ => throw new QueryException("INVALID_BUCKET",
                        $"Column '{column}' holds null or NaN. Set HandleInvalid of {nameof(Bucketizer)} to Keep (a bucket of its own) or Skip (leave such rows out), or fill it before."),
                };
            }
            if (value < splits[0] || value > splits[^1])
                throw new QueryException("INVALID_BUCKET",
                    $"Column '{column}' holds {value}, outside of the splits {splits[0]} to {splits[^1]}. "
                    + "Begin with -infinity and end with infinity, or filter such rows.");
            var at = Array.BinarySearch(splits, value);
            return Math.Min(at >= 0 ? at : ~at - 1, splits.Length - 2);
        }
    }
}
