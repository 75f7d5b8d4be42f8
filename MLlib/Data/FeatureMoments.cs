namespace Dataflow.MLlib.Data;

/// <summary>Count, means and sums of squared deviations of features.</summary>
/// <param name="Weight">Sum of the weights of the rows.</param>
/// <param name="Means">By feature.</param>
/// <param name="Squares">Weighted sums of squared deviations from the mean, by feature.</param>
internal sealed record FeatureMoments(double Weight, double[] Means, double[] Squares)
{
    /// <summary>Of all rows: two passes over each block, blocks merged in their order.</summary>
    /// <exception cref="QueryException">There are no rows, or blocks differ in width.</exception>
    public static async Task<FeatureMoments> OfAsync(Rdd<FeatureBlock> blocks, string user, CancellationToken cancellationToken)
    {
        var parts = await blocks.MapPartitions(items => Merge(items.Select(Of)) is { } merged ? [merged] : Array.Empty<FeatureMoments>()).CollectAsync(cancellationToken).ConfigureAwait(false);
        return Merge(parts) ?? throw NoRows(user);
    }

    /// <summary>The error of a frame without rows.</summary>
    public static QueryException NoRows(string user) => new("EMPTY_INPUT", $"{user} was given a frame without rows, from which nothing can be learned.");

    /// <summary>Standard deviations of a sample: 0 for one row.</summary>
    public double[] SampleDeviations() => Array.ConvertAll(Squares, square => Weight > 1 ? Math.Sqrt(square / (Weight - 1)) : 0);

    private static FeatureMoments Of(FeatureBlock block)
    {
        var (width, rows) = (block.Width, block.Rows);
        var (means, squares) = (new double[width], new double[width]);
        double weight = 0;
        for (var row = 0; row < rows; row++)
        {
            var w = block.WeightOf(row);
            weight += w;
            for (var i = 0; i < width; i++) means[i] += w * block.Values[(row * width) + i];
        }
        if (weight > 0) for (var i = 0; i < width; i++) means[i] /= weight;
        for (var row = 0; row < rows; row++)
        {
            var w = block.WeightOf(row);
            for (var i = 0; i < width; i++)
            {
                var deviation = block.Values[(row * width) + i] - means[i];
                squares[i] += w * deviation * deviation;
            }
        }
        return new FeatureMoments(weight, means, squares);
    }

    private static FeatureMoments? Merge(IEnumerable<FeatureMoments> parts)
    {
        FeatureMoments? all = null;
        foreach (var part in parts)
        {
            if (all is null || all.Weight == 0)
            {
                all = part;
                continue;
            }
            if (part.Weight == 0) continue;
            if (part.Means.Length != all.Means.Length)
                throw new QueryException("VECTOR_SIZE_MISMATCH", $"Some rows have {all.Means.Length} features and others {part.Means.Length}. All rows of a feature column must have one size.");
            var weight = all.Weight + part.Weight;
            for (var i = 0; i < all.Means.Length; i++)
            {
                var difference = part.Means[i] - all.Means[i];
                all.Means[i] += difference * part.Weight / weight;
                all.Squares[i] += part.Squares[i] + (difference * difference * all.Weight * part.Weight / weight);
            }
            all = all with { Weight = weight };
        }
        return all;
    }
}
