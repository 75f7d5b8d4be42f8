using Dataflow.MLlib.NeighborIndexes;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.Tests.Neighbors;

/// <summary>Joins by nearness, whichever side travels.</summary>
public sealed class NearestNeighborsJoinTests
{
    private sealed record Item(long Id, Vector Features);

    private sealed record Pair(long QueryId, int Rank, long Id, double Distance);

    private static Item[] Items(int count, int seed)
    {
        var values = NaiveNeighbors.Values(new Random(seed), count, 20, "clusters");
        return [.. Enumerable.Range(0, count).Select(i => new Item((i * 11 % count) + (1L << 60), Vector.Dense(values.AsSpan(i * 20, 20))))];
    }

    private static Pair[] Run(NearestNeighborsJoin join, Item[] queries, Item[] rows, int partitions, int threads)
    {
        using var context = DataflowContext.Local(threads);
        return [.. join.Join(context.FromRecords(queries, partitions), context.FromRecords(rows, partitions)).Collect()
            .Select(row => new Pair(row.Get<long>("query_id"), row.Get<int>("rank"), row.Get<long>("id"), row.Get<double>("distance")))
            .OrderBy(pair => pair.QueryId).ThenBy(pair => pair.Rank)];
    }

    [Theory]
    [InlineData(null)]
    [InlineData(1.6)]
    public void Both_sides_and_any_partitions_give_the_same_bits(double? radius)
    {
        var (queries, rows) = (Items(60, 1), Items(200, 2));
        var join = new NearestNeighborsJoin { K = 4, Radius = radius, IdColumn = "Id", FeatureColumns = ["Features"] };
        var expected = Run(join with { Side = BroadcastSide.Rows }, queries, rows, 1, 1);
        Assert.True(expected.Length > 60 && (radius is null || expected.Length < 240), $"{expected.Length} pairs prove little.");
        foreach (var side in Enum.GetValues<BroadcastSide>())
        {
            foreach (var (partitions, threads) in new[] { (1, 2), (2, 1), (7, 2) }) Assert.Equal(expected, Run(join with { Side = side }, queries, rows, partitions, threads));
        }

        var set = RowSet.Of([.. rows.SelectMany(row => row.Features.ToArray().Select(value => (float)value))], 20, [.. rows.Select(row => row.Id)]);
        foreach (var query in queries)
        {
            var best = NaiveNeighbors.Best(set, new(DistanceMetric.Euclidean), [.. query.Features.ToArray().Select(value => (float)value)], 4).Where(each => Math.Sqrt(each.Key) <= (radius ?? 1e9));
            Assert.Equal(best.Select(each => (set.Ids[each.Position], Math.Sqrt(each.Key))), expected.Where(pair => pair.QueryId == query.Id).Select(pair => (pair.Id, pair.Distance)));
        }
    }

    [Theory]
    [InlineData(BroadcastSide.Rows)]
    [InlineData(BroadcastSide.Queries)]
    [InlineData(BroadcastSide.Neither)]
    public void All_rows_within_a_radius_may_be_asked_for(BroadcastSide side)
    {
        var (queries, rows) = (Items(20, 1), Items(50, 2));
        var join = new NearestNeighborsJoin { K = int.MaxValue, Radius = 1.6, IdColumn = "Id", FeatureColumns = ["Features"], Side = side };
        Assert.Equal(Run(join with { K = 50 }, queries, rows, 3, 2), Run(join, queries, rows, 3, 2));
    }

    [Theory]
    [InlineData(DistanceMetric.Euclidean, null)]
    [InlineData(DistanceMetric.Cosine, null)]
    [InlineData(DistanceMetric.Manhattan, 20.0)]
    public void Shards_and_groups_give_the_same_bits_however_many_there_are(DistanceMetric metric, double? radius)
    {
        var (queries, rows) = (Items(70, 1), Items(300, 2));
        var join = new NearestNeighborsJoin { K = 4, Metric = metric, Radius = radius, IdColumn = "Id", FeatureColumns = ["Features"], Side = BroadcastSide.Rows };
        var expected = Run(join, queries, rows, 1, 1);
        Assert.True(expected.Length > 70, $"{expected.Length} pairs prove little.");
        foreach (var (shards, groups, partitions) in new[] { (1, 1, 3), (4, 1, 2), (1, 3, 5), (5, 2, 7), (7, 3, 1) })
        {
            using var context = DataflowContext.Local(2);
            var spread = new SpreadJoin(shards, groups, new(metric), 4, radius ?? double.PositiveInfinity);
            var found = spread.Run(Blocks(context, queries, partitions), Blocks(context, rows, partitions)).Collect()
                .SelectMany(best => ShardedSearch.Pairs(best.Key, best.Value, new(metric), 20, radius ?? double.PositiveInfinity))
                .Select(pair => new Pair(pair.QueryId, pair.Rank, pair.Id, pair.Distance)).OrderBy(pair => pair.QueryId).ThenBy(pair => pair.Rank);
            Assert.Equal(expected, found);
        }
    }

