using Dataflow.MLlib.Data;
using Dataflow.MLlib.Numerics;

namespace Dataflow.MLlib.Clustering;

/// <summary>Finds where centres begin. Which rows are drawn depends on the seed and the numbers of the rows in the whole frame, not on partitions.</summary>
/// <param name="blocks">Dense rows, kept.</param>
/// <param name="clusters">How many centres.</param>
/// <param name="seed">Decides which rows are drawn.</param>
/// <param name="cancellationToken">Ends the work.</param>
internal sealed class CenterSearch(Rdd<FeatureBlock> blocks, int clusters, ulong seed, CancellationToken cancellationToken)
{
    // Streams of random numbers: the first draw, the seeding among candidates, and one a round.
    private const ulong Drawing = 0x6B6D_0001, Seeding = 0x6B6D_0002, Rounds = 0x6B6D_0100;

    private const int LocalIterations = 30;

    private long[] _firstRows = [];
    private int _width;

    /// <summary>A row that may be drawn: the smaller its key the sooner.</summary>
    private sealed record Drawn(double Key, long Row, double[] Values);

    /// <summary>The centres, centres x width; fewer than asked for if rows have fewer different values.</summary>
    public async Task<(double[] Centers, int Width)> FindAsync(KMeansStart start, int steps, bool isCosine)
    {
        var counts = await blocks.MapPartitions(CountsOf).CollectAsync(cancellationToken).ConfigureAwait(false);
        _firstRows = new long[counts.Length];
        for (var i = 1; i < counts.Length; i++) _firstRows[i] = _firstRows[i - 1] + counts[i - 1].Rows;
        _width = counts.Select(count => count.Width).DefaultIfEmpty().Max();
        if (counts.Sum(count => count.Rows) == 0) throw FeatureMoments.NoRows(nameof(KMeans));
        if (_width == 0) throw new QueryException("INVALID_FEATURE", "KMeans was given rows without features.");
        if (start == KMeansStart.Random) return (await DrawAsync(clusters).ConfigureAwait(false), _width);

        var candidates = new List<double>(await DrawAsync(1).ConfigureAwait(false));
        for (var step = 0; step < steps; step++)
        {
            var cost = await ClusterSums.OfAsync(blocks, [.. candidates], _width, withCost: true, cancellationToken).ConfigureAwait(false);
            if (!(cost.Cost > 0)) break;
            candidates.AddRange(await FarAsync([.. candidates], 2.0 * clusters / cost.Cost, step).ConfigureAwait(false));
        }
        var weights = (await ClusterSums.OfAsync(blocks, [.. candidates], _width, withCost: true, cancellationToken).ConfigureAwait(false)).Weights;
        return (Reduce([.. candidates], weights, isCosine), _width);
    }

    private static IEnumerable<(long Rows, int Width)> CountsOf(IEnumerable<FeatureBlock> items)
    {
        var (rows, width) = (0L, 0);
        foreach (var block in items) (rows, width) = (rows + block.Rows, Math.Max(width, block.Width));
        return [(rows, width)];
    }

    // Rows drawn without putting back, the more often the more they weigh: those with the least -log(u) / weight (Efraimidis and Spirakis 2006).
    private async Task<double[]> DrawAsync(int count)
    {
        var (firstRows, key) = (_firstRows, RowHash.Key(seed, Drawing));
        var parts = await blocks.MapPartitionsWithIndex((partition, items) => Least(items, firstRows[partition], key, count))
            .CollectAsync(cancellationToken).ConfigureAwait(false);
        var drawn = Different(parts.OrderBy(row => row.Key).ThenBy(row => row.Row), count);
        return drawn.Count > 0 ? [.. drawn.SelectMany(row => row.Values)] : throw FeatureMoments.NoRows(nameof(KMeans));
    }

    private static IEnumerable<Drawn> Least(IEnumerable<FeatureBlock> items, long row, ulong key, int count)
    {
        var least = new List<Drawn>();
        var limit = double.PositiveInfinity;
        foreach (var block in items)
        {
            for (var i = 0; i < block.Rows; i++, row++)
            {
                var weight = block.WeightOf(i);
                if (!(weight > 0)) continue;
                var at = -Elementary.Log(RowHash.Uniform(key, row) + 1e-17) / weight;
                if (!(at < limit)) continue;
                least.Add(new Drawn(at, row, block.Values[(i * block.Width)..((i + 1) * block.Width)]));
                if (least.Count < (4 * count) + 64) continue;
                least = Different(least.OrderBy(one => one.Key).ThenBy(one => one.Row), count);
                if (least.Count == count) limit = least[^1].Key;
            }
        }
        return Different(least.OrderBy(one => one.Key).ThenBy(one => one.Row), count);
    }

