using System.Runtime.InteropServices;
using Dataflow.MLlib.Data;
using Dataflow.MLlib.Linalg;

namespace Dataflow.MLlib.Optimization;

/// <summary>Losses and their derivatives, summed over all rows in one pass: margins, losses and gradient of a tile of rows while it is in the cache.</summary>
/// <remarks>Tiles are summed into blocks, blocks into partitions and those in their order.</remarks>
internal static class LossSums
{
    // Partial sums of more numbers in all than this are merged on executors first.
    private const long MostCollected = 1 << 22;

    /// <summary>How many numbers stand before the gradient: the loss, the extra derivative, and derivatives by intercepts.</summary>
    public static int Head(int margins) => 2 + margins;

    /// <summary>Sums over all rows: loss, extra derivative, derivatives by intercepts, derivatives by coefficients (margins x width).</summary>
    /// <param name="blocks">The rows.</param>
    /// <param name="loss">What is lost.</param>
    /// <param name="width">Features.</param>
    /// <param name="coefficients">margins x padded width.</param>
    /// <param name="intercepts">By margin.</param>
    /// <param name="user">Who asks, for errors.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public static async Task<double[]> OfAsync(
        Rdd<FeatureBlock> blocks, RowLoss loss, int width, double[] coefficients, double[] intercepts, string user, CancellationToken cancellationToken)
    {
        var shared = blocks.Context.Broadcast(coefficients);
        try
        {
            var parts = blocks.MapPartitions(items => OfPartition(items, loss, width, shared.Value, intercepts, user));
            if ((long)blocks.PartitionCount * coefficients.Length > MostCollected)
                return await parts.TreeReduceAsync(Add, cancellationToken: cancellationToken).ConfigureAwait(false);
            var sums = new double[Head(loss.Margins) + (loss.Margins * width)];
            foreach (var part in await parts.CollectAsync(cancellationToken).ConfigureAwait(false)) Add(sums, part);
            return sums;
        }
        finally
        {
            shared.Destroy();
        }
    }

    private static double[] Add(double[] sums, double[] part)
    {
        for (var i = 0; i < sums.Length; i++) sums[i] += part[i];
        return sums;
    }

    private static IEnumerable<double[]> OfPartition(IEnumerable<FeatureBlock> blocks, RowLoss loss, int width, double[] coefficients, double[] intercepts, string user)
    {
        var sums = new double[Head(loss.Margins) + (loss.Margins * width)];
        foreach (var block in blocks)
        {
            if (block.Width != width)
                throw new QueryException("VECTOR_SIZE_MISMATCH",
                    $"Some rows have {width} features and others {block.Width}. {user} needs all rows of a feature column to have one size.");
            Of(block, loss, coefficients, intercepts, sums);
        }
        return [sums];
    }

    private static unsafe void Of(FeatureBlock block, RowLoss loss, double[] coefficients, double[] intercepts, double[] sums)
    {
        var (margins, width, padded) = (loss.Margins, block.Width, Lanes.Padded(block.Width));
        var tile = RowProducts.TileRows(width);
        var scratch = (double*)NativeMemory.AlignedAlloc((nuint)(((margins + 2) * tile) + (margins * padded)) * sizeof(double), 64);
        try
        {
            double* labels = scratch + (margins * tile), weights = labels + tile, gradient = weights + tile;
            new Span<double>(gradient, margins * padded).Clear();
            double total = 0, extra = 0;
            for (var first = 0; first < block.Rows; first += tile)
            {
                var count = Math.Min(tile, block.Rows - first);
                block.Labels.AsSpan(first, count).CopyTo(new Span<double>(labels, tile));
                new Span<double>(weights, count).Fill(1);
                if (block.Weights.Length > 0) block.Weights.AsSpan(first, count).CopyTo(new Span<double>(weights, tile));
                new Span<double>(labels + count, tile - count).Clear();
                new Span<double>(weights + count, tile - count).Clear();
                fixed (double* by = coefficients)
                {
                    for (var k = 0; k < margins; k++)
                    {
                        var to = scratch + (k * tile);
                        RowProducts.Multiply(block, first, count, by + ((nint)k * padded), to);
                        for (var i = 0; i < count; i++) to[i] += intercepts[k];
                        new Span<double>(to + count, tile - count).Clear();
                    }
                }
                total += loss.Evaluate(scratch, tile, labels, weights, count, ref extra);
                for (var k = 0; k < margins; k++)
                {
                    RowProducts.AddRows(block, first, count, scratch + (k * tile), gradient + ((nint)k * padded));
                    double sum = 0;
                    for (var i = 0; i < count; i++) sum += scratch[(k * tile) + i];
                    sums[2 + k] += sum;
                }
            }
            sums[0] += total;
            sums[1] += extra;
            var head = Head(margins);
            for (var k = 0; k < margins; k++)
            {
                for (var i = 0; i < width; i++) sums[head + (k * width) + i] += gradient[((nint)k * padded) + i];
            }
        }
        finally
        {
            NativeMemory.AlignedFree(scratch);
        }
    }
}
