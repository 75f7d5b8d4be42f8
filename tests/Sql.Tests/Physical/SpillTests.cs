using System.Globalization;
using Dataflow.Diagnostics;
using Dataflow.Sql.Physical;

namespace Dataflow.Sql.Tests.Physical;

/// <summary>Operators that keep rows end in a budget much smaller than the data, and nothing of that shows in their answers.</summary>
public sealed class SpillTests
{
    private const int Rows = 150_000;
    private const long TinyBytes = 16 << 20;

    // Columns of all kinds, most of them with nulls; k has as many values as there are rows, g few.
    private const string Table = $"""
        (SELECT id, (id * 48271) % 2147483647 AS k, CAST(id % 97 AS INT) AS g,
                CASE WHEN id % 11 = 0 THEN NULL ELSE CAST((id * 7919) % 251 AS SMALLINT) END AS small,
                CASE WHEN id % 13 = 0 THEN NULL ELSE concat('text of some length ', CAST((id * 31) % 40009 AS STRING)) END AS s,
                CASE WHEN id % 7 = 0 THEN NULL ELSE concat('t', CAST(id % 1009 AS STRING)) END AS short,
                CASE WHEN id % 5 = 0 THEN NULL ELSE CAST((id * 17) % 1000003 AS DOUBLE) / 8 END AS d,
                CAST(((id * 29) % 99991) / 100.0 AS DECIMAL(12, 2)) AS m, CAST((id * 3) % 77777 AS DECIMAL(30, 4)) AS wide,
                date_add(DATE '1992-01-01', CAST((id * 13) % 2500 AS INT)) AS day, id % 3 = 0 AS flag, CAST((id * 37) % 1009 AS FLOAT) AS f
         FROM range(0, 150000, 1, 4))
        """;

    public static TheoryData<string> Groupings =>
    [
        "SELECT k, count(*), sum(id), min(s), max(d) FROM t GROUP BY k",
        "SELECT s, count(*), avg(d), sum(m), max(day) FROM t GROUP BY s",
        "SELECT d, short, day, id, count(f), sum(wide), bool_or(flag), avg(m) FROM t GROUP BY d, short, day, id",
        "SELECT k, first(s), max_by(s, id), stddev_pop(m), any_value(g) FROM t GROUP BY k",
        "SELECT k % 301, approx_count_distinct(id), mode(short), percentile(id, 0.3), min(s) FROM t GROUP BY k % 301",
        "SELECT DISTINCT s, flag, day FROM t",
        "SELECT session_start(timestamp_seconds(k), INTERVAL 50000 SECOND) AS begins, count(*), sum(id), min(s) FROM t GROUP BY begins",
    ];

    [Theory, MemberData(nameof(Groupings))]
    public async Task Groups_that_do_not_fit_are_cut_and_spilled(string query)
    {
        var expected = await RunAsync(query, null);
        var actual = await RunAsync(query, TinyBytes);
        Assert.Equal(expected.Lines.Order(StringComparer.Ordinal), actual.Lines.Order(StringComparer.Ordinal));
        Assert.True(actual.Spilled > 0, "nothing was spilled");
        Assert.InRange(actual.Peak, 1, TinyBytes);
        Assert.Equal(0, expected.Spilled);
    }

    public static TheoryData<string> Orders =>
    [
        "SELECT id, s, small, k, d, m FROM t ORDER BY s DESC, id",
        "SELECT id, s, day, m, f FROM t ORDER BY day DESC, wide, short NULLS LAST, f, id DESC",
        "SELECT id, s, short, m, wide FROM t ORDER BY length(s), d + 1 DESC, id",
        "SELECT id, s, d, m FROM t WHERE id > 20 ORDER BY k LIMIT 120000",
    ];

    [Theory, MemberData(nameof(Orders))]
    public async Task Rows_to_sort_that_do_not_fit_are_written_as_runs_and_merged(string query)
    {
        var expected = await RunAsync(query, null);
        var actual = await RunAsync(query, TinyBytes);
        Assert.Equal(expected.Lines, actual.Lines);
        Assert.True(actual.Spilled > 0, "nothing was spilled");
        Assert.InRange(actual.Peak, 1, TinyBytes);
    }

