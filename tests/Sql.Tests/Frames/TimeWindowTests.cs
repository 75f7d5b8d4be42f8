using static Dataflow.Sql.Functions;

namespace Dataflow.Sql.Tests.Frames;

/// <summary>Something that happened to somebody.</summary>
public sealed record Happened(DateTimeOffset? At, string? Who, int Amount);

/// <summary>Windows of time over rows made of seeds, against the same in LINQ.</summary>
public sealed class TimeWindowTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(1, 600, 300, 0)]
    [InlineData(2, 600, 250, 0)]
    [InlineData(3, 60, 60, 15)]
    [InlineData(4, 61, 7, -3)]
    [InlineData(5, 3600, 3599, 5000)]
    public void A_row_counts_in_each_sliding_window_that_its_time_falls_into(int seed, int length, int slide, int offset)
    {
        using var context = DataflowContext.Local(threads: 2);
        var rows = Make(seed, 2000, spread: 3600);
        var expected = rows.Where(row => row.At is not null)
            .SelectMany(row => Starts(row.At!.Value, length, slide, offset).Select(start => (Start: start, row.Who, row.Amount)))
            .GroupBy(row => (row.Start, row.Who)).Select(group => new Group(group.Key.Start, group.Key.Who, group.Count(), group.Sum(row => (long)row.Amount)))
            .OrderBy(row => row.Start).ThenBy(row => row.Who, StringComparer.Ordinal).ToArray();

        var frame = context.FromRecords(rows).Where(Col("At").IsNotNull())
            .GroupBy(Window(Col("At"), Seconds(length), Seconds(slide), Seconds(offset)), Col("Who")).Agg(Count().As("n"), Sum("Amount").As("sum"));
        Assert.Equal("window, Who, n, sum", string.Join(", ", frame.Columns));
        Assert.Equal(expected, Read(frame));

        context.FromRecords(rows).CreateTempView("rows");
        var sql = context.Sql($"""
            SELECT window_start(At, {Seconds(length)}, {Seconds(slide)}, {Seconds(offset)}) AS `window`, Who, count(*) AS n, sum(Amount) AS sum,
                   window_end(At, {Seconds(length)}, {Seconds(slide)}, {Seconds(offset)}) AS until
            FROM rows WHERE At IS NOT NULL GROUP BY 1, Who, until
            """);
        Assert.Equal(expected.Select(row => row with { Until = row.Start + Seconds(length) }), Read(sql));
    }

    [Theory]
    [InlineData(11, 60, 4000)]
    [InlineData(12, 1, 300)]
    [InlineData(13, 5, 1500)]
    [InlineData(14, 100_000, 4000)]
    public void Rows_less_than_a_gap_apart_are_of_one_session(int seed, int gap, int spread)
    {
        using var context = DataflowContext.Local(threads: 2);
        var rows = Make(seed, 1000, spread);
        var expected = rows.Where(row => row.At is not null).GroupBy(row => row.Who)
            .SelectMany(group => Sessions(group.Key, [.. group.OrderBy(row => row.At)], Seconds(gap)))
            .OrderBy(row => row.Start).ThenBy(row => row.Who, StringComparer.Ordinal).ToArray();
        Assert.True(expected.Length < 1000);

        var frame = context.FromRecords(rows).GroupBy(SessionWindow(Col("At"), Seconds(gap)).As("window"), Col("Who"))
            .Agg(Count().As("n"), Sum("Amount").As("sum"), SessionEnd(Col("At"), Seconds(gap)).As("until"));
        Assert.Equal(expected, Read(frame));
        Assert.Equal(expected.Select(row => row.Until!.Value).Order(), frame.Collect().Select(row => row.Get<DateTimeOffset>("until")).Order());

        context.FromRecords(rows).CreateTempView("rows");
        var sql = context.Sql($"SELECT session_start(At, {Seconds(gap)}) AS `window`, Who, count(*) AS n, sum(Amount) AS sum FROM rows GROUP BY 1, 2");
        Assert.Equal(expected.Select(row => row with { Until = null }), Read(sql));
        Assert.Equal("session", context.FromRecords(rows).GroupBy(SessionWindow(Col("At"), Seconds(gap))).Count().Columns[0]);
    }

    [Fact]
    public void Rows_are_repeated_where_windows_are_selected_and_those_without_a_time_left_out()
    {
        using var context = DataflowContext.Local(threads: 2);
        var rows = Make(seed: 6, 500, spread: 600);
        var frame = context.FromRecords(rows).Select(Col("Amount"), Window(Col("At"), Seconds(100), Seconds(30)).As("start")).Where(Col("start") >= Lit(Noon));
        var expected = rows.Where(row => row.At is not null).SelectMany(row => Starts(row.At!.Value, 100, 30, 0).Where(start => start >= Noon).Select(start => (row.Amount, start))).Order().ToArray();
        Assert.NotEmpty(expected);
        Assert.Equal(expected, frame.Collect().Select(row => (row.Get<int>("Amount"), row.Get<DateTimeOffset>("start"))).Order());
    }

    [Fact]
    public void Windows_are_grouped_by_longer_ones_by_their_last_moments()
    {
        using var context = DataflowContext.Local(threads: 2);
        var rows = Make(seed: 8, 500, spread: 600).Where(row => row.At is not null).ToArray();
        context.FromRecords(rows).CreateTempView("rows");
        var longer = rows.GroupBy(row => Starts(row.At!.Value, 120, 120, 0).Single()).OrderBy(group => group.Key).Select(group => (group.Key, (long)group.Count())).ToArray();
        var shorter = context.Sql("SELECT window, count(*) AS n FROM rows GROUP BY window(At, '40 seconds')");
        var begun = context.FromRecords(rows).GroupBy(Window(Col("At"), Seconds(40))).Agg(Count().As("n"));
        foreach (var time in new[] { WindowTime(Col("window")), Col("window") }) Assert.Equal(longer, Longer(shorter, time));
        Assert.Equal(longer, Longer(begun, WindowTime(Col("window"), Seconds(40))));
        var error = Assert.Throws<QueryException>(() => begun.Select(WindowTime(Col("window"))));
        Assert.Contains("name the length too", error.Message, StringComparison.Ordinal);

        static IEnumerable<(DateTimeOffset, long)> Longer(DataFrame frame, Column time) =>
            frame.GroupBy(Window(time, Seconds(120)).As("longer")).Agg(Sum("n").As("n")).OrderBy("longer").Collect().Select(row => (row.Get<DateTimeOffset>("longer"), row.Get<long>("n")));
    }

    [Fact]
    public void Windows_that_begin_less_often_than_they_end_are_refused()
    {
        using var context = DataflowContext.Local(threads: 1);
        var frame = context.FromRecords(Make(seed: 7, 1, spread: 1));
        var error = Assert.Throws<QueryException>(() => frame.GroupBy(Window(Col("At"), Seconds(60), Seconds(90))).Count());
        Assert.Equal("DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION", error.ErrorClass);
        Assert.Contains("00:01:30", error.Message);
        Assert.Equal("UNSUPPORTED_EXPR_FOR_OPERATOR", Assert.Throws<QueryException>(() => frame.Where(Window(Col("At"), Seconds(60), Seconds(30)) > Lit(Noon))).ErrorClass);
        Assert.Equal("UNSUPPORTED_EXPR_FOR_OPERATOR", Assert.Throws<QueryException>(() => frame.GroupBy(SessionWindow(Col("At"), Seconds(60))).Pivot("Who", "who 1").Sum("Amount")).ErrorClass);
        Assert.Throws<ArgumentOutOfRangeException>(() => SessionWindow(Col("At"), TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => Window(Col("At"), TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => Window(Col("At"), Seconds(1), Seconds(-1)));
    }

    private sealed record Group(DateTimeOffset Start, string? Who, long Count, long Sum)
    {
        public DateTimeOffset? Until { get; init; }
    }

    private static TimeSpan Seconds(int seconds) => TimeSpan.FromSeconds(seconds);

    // Whole seconds and many rows: times meet, and lie on the bounds of windows.
    private static Happened[] Make(int seed, int count, int spread)
    {
        var random = new Random(seed);
        return
        [
            .. Enumerable.Range(0, count).Select(_ => new Happened(
                random.Next(20) == 0 ? null : Noon.AddSeconds(random.Next(-spread, spread)), random.Next(10) == 0 ? null : $"who {random.Next(4)}", random.Next(100))),
        ];
    }

    private static IEnumerable<DateTimeOffset> Starts(DateTimeOffset at, int length, int slide, int offset)
    {
        var seconds = at.ToUnixTimeSeconds();
        for (var start = seconds - length + 1; start <= seconds; start++)
        {
            if ((start - offset) % slide == 0) yield return DateTimeOffset.FromUnixTimeSeconds(start);
        }
    }

    private static IEnumerable<Group> Sessions(string? who, Happened[] rows, TimeSpan gap)
    {
        for (var (first, i) = (0, 1); i <= rows.Length; i++)
        {
            if (i < rows.Length && rows[i].At - rows[i - 1].At < gap) continue;
            yield return new Group(rows[first].At!.Value, who, i - first, rows[first..i].Sum(row => (long)row.Amount)) { Until = rows[i - 1].At!.Value + gap };
            first = i;
        }
    }

    private static Group[] Read(DataFrame frame) =>
    [
        .. frame.Collect().Select(row => new Group(row.Get<DateTimeOffset>("window"), row.Get<string?>("Who"), row.Get<long>("n"), row.Get<long>("sum"))
            {
                Until = frame.Columns.Contains("until") ? row.Get<DateTimeOffset>("until") : null,
            })
            .OrderBy(row => row.Start).ThenBy(row => row.Who, StringComparer.Ordinal),
    ];
}
