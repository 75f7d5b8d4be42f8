using Dataflow.Sql.Columns;
using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Sql.Tests.Frames;

/// <summary>Frames whose rows are kept.</summary>
public sealed class CacheTests
{
    private const string AllTypes = """
        SELECT id, cast(id % 100 AS tinyint) AS b, cast(id % 3000 AS smallint) AS s, cast(id AS int) AS i, id % 2 = 0 AS f,
               cast(id AS float) / 3 AS r, cast(id AS double) / 7 AS d, cast(id AS decimal(12,2)) AS n, cast(id AS decimal(30,4)) AS w,
               concat('t', id % 17) AS short, concat('a text of some length ', id % 1000) AS long, date_add(DATE '2020-01-01', cast(id % 1000 AS int)) AS day,
               CASE WHEN id % 5 > 0 THEN id END AS maybe, CASE WHEN id % 7 = 0 THEN concat('only a seventh ', id) END AS rare, CASE WHEN id < 0 THEN 1 END AS never
        FROM range(0, 140000, 1, 1)
        """;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Rows_of_all_types_are_kept_as_they_are(bool onDisk)
    {
        using var context = DataflowContext.Local(threads: 2);
        var frame = context.Sql(AllTypes);
        var expected = frame.Collect();
        Assert.Equal(StorageLevel.None, frame.StorageLevel);
        frame.Persist(onDisk ? StorageLevel.DiskOnly : StorageLevel.MemoryOnly);
        for (var round = 0; round < 2; round++)
        {
            var rows = frame.Collect();
            Assert.Equal(expected.Count, rows.Count);
            for (var i = 0; i < rows.Count; i += i < 1000 ? 1 : 97) Assert.Equal(expected[i].ToArray(), rows[i].ToArray());
        }
        var kept = Assert.Single(context.Services.Blocks.Cached);
        Assert.Equal(onDisk, kept.MemoryBytes == 0);
        Assert.Equal(onDisk, kept.DiskBytes > 0);

        // Some of the columns, of some of the rows.
        var query = frame.Where(Col("id") >= 70_000 & Col("rare").IsNotNull()).Select("long", "never", "b");
        Assert.Equal(expected.Where(row => (long)row[0]! >= 70_000 && row[13] is not null).Select(row => (row[10], row[14], row[1])), query.Collect().Select(row => (row[0], row[1], row[2])));
        frame.Unpersist();
        Assert.Equal(StorageLevel.None, frame.StorageLevel);
        Assert.True(SpinWait.SpinUntil(() => context.Services.Blocks.Cached.Count == 0, TimeSpan.FromSeconds(30)));
        Assert.Equal(expected.Count, frame.Count());
    }

    [Fact]
    public void Count_computes_the_rows_once_and_queries_of_the_same_plan_read_them()
    {
        using var context = DataflowContext.Local(threads: 2);
        var calls = context.Counter("calls");
        var counted = Udf((long id) =>
        {
            calls.Add(1);
            return id * 2;
        });
        var frame = context.Sql("SELECT id FROM range(100000)").Select(Col("id"), counted(Col("id")).As("twice")).Cache();
        Assert.Equal(0, calls.Value);
        Assert.Equal(100_000, frame.Count());
        Assert.Equal(100_000, calls.Value);

        frame.CreateTempView("kept");
        Assert.Equal(9_999_900_000L, context.Sql("SELECT sum(twice) FROM kept").Collect()[0][0]);
        Assert.Equal(3L, context.Sql("SELECT count(*) FROM kept a JOIN kept b ON a.id = b.id AND a.twice < 6").Collect()[0][0]);
        Assert.Equal(1L, context.Sql("SELECT count(*) FROM range(3) WHERE id = (SELECT max(id) / 49999.5 FROM kept)").Collect()[0][0]);
        Assert.Equal(100_000, calls.Value);
        Assert.Contains("Scan cached Project", context.Sql("SELECT sum(twice) FROM kept").ExplainText());

        frame.Unpersist();
        Assert.Equal(100_000, frame.Where(Col("twice") >= 0).Count());
        Assert.True(calls.Value > 100_000);
    }

    [Fact]
    public void Rows_that_no_zone_can_hold_are_not_looked_at()
    {
        using var context = DataflowContext.Local(threads: 2);
        var looked = context.Counter("looked");
        var look = Udf((long id) =>
        {
            looked.Add(1);
            return true;
        });
        var frame = context.Sql("SELECT id, concat('key ', lpad(id, 9, '0')) AS k, cast(id AS double) AS d, CASE WHEN id >= 200000 THEN id END AS n FROM range(300000)").Cache();
        frame.Count();
        frame.CreateTempView("kept");
        foreach (var (condition, most) in new[]
        {
            ("id = 70000", 8192), ("id < 100", 8192), ("id IN (5, 200000)", 16384), ("k = 'key 000070000'", 8192), ("k < 'key 000000100'", 8192),
            ("d > 299990", 8192), ("d <= 0", 8192), ("n > 299990", 8192), ("id > 300000", 0), ("n IS NOT NULL", 110000), ("id IS NULL", 0),
        })
        {
            looked.Reset();
            var rows = context.Sql("SELECT id FROM kept WHERE " + condition).Where(look(Col("id"))).Count();
            var expected = "SELECT count(*) FROM (SELECT id, concat('key ', lpad(id, 9, '0')) AS k, id * 1D AS d, nullif(greatest(id, 199999), 199999) AS n FROM range(300000)) WHERE ";
            Assert.Equal(context.Sql(expected + condition).Collect()[0][0], rows);
            Assert.True(looked.Value <= most, $"{condition}: {looked.Value} rows were looked at, {most} at most were expected.");
        }
    }

