using System.Runtime.Intrinsics;
using Dataflow.MLlib.Linalg;

namespace Dataflow.MLlib.Data;

/// <summary>Count, means and sums of squared deviations of features.</summary>
/// <param name="Weight">Sum of the weights of the rows.</param>
/// <param name="Means">By feature.</param>
/// <param name="Squares">Weighted sums of squared deviations from the mean, by feature.</param>
internal sealed record FeatureMoments(double Weight, double[] Means, double[] Squares)
{
    /// <summary>Sum of the squares of the weights.</summary>
    public double SquaredWeight { get; init; }

    /// <summary>The mean of the labels; 0 if there are none.</summary>
    public double LabelMean { get; init; }

    /// <summary>The weighted sum of squared deviations of the labels from their mean.</summary>
    public double LabelSquares { get; init; }

    /// <summary>Of all rows: two passes over each block, blocks merged in their order.</summary>
    /// <exception cref="QueryException">There are no rows, or blocks differ in width.</exception>
    public static async Task<FeatureMoments> OfAsync(Rdd<FeatureBlock> blocks, string user, CancellationToken cancellationToken) =>
        await TryOfAsync(blocks, user, cancellationToken).ConfigureAwait(false) ?? throw NoRows(user);

    /// <summary>Of all rows; null if there are none.</summary>
    public static async Task<FeatureMoments?> TryOfAsync(Rdd<FeatureBlock> blocks, string user, CancellationToken cancellationToken)
    {
        var parts = await blocks.MapPartitions(items => Merge(items.Select(block => Of(CheckWidth(block, user)))) is { } merged ? [merged] : Array.Empty<FeatureMoments>())
            .CollectAsync(cancellationToken).ConfigureAwait(false);
        return Merge(parts);
    }

    /// <summary>The error of a frame without rows.</summary>
    public static QueryException NoRows(string user) => new("EMPTY_INPUT", $"{user} was given a frame without rows, from which nothing can be learned.");

    /// <summary>The error of numbers whose squares are beyond 64 bits.</summary>
    public static QueryException Overflow(string user, string column) => new("ARITHMETIC_OVERFLOW",
        $"{user} sums squares of what it is given, and those of {column} overflow: its numbers are beyond about 1e149. Divide that column first.");

    /// <summary>A block, if its rows have elements.</summary>
    /// <exception cref="QueryException">They have none.</exception>
    public static FeatureBlock CheckWidth(FeatureBlock block, string user) => block.Width > 0 || block.Rows == 0
        ? block
        : throw new QueryException("INVALID_FEATURE", $"{user} was given feature vectors without elements, from which nothing can be learned.");

    /// <summary>Throws where sums of squares overflowed.</summary>
    /// <exception cref="QueryException">Those of a feature did.</exception>
    public void CheckSums(string user)
    {
        for (var i = 0; i < Means.Length; i++)
        {
            if (!double.IsFinite(Squares[i]) || !double.IsFinite(Means[i])) throw Overflow(user, $"feature {i}");
        }
    }

    /// <summary>Standard deviations of a sample: 0 for one row.</summary>
    public double[] SampleDeviations() => Array.ConvertAll(Squares, square => Weight > 1 ? Math.Sqrt(square / (Weight - 1)) : 0);

    /// <summary>Standard deviations where weights say how reliable a row is, so that their scale does not matter; 0 for constants.</summary>
    public double[] ReliabilityDeviations()
    {
        var freedom = Weight - (SquaredWeight / Weight);
        return Array.ConvertAll(Squares, square => freedom > 0 && square > 0 ? Math.Sqrt(square / freedom) : 0);
    }

    private static FeatureMoments Of(FeatureBlock block)
    {
        var (width, rows) = (block.Width, block.Rows);
        var (means, squares) = (new double[Lanes.Padded(width)], new double[Lanes.Padded(width)]);
        var weights = block.Weights.Length > 0 ? block.Weights : [.. Enumerable.Repeat(1.0, rows)];
        var (weight, squared, labelMean, labelSquares) = (0.0, 0.0, 0.0, 0.0);
        foreach (var w in weights)
        {
            weight += w;
            squared += w * w;
        }
        if (weight > 0)
        {
            AddRows(block, weights, means);
            for (var i = 0; i < width; i++) means[i] /= weight;
            if (block.Sparse is { } sparse) AddSparseSquares(sparse, weights, weight, means, squares, width);
            else for (var row = 0; row < rows; row++) AddSquares(block.Values.AsSpan(row * width, width), weights[row], means, squares);
            for (var row = 0; row < block.Labels.Length; row++) labelMean += weights[row] * block.Labels[row];
            labelMean /= weight;
            for (var row = 0; row < block.Labels.Length; row++) labelSquares += weights[row] * (block.Labels[row] - labelMean) * (block.Labels[row] - labelMean);
        }
        return new FeatureMoments(weight, means[..width], squares[..width]) { SquaredWeight = squared, LabelMean = labelMean, LabelSquares = labelSquares };
    }

    private static unsafe void AddRows(FeatureBlock block, double[] weights, double[] sums)
    {
        fixed (double* factors = weights, to = sums) RowProducts.AddRows(block, 0, block.Rows, factors, to);
    }

    private static void AddSquares(ReadOnlySpan<double> row, double weight, double[] means, double[] squares)
    {
        var i = 0;
        for (; i + 8 <= row.Length; i += 8)
        {
            var deviation = Vector512.LoadUnsafe(in row[i]) - Vector512.LoadUnsafe(ref means[i]);
            (Vector512.LoadUnsafe(ref squares[i]) + (Vector512.Create(weight) * deviation * deviation)).StoreUnsafe(ref squares[i]);
        }
        for (; i < row.Length; i++)
        {
            var deviation = row[i] - means[i];
            squares[i] += weight * deviation * deviation;
        }
    }

    // What is not stored is 0 and deviates by the mean.
    private static void AddSparseSquares(SparseRows rows, double[] weights, double weight, double[] means, double[] squares, int width)
    {
        var stored = new double[width];
        for (var row = 0; row < weights.Length; row++)
        {
            for (var at = rows.Starts[row]; at < rows.Starts[row + 1]; at++)
            {
                var i = rows.Indices[at];
                var deviation = rows.Values[at] - means[i];
                squares[i] += weights[row] * deviation * deviation;
                stored[i] += weights[row];
            }
        }
        for (var i = 0; i < width; i++) squares[i] += Math.Max(0, weight - stored[i]) * means[i] * means[i];
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
                throw new QueryException("VECTOR_SIZE_MISMATCH",
                    $"Some rows have {all.Means.Length} features and others {part.Means.Length}. All rows of a feature column must have one size.");
            var weight = all.Weight + part.Weight;
            for (var i = 0; i < all.Means.Length; i++)
            {
                var difference = part.Means[i] - all.Means[i];
                all.Means[i] += difference * part.Weight / weight;
                all.Squares[i] += part.Squares[i] + (difference * difference * all.Weight * part.Weight / weight);
            }
            var between = part.LabelMean - all.LabelMean;
            all = all with
            {
                Weight = weight,
                SquaredWeight = all.SquaredWeight + part.SquaredWeight,
                LabelMean = all.LabelMean + (between * part.Weight / weight),
                LabelSquares = all.LabelSquares + part.LabelSquares + (between * between * all.Weight * part.Weight / weight),
            };
        }
        return all;
    }
}
