using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.Tests.Neighbors;

/// <summary>Every pair, in double precision and as the definition says: what searches must equal.</summary>
internal static class NaiveNeighbors
{
    public static double Distance(DistanceMetric metric, double power, ReadOnlySpan<float> query, ReadOnlySpan<float> row)
    {
        double sum = 0, dot = 0, queryNorm = 0, rowNorm = 0, most = 0;
        int different = 0, both = 0, either = 0;
        for (var i = 0; i < query.Length; i++)
        {
            double q = query[i], r = row[i];
            var difference = Math.Abs(q - r);
            sum += metric switch { DistanceMetric.Manhattan => difference, DistanceMetric.Minkowski => Math.Pow(difference, power), _ => difference * difference };
            most = Math.Max(most, difference);
            dot += q * r;
            queryNorm += q * q;
            rowNorm += r * r;
            different += q != r ? 1 : 0;
            both += q != 0 && r != 0 ? 1 : 0;
            either += q != 0 || r != 0 ? 1 : 0;
        }
        return metric switch
        {
            DistanceMetric.Euclidean => Math.Sqrt(sum),
            DistanceMetric.SquaredEuclidean or DistanceMetric.Manhattan => sum,
            DistanceMetric.Minkowski => Math.Pow(sum, 1 / power),
            DistanceMetric.Chebyshev => most,
            DistanceMetric.Cosine => queryNorm == 0 || rowNorm == 0 ? 1 : 1 - (dot / Math.Sqrt(queryNorm * rowNorm)),
            DistanceMetric.InnerProduct => -dot,
            DistanceMetric.Hamming => (double)different / query.Length,
            DistanceMetric.Jaccard => either == 0 ? 0 : (double)(either - both) / either,
            _ => throw new ArgumentOutOfRangeException(nameof(metric)),
        };
    }

    /// <summary>The k best positions by exact key and position: the same arithmetic for each pair, without any filter.</summary>
    public static unsafe (double Key, int Position)[] Best(RowSet rows, Metric metric, ReadOnlySpan<float> query, int k)
    {
        var keys = new RankKeys(metric, rows.Features);
        var all = new (double Key, int Position)[rows.Count];
        fixed (float* q = query)
        {
            var norm = ExactDistances.Dot(q, q, rows.Features);
            for (var i = 0; i < all.Length; i++) all[i] = (keys.Of(q, norm, rows.Pointer + ((long)i * rows.Features), rows.Norms[i]), i);
        }
        Array.Sort(all);
        return all[..Math.Min(k, all.Length)];
    }

    /// <summary>Rows of clusters with duplicates, zeros and equal distances among them.</summary>
    public static float[] Values(Random random, int rows, int features, string kind)
    {
        var values = new float[rows * features];
        for (var r = 0; r < rows; r++)
        {
            var row = values.AsSpan(r * features, features);
            if (r > 0 && random.Next(8) == 0)
            {
                values.AsSpan(random.Next(r) * features, features).CopyTo(row);
                continue;
            }
            if (random.Next(20) == 0) continue;
            var center = random.Next(4);
            foreach (ref var value in row)
            {
                value = kind switch
                {
                    "grid" => random.Next(3),
                    "far" => 10_000 + (float)random.NextDouble(),
                    "wide" => (float)((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-30, 36))),
                    "tiny" => (float)((random.NextDouble() - 0.5) * 1e-38),
                    "huge" => (float)((random.NextDouble() - 0.5) * 6e38),
                    _ => center + (float)(random.NextDouble() - 0.5),
                };
            }
        }
        return values;
    }
}
