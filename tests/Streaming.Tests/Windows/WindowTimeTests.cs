using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>Windows of windows by their last moments, over streams: the answer is that of a batch.</summary>
public sealed class WindowTimeTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(90);

    [Theory]
    [InlineData("window(At, '20 seconds')", "window(window_time(w), '1 minute')")]
    [InlineData("window(At, '20 seconds')", "window(w, '70 seconds', '30 seconds', '7 seconds')")]
    [InlineData("window(At, '30 seconds', '10 seconds')", "window(window_time(w), '1 minute')")]
    [InlineData("session_window(At, '10 seconds')", "window(w, '1 minute')")]
    [InlineData("window(At, '20 seconds')", "session_window(window_time(w), '15 seconds')")]
    public async Task Two_windowed_aggregates_in_one_query_give_each_group_once(string inner, string outer)
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<Visit>(context), new MemorySink());
        var random = new Random(5);
        var all = Enumerable.Range(0, 900).Select(i => new Visit(Noon.AddSeconds(i + random.Next(-60, 1)), $"who {random.Next(3)}", random.Next(100))).ToArray();
        var expected = Read(Query(context.FromRecords(all)).Collect());
        Assert.InRange(expected.Length, 10, 200);

        await using var query = Query(context.ReadStream.From(source)).WriteStream.Start(sink, new() { StatePartitions = 2, SnapshotInterval = 3 });
        foreach (var batch in all.Chunk(131))
        {
            source.Add(batch);
            await query.ProcessAllAvailableAsync();
        }
        Assert.NotEmpty(sink.Rows);
        source.Add(new Visit(Noon.AddDays(1), "end", 0));
        await query.ProcessAllAvailableAsync();
        Assert.Equal(expected, Read(sink.Rows));
        Assert.Equal(0, query.RecentProgress.Sum(progress => progress.LateRows));

        DataFrame Query(DataFrame visits)
        {
            visits.WithWatermark("At", Delay).CreateTempView("visits");
            var text = $"""
                WITH shorter AS (SELECT {inner} AS w, Who, count(*) AS n, sum(Amount) AS amount FROM visits GROUP BY w, Who)
                SELECT {outer} AS v, count(*) AS groups, sum(n) AS n, sum(amount) AS amount FROM shorter GROUP BY v
                """;
            return context.Sql(text);
        }
    }

    [Fact]
    public async Task A_longer_window_is_given_when_it_has_ended_and_not_later()
    {
        await using var context = DataflowContext.Local(1);
        var (source, sink) = (new MemorySource<Visit>(context), new MemorySink());
        var seconds = TimeSpan.FromSeconds(20);
        var longer = context.ReadStream.From(source).WithWatermark("At", Delay)
            .GroupBy(Window(Col("At"), seconds)).Agg(Count().As("n"))
            .GroupBy(Window(WindowTime(Col("window"), seconds), seconds * 3, seconds * 3, seconds).As("minute")).Agg(Sum("n").As("n"));
        await using var query = longer.WriteStream.Start(sink, new() { StatePartitions = 1 });
        source.Add(new Visit(Noon.AddSeconds(59), "Ada", 1), new Visit(Noon.AddSeconds(30), "Ada", 1));
        source.Add(new Visit(Noon.AddSeconds(80 - 0.000_001) + Delay, "Ada", 1));
        await query.ProcessAllAvailableAsync();
        Assert.Empty(sink.Rows);
        source.Add(new Visit(Noon.AddSeconds(80) + Delay, "Ada", 1));
        await query.ProcessAllAvailableAsync();
        var row = Assert.Single(sink.Rows);
        Assert.Equal((Noon.AddSeconds(20), 2L), (row.Get<DateTimeOffset>("minute"), row.Get<long>("n")));
        Assert.Throws<ArgumentOutOfRangeException>(() => WindowTime(Col("window"), TimeSpan.Zero));
    }

    [Fact]
    public async Task Windows_of_two_streams_meet_by_their_last_moments()
    {
        await using var context = DataflowContext.Local(1);
        var (left, right, sink) = (new MemorySource<Visit>(context), new MemorySource<Visit>(context), new MemorySink());
        context.ReadStream.From(left).WithWatermark("At", Delay).CreateTempView("lefts");
        context.ReadStream.From(right).WithWatermark("At", Delay).CreateTempView("rights");
        var both = context.Sql("""
            SELECT a.window.start AS minute, a.n, b.n AS others
            FROM (SELECT window, count(*) AS n FROM lefts GROUP BY window(At, '1 minute')) a
                LEFT JOIN (SELECT window, count(*) AS n FROM rights GROUP BY window(At, '1 minute')) b ON window_time(a.window) = window_time(b.window)
            """);
        await using var query = both.WriteStream.Start(sink, new() { StatePartitions = 1 });
        left.Add(new Visit(Noon, "Ada", 1), new Visit(Noon.AddMinutes(1), "Ada", 1), new Visit(Noon.AddDays(1), "end", 0));
        right.Add(new Visit(Noon.AddSeconds(10), "Alan", 1), new Visit(Noon.AddSeconds(20), "Alan", 1), new Visit(Noon.AddDays(1), "end", 0));
        await query.ProcessAllAvailableAsync();
        Assert.Equal(["12:00 1 2", "12:01 1 "], sink.Rows.Select(row => $"{row.Get<DateTimeOffset>("minute"):HH:mm} {row.Get<long>("n")} {row.Get<long?>("others")}").Order());
        Assert.Equal(2, query.LastProgress!.StateRows);
    }

    private static string[] Read(IEnumerable<Row> rows) => [.. rows.Select(row => row.ToString()!).Where(row => !row.Contains("2026-01-02", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
}
