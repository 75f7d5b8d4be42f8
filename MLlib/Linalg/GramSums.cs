using Dataflow.MLlib.Data;

namespace Dataflow.MLlib.Linalg;

/// <summary>
/// Means and sums of products of deviations from them, of all pairs of columns: all that least squares and principal components need to know of the rows. The
/// columns are the features, and the label behind them if there is one.
/// </summary>
/// <remarks>One pass per partition, of deviations from what is near the means (so large means cost no digits), merged as Chan, Golub and LeVeque 1979 in the
/// order of partitions. Cost: rows x columns² / 2 multiplications; memory columns² x 8 bytes a partition.</remarks>
/// <param name="Rows">How many rows.</param>
/// <param name="Weight">Sum of the weights.</param>
/// <param name="SquaredWeight">Sum of the squares of the weights.</param>
/// <param name="Means">By column.</param>
/// <param name="Products">columns x columns; only where the second index is not less than the first.</param>
internal sealed record GramSums(long Rows, double Weight, double SquaredWeight, double[] Means, double[] Products)
{
    /// <summary>Columns.</summary>
    public int Width => Means.Length;

    /// <summary>Of all rows.</summary>
    /// <param name="blocks">The rows.</param>
    /// <param name="withLabel">Whether the label is a column too.</param>
    /// <param name="user">Who asks, for errors.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="QueryException">There are no rows, they have no elements, differ in width, or are so large that sums overflow.</exception>
    public static async Task<GramSums> OfAsync(Rdd<FeatureBlock> blocks, bool withLabel, string user, CancellationToken cancellationToken) =>
        await TryOfAsync(blocks, withLabel, user, cancellationToken).ConfigureAwait(false) ?? throw FeatureMoments.NoRows(user);

    /// <summary>Of all rows; null if there are none.</summary>
    public static async Task<GramSums?> TryOfAsync(Rdd<FeatureBlock> blocks, bool withLabel, string user, CancellationToken cancellationToken)
    {
        var parts = await blocks.MapPartitions(items => OfPartition(items, withLabel, user)).CollectAsync(cancellationToken).ConfigureAwait(false);
        GramSums? all = null;
        foreach (var part in parts) all = all is null ? part : all.Add(part);
        if (all is not { Weight: > 0 }) return null;
        for (var i = 0; i < all.Width; i++)
        {
            if (!double.IsFinite(all.Of(i, i)) || !double.IsFinite(all.Means[i]))
                throw FeatureMoments.Overflow(user, withLabel && i == all.Width - 1 ? "the label" : $"feature {i}");
        }
        return all;
    }

    /// <summary>The sum of products of deviations of two columns.</summary>
    public double Of(int left, int right) => left <= right ? Products[(left * Width) + right] : Products[(right * Width) + left];

    /// <summary>Both together, the first ones counted at a share of their weight.</summary>
    public GramSums Decayed(double share, GramSums other) =>
        new GramSums(Rows, Weight * share, SquaredWeight * share * share, [.. Means], Array.ConvertAll(Products, product => product * share)).Add(other);

    /// <summary>Standard deviations of a sample, by column; 0 for constants. Weights say how reliable a row is, so that their scale does not matter.</summary>
    public double[] SampleDeviations()
    {
        var freedom = Weight - (SquaredWeight / Weight);
        var deviations = new double[Width];
        for (var i = 0; i < Width; i++) deviations[i] = freedom > 0 && Of(i, i) > 0 ? Math.Sqrt(Of(i, i) / freedom) : 0;
        return deviations;
    }

    private static IEnumerable<GramSums> OfPartition(IEnumerable<FeatureBlock> blocks, bool withLabel, string user)
    {
        GramKernel? kernel = null;
        foreach (var block in blocks)
        {
            FeatureMoments.CheckWidth(block, user);
            kernel ??= new GramKernel(block.Width, withLabel);
            kernel.Add(block);
        }
        return kernel is null ? [] : [kernel.Finish()];
    }

    // Changes this one's arrays.
    private GramSums Add(GramSums other)
    {
        if (other.Width != Width)
            throw new QueryException("VECTOR_SIZE_MISMATCH",
                $"Some rows have {Width} columns and others {other.Width}. All rows of a feature column must have one size.");
        if (other.Weight == 0) return this with { Rows = Rows + other.Rows };
        if (Weight == 0) return other with { Rows = Rows + other.Rows };
        var weight = Weight + other.Weight;
        var between = Weight * other.Weight / weight;
        var differences = new double[Width];
        for (var i = 0; i < Width; i++) differences[i] = other.Means[i] - Means[i];
        for (var i = 0; i < Width; i++)
        {
            var factor = between * differences[i];
            for (var j = i; j < Width; j++) Products[(i * Width) + j] += other.Products[(i * Width) + j] + (factor * differences[j]);
        }
        for (var i = 0; i < Width; i++) Means[i] += differences[i] * (other.Weight / weight);
        return new GramSums(Rows + other.Rows, weight, SquaredWeight + other.SquaredWeight, Means, Products);
    }
}
