using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>Counts of windows over files, in each mode, against the same in LINQ and as a batch.</summary>
public sealed class WindowedCountTests
{
    private static readonly StreamingQueryOptions Available = new() { Trigger = Trigger.AvailableNow, StatePartitions = 3, SnapshotInterval = 4 };

    [Fact]
    public async Task Append_gives_each_window_once_when_it_is_final()
    {
        using var folder = new TempDirectory();
        var files = Clicks.Make(files: 12, perFile: 200, seed: 1);
        Clicks.WriteAll(folder, files);
        await using var context = DataflowContext.Local(2);
        var sink = new MemorySink();
        await using var query = Clicks.PerPage(context, folder.Path).WriteStream.Start(sink, Available);
        await query.AwaitTerminationAsync();

        var all = files.SelectMany(file => file).ToArray();
        var final = Clicks.Expected(all).Where(row => row.Window.AddMinutes(1) <= Clicks.Watermark(all)).ToArray();
        Assert.NotEmpty(final);
        Assert.Equal(final, Rows(sink));
        Assert.Equal(2400, query.RecentProgress.Sum(progress => progress.InputRows));
        Assert.Equal(0, query.RecentProgress.Sum(progress => progress.LateRows));
        Assert.Equal(Clicks.Expected(all).Length - final.Length, query.LastProgress!.StateRows);
        Assert.Equal(Clicks.Watermark(all), query.LastProgress.Watermark);
    }

    [Fact]
    public async Task Windows_as_spark_writes_them_are_final_as_others_are()
    {
        using var folder = new TempDirectory();
        var files = Clicks.Make(files: 5, perFile: 50, seed: 31);
        Clicks.WriteAll(folder, files);
        await using var context = DataflowContext.Local(2);
        context.ReadStream.Json<Click>(folder.Combine("in"), new FileSourceOptions { MaxFilesPerTrigger = 1 }).WithWatermark("At", Clicks.Delay).CreateTempView("clicks");
        var sink = new MemorySink();
        var pages = context.Sql("SELECT window, Page, count(*) AS Clicks, sum(User) AS Users FROM clicks GROUP BY window(At, '1 minute'), Page");
        pages.CreateTempView("pages");
        await using var query = context.Sql("SELECT window.start AS window, Page, Clicks, Users FROM pages WHERE window.end > window.start").WriteStream.Start(sink, Available);
        await query.AwaitTerminationAsync();
        var all = files.SelectMany(file => file).ToArray();
        var final = Clicks.Expected(all).Where(row => row.Window.AddMinutes(1) <= Clicks.Watermark(all)).ToArray();
        Assert.NotEmpty(final);
        Assert.Equal(final, Rows(sink));
    }

    [Fact]
    public async Task Update_gives_what_changed_and_complete_gives_all()
    {
        using var folder = new TempDirectory();
        var files = Clicks.Make(files: 6, perFile: 100, seed: 2);
        Clicks.WriteAll(folder, files);
        await using var context = DataflowContext.Local(2);
        var expected = Clicks.Expected(files.SelectMany(file => file));
        Assert.Equal(expected, Clicks.Ordered(Clicks.PerPage(context.Read.Json(folder.Combine("in"), new JsonOptions { Schema = context.FromRecords(files[0]).Schema })).Collect<PageMinute>()));

        var complete = new MemorySink();
        await using (var query = Clicks.PerPage(context, folder.Path).WriteStream.Start(complete, Available with { OutputMode = OutputMode.Complete })) await query.AwaitTerminationAsync();
        Assert.Equal(expected, Rows(complete));

        var update = new MemorySink();
        await using (var query = Clicks.PerPage(context, folder.Path).WriteStream.Start(update, Available with { OutputMode = OutputMode.Update })) await query.AwaitTerminationAsync();
        var last = update.Rows.Select(Of).GroupBy(row => (row.Window, row.Page)).Select(group => group.Last());
        Assert.Equal(expected, Clicks.Ordered(last));

        // A batch touches few windows: far fewer rows than all windows in each.
        Assert.InRange(update.Rows.Count, expected.Length, expected.Length * 4);
        Assert.Equal(Clicks.Expected(files[0]), Clicks.Ordered(update.RowsOf(0).Select(Of)));
    }

