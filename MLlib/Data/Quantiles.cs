using Dataflow.Sql.Columns;

namespace Dataflow.MLlib.Data;

/// <summary>Quantiles of features, exact, so the same for any partitions: between two values in proportion (definition 7 of Hyndman and Fan 1996, as numpy does).</summary>
/// <remarks>
/// Selection by digits: doubles are ordered as 64-bit keys; each pass counts the next bits of the keys that can still be the ones sought. Small data takes one pass,
/// since tasks hand their values over as long as they are few; large data takes three as a rule, six at most. Memory: 16 MB a task and 2 MB a partition in this process.
/// NaN (and null) are left out; infinite values are refused.
/// </remarks>
internal static class Quantiles
{
    private const int MostCounters = 1 << 20;
    private const int MostKept = 1 << 18;
    private const int MostGathered = 1 << 21;

    /// <summary>Quantiles of each feature.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="columns">Its features.</param>
    /// <param name="shares">From 0 to 1.</param>
    /// <param name="user">Who asks, for errors.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>features x shares; NaN for a feature without values. Empty if there are no rows.</returns>
    /// <param name="mostGathered">How many keys this process takes at once.</param>
    public static async Task<double[][]> OfAsync(
        DataFrame frame, FeatureColumns columns, IReadOnlyList<double> shares, string user, CancellationToken cancellationToken, int mostGathered = MostGathered)
    {
        var rows = columns.Select(frame, user);
        var parts = await rows.MapBatches(batches => Begin(batches, columns, user)).CollectAsync(cancellationToken).ConfigureAwait(false);
        var width = parts.Select(part => part.Width).FirstOrDefault();
        if (parts.Any(part => part.Width != width))
        {
            throw new QueryException("VECTOR_SIZE_MISMATCH",
                $"Rows that {user} was given have different numbers of features: {string.Join(", ", parts.Select(part => part.Width).Distinct())}. "
                + "All rows must have one.");
        }
        var isSmall = parts.All(part => part.Keys is not null) && parts.Sum(part => part.Rows) * width <= mostGathered;
        var search = new QuantileSearch(width, isSmall ? 0 : QuantileSearch.FirstBits(width));
        if (search.Depth == 0)
        {
            for (var i = 0; i < width; i++) search.Finish(i, [.. parts.SelectMany(part => part.Keys![i])], shares);
            return search.Results;
        }
        search.Begin(QuantileCounts.Sum(parts.Select(part => part.Counts ?? QuantileCounts.Of(part.Keys!, search.Depth))), shares);
        while (search.Prefixes.Any(prefixes => prefixes.Length > 0))
        {
            var (prefixes, depth) = (search.Prefixes, search.Depth);
            if (search.Candidates <= mostGathered)
            {
                var gathered = await rows.MapBatches(batches => Gather(batches, columns, user, prefixes, depth)).CollectAsync(cancellationToken).ConfigureAwait(false);
                for (var i = 0; i < width; i++) search.FinishCandidates(i, [.. gathered.SelectMany(part => part[i])]);
                break;
            }
            var bits = search.NextBits(MostCounters);
            var counted = await rows.MapBatches(batches => Count(batches, columns, user, prefixes, depth, bits)).CollectAsync(cancellationToken).ConfigureAwait(false);
            search.Narrow(QuantileCounts.Sum(counted), bits);
        }
        return search.Results;
    }

    /// <summary>Keys of doubles have their order.</summary>
    public static ulong KeyOf(double value)
    {
        var bits = BitConverter.DoubleToUInt64Bits(value == 0 ? 0 : value);
        return (long)bits < 0 ? ~bits : bits | 1UL << 63;
    }

    /// <summary>The double of a key.</summary>
    public static double ValueOf(ulong key) => BitConverter.UInt64BitsToDouble((long)key < 0 ? key & ~(1UL << 63) : ~key);

    private static IEnumerable<QuantilePart> Begin(IEnumerable<ColumnBatch> batches, FeatureColumns columns, string user)
    {
        List<ulong>[]? kept = null;
        QuantileCounts? counts = null;
        var (rows, width) = (0L, 0);
        foreach (var part in FeatureParts.Read(batches, columns, user))
        {
            width = part.Width;
            if (rows == 0) kept = [.. Enumerable.Range(0, width).Select(_ => new List<ulong>())];
            rows += part.Rows;
            if (kept is not null && rows * width > MostKept)
            {
                counts = QuantileCounts.Of([.. kept.Select(keys => keys.ToArray())], QuantileSearch.FirstBits(width));
                kept = null;
            }
            for (var row = 0; row < part.Rows; row++)
            {
                var values = part[row];
                for (var i = 0; i < width; i++)
                {
                    if (double.IsNaN(values[i])) continue;
                    CheckFinite(values[i], columns, user);
                    var key = KeyOf(values[i]);
                    if (kept is not null) kept[i].Add(key);
                    else counts!.Add(i, 0, key);
                }
            }
        }
        if (rows > 0) yield return new QuantilePart(width, rows, kept is null ? null : [.. kept.Select(keys => keys.ToArray())], counts);
    }

    private static IEnumerable<QuantileCounts> Count(IEnumerable<ColumnBatch> batches, FeatureColumns columns, string user, ulong[][] prefixes, int depth, int bits)
    {
        var counts = new QuantileCounts([.. prefixes.Select(each => each.Length)], depth, bits);
        foreach (var part in FeatureParts.Read(batches, columns, user))
        {
            for (var row = 0; row < part.Rows; row++)
            {
                var values = part[row];
                for (var i = 0; i < values.Length; i++)
                {
                    if (prefixes[i].Length == 0 || double.IsNaN(values[i])) continue;
                    var key = KeyOf(values[i]);
                    var at = prefixes[i].AsSpan().BinarySearch(key >> (64 - depth));
                    if (at >= 0) counts.Add(i, at, key);
                }
            }
        }
        yield return counts;
    }

    private static IEnumerable<ulong[][]> Gather(IEnumerable<ColumnBatch> batches, FeatureColumns columns, string user, ulong[][] prefixes, int depth)
    {
        var kept = prefixes.Select(_ => new List<ulong>()).ToArray();
        foreach (var part in FeatureParts.Read(batches, columns, user))
        {
            for (var row = 0; row < part.Rows; row++)
            {
                var values = part[row];
                for (var i = 0; i < values.Length; i++)
                {
                    if (prefixes[i].Length == 0 || double.IsNaN(values[i])) continue;
                    var key = KeyOf(values[i]);
                    if (prefixes[i].AsSpan().BinarySearch(key >> (64 - depth)) >= 0) kept[i].Add(key);
                }
            }
        }
        yield return [.. kept.Select(keys => keys.ToArray())];
    }

    private static void CheckFinite(double value, FeatureColumns columns, string user)
    {
        if (double.IsInfinity(value))
            throw new QueryException("INVALID_FEATURE",
                $"One of the columns {string.Join(", ", columns.Names)} holds an infinite number, which {user} can't learn from. Filter such rows first.");
    }
}
