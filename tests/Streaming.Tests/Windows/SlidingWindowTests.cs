using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>Windows that overlap, over streams: the answer is that of a batch, and of LINQ.</summary>
public sealed class SlidingWindowTests
{
    private static readonly TimeSpan Length = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Slide = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Each_window_is_given_once_when_it_is_final(int seed)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var files = Clicks.Make(files: 12, perFile: 100, seed);
        Clicks.WriteAll(folder, files);
        var all = files.SelectMany(file => file).ToArray();
        Assert.Equal(Expected(all), Rows(PerWindow(context.FromRecords(all)).Collect()));

        var sink = new MemorySink();
        var options = new StreamingQueryOptions { Trigger = Trigger.AvailableNow, StatePartitions = 3, SnapshotInterval = 3 };
        await using (var query = PerWindow(context.ReadStream.Json<Click>(folder.Combine("in"), new FileSourceOptions { MaxFilesPerTrigger = 1 })).WriteStream.Start(sink, options))
        {
            await query.AwaitTerminationAsync();
            Assert.Equal(0, query.RecentProgress.Sum(progress => progress.LateRows));
        }
        var final = Expected(all).Where(row => row.Window + Length <= Clicks.Watermark(all)).ToArray();
        Assert.NotEmpty(final);
        Assert.Equal(final, Rows(sink.Rows));
    }

    [Fact]
    public async Task Rows_that_are_late_for_some_windows_count_in_the_others()
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<Click>(context), new MemorySink());
        await using var query = PerWindow(context.ReadStream.From(source)).WriteStream.Start(sink, new StreamingQueryOptions { StatePartitions = 2 });
        source.Add(At("12:10:00"));
        await query.ProcessAllAvailableAsync();

        // Everything before 12:08 is final: of the windows of 12:07:30 that of 12:05 is, those of 12:06 and 12:07 are not.
        source.Add(At("12:07:30"));
        await query.ProcessAllAvailableAsync();
        source.Add(At("13:00:00"));
        await query.ProcessAllAvailableAsync();
        Assert.Equal(1, query.RecentProgress.Sum(progress => progress.LateRows));
        string[] expected = ["12:06 1", "12:07 1", "12:08 1", "12:09 1", "12:10 1"];
        Assert.Equal(expected, Rows(sink.Rows).Select(row => $"{row.Window:HH:mm} {row.Clicks}"));
    }

    [Fact]
    public async Task Windows_over_windows_that_overlap_lose_nothing()
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<Click>(context), new MemorySink());
        var all = Clicks.Make(files: 30, perFile: 20, seed: 4).SelectMany(file => file).ToArray();
        var perWindow = PerWindow(context.ReadStream.From(source));
        await using var query = perWindow.GroupBy(Window(Col("window"), TimeSpan.FromMinutes(6)).As("window"), Col("Page")).Agg(Max("Clicks").As("Clicks"), Sum("Users").As("Users"))
            .WriteStream.Start(sink, new StreamingQueryOptions { StatePartitions = 2 });
        foreach (var batch in all.Append(At("20:00:00")).Chunk(31))
        {
            source.Add(batch);
            await query.ProcessAllAvailableAsync();
        }
        var expected = Expected(all).GroupBy(row => (Window: Floor(row.Window, TimeSpan.FromMinutes(6)), row.Page))
            .Select(group => new PageMinute(group.Key.Window, group.Key.Page, group.Max(row => row.Clicks), group.Sum(row => row.Users)));
        Assert.Equal(Clicks.Ordered(expected), Rows(sink.Rows));
        Assert.Equal(0, query.RecentProgress.Sum(progress => progress.LateRows));
    }

    private static Click At(string time) => new(DateTimeOffset.Parse($"2026-01-01T{time}Z", System.Globalization.CultureInfo.InvariantCulture), "/", 1);

    private static DataFrame PerWindow(DataFrame clicks) => clicks.WithWatermark("At", Clicks.Delay)
        .GroupBy(Window(Col("At"), Length, Slide), Col("Page")).Agg(Count().As("Clicks"), Sum(Col("User")).As("Users"));

    private static DateTimeOffset Floor(DateTimeOffset time, TimeSpan length) => new(time.Ticks - (time.Ticks % length.Ticks), TimeSpan.Zero);

    private static PageMinute[] Expected(IEnumerable<Click> clicks) => Clicks.Ordered(clicks
        .SelectMany(click => Enumerable.Range(0, 3).Select(back => (Window: Floor(click.At, Slide) - (back * Slide), Click: click)))
        .GroupBy(each => (each.Window, each.Click.Page))
        .Select(group => new PageMinute(group.Key.Window, group.Key.Page, group.Count(), group.Sum(each => each.Click.User))));

    private static PageMinute[] Rows(IEnumerable<Row> rows) =>
        Clicks.Ordered(rows.Select(row => new PageMinute(row.Get<DateTimeOffset>("window"), row.Get<string>("Page"), row.Get<long>("Clicks"), row.Get<long>("Users"))));
}
