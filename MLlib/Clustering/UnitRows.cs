using Dataflow.MLlib.Data;
using Dataflow.MLlib.Linalg;

namespace Dataflow.MLlib.Clustering;

/// <summary>Rows of length 1, between which distances are those of directions.</summary>
internal static class UnitRows
{
    /// <summary>The rows of a block, made as long as 1.</summary>
    /// <exception cref="QueryException">A row is all zeros.</exception>
    public static FeatureBlock Of(FeatureBlock block)
    {
        var values = block.Values.ToArray();
        for (var row = 0; row < block.Rows; row++) Make(values.AsSpan(row * block.Width, block.Width));
        return block with { Values = values };
    }

    /// <summary>Makes a row as long as 1.</summary>
    /// <exception cref="QueryException">It is all zeros, or has a number that is NaN or infinite.</exception>
    public static void Make(Span<double> row)
    {
        if (TryMake(row)) return;
        CheckFinite(row, double.MaxValue);
        throw new QueryException("INVALID_FEATURE",
            "KMeans met a row whose features are all zeros, which has no cosine distance from anything. Filter such rows first, or set Distance to Euclidean.");
    }

    /// <summary>Makes a row as long as 1; false if it is all zeros, or not of numbers.</summary>
    public static bool TryMake(Span<double> row)
    {
        var length = Math.Sqrt(RowProducts.Multiply(row, row));
        if (!(length is > 1e-140 and < 1e150))
        {
            // Squares overflow or vanish: by a power of two, which changes no direction, the largest comes near 1.
            double largest = 0;
            foreach (var value in row) largest = Math.Max(largest, Math.Abs(value));
            if (!(largest > 0) || !double.IsFinite(largest)) return false;
            var shift = -Math.ILogB(largest);
            for (var i = 0; i < row.Length; i++) row[i] = Math.ScaleB(row[i], shift);
            length = Math.Sqrt(RowProducts.Multiply(row, row));
        }
        for (var i = 0; i < row.Length; i++) row[i] /= length;
        return true;
    }

    /// <summary>Refuses numbers whose squares can't be summed.</summary>
    /// <exception cref="QueryException">There is one, NaN or infinity; says which.</exception>
    public static void CheckSquares(ReadOnlySpan<double> row) => CheckFinite(row, FeatureBlock.LargestSquared);

    private static void CheckFinite(ReadOnlySpan<double> row, double largest)
    {
        for (var i = 0; i < row.Length; i++)
        {
            if (Math.Abs(row[i]) <= largest) continue;
            throw double.IsFinite(row[i]) ? FeatureMoments.Overflow(nameof(KMeans), $"feature {i} ({row[i]})") : new QueryException("INVALID_FEATURE",
                $"Feature {i} of a row is {(double.IsNaN(row[i]) ? "null or NaN" : "infinite")}, and so it is near to no centre of {nameof(KMeans)}. Fill it with Imputer, or filter such rows first.");
        }
    }
}