    [Fact]
    public void Joins_leave_out_rows_of_what_is_kept()
    {
        using var context = DataflowContext.Local(threads: 2);
        context.Sql("SELECT id, id % 1000 AS k, concat('k', id % 1000) AS t FROM range(300000)").Cache().CreateTempView("kept");
        context.Sql("SELECT id AS few FROM range(150000, 150010)").CreateTempView("few");
        var join = context.Sql("SELECT sum(k), count(*) FROM kept JOIN few ON id = few");
        Assert.Contains("dynamic", join.ExplainText());
        Assert.Equal([45L, 10L], join.Collect()[0].ToArray());
        Assert.Equal([45L, 10L], join.Collect()[0].ToArray());
        Assert.Equal(2700L, context.Sql("SELECT count(*) FROM kept JOIN few ON k = few - 150000 WHERE t <> 'k7'").Collect()[0][0]);
    }

    [Fact]
    public void What_is_kept_tells_the_optimiser_its_rows_and_bounds()
    {
        using var context = DataflowContext.Local(threads: 2);
        var frame = context.Sql("SELECT id * 3 AS a, concat('x', id) AS t FROM range(50000) WHERE id % 2 = 0").Cache();
        var kept = SqlSession.Of(context).Cached.Find(frame.Plan)!;
        Assert.NotEqual(25_000, kept.Statistics.Rows);
        frame.Count();
        Assert.Equal(25_000, kept.Statistics.Rows);
        Assert.Equal(new ValueBounds(0, 149_994), kept.Statistics.Columns[0].Bounds);
        Assert.Equal(0, kept.Statistics.Columns[0].Nulls);
        Assert.True(kept.Statistics.Bytes > 0);
    }

    [Fact]
    public void Codes_of_a_file_stay_codes()
    {
        using var context = DataflowContext.Local(threads: 2);
        var frame = context.Read.Parquet(Path.Combine(RepositoryRoot.Path, "tests/data/tpch/sf0.01/lineitem.parquet")).Cache();
        Assert.Equal(60_175, frame.Count());
        var forms = frame.Session.Planner().Plan(frame.Session.Optimise(frame.Plan)).ToRdd(new Dataflow.Sql.Physical.QueryRun(context, new Dataflow.Sql.Physical.QueryScope(frame.Session.Settings(), null)))
            .MapPartitions(batches => batches.SelectMany(batch => batch.Columns.Select(column => $"{column.Type} {column.Form}")).Distinct().ToArray()).Collect().Distinct().ToArray();
        Assert.Contains("string Dictionary", forms);
        Assert.DoesNotContain("int Dictionary", forms);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Blocks_make_way_for_work_and_are_read_from_disk_or_computed_again(bool useDisk)
    {
        using var context = DataflowContext.Local(threads: 2);
        var frame = context.Sql("SELECT id, concat('some text that is long enough to matter ', id) AS t FROM range(0, 600000, 1, 6)")
            .Persist(useDisk ? StorageLevel.MemoryAndDisk : StorageLevel.MemoryOnly);
        var query = frame.Agg(Count().As("n"), Sum("id").As("s"), Max(Length(Col("t"))).As("l"));
        object?[] expected = [600_000L, 179_999_700_000L, 46];
        Assert.Equal(expected, query.Collect()[0].ToArray());
        var blocks = context.Services.Blocks;
        var kept = blocks.MemoryBytes;
        var memory = context.Services.Memory;
        using (var work = new Others(memory))
        {
            // All that is free, then more.
            for (var part = 1L << 30; part >= 1 << 20; part /= 2)
            {
                while (memory.TryReserve(part, work)) { }
            }
            memory.Reserve(16 << 20, work, default);
        }
        Assert.True(blocks.MemoryBytes < kept, $"{blocks.MemoryBytes} of {kept} bytes are still in memory");
        Assert.Equal(useDisk, blocks.Cached.Sum(each => each.DiskBytes) > 0);
        Assert.Equal(expected, query.Collect()[0].ToArray());
    }

    [Fact]
    public void A_frame_is_kept_at_one_level()
    {
        using var context = DataflowContext.Local(threads: 1);
        var frame = context.Sql("SELECT 1 AS a").Cache();
        Assert.Same(frame, frame.Cache());
        Assert.Contains("Unpersist", Assert.Throws<InvalidOperationException>(() => frame.Persist(StorageLevel.DiskOnly)).Message);
        frame.Unpersist().Persist(StorageLevel.DiskOnly);
        Assert.Equal(StorageLevel.DiskOnly, frame.StorageLevel);
        Assert.Equal(StorageLevel.None, frame.Persist(StorageLevel.None).StorageLevel);
    }

    private sealed class Others(Storage.MemoryBudget memory) : Storage.MemoryConsumer(memory, "others", Storage.MemoryPriority.Work)
    {
        protected internal override long OnRevoke(long bytes) => 0;
    }
}
