using Dataflow.MLlib.Data;
using Dataflow.MLlib.NeighborIndexes;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib;

/// <summary>Joins two frames by nearness: for each row of the left the K nearest of the right, exactly.</summary>
/// <remarks>
/// One side is brought to this process and broadcast, the other stays spread over workers. With the rows broadcast, each task answers its queries; with the queries
/// broadcast, each task finds the best of its rows for all of them, and these are merged by distance, then id. Both give the same rows with the same bits, for any partitions.
/// </remarks>
public sealed record NearestNeighborsJoin
{
    /// <summary>How many neighbours a query gets.</summary>
    public int K { get; init => field = Check.AtLeast(value, 1); } = 5;

    /// <summary>Only rows within this distance; null takes all.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is NaN. Below 0 it is refused by <see cref="Join"/>, except with <see cref="DistanceMetric.InnerProduct"/>,
    /// whose distances are negative.</exception>
    public double? Radius
    {
        get;
        init => field = value is not { } radius || !double.IsNaN(radius) ? value
            : throw new ArgumentOutOfRangeException(nameof(Radius), value, $"{nameof(Radius)} must be a distance, or null to take all rows.");
    }

    /// <inheritdoc cref="NeighborLearner{TModel}.Metric"/>
    public DistanceMetric Metric { get; init => field = Check.Defined(value); } = DistanceMetric.Euclidean;

    /// <inheritdoc cref="NeighborLearner{TModel}.MinkowskiPower"/>
    public double MinkowskiPower { get; init => field = Check.AtLeast(value, 1); } = 3;

    /// <summary>Columns of features, of both frames.</summary>
    public ValueList<string> FeatureColumns { get; init => field = Check.Names(value); } = ["features"];

    /// <summary>The column of ids of both frames: whole numbers, each once.</summary>
    public string IdColumn { get; init => field = Check.Name(value); } = "id";

    /// <summary>Which side is broadcast.</summary>
    public BroadcastSide Side { get; init => field = Check.Defined(value); } = BroadcastSide.Smaller;

    /// <summary>Joins.</summary>
    /// <remarks>Action: reads the side that is broadcast, and counts both if <see cref="Side"/> is <see cref="BroadcastSide.Smaller"/>. The rest is lazy; with the queries
    /// broadcast it shuffles at most K pairs a query and partition.</remarks>
    /// <param name="queries">For whom neighbours are found.</param>
    /// <param name="rows">Among whom.</param>
    /// <returns>Columns <c>query_id</c>, <c>rank</c> (1 is nearest), <c>id</c> and <c>distance</c>: K rows a query, fewer if there are fewer within <see cref="Radius"/>.
    /// In no certain order.</returns>
    /// <exception cref="QueryException">A column is missing or of a type that does not fit; the rows have fewer than <see cref="K"/>.</exception>
    public DataFrame Join(DataFrame queries, DataFrame rows) => JoinAsync(queries, rows).GetAwaiter().GetResult();

    /// <inheritdoc cref="Join"/>
    /// <param name="cancellationToken">Ends the work.</param>
    public async Task<DataFrame> JoinAsync(DataFrame queries, DataFrame rows, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(queries);
        ArgumentNullException.ThrowIfNull(rows);
        var queryColumns = Data.FeatureColumns.Of(queries, FeatureColumns, nameof(NearestNeighborsJoin));
        var rowColumns = Data.FeatureColumns.Of(rows, FeatureColumns, nameof(NearestNeighborsJoin));
        if (Radius < 0 && Metric != DistanceMetric.InnerProduct)
            throw new ArgumentException($"{nameof(Radius)} is {Radius}, and must be 0 or more: no {Metric} distance is negative.");
        var count = await CountAsync(rows, cancellationToken).ConfigureAwait(false);
        if (count < K && Radius is null)
            throw new QueryException("TOO_FEW_ROWS", $"There are {count:N0} rows, and {K:N0} neighbours are wanted. Ask for at most as many as there are rows.");
        var broadcastsRows = Side == BroadcastSide.Rows || (Side == BroadcastSide.Smaller && count <= await CountAsync(queries, cancellationToken).ConfigureAwait(false));
        var context = rows.Session.Context;
        var metric = new Metric(Metric, MinkowskiPower);
        var small = broadcastsRows
            ? await NeighborBlock.CollectAsync(rows, rowColumns, nameof(NearestNeighborsJoin), IdColumn, null, cancellationToken).ConfigureAwait(false)
            : await NeighborBlock.CollectAsync(queries, queryColumns, nameof(NearestNeighborsJoin), IdColumn, null, cancellationToken).ConfigureAwait(false);
        var (k, radius) = (K, Radius ?? double.PositiveInfinity);
        Rdd<NeighborPair> pairs;
        if (broadcastsRows)
        {
            var shared = SharedIndex.Of(new ExactIndex(RowSet.Of(small.Values, Math.Max(1, small.Features), small.Ids), metric), context);
            pairs = NeighborBlock.Read(queries, queryColumns, nameof(NearestNeighborsJoin), IdColumn, null)
                .FlatMap(block => ShardedSearch.Answer(shared.Value, block, k, radius));
        }
        else
        {
            var shared = context.Broadcast(small);
            pairs = NeighborBlock.Read(rows, rowColumns, nameof(NearestNeighborsJoin), IdColumn, null)
                .MapPartitions(blocks => ShardedSearch.BestOfPartition([.. blocks], shared.Value, metric, k, radius))
                .ReduceByKey((left, right) => ShardedSearch.Merge(left, right, k))
                .FlatMap(best => ShardedSearch.Pairs(best.Key, best.Value, shared.Value, metric, radius));
        }
        return pairs.ToDataFrame().Select(Functions.Col("QueryId").As("query_id"), Functions.Col("Rank").As("rank"), Functions.Col("Id").As("id"), Functions.Col("Distance").As("distance"));
    }

    private static async Task<long> CountAsync(DataFrame frame, CancellationToken cancellationToken) =>
        (long)(await frame.Select(Functions.Count()).CollectAsync(cancellationToken).ConfigureAwait(false))[0][0]!;
}

/// <summary>Which side of a <see cref="NearestNeighborsJoin"/> is sent to all workers.</summary>
public enum BroadcastSide
{
    /// <summary>The one with fewer rows.</summary>
    Smaller,

    /// <summary>The rows among which neighbours are found.</summary>
    Rows,

    /// <summary>The queries.</summary>
    Queries,
}
