using Dataflow.MLlib.Data;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.NeighborIndexes;

/// <summary>Ids of the nearest rows, as a vector.</summary>
internal sealed class NeighborScorer(SharedIndex index, int width, int k, int breadth) : RowScorer("nearest_neighbors")
{
    public override int Width => width;

    public override bool GivesVector => true;

    public override int OutputWidth(int width) => k;

    public override void Score(ReadOnlySpan<double> rows, int count, int width, Span<double> output)
    {
        var found = index.Value;
        var lists = found.Search(QueryRows.Of(rows[..(count * width)], width, Name), new(k, Threads: 1, Breadth: breadth));
        for (var q = 0; q < count; q++)
        {
            lists.Sort(q);
            var positions = lists.Positions(q);
            for (var i = 0; i < k; i++) output[(q * k) + i] = i < positions.Length ? found.Rows.Ids[positions[i]] : double.NaN;
        }
    }
}

/// <summary>Distances of neighbours that were found, as a vector.</summary>
internal sealed unsafe class NeighborDistanceScorer(SharedIndex index, int features, int k) : RowScorer("neighbor_distances")
{
    public override int Width => features + k;

    public override bool GivesVector => true;

    public override int OutputWidth(int width) => k;

    public override void Score(ReadOnlySpan<double> rows, int count, int width, Span<double> output)
    {
        var found = index.Value;
        var query = new float[features];
        fixed (float* values = query)
        {
            for (var q = 0; q < count; q++)
            {
                var row = rows.Slice(q * width, width);
                for (var i = 0; i < features; i++) query[i] = (float)row[i];
                var norm = ExactDistances.Dot(values, values, features);
                for (var i = 0; i < k; i++)
                {
                    var id = row[features + i];
                    var position = double.IsNaN(id) ? -1 : Array.BinarySearch(found.Rows.Ids, (long)id);
                    output[(q * k) + i] = position < 0 ? double.NaN
                        : found.Keys.ToDistance(found.Keys.Of(values, norm, found.Rows.Pointer + ((long)position * features), found.Rows.Norms[position]));
                }
            }
        }
        GC.KeepAlive(found.Rows);
    }
}

/// <summary>Rows of batches as queries.</summary>
internal static class QueryRows
{
    /// <summary>In single precision, checked.</summary>
    public static float[] Of(ReadOnlySpan<double> rows, int width, string user)
    {
        var queries = new float[rows.Length];
        for (var i = 0; i < rows.Length; i++) queries[i] = (float)rows[i];
        var bad = RowSet.IndexOfNotFinite(queries);
        if (bad < 0) return queries;
        throw new QueryException("INVALID_FEATURE", $"Feature {bad % width} of a query is {(double.IsNaN(rows[bad]) ? "null or NaN" : "beyond single precision")}, which has no distance from "
            + $"anything. {user} needs finite numbers: fill it with Imputer, or filter such rows first.");
    }
}