    // Blocks of 9 rows, so that there are many to deal.
    private static Rdd<NeighborBlock> Blocks(DataflowContext context, Item[] items, int partitions) =>
        context.Parallelize(new NeighborBlock(20, [.. items.SelectMany(item => item.Features.ToArray().Select(value => (float)value))], [.. items.Select(item => item.Id)], []).Pieces(180), partitions);

    [Fact]
    public void Two_sides_that_are_not_broadcast_are_joined_within_the_budget_of_a_small_process()
    {
        var expected = NeighborChecks.Join(DataflowOptions.Default with { Threads = 2 }, new() { Side = BroadcastSide.Queries }, 3);
        Assert.StartsWith("6000 ", expected);
        Assert.Equal(expected, Program.RunWithout("avx512", "neighbors-budget"));
    }

    [Fact]
    public void Plans_keep_shards_small_and_slots_busy()
    {
        var plan = SpreadJoin.Plan(10L << 30, 8L << 30, 4, 32, new(DistanceMetric.Euclidean), 5, 1);
        Assert.Equal((320, 1), (plan.Shards, plan.Groups));
        Assert.Equal((1, 32), (SpreadJoin.Plan(1 << 20, 8L << 30, 4, 32, default, 5, 1).Shards, SpreadJoin.Plan(1 << 20, 8L << 30, 4, 32, default, 5, 1).Groups));
        Assert.Equal(40, SpreadJoin.Plan(80L << 20, 128L << 20, 4, 2, default, 5, 1).Shards);
    }

    [Fact]
    public void A_radius_is_a_distance_and_a_cancelled_join_stops()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new NearestNeighborsJoin { Radius = double.NaN });
        var join = new NearestNeighborsJoin { K = 1, Radius = -1, IdColumn = "Id", FeatureColumns = ["Features"] };
        Assert.Contains("Radius is -1", Assert.Throws<ArgumentException>(() => Run(join, Items(5, 1), Items(5, 2), 1, 1)).Message);
        Assert.NotEmpty(Run(join with { Metric = DistanceMetric.InnerProduct, Radius = -1e-9 }, Items(5, 1), Items(5, 2), 1, 1));

        using var context = DataflowContext.Local(1);
        var frame = context.FromRecords(Items(5, 1));
        Assert.ThrowsAny<OperationCanceledException>(() => (join with { Radius = 1 }).JoinAsync(frame, frame, new CancellationToken(true)).GetAwaiter().GetResult());
    }

    [Fact]
    public void Empty_sides_and_wrong_columns_are_answered()
    {
        var join = new NearestNeighborsJoin { K = 1, IdColumn = "Id", FeatureColumns = ["Features"] };
        Assert.Empty(Run(join, [], Items(5, 1), 2, 1));
        Assert.Contains("There are 0 rows, and 1", Assert.Throws<QueryException>(() => Run(join, Items(5, 1), [], 2, 1)).Message);
        Assert.Empty(Run(join with { Radius = 1 }, Items(5, 1), [], 2, 1));
        Item[] twice = [.. Items(3, 1), .. Items(3, 1)];
        foreach (var side in Enum.GetValues<BroadcastSide>())
        {
            var sided = join with { Side = side };
            Assert.Contains("is there twice among the rows", Assert.Throws<QueryException>(() => Run(sided, Items(5, 2), twice, 2, 1)).Message);
            Assert.Contains("is there twice among the queries", Assert.Throws<QueryException>(() => Run(sided, twice, Items(5, 2), 2, 1)).Message);
            Assert.Empty(Run(sided, [], Items(5, 1), 2, 1));
            Assert.Empty(Run(sided with { Radius = 1 }, Items(5, 1), [], 2, 1));
        }
        using (var context = DataflowContext.Local(1))
        {
            var (good, renamed) = (context.FromRecords(Items(5, 1)), context.FromRecords(Items(5, 2)).WithColumnRenamed("Features", "Taste"));
            Assert.StartsWith("The queries of a NearestNeighborsJoin: Unknown column 'Features'", Assert.Throws<QueryException>(() => join.Join(renamed, good)).Message, StringComparison.Ordinal);
            Assert.StartsWith("The rows of a NearestNeighborsJoin: Unknown column 'Features'", Assert.Throws<QueryException>(() => join.Join(good, renamed)).Message, StringComparison.Ordinal);
        }
        Assert.Contains("'nothing'", Assert.Throws<QueryException>(() => Run(join with { IdColumn = "nothing" }, Items(5, 2), Items(5, 3), 1, 1)).Message);
    }
}
