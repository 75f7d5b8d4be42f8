using Dataflow.Cluster.Tests;
using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>An advertisement that was shown.</summary>
public sealed record Impression(DateTimeOffset? ShownAt, int? Ad, string Place);

/// <summary>A click on one.</summary>
public sealed record AdClick(DateTimeOffset? ClickedAt, int? Clicked, int User);

/// <summary>Rows of two streams are paired, whichever comes first, as a join of all rows would pair them.</summary>
public sealed class StreamJoinTests
{
    private const int Minutes = 24;
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Delay = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Within = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(JoinKind.Inner, 1, 1)]
    [InlineData(JoinKind.Inner, 2, 4)]
    [InlineData(JoinKind.Left, 3, 3)]
    [InlineData(JoinKind.Right, 4, 2)]
    [InlineData(JoinKind.Full, 5, 3)]
    [InlineData(JoinKind.Full, 6, 1)]
    [InlineData(JoinKind.Semi, 7, 3)]
    [InlineData(JoinKind.Anti, 8, 3)]
    public async Task Rows_are_paired_as_in_a_join_of_all_of_them(JoinKind kind, int seed, int snapshotInterval)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var random = new Random(seed);
        var (shown, clicked) = (Shown(random), Clicked(random));
        var (left, right, sink) = (new MemorySource<Impression>(context), new MemorySource<AdClick>(context), new MemorySink());
        var options = new StreamingQueryOptions { StatePartitions = 3, SnapshotInterval = snapshotInterval, Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow };
        for (var minute = 0; minute < Minutes + 8; minute++)
        {
            // One side lags now and then, by less than its watermark allows; every few minutes the query starts anew.
            left.Add(shown[minute]);
            if (minute % 3 > 0) right.Add(clicked.Skip(minute - (minute % 3) + (minute % 3 == 1 ? 0 : 2)).Take(minute % 3 == 1 ? 2 : 1).SelectMany(rows => rows));
            await using var query = Joined(context, left, right, kind).WriteStream.Start(sink, options);
            await query.AwaitTerminationAsync();
            Assert.Equal(0, query.RecentProgress.Sum(progress => progress.LateRows));
        }
        Assert.Equal(Expected(kind, shown, clicked), Rows(sink, kind));
    }

    [Theory]
    [InlineData(JoinKind.Inner, true)]
    [InlineData(JoinKind.Inner, false)]
    [InlineData(JoinKind.Full, true)]
    [InlineData(JoinKind.Full, false)]
    [InlineData(JoinKind.Semi, true)]
    [InlineData(JoinKind.Anti, false)]
    public async Task Rows_of_a_batch_of_many_minutes_find_those_that_are_near_in_time(JoinKind kind, bool isLeftFirst)
    {
        await using var context = DataflowContext.Local(2);
        var random = new Random(15);
        var (shown, clicked) = (Shown(random), Clicked(random));
        var (left, right, sink) = (new MemorySource<Impression>(context), new MemorySource<AdClick>(context), new MemorySink());
        await using var query = Joined(context, left, right, kind).WriteStream.Start(sink, new StreamingQueryOptions { StatePartitions = 2 });
        for (var minute = 0; minute < shown.Length; minute = Math.Max(minute + 1, Minutes))
        {
            var minutes = minute..Math.Max(minute + 1, Minutes);
            foreach (var isLeft in (bool[])[isLeftFirst, !isLeftFirst])
            {
                if (isLeft) left.Add(shown[minutes].SelectMany(rows => rows));
                else right.Add(clicked[minutes].SelectMany(rows => rows));
                await query.ProcessAllAvailableAsync();
            }
        }
        Assert.Equal(Expected(kind, shown, clicked), Rows(sink, kind));
    }

    [Theory]
    [InlineData(JoinKind.Inner, 21)]
    [InlineData(JoinKind.Inner, 22)]
    [InlineData(JoinKind.Left, 23)]
    [InlineData(JoinKind.Right, 24)]
    [InlineData(JoinKind.Full, 25)]
    [InlineData(JoinKind.Semi, 26)]
    [InlineData(JoinKind.Semi, 27)]
    [InlineData(JoinKind.Anti, 28)]
    public async Task Rows_that_the_next_batch_would_forget_do_not_wait_and_others_do(JoinKind kind, int seed)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var random = new Random(seed);
        var (shown, clicked, end) = (Often(Shown), Often(Clicked), Noon.AddMinutes(Minutes - 2));
        var (left, right, sink) = (new MemorySource<Impression>(context), new MemorySource<AdClick>(context), new MemorySink());
        var options = new StreamingQueryOptions { StatePartitions = 1, Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow };

        // Half of what the delay allows to be late is.
        var shownFirst = shown.SelectMany(rows => rows).ToLookup(row => row.ShownAt is not { } at || (at <= end && (at <= end - Delay || random.Next(2) == 0)));
        var clickedFirst = clicked.SelectMany(rows => rows).ToLookup(row => row.ClickedAt is not { } at || (at <= end && (at <= end - Delay || random.Next(2) == 0)));
        foreach (var isFirst in (bool[])[true, false])
        {
            left.Add(shownFirst[isFirst]);
            right.Add(clickedFirst[isFirst]);
            await using var query = Joined(context, left, right, kind).WriteStream.Start(sink, options);
            await query.AwaitTerminationAsync();
            Assert.Equal(0, query.RecentProgress.Sum(progress => progress.LateRows));
            if (!isFirst || kind is not (JoinKind.Inner or JoinKind.Semi)) continue;
            var near = end - Delay - Within - TimeSpan.FromMinutes(4);
            Assert.InRange(query.LastProgress!.StateRows, 1, shownFirst[true].Count(row => row.ShownAt >= near) + clickedFirst[true].Count(row => row.ClickedAt >= near));
            Assert.True(query.LastProgress.StateRows < (shownFirst[true].Count() + clickedFirst[true].Count()) * 2 / 3);
        }
        Assert.Equal(Expected(kind, shown, clicked), Rows(sink, kind));

        T[][] Often<T>(Func<Random, T[][]> rows) => [.. Enumerable.Range(0, 8).Select(_ => rows(random)).Aggregate((one, other) => [.. one.Zip(other, (mine, more) => mine.Concat(more).ToArray())])];
    }

    [Fact]
    public async Task Rows_that_wait_in_executors_which_are_killed_are_found()
    {
        using var folder = new TempDirectory();
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var one = new WorkerProcess(context.Cluster.Url.ToString());
        using var two = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        var random = new Random(31);
        var (shown, clicked) = (Shown(random), Clicked(random));
        var (left, right, sink) = (new MemorySource<Impression>(context), new MemorySource<AdClick>(context), new MemorySink());
        await using var query = Joined(context, left, right, JoinKind.Left).WriteStream.Start(sink, new StreamingQueryOptions { StatePartitions = 4, SnapshotInterval = 3, Checkpoint = folder.Combine("checkpoint") });
        for (var minute = 0; minute < shown.Length; minute = Math.Min(minute + 4, Math.Max(minute + 1, Minutes)))
        {
            var minutes = minute..Math.Min(minute + 4, Math.Max(minute + 1, Minutes));
            left.Add(shown[minutes].SelectMany(rows => rows));
            right.Add(clicked[minutes].SelectMany(rows => rows));
            if (minute is 8 or 16) (minute == 8 ? one : two).KillExecutors();
            await query.ProcessAllAvailableAsync().WaitAsync(Patience);
        }
        Assert.Equal(Expected(JoinKind.Left, shown, clicked), Rows(sink, JoinKind.Left));
    }

    [Fact]
    public async Task What_waits_is_forgotten_when_no_match_can_come()
    {
        await using var context = DataflowContext.Local(2);
        var (left, right, sink) = (new MemorySource<Impression>(context), new MemorySource<AdClick>(context), new MemorySink());
        await using var query = Joined(context, left, right, JoinKind.Inner).WriteStream.Start(sink, new StreamingQueryOptions { StatePartitions = 2 });
        for (var minute = 0; minute < 40; minute++)
        {
            left.Add(Enumerable.Range(0, 20).Select(i => new Impression(Noon.AddMinutes(minute), i, "")));
            right.Add(Enumerable.Range(0, 20).Select(i => new AdClick(Noon.AddMinutes(minute), i, i + 1)));
            await query.ProcessAllAvailableAsync();
        }

        // Five minutes of bound, three of delay, and what lies within a span; of two sides.
        Assert.InRange(query.LastProgress!.StateRows, 1, 2 * 20 * 14);
        Assert.Equal(40 * 20 + Enumerable.Range(0, 40).Sum(minute => 20 * Math.Min(5, 39 - minute)), sink.Rows.Count);

        // Whose partners are gone come too late, and are counted.
        left.Add(new Impression(Noon, 1, "late"));
        await query.ProcessAllAvailableAsync();
        Assert.Equal(1, query.LastProgress!.LateRows);
    }

    [Fact]
    public async Task Windows_of_pairs_are_counted_behind_the_join()
    {
        await using var context = DataflowContext.Local(2);
        var random = new Random(11);
        var (shown, clicked) = (Shown(random), Clicked(random));
        var (left, right, sink) = (new MemorySource<Impression>(context), new MemorySource<AdClick>(context), new MemorySink());
        var counted = Joined(context, left, right, JoinKind.Left).GroupBy(Window(Col("ShownAt"), TimeSpan.FromMinutes(4))).Agg(Count("User").As("Clicks"), Count().As("Rows"));
        await using var query = counted.WriteStream.Start(sink, new StreamingQueryOptions { StatePartitions = 2 });
        for (var minute = 0; minute < shown.Length; minute++)
        {
            left.Add(shown[minute]);
            right.Add(clicked[minute]);
            await query.ProcessAllAvailableAsync();
        }
        left.Add(new Impression(Noon.AddDays(9), 0, ""));
        right.Add(new AdClick(Noon.AddDays(9), 0, 0));
        await query.ProcessAllAvailableAsync();
        var pairs = Pairs(shown, clicked);
        var expected = shown.SelectMany(rows => rows).Where(row => row.ShownAt is not null).GroupBy(row => row.ShownAt!.Value.UtcTicks / TimeSpan.TicksPerMinute / 4 * 4)
            .Select(group => (new DateTimeOffset(group.Key * TimeSpan.TicksPerMinute, TimeSpan.Zero), (long)group.Sum(row => pairs[row].Count()), (long)group.Sum(row => Math.Max(1, pairs[row].Count())))).Order();
        Assert.Equal(expected, sink.Rows.Where(row => row["window"] is not null).Select(row => (row.Get<DateTimeOffset>("window"), row.Get<long>("Clicks"), row.Get<long>("Rows"))).Order());
        Assert.Equal(0, query.RecentProgress.Sum(progress => progress.LateRows));
    }

    [Fact]
    public async Task Windows_of_both_are_a_bound_too()
    {
        await using var context = DataflowContext.Local(2);
        var random = new Random(12);
        var (shown, clicked) = (Shown(random), Clicked(random));
        var (left, right, sink) = (new MemorySource<Impression>(context), new MemorySource<AdClick>(context), new MemorySink());
        Views(context, left, right);
        var joined = context.Sql("""
            SELECT Ad, User FROM shown LEFT JOIN clicked ON Ad = Clicked AND window_start(ShownAt, INTERVAL 2 MINUTES) = window_start(ClickedAt, INTERVAL 2 MINUTES)
            """);
        await using var query = joined.WriteStream.Start(sink, new StreamingQueryOptions { StatePartitions = 2 });
        for (var minute = 0; minute < shown.Length; minute++)
        {
            left.Add(shown[minute]);
            right.Add(clicked[minute]);
            await query.ProcessAllAvailableAsync();
        }
        static long Window(DateTimeOffset? time) => time is null ? -1 : time.Value.UtcTicks / TimeSpan.TicksPerMinute / 2;
        var expected = shown.SkipLast(1).SelectMany(rows => rows).SelectMany(row => clicked.SelectMany(rows => rows)
            .Where(click => row.ShownAt is not null && row.Ad is not null && row.Ad == click.Clicked && Window(row.ShownAt) == Window(click.ClickedAt)).Select(click => (int?)click.User).DefaultIfEmpty(null)
            .Select(user => (row.Ad, user)));
        Assert.Equal(expected.Order(), sink.Rows.Select(row => (row.Get<int?>("Ad"), row.Get<int?>("User"))).Order());
    }

    [Fact]
    public async Task Rows_wait_for_what_a_window_in_front_gives_a_batch_later()
    {
        await using var context = DataflowContext.Local(2);
        var random = new Random(14);
        var (shown, clicked) = (Shown(random), Clicked(random));
        var (left, right, sink) = (new MemorySource<Impression>(context), new MemorySource<AdClick>(context), new MemorySink());
        Views(context, left, right);
        var joined = context.Sql("""
            SELECT User, n FROM clicked JOIN (SELECT window_start(ShownAt, INTERVAL 1 MINUTE) AS start, count(*) AS n FROM shown GROUP BY 1) ON window_start(ClickedAt, INTERVAL 1 MINUTE) = start
            """);
        await using var query = joined.WriteStream.Start(sink, new StreamingQueryOptions { StatePartitions = 1 });

        // Clicks catch up in the second batch with what was shown in the first: windows of these minutes are final in the third.
        foreach (var (lefts, rights) in new[] { (..Minutes, ..2), (..0, 2..Minutes), (Minutes..(Minutes + 1), Minutes..(Minutes + 1)), ((Minutes + 1)..(Minutes + 2), (Minutes + 1)..(Minutes + 2)) })
        {
            left.Add(shown[lefts].SelectMany(rows => rows));
            right.Add(clicked[rights].SelectMany(rows => rows));
            await query.ProcessAllAvailableAsync();
        }
        static long Minute(DateTimeOffset time) => time.UtcTicks / TimeSpan.TicksPerMinute;
        var expected = clicked[..(Minutes + 1)].SelectMany(rows => rows).Where(click => click.ClickedAt is not null)
            .Select(click => (click.User, N: shown[..(Minutes + 1)].SelectMany(rows => rows).LongCount(row => row.ShownAt is { } at && Minute(at) == Minute(click.ClickedAt!.Value)))).Where(row => row.N > 0);
        Assert.Equal(expected.Order(), sink.Rows.Select(row => (row.Get<int>("User"), row.Get<long>("n"))).Order());
    }

    [Fact]
    public async Task A_join_without_a_bound_keeps_all_rows_or_says_what_is_missing()
    {
        await using var context = DataflowContext.Local(2);
        var (left, right, sink) = (new MemorySource<Impression>(context), new MemorySource<AdClick>(context), new MemorySink());
        Views(context, left, right);
        var error = Assert.Throws<QueryException>(() => context.Sql("SELECT * FROM shown LEFT JOIN clicked ON Ad = Clicked").WriteStream.Start(sink));
        Assert.Contains("INTERVAL 1 HOUR", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<QueryException>(() => context.Sql("SELECT * FROM shown RIGHT JOIN clicked ON Ad = Clicked AND ClickedAt <= ShownAt").WriteStream.Start(sink));
        Assert.Equal("STREAM_JOIN_WITHOUT_BOUND", error.ErrorClass);

        await using var query = context.Sql("SELECT Place, User FROM shown JOIN clicked ON Ad = Clicked AND length(Place) = User").WriteStream.Start(sink);
        left.Add(new Impression(Noon, 1, "abc"), new Impression(Noon, 1, "ab"), new Impression(Noon, null, "abc"));
        await query.ProcessAllAvailableAsync();
        right.Add(new AdClick(Noon.AddDays(9), 1, 3), new AdClick(Noon.AddDays(9), null, 3));
        await query.ProcessAllAvailableAsync();
        Assert.Equal(("abc", 3), sink.Rows.Select(row => (row.Get<string>("Place"), row.Get<int>("User"))).Single());
    }

    [Fact]
    public async Task Times_that_may_both_be_null_are_equal_where_the_condition_says_so()
    {
        await using var context = DataflowContext.Local(2);
        var (left, right, sink) = (new MemorySource<Impression>(context), new MemorySource<AdClick>(context), new MemorySink());
        Views(context, left, right);
        await using var query = context.Sql("SELECT Place, User FROM shown JOIN clicked ON Ad = Clicked AND ShownAt <=> ClickedAt").WriteStream.Start(sink);
        left.Add(new Impression(null, 1, "none"), new Impression(Noon, 1, "noon"));
        await query.ProcessAllAvailableAsync();
        right.Add(new AdClick(null, 1, 3), new AdClick(Noon, 1, 4), new AdClick(Noon.AddMinutes(1), 1, 5));
        await query.ProcessAllAvailableAsync();
        Assert.Equal([("none", 3), ("noon", 4)], sink.Rows.Select(row => (row.Get<string>("Place"), row.Get<int>("User"))).Order());
    }

    [Fact]
    public async Task Sides_of_which_few_rows_are_wanted_are_joined_as_streams()
    {
        await using var context = DataflowContext.Local(2);
        var (left, right, sink) = (new MemorySource<Impression>(context), new MemorySource<AdClick>(context), new MemorySink());
        Views(context, left, right);
        await using var query = context.Sql("""
            SELECT Place, User FROM (SELECT * FROM shown WHERE Place = 'top') s LEFT JOIN clicked ON Ad = Clicked AND ClickedAt BETWEEN ShownAt AND ShownAt + INTERVAL 5 MINUTES
            """).WriteStream.Start(sink);
        left.Add(new Impression(Noon, 1, "top"), new Impression(Noon, 2, "top"), new Impression(Noon, 1, "side"));
        right.Add(new AdClick(Noon.AddMinutes(1), 1, 7));
        await query.ProcessAllAvailableAsync();
        left.Add(new Impression(Noon.AddDays(1), 3, "top"));
        right.Add(new AdClick(Noon.AddDays(1), 4, 8));
        await query.ProcessAllAvailableAsync();
        Assert.Equal([("top", null), ("top", (int?)7)], sink.Rows.Select(row => (row.Get<string>("Place"), row.Get<int?>("User"))).Order());
    }

    private static void Views(DataflowContext context, MemorySource<Impression> left, MemorySource<AdClick> right)
    {
        context.ReadStream.From(left).WithWatermark("ShownAt", Delay).CreateTempView("shown");
        context.ReadStream.From(right).WithWatermark("ClickedAt", Delay).CreateTempView("clicked");
    }

    private static DataFrame Joined(DataflowContext context, MemorySource<Impression> left, MemorySource<AdClick> right, JoinKind kind)
    {
        Views(context, left, right);
        var name = kind switch { JoinKind.Semi => "LEFT SEMI", JoinKind.Anti => "LEFT ANTI", _ => kind.ToString() };
        var sql = $"SELECT * FROM shown {name} JOIN clicked ON Ad = Clicked AND ClickedAt BETWEEN ShownAt AND ShownAt + INTERVAL 5 MINUTES AND User % 5 <> Ad % 5";
        return context.Sql(sql);
    }

    // A row a minute more at the end, so far away that all before is final; rows of a minute are out of order by less than the delay.
    private static Impression[][] Shown(Random random) => [.. Enumerable.Range(0, Minutes + 8).Select(minute => minute >= Minutes
        ? [new Impression(Noon.AddHours(minute), 1000 + minute, "end")]
        : Enumerable.Range(0, random.Next(6)).Select(_ => new Impression(Time(random, minute), random.Next(12) is > 0 and var ad ? ad : null, $"place {random.Next(100)} on a page")).ToArray())];

    private static AdClick[][] Clicked(Random random) => [.. Enumerable.Range(0, Minutes + 8).Select(minute => minute >= Minutes
        ? [new AdClick(Noon.AddHours(minute), 2000 + minute, minute)]
        : Enumerable.Range(0, random.Next(6)).Select(_ => new AdClick(Time(random, minute), random.Next(12) is > 0 and var ad ? ad : null, random.Next(100))).ToArray())];

    private static DateTimeOffset? Time(Random random, int minute) => random.Next(30) == 0 ? null : Noon.AddSeconds((60 * minute) + random.Next(-40, 60));

    private static ILookup<Impression, AdClick> Pairs(Impression[][] shown, AdClick[][] clicked) => (
        from row in shown.SelectMany(rows => rows)
        from click in clicked.SelectMany(rows => rows)
        where row.Ad is not null && row.Ad == click.Clicked && click.ClickedAt >= row.ShownAt && click.ClickedAt <= row.ShownAt + Within && click.User % 5 != row.Ad % 5
        select (row, click)).ToLookup(pair => pair.row, pair => pair.click, ReferenceEqualityComparer.Instance as IEqualityComparer<Impression>);

    // Rows near the far end still wait for what could come.
    private static string[] Expected(JoinKind kind, Impression[][] shown, AdClick[][] clicked)
    {
        var pairs = Pairs(shown, clicked);
        var found = pairs.SelectMany(group => group).ToHashSet(ReferenceEqualityComparer.Instance);
        var left = shown[..Minutes].SelectMany(rows => rows).ToArray();
        var inner = left.SelectMany(row => pairs[row].Select(click => $"{row} {click}"));
        var unmatchedLeft = left.Where(row => !pairs[row].Any());
        var unmatchedRight = clicked[..Minutes].SelectMany(rows => rows).Where(click => !found.Contains(click));
        IEnumerable<string> rows = kind switch
        {
            JoinKind.Inner => inner,
            JoinKind.Left => inner.Concat(unmatchedLeft.Select(row => $"{row} ")),
            JoinKind.Right => inner.Concat(unmatchedRight.Select(click => $" {click}")),
            JoinKind.Full => inner.Concat(unmatchedLeft.Select(row => $"{row} ")).Concat(unmatchedRight.Select(click => $" {click}")),
            JoinKind.Semi => left.Where(row => pairs[row].Any()).Select(row => $"{row}"),
            _ => unmatchedLeft.Select(row => $"{row}"),
        };
        return [.. rows.Order(StringComparer.Ordinal)];
    }

    private static string[] Rows(MemorySink sink, JoinKind kind)
    {
        var isHalf = kind is JoinKind.Semi or JoinKind.Anti;
        return [.. sink.Rows.Where(row => (row.Get<int?>("Ad") ?? 0) < 1000 && (isHalf || (row.Get<int?>("Clicked") ?? 0) < 1000)).Select(row =>
        {
            var left = row["Place"] is null ? null : new Impression(row.Get<DateTimeOffset?>("ShownAt"), row.Get<int?>("Ad"), row.Get<string>("Place"));
            if (isHalf) return $"{left}";
            var right = row["User"] is null ? null : new AdClick(row.Get<DateTimeOffset?>("ClickedAt"), row.Get<int?>("Clicked"), row.Get<int>("User"));
            return $"{left} {right}";
        }).Order(StringComparer.Ordinal)];
    }
}
