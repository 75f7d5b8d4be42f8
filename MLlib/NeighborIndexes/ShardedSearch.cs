using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.NeighborIndexes;

/// <summary>A row of a join's result.</summary>
internal sealed record NeighborPair(long QueryId, int Rank, long Id, double Distance);

/// <summary>The best rows of one query in a part of the rows: nearest first, by key, then id.</summary>
internal sealed record BestRows(double[] Keys, long[] Ids);

/// <summary>What tasks of a <see cref="NearestNeighborsJoin"/> do.</summary>
internal static class ShardedSearch
{
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

    /// <summary>All queries against the rows of a partition.</summary>
    public static IEnumerable<(int Query, BestRows Best)> BestOfPartition(IReadOnlyList<NeighborBlock> blocks, NeighborBlock queries, Metric metric, int k, double radius)
    {
        var rows = NeighborBlock.Join(blocks, nameof(NearestNeighborsJoin));
        if (rows.Rows == 0 || queries.Rows == 0) yield break;
        MustFit(queries.Features, rows.Features, rows.Rows);
        var index = new ExactIndex(RowSet.Of(rows.Values, rows.Features, rows.Ids), metric);
        var lists = index.Search(queries.Values, new(Math.Min(k, rows.Rows), index.Keys.ToBound(radius)));
        for (var q = 0; q < lists.Queries; q++)
        {
            lists.Sort(q);
            if (lists.Count(q) == 0) continue;
            var ids = new long[lists.Count(q)];
            for (var i = 0; i < ids.Length; i++) ids[i] = index.Rows.Ids[lists.Positions(q)[i]];
            yield return (q, new BestRows(lists.Keys(q).ToArray(), ids));
        }
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
            if (i > 0 && ids[i] == ids[i - 1])
                throw new QueryException("DUPLICATE_ID", $"Id {ids[i]} is there twice among the rows: neighbours could not be told apart. Give each row an id of its own.");
        }
        return new BestRows(keys, ids);
    }

    /// <summary>Rows of the result.</summary>
    public static IEnumerable<NeighborPair> Pairs(int query, BestRows best, NeighborBlock queries, Metric metric, double radius)
    {
        var keys = new RankKeys(metric, queries.Features);
        for (var i = 0; i < best.Keys.Length; i++)
        {
            var distance = keys.ToDistance(best.Keys[i]);
            if (distance <= radius) yield return new NeighborPair(queries.Ids[query], i + 1, best.Ids[i], distance);
        }
    }

    private static void MustFit(int queries, int rows, int count)
    {
        if (queries != rows && count > 0) throw new QueryException("VECTOR_SIZE_MISMATCH", $"Queries have {queries} features and rows {rows}. Both frames need the same ones.");
    }
}