    public static TheoryData<string> Windows =>
    [
        "SELECT id, row_number() OVER (ORDER BY k), sum(m) OVER (ORDER BY k), s FROM t",
        "SELECT id, s, rank() OVER (PARTITION BY g % 2 ORDER BY day), dense_rank() OVER (PARTITION BY g % 2 ORDER BY day), count(d) OVER (PARTITION BY g % 2 ORDER BY day) FROM t",
        "SELECT id, s, lag(s, 3) OVER (PARTITION BY g ORDER BY k), avg(d) OVER (PARTITION BY g), min(short) OVER (PARTITION BY g ORDER BY k ROWS BETWEEN 5 PRECEDING AND 2 FOLLOWING) FROM t",
    ];

    [Theory, MemberData(nameof(Windows))]
    public async Task Windows_over_rows_that_do_not_fit_are_computed_piece_by_piece(string query)
    {
        var expected = await RunAsync(query, null);
        var actual = await RunAsync(query, TinyBytes);
        Assert.Equal(Rows, actual.Lines.Count);
        Assert.Equal(expected.Lines.Order(StringComparer.Ordinal), actual.Lines.Order(StringComparer.Ordinal));
        Assert.True(actual.Spilled > 0, "nothing was spilled");
        Assert.InRange(actual.Peak, 1, TinyBytes);
    }

    [Fact]
    public async Task Rows_come_in_the_order_that_was_asked_for()
    {
        var rows = (await RunAsync("SELECT coalesce(small, -1), coalesce(d, 1e9), flag, id FROM t ORDER BY small NULLS FIRST, d DESC NULLS FIRST, flag, id DESC", TinyBytes)).Lines
            .Select(line => line.Split('|')).Select(line => (int.Parse(line[0], CultureInfo.InvariantCulture), -double.Parse(line[1], CultureInfo.InvariantCulture), line[2] == "True", -long.Parse(line[3], CultureInfo.InvariantCulture)))
            .ToList();
        Assert.Equal(Rows, rows.Count);
        Assert.Equal(rows.Order(), rows);
    }

    [Fact]
    public async Task Groups_come_in_the_same_order_each_time_in_the_same_budget()
    {
        const string query = "SELECT k, sum(id), min(s) FROM t GROUP BY k";
        var first = await RunAsync(query, TinyBytes);
        Assert.Equal(Rows, first.Lines.Count);
        Assert.Equal(first.Lines, (await RunAsync(query, TinyBytes)).Lines);
    }

    internal static async Task<(List<string> Lines, long Spilled, long Peak)> RunAsync(
        string query, long? bytes, Func<PlannerOptions, PlannerOptions>? planning = null)
    {
        var options = DataflowOptions.Default with { Threads = bytes is null ? 2 : 1, Progress = false };
        if (bytes is not null) options = options with { EngineMemoryBytes = bytes, MemoryWait = TimeSpan.FromSeconds(3) };
        using var context = DataflowContext.Local(options);
        var peak = new Peak();
        context.AddListener(peak);
        SqlSession.Of(context).Planning = planning;
        context.Sql($"CREATE TEMP VIEW t AS SELECT * FROM {Table}");
        var rows = await context.Sql(query).CollectAsync();
        List<string> lines = [.. rows.Select(row => string.Join("|", row.Select((value, i) => Convert.ToString(value, CultureInfo.InvariantCulture))))];
        var spilled = context.Parallelize([0], 1).Map(static _ => Tasks.TaskContext.Current!.Services.Shuffles.SpilledBytes).First();
        await context.DisposeAsync();
        return (lines, spilled, peak.Bytes);
    }

    private sealed class Peak : JobListener
    {
        public long Bytes { get; private set; }

        public override void OnTaskFinished(TaskFinished news) => Bytes = Math.Max(Bytes, news.Metrics.PeakMemoryBytes);
    }
}
