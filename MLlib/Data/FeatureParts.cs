using Dataflow.Sql.Columns;

namespace Dataflow.MLlib.Data;

/// <summary>Some rows of features, lent until the next are asked for.</summary>
/// <param name="Values">rows x width, row by row; NaN where a value is null. Longer than that.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Width">Features.</param>
/// <param name="Others">Columns behind the features, one array each.</param>
internal readonly record struct FeaturePart(double[] Values, int Rows, int Width, double[][] Others)
{
    /// <summary>The features of a row.</summary>
    public ReadOnlySpan<double> this[int row] => Values.AsSpan(row * Width, Width);
}

/// <summary>Goes over the features of a partition once, a few rows at a time, without keeping them: for sums, counts and extremes.</summary>
internal static class FeatureParts
{
    private const int PartBytes = 128 << 10;

    /// <summary>Reads batches.</summary>
    /// <param name="batches">What <see cref="FeatureColumns.Select"/> gives.</param>
    /// <param name="columns">The features.</param>
    /// <param name="user">Who reads, for errors.</param>
    /// <param name="others">How many columns of doubles stand behind the features.</param>
    public static IEnumerable<FeaturePart> Read(IEnumerable<ColumnBatch> batches, FeatureColumns columns, string user, int others = 0)
    {
        var reader = new FeatureReader(columns, user);
        double[] values = [];
        var more = new double[others][];
        for (var i = 0; i < others; i++) more[i] = [];
        foreach (var batch in batches)
        {
            var rows = reader.Begin(batch);
            if (rows == 0) continue;
            var width = reader.Width;
            if (width < 0)
                throw new QueryException("INVALID_FEATURE",
                    $"Column '{columns.Names[reader.Widths.IndexOf(-1)]}' begins with NULL only, and {user} needs a vector there. Filter such rows first.");
            var most = Math.Clamp(PartBytes / 8 / Math.Max(1, width), 1, ColumnBatch.MaxRows);
            for (var first = 0; first < rows; first += most)
            {
                var count = Math.Min(most, rows - first);
                if (values.Length < count * width) values = new double[most * width];
                Fill(reader, batch, first, count, values, width, more);
                yield return new FeaturePart(values, count, width, more);
            }
        }
    }

    private static unsafe void Fill(FeatureReader reader, ColumnBatch batch, int first, int count, double[] values, int width, double[][] others)
    {
        fixed (double* to = values) reader.Read(first, count, to, width);
        for (var i = 0; i < others.Length; i++)
        {
            if (others[i].Length < count) others[i] = new double[ColumnBatch.MaxRows];
            reader.ReadOther(batch, i, first, others[i].AsSpan(0, count));
        }
    }
}
