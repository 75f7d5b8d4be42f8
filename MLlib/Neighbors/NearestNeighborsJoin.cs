using Dataflow.MLlib.Data;
using Dataflow.MLlib.NeighborIndexes;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib;

/// <summary>Joins two frames by nearness: for each row of the left the K nearest of the right, exactly.</summary>
/// <remarks>
/// A side that is small enough is brought to this process and broadcast, the other stays spread over workers. With the rows broadcast, each task answers its queries; with the
/// queries broadcast, each task finds the best of its rows for all of them, and these are merged by distance, then id. Where neither is small enough, blocks of both are shuffled
/// so that each task compares a shard of the rows with a part of the queries. All ways give the same rows with the same bits, for any partitions.
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

    /// <summary>With <see cref="BroadcastSide.Smaller"/>, the most bytes of features (4 each) of a side that is broadcast; null takes an eighth of an executor's memory budget, half of
    /// <see cref="DataflowOptions.MaxResultBytes"/>, or 256 MB, whichever is least. 0 broadcasts nothing.</summary>
    public long? MaxBroadcastBytes { get; init => field = value is null or >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(MaxBroadcastBytes), value, $"{nameof(MaxBroadcastBytes)} must be 0 or more, or null."); }

    /// <summary>Joins.</summary>
    /// <remarks>Action: counts both sides and their ids, and reads the side that is broadcast, if one is. The rest is lazy. With the queries broadcast it shuffles at most K pairs
    /// a query and partition. With nothing broadcast it shuffles queries x shards + rows x groups besides, at 4 bytes a feature: rows lie in shards of up to 32 MB (less where the
    /// memory budget is small), and queries in as many groups as keep all slots at work. A task holds one shard, about four times, and reserves that of its budget.</remarks>
    /// <param name="queries">For whom neighbours are found.</param>
    /// <param name="rows">Among whom.</param>
    /// <returns>Columns <c>query_id</c>, <c>rank</c> (1 is nearest), <c>id</c> and <c>distance</c>: K rows a query, fewer if there are fewer within <see cref="Radius"/>.
    /// In no certain order.</returns>
    /// <exception cref="QueryException">A column is missing or of a type that does not fit; there are fewer rows than <see cref="K"/> and no <see cref="Radius"/>; an id is null, or
    /// there twice on one side.</exception>
    public DataFrame Join(DataFrame queries, DataFrame rows) => JoinAsync(queries, rows).GetAwaiter().GetResult();

    /// <inheritdoc cref="Join"/>
    /// <param name="cancellationToken">Ends the work.</param>
    public async Task<DataFrame> JoinAsync(DataFrame queries, DataFrame rows, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(queries);
        ArgumentNullException.ThrowIfNull(rows);
        var queryColumns = ColumnsOf(queries, "queries");
        var rowColumns = ColumnsOf(rows, "rows");
        if (Radius < 0 && Metric != DistanceMetric.InnerProduct)
            throw new ArgumentException($"{nameof(Radius)} is {Radius}, and must be 0 or more: no {Metric} distance is negative.");
        var count = await CountAsync(rows, "rows", cancellationToken).ConfigureAwait(false);
        if (count < K && Radius is null)
            throw new QueryException("TOO_FEW_ROWS", $"There are {count:N0} rows, and {K:N0} neighbours are wanted. Ask for at most as many as there are rows.");
        var queryCount = await CountAsync(queries, "queries", cancellationToken).ConfigureAwait(false);
        var context = rows.Session.Context;
        var metric = new Metric(Metric, MinkowskiPower);
        var (k, radius) = (K, Radius ?? double.PositiveInfinity);
        var features = await FeaturesAsync(count > 0 ? rows : queries, count > 0 ? rowColumns : queryColumns, cancellationToken).ConfigureAwait(false);
        Rdd<NeighborPair> pairs;
        switch (SideOf(count, queryCount, features, context))
        {
            case BroadcastSide.Rows:
                var few = await NeighborBlock.CollectAsync(rows, rowColumns, nameof(NearestNeighborsJoin), IdColumn, null, cancellationToken).ConfigureAwait(false);
                var index = SharedIndex.Of(new ExactIndex(RowSet.Of(few.Values, Math.Max(1, few.Features), few.Ids), metric), context);
                pairs = NeighborBlock.Read(queries, queryColumns, nameof(NearestNeighborsJoin), IdColumn, null)
                    .FlatMap(block => ShardedSearch.Answer(index.Value, block, k, radius));
                break;
            case BroadcastSide.Queries:
                var asked = await NeighborBlock.CollectAsync(queries, queryColumns, nameof(NearestNeighborsJoin), IdColumn, null, cancellationToken).ConfigureAwait(false);
                var shared = context.Broadcast(asked);
                pairs = NeighborBlock.Read(rows, rowColumns, nameof(NearestNeighborsJoin), IdColumn, null)
                    .MapPartitions(blocks => ShardedSearch.BestOfPartition(blocks, shared.Value, metric, k, radius))
                    .ReduceByKey((left, right) => ShardedSearch.Merge(left, right, k))
                    .FlatMap(best => ShardedSearch.Pairs(best.Key, best.Value, metric, features, radius));
                break;
            default:
                pairs = SpreadJoin.Plan(count * features * sizeof(float), context.ExecutorMemoryBytes, context.Options.Threads, context.DefaultParallelism, metric, k, radius)
                    .Run(NeighborBlock.Read(queries, queryColumns, nameof(NearestNeighborsJoin), IdColumn, null), NeighborBlock.Read(rows, rowColumns, nameof(NearestNeighborsJoin), IdColumn, null))
                    .FlatMap(best => ShardedSearch.Pairs(best.Key, best.Value, metric, features, radius));
                break;
        }
        return pairs.ToDataFrame().Select(Functions.Col("QueryId").As("query_id"), Functions.Col("Rank").As("rank"), Functions.Col("Id").As("id"), Functions.Col("Distance").As("distance"));
    }

    /// <summary>The columns of a side; what is missing is an error that says of which.</summary>
    private FeatureColumns ColumnsOf(DataFrame frame, string side)
    {
        try
        {
            _ = NeighborBlock.IdsOf(frame, IdColumn, nameof(NearestNeighborsJoin));
            return Data.FeatureColumns.Of(frame, FeatureColumns, nameof(NearestNeighborsJoin));
        }
        catch (QueryException e) when (e.ErrorClass.StartsWith("UNRESOLVED_COLUMN", StringComparison.Ordinal))
        {
            throw new QueryException(e.ErrorClass, $"The {side} of a {nameof(NearestNeighborsJoin)}: {e.Problem} Both frames have the same names for features and ids: "
                + "WithColumnRenamed(\"...\", \"...\") gives a column another.");
        }
    }

    private BroadcastSide SideOf(long rows, long queries, long features, DataflowContext context)
    {
        if (Side != BroadcastSide.Smaller) return Side;
        var room = MaxBroadcastBytes ?? Math.Min(256L << 20, Math.Min(context.ExecutorMemoryBytes / 8, context.Options.MaxResultBytes / 2));
        if (Math.Min(rows, queries) * features * sizeof(float) > room) return BroadcastSide.Neither;
        return rows <= queries ? BroadcastSide.Rows : BroadcastSide.Queries;
    }

    /// <summary>How many rows a frame has, once its ids are known to be good.</summary>
    private async Task<long> CountAsync(DataFrame frame, string side, CancellationToken cancellationToken)
    {
        var ids = NeighborBlock.IdsOf(frame, IdColumn, nameof(NearestNeighborsJoin));
        var counts = (await frame.Select(Functions.Count(), Functions.Count(ids), Functions.CountDistinct(ids)).CollectAsync(cancellationToken).ConfigureAwait(false))[0];
        var (all, there, distinct) = ((long)counts[0]!, (long)counts[1]!, (long)counts[2]!);
        if (there < all) throw new QueryException("INVALID_ID", $"Column '{IdColumn}' of the {side} holds null {all - there:N0} times, and {nameof(NearestNeighborsJoin)} needs an id for every row.");
        if (distinct == there) return all;
        var twice = await frame.Select(ids.As("id")).GroupBy("id").Agg(Functions.Count().As("times")).Where(Functions.Col("times") > 1).OrderBy("id").Limit(1)
            .CollectAsync(cancellationToken).ConfigureAwait(false);
        throw new QueryException("DUPLICATE_ID", $"Id {twice[0][0]} is there twice among the {side} ({twice[0][1]} times; {distinct:N0} different ids of {all:N0}): they could not be told "
            + "apart. Give each row an id of its own.");
    }

    /// <summary>Features of a row, by the first there is.</summary>
    private async Task<int> FeaturesAsync(DataFrame frame, FeatureColumns columns, CancellationToken cancellationToken)
    {
        var first = await NeighborBlock.Read(frame.Limit(1), columns, nameof(NearestNeighborsJoin), IdColumn, null).CollectAsync(cancellationToken).ConfigureAwait(false);
        return first.Select(block => block.Features).FirstOrDefault(1);
    }
}

/// <summary>Which side of a <see cref="NearestNeighborsJoin"/> is sent to all workers.</summary>
public enum BroadcastSide
{
    /// <summary>The one with fewer rows, if its features take at most <see cref="NearestNeighborsJoin.MaxBroadcastBytes"/>; else neither.</summary>
    Smaller,

    /// <summary>The rows among which neighbours are found.</summary>
    Rows,

    /// <summary>The queries.</summary>
    Queries,

    /// <summary>Neither: blocks of both are shuffled. For two large sides.</summary>
    Neither,
}
