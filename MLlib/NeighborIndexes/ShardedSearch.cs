using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.NeighborIndexes;

/// <summary>A row of a join's result.</summary>
internal sealed record NeighborPair(long QueryId, int Rank, long Id, double Distance);

/// <summary>The best rows of one query in a part of the rows: nearest first, by key, then id.</summary>
internal sealed record BestRows(double[] Keys, long[] Ids);

/// <summary>What tasks of a <see cref="NearestNeighborsJoin"/> do.</summary>
internal static class ShardedSearch
{
    // Values of rows that a task holds at a time: 32 MB.
    private const long MostPartValues = 8L << 20;

    /// <summary>Queries of a block against all rows.</summary>
    public static NeighborPair[] Answer(NeighborIndex index, NeighborBlock queries, int k, double radius)
    {
        MustFit(queries.Features, index.Rows.Features, index.Rows.Count);
        var lists = index.Search(queries.Values, new(Math.Clamp(k, 1, Math.Max(1, index.Rows.Count)), index.Keys.ToBound(radius)));
        var pairs = new List<NeighborPair>();
        for (var q = 0; q < lists.Queries; q++)
        {
            lists.Sort(q);
            var keys = lists.Keys(q);
            var positions = lists.Positions(q);
            for (var i = 0; i < keys.Length; i++)
            {
                var distance = index.Keys.ToDistance(keys[i]);
                if (distance <= radius) pairs.Add(new NeighborPair(queries.Ids[q], i + 1, index.Rows.Ids[positions[i]], distance));
            }
        }
        return [.. pairs];
    }

    /// <summary>All queries against the rows of a partition, of which no more than a part is held at a time.</summary>
    public static IEnumerable<(long Query, BestRows Best)> BestOfPartition(IEnumerable<NeighborBlock> blocks, NeighborBlock queries, Metric metric, int k, double radius)
    {
        var best = new BestRows?[queries.Rows];
        var part = new List<NeighborBlock>();
        long values = 0;
        foreach (var block in blocks)
        {
            part.Add(block);
            values += block.Values.Length;
            if (values >= MostPartValues) Take();
        }
        Take();
        for (var q = 0; q < best.Length; q++)
        {
            if (best[q] is { } found) yield return (queries.Ids[q], found);
        }

        void Take()
        {
            if (values > 0 && best.Length > 0)
            {
                var rows = NeighborBlock.Join(part, nameof(NearestNeighborsJoin));
                var found = Best(new ExactIndex(RowSet.Of(rows.Values, rows.Features, rows.Ids), metric), queries, k, radius);
                for (var q = 0; q < best.Length; q++) best[q] = best[q] is { } there && found[q] is { } more ? Merge(there, more, k) : best[q] ?? found[q];
            }
            part.Clear();
            values = 0;
        }
    }

    /// <summary>The best for each query in an index of a part of the rows; null for those that have none within the radius.</summary>
    public static BestRows?[] Best(ExactIndex index, NeighborBlock queries, int k, double radius)
    {
        MustFit(queries.Features, index.Rows.Features, index.Rows.Count);
        var lists = index.Search(queries.Values, new(Math.Min(k, index.Rows.Count), index.Keys.ToBound(radius)));
        var best = new BestRows?[lists.Queries];
        for (var q = 0; q < best.Length; q++)
        {
            lists.Sort(q);
            if (lists.Count(q) == 0) continue;
            var ids = new long[lists.Count(q)];
            for (var i = 0; i < ids.Length; i++) ids[i] = index.Rows.Ids[lists.Positions(q)[i]];
            best[q] = new BestRows(lists.Keys(q).ToArray(), ids);
        }
        return best;
    }

    /// <summary>The k best of two parts.</summary>
    public static BestRows Merge(BestRows left, BestRows right, int k)
    {
        var count = (int)Math.Min(k, (long)left.Keys.Length + right.Keys.Length);
        var keys = new double[count];
        var ids = new long[count];
        for (int i = 0, l = 0, r = 0; i < count; i++)
        {
            var takesLeft = r == right.Keys.Length
                || (l < left.Keys.Length && (left.Keys[l] < right.Keys[r] || (left.Keys[l] == right.Keys[r] && left.Ids[l] <= right.Ids[r])));
            (keys[i], ids[i]) = takesLeft ? (left.Keys[l], left.Ids[l]) : (right.Keys[r], right.Ids[r]);
            if (takesLeft) l++;
            else r++;
        }
        return new BestRows(keys, ids);
    }

    /// <summary>Rows of the result.</summary>
    public static IEnumerable<NeighborPair> Pairs(long query, BestRows best, Metric metric, int features, double radius)
    {
        var keys = new RankKeys(metric, features);
        for (var i = 0; i < best.Keys.Length; i++)
        {
            var distance = keys.ToDistance(best.Keys[i]);
            if (distance <= radius) yield return new NeighborPair(query, i + 1, best.Ids[i], distance);
        }
    }

    private static void MustFit(int queries, int rows, int count)
    {
        if (queries != rows && count > 0) throw new QueryException("VECTOR_SIZE_MISMATCH", $"Queries have {queries} features and rows {rows}. Both frames need the same ones.");
    }
}
