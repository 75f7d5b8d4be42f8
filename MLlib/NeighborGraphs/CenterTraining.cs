using Dataflow.MLlib.NeighborIndexes;
using Dataflow.MLlib.NeighborKernels;
using Dataflow.MLlib.Numerics;

namespace Dataflow.MLlib.NeighborGraphs;

/// <summary>Centres of k-means (Lloyd 1982) over a sample of rows: the lists of an inverted file and the codebooks of product quantisation.</summary>
internal static class CenterTraining
{
    private const int Rounds = 8;
    private const int SampleOfCenter = 64;

    /// <summary>Trains centres. Begins with rows drawn by a hash; a centre that loses all its rows takes the row that is farthest from its own.</summary>
    /// <param name="values">rows x features.</param>
    /// <returns>centres x features.</returns>
    public static float[] Train(ReadOnlySpan<float> values, int features, int centers, int threads)
    {
        var rows = values.Length / features;
        centers = Math.Min(centers, rows);
        var order = new int[rows];
        var hashes = new ulong[rows];
        for (var i = 0; i < rows; i++) (order[i], hashes[i]) = (i, RowHash.Bits(7, i, 0x495646));
        Array.Sort(hashes, order);
        var sampled = (int)Math.Min(rows, (long)centers * SampleOfCenter);
        var sample = new float[(long)sampled * features];
        for (var i = 0; i < sampled; i++) values.Slice(order[i] * features, features).CopyTo(sample.AsSpan(i * features));
        var trained = sample.AsSpan(0, centers * features).ToArray();
        for (var round = 0; round < Rounds; round++)
        {
            var nearest = Assign(sample, trained, features, threads, out var distances);
            Move(sample, nearest, distances, trained, features, centers);
        }
        return trained;
    }

    /// <summary>The nearest centre of each row, by squared distance; of equally near ones the first.</summary>
    public static int[] Assign(ReadOnlySpan<float> values, float[] centers, int features, int threads, out double[] distances)
    {
        var lists = new ExactIndex(RowSet.Of(centers, features, default), new(DistanceMetric.SquaredEuclidean)).Search(values, new(1, Threads: threads));
        var nearest = new int[lists.Queries];
        distances = new double[lists.Queries];
        for (var i = 0; i < nearest.Length; i++) (nearest[i], distances[i]) = (lists.Positions(i)[0], lists.Keys(i)[0]);
        return nearest;
    }

    private static void Move(float[] sample, int[] nearest, double[] distances, float[] centers, int features, int count)
    {
        var sums = new double[centers.Length];
        var rows = new int[count];
        for (var i = 0; i < nearest.Length; i++)
        {
            rows[nearest[i]]++;
            var from = sample.AsSpan(i * features, features);
            var to = sums.AsSpan(nearest[i] * features, features);
            for (var f = 0; f < features; f++) to[f] += from[f];
        }
        for (var c = 0; c < count; c++)
        {
            var center = centers.AsSpan(c * features, features);
            if (rows[c] > 0)
            {
                for (var f = 0; f < features; f++) center[f] = (float)(sums[(c * features) + f] / rows[c]);
                continue;
            }
            var farthest = 0;
            for (var i = 1; i < distances.Length; i++)
            {
                if (distances[i] > distances[farthest]) farthest = i;
            }
            sample.AsSpan(farthest * features, features).CopyTo(center);
            distances[farthest] = -1;
        }
    }
}
