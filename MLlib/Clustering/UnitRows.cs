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
        for (var row = 0; row < block.Rows; row++)
        {
            if (!TryMake(values.AsSpan(row * block.Width, block.Width)))
                throw new QueryException("INVALID_FEATURE",
                    "KMeans met a row whose features are all zeros, which has no cosine distance from anything. Filter such rows first, or set Distance to Euclidean.");
        }
        return block with { Values = values };
    }

    /// <summary>Makes a row as long as 1; false if it is all zeros.</summary>
    public static bool TryMake(Span<double> row)
    {
        var length = Math.Sqrt(RowProducts.Multiply(row, row));
        if (!(length > 0) || double.IsInfinity(length)) return false;
        for (var i = 0; i < row.Length; i++) row[i] /= length;
        return true;
    }
}
