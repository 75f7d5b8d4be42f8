using Dataflow.Sql.Physical;

namespace Dataflow.Sql.Tests.Adaptive;

/// <summary>Plans that change while they run, by what their exchanges wrote.</summary>
public sealed class AdaptiveTests
{
    private static readonly PlannerOptions Small = new(2) { SharedBuildBytes = 1 << 20, LeastReadBytes = 1 << 20, PartitionBytes = 1 << 20, SkewBytes = 64 << 10, SkewFactor = 3 };

    [Fact]
    public async Task Small_partitions_are_read_together()
    {
        var (rows, ran) = await Run("SELECT id % 10 AS k, count(*) AS n FROM range(100000) GROUP BY 1 ORDER BY 1", Small, Small);
        Assert.Equal(10, rows.Count);
        Assert.All(rows, row => Assert.Equal(10_000L, row[1]));
        Assert.Contains("read by 1 task", ran);
    }

    [Fact]
    public async Task A_parted_join_whose_table_is_small_shares_it_and_does_not_exchange_the_other_side()
    {
        const string sql = "SELECT count(*), sum(a.id) FROM range(200000) a JOIN range(5) b ON a.id % 1000 = b.id";
        var (rows, ran) = await Run(sql, Small with { SharedBuildBytes = 0 }, Small);
        Assert.Equal([1000L, 99_502_000L], rows[0].ToArray());
        Assert.Contains("HashJoin Inner shared", ran);
        Assert.Contains("read whole", ran);
        Assert.DoesNotContain("HashJoin Inner partitioned", ran);
        Assert.Equal(2, ran.Split("Exchange ").Length - 1);
    }

    [Theory]
    [InlineData("JOIN", 100_000)]
    [InlineData("LEFT JOIN", 200_000)]
    [InlineData("LEFT SEMI JOIN", 100_000)]
    [InlineData("LEFT ANTI JOIN", 100_000)]
    public async Task A_shared_join_whose_table_is_much_larger_than_may_be_shared_is_parted(string join, long expected)
    {
        var sql = $"SELECT count(*) FROM range(0, 200000, 1, 4) a {join} (SELECT id * 2 AS k, concat('some text ', id) AS t FROM range(0, 100000, 1, 4)) b ON a.id = b.k";
        var (rows, ran) = await Run(sql, Small with { SharedBuildBytes = 1 << 30 }, Small with { SharedBuildBytes = 10_000 });
        Assert.Equal(expected, rows[0][0]);
        Assert.Contains("partitioned", ran);
        Assert.Contains("Exchange single, read by", ran);
    }

    [Theory]
    [InlineData("JOIN")]
    [InlineData("LEFT JOIN")]
    [InlineData("LEFT SEMI JOIN")]
    [InlineData("LEFT ANTI JOIN")]
    public async Task A_large_partition_of_a_join_is_read_by_several_tasks(string join)
    {
        // Nine of ten rows have one key.
        var sql = $"SELECT count(*) FROM (SELECT CASE WHEN id % 10 > 0 THEN 7 ELSE id END AS k, id FROM range(0, 200000, 1, 8)) a {join} (SELECT id AS b FROM range(101000) WHERE id < 101000 AND (id % 100 > 0 OR id = 0)) b ON a.k = b.b";
        var (expectedRows, _) = await Run(sql, Small with { IsAdaptive = false }, Small with { IsAdaptive = false });
        var (rows, ran) = await Run(sql, Small with { SharedBuildBytes = 0 }, Small with { SharedBuildBytes = 0 });
        Assert.Equal(expectedRows[0][0], rows[0][0]);
        Assert.Contains("1 large partition in pieces", ran);
    }

    [Fact]
    public async Task A_large_partition_of_an_aggregate_is_merged_in_pieces()
    {
        // All keys that are there fall into few partitions; each map task has them all.
        const string sql = "SELECT k, count(DISTINCT v) AS d, sum(v) AS s FROM (SELECT id % 3 AS k, id DIV 3 AS v FROM range(0, 90000, 1, 6)) GROUP BY k ORDER BY k";
        var forced = Small with { SkewBytes = 1, SkewFactor = 0.1, LeastReadBytes = 1, PartitionBytes = 1000 };
        var (rows, ran) = await Run(sql, forced, forced);
        Assert.Equal([0L, 30_000L, 449_985_000L], rows[0].ToArray());
        Assert.Equal(3, rows.Count);
        Assert.Contains("MergeStates", ran);
    }

    [Fact]
    public void Explain_shows_how_a_frame_ran_last()
    {
        using var context = DataflowContext.Local(threads: 2);
        var frame = context.Sql("SELECT id % 10 AS k, count(*) AS n FROM range(100000) GROUP BY 1");
        Assert.DoesNotContain("Last run", frame.ExplainText(all: true));
        Assert.Equal(10, frame.Collect().Count);
        Assert.Contains("== Last run ==", frame.ExplainText(all: true));
        Assert.Contains("read by 1 task", frame.ExplainText(all: true));
    }

    private static async Task<(List<Row> Rows, string Ran)> Run(string sql, PlannerOptions planned, PlannerOptions run)
    {
        using var context = DataflowContext.Local(threads: 2);
        var session = SqlSession.Of(context);
        var frame = context.Sql(sql);
        var plan = new Planner(planned).Plan(session.Optimise(frame.Plan));
        using var query = new QueryRun(context, new QueryScope(session.Settings(), sql));
        var rows = QueryResult.RowsOf(await QueryResult.CollectAsync(plan, query, run, default), frame.Schema).ToList();
        return (rows, query.Describe(plan) ?? "");
    }
}