    [Fact]
    public async Task Complete_mode_takes_rows_however_late_they_come()
    {
        using var folder = new TempDirectory();
        var files = Clicks.Make(files: 8, perFile: 20, seed: 5).Append([new Click(new DateTimeOffset(2026, 1, 1, 0, 0, 5, TimeSpan.Zero), "/page/old", 1)]).ToArray();
        Clicks.WriteAll(folder, files);
        await using var context = DataflowContext.Local(2);
        var sink = new MemorySink();
        await using var query = Clicks.PerPage(context, folder.Path).WriteStream.Start(sink, Available with { OutputMode = OutputMode.Complete });
        await query.AwaitTerminationAsync();
        Assert.Equal(Clicks.Expected(files.SelectMany(file => file)), Rows(sink));
        Assert.Equal(0, query.RecentProgress.Sum(progress => progress.LateRows));
    }

    [Fact]
    public async Task Rows_that_come_too_late_are_left_out_and_counted()
    {
        using var folder = new TempDirectory();
        var files = Clicks.Make(files: 8, perFile: 50, seed: 3);
        Clicks.WriteAll(folder, files);
        await using var context = DataflowContext.Local(2);
        var sink = new MemorySink();
        await using var query = Clicks.PerPage(context, folder.Path).WriteStream.Start(sink, new StreamingQueryOptions { StatePartitions = 2 });
        await query.ProcessAllAvailableAsync();
        var before = Rows(sink);

        // Of a window that was given already, and of one that is not final yet.
        var all = files.SelectMany(file => file).ToArray();
        var onTime = new Click(Clicks.Watermark(all).AddMinutes(1), "/page/0", 5);
        Clicks.Write(folder.Combine("in"), 100, [files[0][0], files[0][1] with { Page = "/page/new" }, onTime]);
        await query.ProcessAllAvailableAsync();
        Assert.Equal(2, query.RecentProgress.Sum(progress => progress.LateRows));
        Assert.Equal(before, Rows(sink));

        var far = all.Max(click => click.At).AddHours(1);
        Clicks.Write(folder.Combine("in"), 101, [new Click(far, "/page/9", 1)]);
        await query.ProcessAllAvailableAsync();
        Assert.Equal(Clicks.Expected(all.Append(onTime)), Rows(sink));
        Assert.Equal(1, query.LastProgress!.StateRows);
    }

    [Fact]
    public async Task Aggregates_without_windows_filters_and_projections_go_on_too()
    {
        using var folder = new TempDirectory();
        var files = Clicks.Make(files: 4, perFile: 100, seed: 4);
        Clicks.WriteAll(folder, files);
        await using var context = DataflowContext.Local(2);
        var clicks = context.ReadStream.Json<Click>(folder.Combine("in"), new FileSourceOptions { MaxFilesPerTrigger = 1 });
        Assert.True(clicks.IsStreaming);
        var all = files.SelectMany(file => file).ToArray();

        var total = new MemorySink();
        await using (var query = clicks.Agg(Count().As("n"), Avg("User").As("mean")).WriteStream.Start(total, Available with { OutputMode = OutputMode.Complete })) await query.AwaitTerminationAsync();
        Assert.Equal((400L, all.Average(click => click.User)), (total.Rows.Single().Get<long>("n"), total.Rows.Single().Get<double>("mean")));

        var even = new MemorySink();
        clicks.CreateTempView("clicks");
        await using (var query = context.Sql("SELECT Page, User * 2 AS twice FROM clicks WHERE User % 2 = 0").WriteStream.Start(even, Available)) await query.AwaitTerminationAsync();
        Assert.Equal(all.Where(click => click.User % 2 == 0).Select(click => (click.Page, click.User * 2)).Order(), even.Rows.Select(row => (row.Get<string>("Page"), row.Get<int>("twice"))).Order());

        var names = context.FromRecords([(Name: "/page/0", Title: "home"), (Name: "/page/1", Title: "news")]).WithColumnRenamed("Item1", "Page").WithColumnRenamed("Item2", "Title");
        var titled = new MemorySink();
        await using (var query = clicks.Join(names, "Page").GroupBy("Title").Count().OrderBy("Title").WriteStream.Start(titled, Available with { OutputMode = OutputMode.Complete })) await query.AwaitTerminationAsync();
        Assert.Equal([("home", (long)all.Count(click => click.Page == "/page/0")), ("news", (long)all.Count(click => click.Page == "/page/1"))],
            titled.Rows.Select(row => (row.Get<string>("Title"), row.Get<long>("count"))));
    }

