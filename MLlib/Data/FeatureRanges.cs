using Dataflow.Sql.Columns;

namespace Dataflow.MLlib.Data;

/// <summary>Smallest and largest value of features; NaN where a feature has none.</summary>
/// <param name="Least">By feature.</param>
/// <param name="Most">By feature.</param>
internal sealed record FeatureRanges(double[] Least, double[] Most)
{
    /// <summary>Of all rows, in one pass. NaN and null do not count; the same for any partitions.</summary>
    /// <exception cref="QueryException">There are no rows, rows differ in width, or a value is infinite.</exception>
    public static async Task<FeatureRanges> OfAsync(DataFrame frame, FeatureColumns columns, string user, CancellationToken cancellationToken)
    {
        var parts = await columns.Select(frame, user).MapBatches(batches => columns.Count == 1 && columns.IsVector[0] ? OfVectors(batches, columns, user) : Of(batches, columns, user)).CollectAsync(cancellationToken).ConfigureAwait(false);
        if (parts.Length == 0) throw FeatureMoments.NoRows(user);
        var (least, most) = parts[0];
        foreach (var part in parts)
        {
            if (part.Least.Length != least.Length)
                throw new QueryException("VECTOR_SIZE_MISMATCH",
                    $"Some rows have {least.Length} features and others {part.Least.Length}. All rows of a feature column must have one size.");
            for (var i = 0; i < least.Length; i++) (least[i], most[i]) = (Math.Min(least[i], part.Least[i]), Math.Max(most[i], part.Most[i]));
        }
        for (var i = 0; i < least.Length; i++)
        {
            if (least[i] > most[i]) (least[i], most[i]) = (double.NaN, double.NaN);
            if (double.IsInfinity(least[i]) || double.IsInfinity(most[i]))
                throw new QueryException("INVALID_FEATURE",
                    $"Feature {i} of the columns {string.Join(", ", columns.Names)} holds an infinite number, which {user} can't learn from. "
                    + "Filter such rows first.");
        }
        return new FeatureRanges(least, most);
    }

    // Of one column of vectors, as they are stored: a feature that some row does not store is 0 there.
    private static unsafe IEnumerable<FeatureRanges> OfVectors(IEnumerable<ColumnBatch> batches, FeatureColumns columns, string user)
    {
        FeatureRanges? ranges = null;
        long[] stored = [];
        var rows = 0L;
        foreach (var batch in batches)
        {
            foreach (var row in batch.Selection)
            {
                if (batch.Columns[0].IsNull(row)) continue;
                var vector = new VectorView(StringView.BytesOf((StringView*)batch.Columns[0].ValueAt(row)));
                if (ranges is null) (ranges, stored) = (None(vector.Size), new long[vector.Size]);
                if (vector.Size != stored.Length)
                {
                    throw new QueryException("VECTOR_SIZE_MISMATCH",
                        $"Column '{columns.Names[0]}' holds a vector of {vector.Size} elements, and {user} reads vectors of {stored.Length}. All rows of a feature column must have one size.");
                }
                rows++;
                for (var i = 0; i < vector.Stored; i++)
                {
                    var (place, value) = (vector.PlaceAt(i), vector.StoredAt(i));
                    stored[place]++;
                    if (value < ranges.Least[place]) ranges.Least[place] = value;
                    if (value > ranges.Most[place]) ranges.Most[place] = value;
                }
            }
        }
        if (ranges is null) return [];
        for (var i = 0; i < stored.Length; i++)
        {
            if (stored[i] < rows) (ranges.Least[i], ranges.Most[i]) = (Math.Min(ranges.Least[i], 0), Math.Max(ranges.Most[i], 0));
        }
        return [ranges];
    }

    private static FeatureRanges None(int width)
    {
        var ranges = new FeatureRanges(new double[width], new double[width]);
        Array.Fill(ranges.Least, double.PositiveInfinity);
        Array.Fill(ranges.Most, double.NegativeInfinity);
        return ranges;
    }

    private static IEnumerable<FeatureRanges> Of(IEnumerable<ColumnBatch> batches, FeatureColumns columns, string user)
    {
        FeatureRanges? ranges = null;
        foreach (var part in FeatureParts.Read(batches, columns, user))
        {
            ranges ??= None(part.Width);
            var (least, most) = ranges;
            for (var row = 0; row < part.Rows; row++)
            {
                var values = part[row];
                for (var i = 0; i < values.Length; i++)
                {
                    if (values[i] < least[i]) least[i] = values[i];
                    if (values[i] > most[i]) most[i] = values[i];
                }
            }
        }
        if (ranges is not null) yield return ranges;
    }
}
