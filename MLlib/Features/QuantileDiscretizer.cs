using Dataflow.MLlib.Data;
using Dataflow.MLlib.Features;

namespace Dataflow.MLlib;

/// <summary>Finds splits that put about as many rows into each bucket, and makes a <see cref="Bucketizer"/> of them.</summary>
/// <remarks>
/// The quantiles are exact (error 0), so they are the same for any partitions: values are selected by the digits of their 64-bit keys. Fit takes one pass where a partition has
/// fewer than 260,000 values, three passes as a rule beyond, six at most; 8 MB a task. Between two values a split lies in proportion, as numpy's and scikit-learn's do.
/// Where many values are equal there are fewer buckets than asked for. Null and NaN do not count.
/// </remarks>
public sealed record QuantileDiscretizer : Estimator<Bucketizer>
{
    /// <summary>Columns of numbers.</summary>
    public ValueList<string> InputColumns { get; init => field = Check.Names(value); } = [];

    /// <summary>Columns of bucket numbers that the model adds, one for each input; empty gives the inputs' names with <c>_bucket</c>.</summary>
    public ValueList<string> OutputColumns { get; init => field = Check.Names(value); } = [];

    /// <summary>How many buckets at most: 2 or more.</summary>
    public int Buckets { get; init => field = Check.AtLeast(value, 2); } = 2;

    /// <summary>What becomes of null and NaN when the model is used: see <see cref="Bucketizer.HandleInvalid"/>.</summary>
    public InvalidValues HandleInvalid { get; init => field = Check.Defined(value); } = InvalidValues.Error;

    /// <inheritdoc/>
    protected override async Task<Bucketizer> LearnAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        ColumnPairs.Outputs(InputColumns, OutputColumns, Bucketizer.Ending, nameof(QuantileDiscretizer));
        var columns = FeatureColumns.Of(frame, InputColumns, nameof(QuantileDiscretizer));
        if (columns.KnownWidth < 0)
            throw new QueryException("DATATYPE_MISMATCH",
                $"{nameof(QuantileDiscretizer)} takes columns of numbers, and one of {string.Join(", ", InputColumns)} is a vector.");
        double[] shares = [.. Enumerable.Range(1, Buckets - 1).Select(i => (double)i / Buckets)];
        var quantiles = await Quantiles.OfAsync(frame, columns, shares, nameof(QuantileDiscretizer), cancellationToken).ConfigureAwait(false);
        if (quantiles.Length == 0) throw FeatureMoments.NoRows(nameof(QuantileDiscretizer));
        return new Bucketizer
        {
            InputColumns = InputColumns,
            OutputColumns = OutputColumns,
            HandleInvalid = HandleInvalid,
            Splits = [.. quantiles.Select((each, i) => SplitsOf(each, InputColumns[i]))],
        };
    }

    private static ValueList<double> SplitsOf(double[] quantiles, string column)
    {
        if (double.IsNaN(quantiles[0]))
            throw new QueryException("EMPTY_INPUT", $"Column '{column}' has no value, so {nameof(QuantileDiscretizer)} finds no splits.");
        return [double.NegativeInfinity, .. quantiles.Distinct().Order(), double.PositiveInfinity];
    }
}
