using Dataflow.Cluster.Tests;
using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>Something of somebody, at a time or none.</summary>
public sealed record Visit(DateTimeOffset? At, string? Who, int Amount);

/// <summary>Sessions over streams, whose rows come late, out of order and twice: the answer is that of a batch, and of LINQ.</summary>
public sealed class SessionTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Gap = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(90);
    private static readonly Visit End = new(Noon.AddDays(1), "end", 0);

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 3, 3)]
    [InlineData(3, 2, 10)]
    [InlineData(4, 3, 1)]
    public async Task A_session_is_given_once_when_it_is_final(int seed, int partitions, int snapshots)
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<Visit>(context), new MemorySink());
        var all = Make(seed, 1600);
        var expected = Expected(all);
        Assert.InRange(expected.Length, 100, 1200);
        Assert.Equal(expected, Read(PerSession(context.FromRecords(all)).Collect()));

        await using var query = PerSession(context.ReadStream.From(source)).WriteStream.Start(sink, new StreamingQueryOptions { StatePartitions = partitions, SnapshotInterval = snapshots });
        foreach (var batch in all.Append(End).Chunk(157))
        {
            source.Add(batch);
            await query.ProcessAllAvailableAsync();
        }
        Assert.Equal(expected, Read(sink.Rows));
        Assert.Equal(0, query.RecentProgress.Sum(progress => progress.LateRows));
        Assert.Equal(1, query.LastProgress!.StateRows);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    public async Task A_query_that_begins_again_goes_on_with_the_sessions_it_had(int seed, int snapshots)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<Visit>(context), new MemorySink());
        var all = Make(seed, 1200);
        var options = new StreamingQueryOptions { Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow, StatePartitions = 3, SnapshotInterval = snapshots };
        foreach (var batch in all.Append(End).Chunk(100))
        {
            source.Add(batch);
            await using var query = PerSession(context.ReadStream.From(source)).WriteStream.Start(sink, options);
            await query.AwaitTerminationAsync();
        }
        Assert.Equal(Expected(all), Read(sink.Rows));

        var other = PerSession(context.ReadStream.From(source), TimeSpan.FromSeconds(21));
        var error = Assert.Throws<StreamingException>(() => other.WriteStream.Start(sink, options));
        Assert.Equal("CHECKPOINT_OF_OTHER_QUERY", error.Kind);
    }

    [Fact]
    public async Task A_row_that_joins_two_sessions_makes_one_of_them()
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<Visit>(context), new MemorySink());
        await using var query = PerSession(context.ReadStream.From(source)).WriteStream.Start(sink, new StreamingQueryOptions { StatePartitions = 2 });

        // A gap behind the last row is another session; less than a gap from both is one with both.
        foreach (var seconds in new[] { 0, 20, 60, 79 }) await Add(seconds);
        Assert.Equal(3, query.LastProgress!.StateRows);
        await Add(19);
        Assert.Equal(2, query.LastProgress!.StateRows);
        await Add(41);
        await Add(39);
        Assert.Equal(1, query.LastProgress!.StateRows);
        Assert.Empty(sink.Rows);
        source.Add(End);
        await query.ProcessAllAvailableAsync();
        Assert.Equal([new Session(Noon, Noon.AddSeconds(99), "ada", 7, 7)], Read(sink.Rows));

        async Task Add(int seconds)
        {
            source.Add(new Visit(Noon.AddSeconds(seconds), "ada", 1));
            await query.ProcessAllAvailableAsync();
        }
    }

    [Fact]
    public async Task Rows_whose_own_session_was_over_are_late()
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink, late) = (new MemorySource<Visit>(context), new MemorySink(), new MemorySink());
        await using var query = PerSession(context.ReadStream.From(source)).WriteStream.Start(sink, new StreamingQueryOptions { StatePartitions = 2, LateRows = late });

        // The watermark is at 210: what ended then is over, what ends a second later is not.
        await Add(300, "bob");
        await Add(190, "ada");
        Assert.Equal(1, query.LastProgress!.LateRows);
        await Add(191, "ada");
        Assert.Equal(0, query.LastProgress!.LateRows);
        Assert.Equal(2, query.LastProgress!.StateRows);
        Assert.Equal(Noon.AddSeconds(211), query.LastProgress.NextFinal);
        Assert.Equal([Noon.AddSeconds(190)], late.Rows.Select(row => row.Get<DateTimeOffset>("At")));
        await Add(400, "bob");
        Assert.Equal([new Session(Noon.AddSeconds(191), Noon.AddSeconds(211), "ada", 1, 1)], Read(sink.Rows));

        async Task Add(int seconds, string who)
        {
            source.Add(new Visit(Noon.AddSeconds(seconds), who, 1));
            await query.ProcessAllAvailableAsync();
        }
    }

    [Fact]
    public async Task Complete_mode_gives_all_sessions_each_time_and_takes_rows_however_late()
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<Visit>(context), new MemorySink());
        var all = Make(5, 600);
        new Random(5).Shuffle(all);
        var options = new StreamingQueryOptions { OutputMode = OutputMode.Complete, StatePartitions = 2 };
        await using var query = PerSession(context.ReadStream.From(source)).OrderBy("session").WriteStream.Start(sink, options);
        for (var i = 0; i < all.Length; i += 75)
        {
            source.Add(all[i..(i + 75)]);
            await query.ProcessAllAvailableAsync();
            Assert.Equal(Expected(all[..(i + 75)]), Read(sink.RowsOf(query.LastProgress!.BatchId)));
        }
    }

    [Fact]
    public async Task Sessions_of_what_came_once_and_windows_of_sessions_are_computed_in_one_query()
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<Visit>(context), new MemorySink());
        var once = Make(6, 1000).Where(row => row.At is not null).Distinct().ToArray();
        var random = new Random(6);
        var all = once.SelectMany(row => Enumerable.Repeat(row, random.Next(1, 3))).ToArray();
        context.ReadStream.From(source).WithWatermark("At", Delay).DropDuplicates("At", "Who", "Amount").CreateTempView("visits");
        var perWindow = context.Sql("""
            WITH sessions AS (
                SELECT Who, session_end(At, '20 seconds') AS until, count(*) AS n, sum(Amount) AS amount
                FROM visits GROUP BY Who, session_start(At, '20 seconds'), session_end(At, '20 seconds'))
            SELECT window_start(until, '5 minutes') AS session, window_end(until, '5 minutes') AS until, 'all' AS Who, sum(n) AS n, sum(amount) AS amount, count(*) AS sessions
            FROM sessions GROUP BY 1, 2
            """);
        await using var query = perWindow.WriteStream.Start(sink, new StreamingQueryOptions { StatePartitions = 3, SnapshotInterval = 2 });
        foreach (var batch in all.Append(End).Chunk(101))
        {
            source.Add(batch);
            await query.ProcessAllAvailableAsync();
        }
        source.Add(End with { At = End.At!.Value.AddHours(1) });
        await query.ProcessAllAvailableAsync();
        var length = TimeSpan.FromMinutes(5);
        var expected = Expected(once).Append(new Session(End.At.Value, End.At.Value + Gap, "end", 1, 0))
            .GroupBy(row => new DateTimeOffset(row.Until.Ticks - (row.Until.Ticks % length.Ticks), TimeSpan.Zero))
            .Select(group => new Session(group.Key, group.Key + length, "all", group.Sum(row => row.Count), group.Sum(row => row.Amount))).OrderBy(row => row.Start);
        Assert.Equal(expected, Read(sink.Rows));
        Assert.Equal(3, query.LastProgress!.StateOperators.Count);
        Assert.Equal(0, query.RecentProgress.Sum(progress => progress.LateRows));
    }

    [Fact]
    public void Update_mode_sessions_without_a_watermark_and_distinct_aggregates_are_refused()
    {
        using var context = DataflowContext.Local(1);
        var visits = context.ReadStream.From(new MemorySource<Visit>(context));
        Assert.Equal("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION", Refused(PerSession(visits), OutputMode.Update));
        Assert.Equal("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION", Refused(visits.GroupBy(SessionWindow(Col("At"), Gap)).Count(), OutputMode.Append));
        Assert.Equal("UNSUPPORTED_STREAMING_OPERATION", Refused(visits.WithWatermark("At", Delay).GroupBy(SessionWindow(Col("At"), Gap)).Agg(CountDistinct("Who")), OutputMode.Append));

        static string Refused(DataFrame frame, OutputMode mode) =>
            Assert.Throws<QueryException>(() => frame.WriteStream.Start(new MemorySink(), new StreamingQueryOptions { OutputMode = mode })).ErrorClass;
    }

    [Fact]
    public async Task Without_other_keys_all_rows_are_looked_at_together()
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<Visit>(context), new MemorySink());
        var all = Make(7, 400).Select(row => row with { Who = "all", At = row.At is { } at ? Noon + ((at - Noon) * 20) : null }).ToArray();
        var frame = context.ReadStream.From(source).WithWatermark("At", Delay * 20)
            .GroupBy(SessionWindow(Col("At"), Gap)).Agg(SessionEnd(Col("At"), Gap).As("until"), Lit("all").As("Who"), Count().As("n"), Sum("Amount").As("amount"));
        await using var query = frame.WriteStream.Start(sink, new StreamingQueryOptions { StatePartitions = 3 });
        foreach (var batch in all.Append(End).Chunk(50))
        {
            source.Add(batch);
            await query.ProcessAllAvailableAsync();
        }
        Assert.Equal(Expected(all), Read(sink.Rows));
    }

    [Fact]
    public async Task Executors_that_hold_sessions_and_are_killed_change_nothing()
    {
        using var folder = new TempDirectory();
        var files = Clicks.Make(files: 10, perFile: 40, seed: 8);
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var worker = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(1, TimeSpan.FromMinutes(1));
        var sink = new MemorySink();
        var sessions = context.ReadStream.Json<Click>(folder.Combine("in"), new FileSourceOptions { MaxFilesPerTrigger = 1 }).WithWatermark("At", Clicks.Delay)
            .GroupBy(SessionWindow(Col("At"), Gap), Col("Page")).Agg(SessionEnd(Col("At"), Gap).As("until"), Col("Page").As("Who"), Count().As("n"), Sum("User").As("amount"));
        await using var query = sessions.WriteStream.Start(sink, new StreamingQueryOptions { Checkpoint = folder.Combine("checkpoint"), StatePartitions = 2, SnapshotInterval = 3 });
        for (var i = 0; i < files.Length; i++)
        {
            Clicks.Write(folder.Combine("in"), i, files[i]);
            if (i % 5 != 4) continue;
            await query.ProcessAllAvailableAsync().WaitAsync(TimeSpan.FromMinutes(1));
            worker.KillExecutors();
        }
        Clicks.Write(folder.Combine("in"), files.Length, [new Click(End.At!.Value, "end", 0)]);
        await query.ProcessAllAvailableAsync().WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(Expected(files.SelectMany(file => file).Select(click => new Visit(click.At, click.Page, click.User))), Read(sink.Rows));
    }

    private sealed record Session(DateTimeOffset Start, DateTimeOffset Until, string? Who, long Count, long Amount);

    // Times go on by a second, and are out of order by less than the delay; whole seconds, so that many meet and some lie a gap apart.
    private static Visit[] Make(int seed, int count)
    {
        var random = new Random(seed);
        return
        [
            .. Enumerable.Range(0, count).Select(i => new Visit(
                random.Next(30) == 0 ? null : Noon.AddSeconds(i + random.Next(-44, 45)), random.Next(10) == 0 ? null : $"somebody {random.Next(20)}", random.Next(100))),
        ];
    }

    private static DataFrame PerSession(DataFrame visits, TimeSpan? gap = null) => visits.WithWatermark("At", Delay)
        .GroupBy(SessionWindow(Col("At"), gap ?? Gap), Col("Who"))
        .Agg(SessionEnd(Col("At"), gap ?? Gap).As("until"), Count().As("n"), Sum("Amount").As("amount"));

    private static Session[] Expected(IEnumerable<Visit> visits) =>
    [
        .. visits.Where(visit => visit.At is not null).GroupBy(visit => visit.Who).SelectMany(group => Sessions(group.Key, [.. group.OrderBy(visit => visit.At)]))
            .OrderBy(session => session.Start).ThenBy(session => session.Who, StringComparer.Ordinal),
    ];

    private static IEnumerable<Session> Sessions(string? who, Visit[] visits)
    {
        for (var (first, i) = (0, 1); i <= visits.Length; i++)
        {
            if (i < visits.Length && visits[i].At - visits[i - 1].At < Gap) continue;
            yield return new Session(visits[first].At!.Value, visits[i - 1].At!.Value + Gap, who, i - first, visits[first..i].Sum(visit => visit.Amount));
            first = i;
        }
    }

    private static Session[] Read(IEnumerable<Row> rows) =>
    [
        .. rows.Select(row => new Session(row.Get<DateTimeOffset>("session"), row.Get<DateTimeOffset>("until"), row.Get<string?>("Who"), row.Get<long>("n"), row.Get<long>("amount")))
            .OrderBy(session => session.Start).ThenBy(session => session.Who, StringComparer.Ordinal),
    ];
}