    private static List<Drawn> Different(IEnumerable<Drawn> ordered, int count)
    {
        var found = new List<Drawn>();
        var seen = new HashSet<ValueList<double>>();
        foreach (var row in ordered)
        {
            if (found.Count == count) break;
            if (seen.Add([.. row.Values])) found.Add(row);
        }
        return found;
    }

    // Rows drawn one by one, each with a probability in proportion to its squared distance from what was drawn before.
    private async Task<IEnumerable<double>> FarAsync(double[] candidates, double factor, int step)
    {
        var (firstRows, key, width) = (_firstRows, RowHash.Key(seed, Rounds + (ulong)step), _width);
        var shared = blocks.Context.Broadcast(candidates);
        try
        {
            var parts = await blocks.MapPartitionsWithIndex((partition, items) => Far(items, firstRows[partition], shared.Value, width, factor, key))
                .CollectAsync(cancellationToken).ConfigureAwait(false);
            return parts.SelectMany(row => row);
        }
        finally
        {
            shared.Destroy();
        }
    }

    private static List<double[]> Far(IEnumerable<FeatureBlock> items, long row, double[] candidates, int width, double factor, ulong key)
    {
        using var nearest = new NearestCenters(candidates, width);
        var far = new List<double[]>();
        var found = new int[NearestCenters.Rows];
        foreach (var block in items)
        {
            for (var first = 0; first < block.Rows; first += found.Length)
            {
                var count = Math.Min(found.Length, block.Rows - first);
                unsafe
                {
                    fixed (int* to = found) nearest.Find(block, first, count, to);
                }
                for (var i = 0; i < count; i++, row++)
                {
                    var values = block.Values.AsSpan((first + i) * width, width);
                    var distance = ClusterSums.Distance(values, candidates.AsSpan(found[i] * width, width));
                    if (RowHash.Uniform(key, row) < factor * distance * block.WeightOf(first + i)) far.Add(values.ToArray());
                }
            }
        }
        return far;
    }

    // k-means++ (Arthur and Vassilvitskii 2007) among candidates, weighted by the rows next to them, and Lloyd's iterations.
    private double[] Reduce(double[] candidates, double[] weights, bool isCosine)
    {
        var count = weights.Length;
        var key = RowHash.Key(seed, Seeding);
        var distances = new double[count];
        Array.Fill(distances, 1);
        var centers = new List<double>();
        for (var k = 0; k < clusters; k++)
        {
            double total = 0;
            for (var i = 0; i < count; i++) total += weights[i] * distances[i];
            if (!(total > 0)) break;
            var at = RowHash.Uniform(key, k) * total;
            var chosen = -1;
            for (var i = 0; i < count && at >= 0; i++)
            {
                var share = weights[i] * distances[i];
                if (!(share > 0)) continue;
                chosen = i;
                at -= share;
            }
            var center = candidates.AsSpan(chosen * _width, _width);
            centers.AddRange(center);
            for (var i = 0; i < count; i++)
            {
                var distance = ClusterSums.Distance(candidates.AsSpan(i * _width, _width), center);
                distances[i] = k == 0 ? distance : Math.Min(distances[i], distance);
            }
        }
        return LocalLloyd(candidates, weights, [.. centers], isCosine);
    }

    private double[] LocalLloyd(double[] candidates, double[] weights, double[] centers, bool isCosine)
    {
        var (count, k) = (weights.Length, centers.Length / _width);
        for (var iteration = 0; iteration < LocalIterations; iteration++)
        {
            using var nearest = new NearestCenters(centers, _width);
            var (sums, totals) = (new double[centers.Length], new double[k]);
            for (var i = 0; i < count; i++)
            {
                int found;
                unsafe
                {
                    fixed (double* row = &candidates[i * _width]) found = nearest.Find(row, out _);
                }
                totals[found] += weights[i];
                for (var j = 0; j < _width; j++) sums[(found * _width) + j] += weights[i] * candidates[(i * _width) + j];
            }
            var moved = false;
            for (var c = 0; c < k; c++)
            {
                if (!(totals[c] > 0)) continue;
                var center = sums.AsSpan(c * _width, _width);
                for (var j = 0; j < _width; j++) center[j] /= totals[c];
                if (isCosine && !UnitRows.TryMake(center)) continue;
                moved |= !center.SequenceEqual(centers.AsSpan(c * _width, _width));
                center.CopyTo(centers.AsSpan(c * _width, _width));
            }
            if (!moved) break;
        }
        return centers;
    }
}
