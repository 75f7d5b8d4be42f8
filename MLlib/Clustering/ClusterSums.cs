using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dataflow.MLlib.Data;
using Dataflow.MLlib.Linalg;

namespace Dataflow.MLlib.Clustering;

/// <summary>One pass of k-means over rows: weights and weighted sums of the rows that are nearest to each centre.</summary>
/// <param name="Weights">By centre.</param>
/// <param name="Sums">centres x width.</param>
/// <param name="Cost">The weighted sum of squared distances, if it was asked for.</param>
internal sealed record ClusterSums(double[] Weights, double[] Sums, double Cost)
{
    /// <summary>Of all rows, merged in the order of partitions.</summary>
    /// <param name="blocks">Dense rows.</param>
    /// <param name="centers">centres x width.</param>
    /// <param name="width">Features.</param>
    /// <param name="withCost">Whether distances are summed, instead of rows.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public static async Task<ClusterSums> OfAsync(Rdd<FeatureBlock> blocks, double[] centers, int width, bool withCost, CancellationToken cancellationToken)
    {
        var shared = blocks.Context.Broadcast(centers);
        try
        {
            var parts = await blocks.MapPartitions(items => OfPartition(items, shared.Value, width, withCost)).CollectAsync(cancellationToken).ConfigureAwait(false);
            var all = new ClusterSums(new double[centers.Length / width], new double[withCost ? 0 : centers.Length], 0);
            return parts.Aggregate(all, (sums, part) => sums.Add(part));
        }
        finally
        {
            shared.Destroy();
        }
    }

    private ClusterSums Add(ClusterSums part)
    {
        for (var i = 0; i < Weights.Length; i++) Weights[i] += part.Weights[i];
        for (var i = 0; i < Sums.Length; i++) Sums[i] += part.Sums[i];
        return this with { Cost = Cost + part.Cost };
    }

    private static IEnumerable<ClusterSums> OfPartition(IEnumerable<FeatureBlock> blocks, double[] centers, int width, bool withCost)
    {
        using var nearest = new NearestCenters(centers, width);
        var padded = Lanes.Padded(width);
        var weights = new double[nearest.Count];
        var sums = new double[withCost ? 0 : nearest.Count * padded];
        double cost = 0;
        foreach (var block in blocks)
        {
            if (block.Width != width)
                throw new QueryException("VECTOR_SIZE_MISMATCH",
                    $"Some rows have {width} features and others {block.Width}. All rows of a feature column must have one size.");
            cost += withCost ? CostOf(block, nearest, centers, weights) : Add(block, nearest, padded, weights, sums);
        }
        var dense = new double[withCost ? 0 : centers.Length];
        for (var k = 0; k < nearest.Count && !withCost; k++) sums.AsSpan(k * padded, width).CopyTo(dense.AsSpan(k * width));
        return [new ClusterSums(weights, dense, cost)];
    }

    private static unsafe double Add(FeatureBlock block, NearestCenters nearest, int padded, double[] weights, double[] sums)
    {
        var found = stackalloc int[NearestCenters.Rows];
        var width = block.Width;
        fixed (double* values = block.Values, to = sums)
        {
            for (var first = 0; first < block.Rows; first += NearestCenters.Rows)
            {
                var count = Math.Min(NearestCenters.Rows, block.Rows - first);
                nearest.Find(block, first, count, found);

                // Whole lanes reach into the next row (what lands behind a centre's sums is never read): the last rows have none behind them.
                var whole = Math.Clamp(((block.Values.Length - padded + width) / width) - first, 0, count);
                for (var i = 0; i < count; i++) weights[found[i]] += block.WeightOf(first + i);
                var rows = values + ((nint)first * width);
                if (block.Weights.Length == 0) AddRows(rows, width, padded, whole, found, to);
                else for (var i = 0; i < whole; i++) AddRow(rows + ((nint)i * width), padded, block.Weights[first + i], to + ((nint)found[i] * padded));
                for (var i = whole; i < count; i++)
                {
                    var weight = block.WeightOf(first + i);
                    for (var j = 0; j < width; j++) to[((nint)found[i] * padded) + j] += weight * rows[((nint)i * width) + j];
                }
            }
        }
        return 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static unsafe void AddRows(double* row, int width, int padded, int count, int* found, double* sums)
    {
        for (var i = 0; i < count; i++, row += width)
        {
            var to = sums + ((nint)found[i] * padded);
            for (var j = 0; j < padded; j += 8) (Vector512.Load(to + j) + Vector512.Load(row + j)).Store(to + j);
        }
    }

    private static unsafe void AddRow(double* row, int padded, double weight, double* sums)
    {
        var by = Vector512.Create(weight);
        for (var j = 0; j < padded; j += 8) (Vector512.Load(sums + j) + (by * Vector512.Load(row + j))).Store(sums + j);
    }

    private static unsafe double CostOf(FeatureBlock block, NearestCenters nearest, double[] centers, double[] weights)
    {
        var found = stackalloc int[NearestCenters.Rows];
        var (width, cost) = (block.Width, 0.0);
        for (var first = 0; first < block.Rows; first += NearestCenters.Rows)
        {
            var count = Math.Min(NearestCenters.Rows, block.Rows - first);
            nearest.Find(block, first, count, found);
            for (var i = 0; i < count; i++)
            {
                var weight = block.WeightOf(first + i);
                weights[found[i]] += weight;
                cost += weight * Distance(block.Values.AsSpan((first + i) * width, width), centers.AsSpan(found[i] * width, width));
            }
        }
        return cost;
    }

    /// <summary>The squared distance of two rows.</summary>
    public static double Distance(ReadOnlySpan<double> left, ReadOnlySpan<double> right)
    {
        var sum = Vector512<double>.Zero;
        var j = 0;
        for (; j + 8 <= left.Length; j += 8)
        {
            var difference = Vector512.LoadUnsafe(in left[j]) - Vector512.LoadUnsafe(in right[j]);
            sum += difference * difference;
        }
        var total = Lanes.Sum(sum);
        for (; j < left.Length; j++) total += (left[j] - right[j]) * (left[j] - right[j]);
        return total;
    }
}
