using Dataflow.MLlib.Data;

namespace Dataflow.MLlib.NeighborIndexes;

/// <summary>Refuses features whose differences are lost in single precision, in which rows are searched: times in seconds since 1970, long numbers.</summary>
internal static unsafe class SinglePrecision
{
    // The most that rounding may move a value by, as a share of the feature's range.
    private const double MostMoved = 1e-3;

    /// <summary>Least and largest value and largest rounding of each feature of some rows that are read.</summary>
    public static double[] ExtentsOf(FeatureReader reader, float[] singles, int rows, int width)
    {
        var extents = new double[3 * width];
        var exact = new double[Math.Min(rows, Math.Max(1, (1 << 14) / Math.Max(1, width))) * width];
        for (var first = 0; first < rows; first += Math.Max(1, exact.Length / Math.Max(1, width)))
        {
            var count = Math.Min(rows - first, exact.Length / Math.Max(1, width));
            if (count == 0) break;
            fixed (double* to = exact) reader.Read(first, count, to, width);
            for (var row = 0; row < count; row++)
            {
                for (var i = 0; i < width; i++)
                {
                    var value = exact[(row * width) + i];
                    ref var least = ref extents[3 * i];
                    ref var most = ref extents[(3 * i) + 1];
                    ref var moved = ref extents[(3 * i) + 2];
                    (least, most) = first + row == 0 ? (value, value) : (Math.Min(least, value), Math.Max(most, value));
                    moved = Math.Max(moved, Math.Abs(value - singles[((first + row) * width) + i]));
                }
            }
        }
        return extents;
    }

    /// <summary>Looks at all rows together.</summary>
    /// <exception cref="QueryException">A feature loses what tells its values apart; names its column.</exception>
    public static void Check(IReadOnlyList<NeighborBlock> blocks, FeatureColumns columns, string user)
    {
        var looked = blocks.Where(block => block.Extents.Length > 0).ToArray();
        if (looked.Length == 0) return;
        var width = looked.Min(block => block.Features);
        for (var i = 0; i < width; i++)
        {
            var least = looked.Min(block => block.Extents[3 * i]);
            var most = looked.Max(block => block.Extents[(3 * i) + 1]);
            if (!(looked.Max(block => block.Extents[(3 * i) + 2]) > MostMoved * (most - least)) || most == least) continue;
            var name = columns.KnownWidth > 0 ? $"Column '{columns.Names[i]}'" : $"Feature {i} of {string.Join(", ", columns.Names)}";
            throw new QueryException("INVALID_FEATURE",
                $"{name} holds values from {least:R} to {most:R}, which single precision, in which {user} keeps features, moves by more than a thousandth of that range. "
                + $"Take what they have in common away first: the smallest of them, or the mean with {nameof(StandardScaler)}.");
        }
    }
}