    [Fact]
    public async Task Streams_that_are_united_have_one_watermark_the_earliest()
    {
        await using var context = DataflowContext.Local(2);
        var (left, right, sink) = (new MemorySource<Click>(context), new MemorySource<Click>(context), new MemorySink());
        var files = Clicks.Make(files: 6, perFile: 50, seed: 6);
        DataFrame Open(MemorySource<Click> source) => context.ReadStream.From(source).WithWatermark("At", Clicks.Delay);
        var both = Open(left).Union(Open(right)).GroupBy(Window(Col("At"), TimeSpan.FromMinutes(1)), Col("Page")).Agg(Count().As("Clicks"), Sum(Col("User")).As("Users"));
        await using var query = both.WriteStream.Start(sink, new StreamingQueryOptions { StatePartitions = 2 });
        foreach (var file in files) left.Add(file);
        await query.ProcessAllAvailableAsync();
        Assert.Empty(sink.Rows);
        Assert.Null(query.LastProgress!.Watermark);

        // What the other one has is late for nothing, however far the first has come.
        foreach (var file in files[..4]) right.Add(file);
        await query.ProcessAllAvailableAsync();
        var slower = files[..4].SelectMany(file => file).ToArray();
        var all = files.SelectMany(file => file).Concat(slower);
        var final = Clicks.Expected(all).Where(row => row.Window.AddMinutes(1) <= Clicks.Watermark(slower)).ToArray();
        Assert.NotEmpty(final);
        Assert.Equal(final, Rows(sink));
        Assert.Equal(0, query.RecentProgress.Sum(progress => progress.LateRows));
    }

    [Fact]
    public async Task A_stream_passes_over_rows_that_a_table_has()
    {
        await using var context = DataflowContext.Local(1);
        var (source, sink) = (new MemorySource<Click>(context), new MemorySink());
        source.Add(Clicks.Make(files: 1, perFile: 100, seed: 7)[0]);
        context.ReadStream.From(source).CreateTempView("visits");
        await using var query = context.Sql("SELECT Page FROM visits WHERE Page NOT IN (SELECT '/page/0' UNION ALL SELECT '/page/1') AND User > (SELECT 5)").WriteStream.Start(sink);
        await query.ProcessAllAvailableAsync();
        var expected = Clicks.Make(files: 1, perFile: 100, seed: 7)[0].Where(click => click.User > 5).Select(click => click.Page).Where(page => page is not ("/page/0" or "/page/1")).Order().ToArray();
        Assert.NotEmpty(expected);
        Assert.Equal(expected, sink.Rows.Select(row => row.Get<string>("Page")).Order());
    }

    [Fact]
    public async Task What_cannot_be_computed_batch_by_batch_is_refused_before_it_starts()
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(1);
        var clicks = context.ReadStream.Json<Click>(folder.Combine("in"));
        string Refused(DataFrame frame, OutputMode mode = OutputMode.Append) => Assert.Throws<QueryException>(() => frame.WriteStream.Start(new MemorySink(), new() { OutputMode = mode })).Message;
        Assert.Contains("WithWatermark", Refused(clicks.GroupBy("Page").Count()));
        Assert.Contains("last row", Refused(clicks.Limit(3)));
        Assert.Contains("DISTINCT", Refused(clicks.GroupBy("Page").Agg(CountDistinct(Col("User"))), OutputMode.Update));
        Assert.Contains("no stream", Refused(context.FromRecords(new[] { new Click(default, "", 1) })));
        Assert.Contains("no aggregate", Refused(clicks, OutputMode.Complete));
        Assert.Contains("every batch anew", Refused(clicks.Union(context.FromRecords(new[] { new Click(default, "", 1) }))));
        Assert.Contains("can't be kept", Assert.Throws<QueryException>(() => clicks.Cache()).Message);
        Assert.Contains("two streams", Refused(clicks.Join(context.ReadStream.Json<Click>(folder.Combine("other")), "Page", JoinKind.Left)));
        Assert.Contains("last row", Assert.Throws<QueryException>(() => clicks.Collect()).Message);
        Assert.Contains("timestamp", Assert.Throws<QueryException>(() => clicks.WithWatermark("User", TimeSpan.Zero)).Message);
    }

    private static PageMinute[] Rows(MemorySink sink) => Clicks.Ordered(sink.Rows.Select(Of));

    private static PageMinute Of(Row row) => new(row.Get<DateTimeOffset>("window"), row.Get<string>("Page"), row.Get<long>("Clicks"), row.Get<long>("Users"));
}
