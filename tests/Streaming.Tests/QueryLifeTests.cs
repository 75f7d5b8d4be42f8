using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>Triggers, progress and ends of queries, on a clock that a test moves.</summary>
public sealed class QueryLifeTests
{
    [Theory]
    [InlineData(AfterReading.Delete)]
    [InlineData(AfterReading.Archive)]
    public async Task Parquet_files_come_into_a_folder_and_go_when_they_were_read(AfterReading afterReading)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var files = Clicks.Make(files: 4, perFile: 50, seed: 15);
        for (var i = 0; i < files.Length; i++)
        {
            context.FromRecords(files[i]).Write.Parquet(folder.Combine("written", $"{i}"));
            Directory.CreateDirectory(folder.Combine("in"));
            foreach (var file in Directory.GetFiles(folder.Combine("written", $"{i}"), "*.parquet")) File.Move(file, folder.Combine("in", $"{i}-{Path.GetFileName(file)}"));
        }
        var count = Directory.GetFiles(folder.Combine("in")).Length;
        var options = new FileSourceOptions { MaxFilesPerTrigger = 1, AfterReading = afterReading, ArchiveFolder = folder.Combine("done") };
        var sink = new MemorySink();
        for (var start = 0; start < 2; start++)
        {
            await using var query = context.ReadStream.Parquet<Click>(folder.Combine("in"), options).WriteStream.Start(
                sink, new StreamingQueryOptions { Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow });
            await query.AwaitTerminationAsync();
        }
        Assert.Equal(files.SelectMany(file => file).Select(click => (click.At, click.Page, click.User)).Order(),
            sink.Rows.Select(row => (row.Get<DateTimeOffset>("At"), row.Get<string>("Page"), row.Get<int>("User"))).Order());
        Assert.Empty(Directory.GetFiles(folder.Combine("in")));
        Assert.Equal(afterReading == AfterReading.Archive ? count : 0, Directory.Exists(folder.Combine("done")) ? Directory.GetFiles(folder.Combine("done")).Length : 0);

        context.FromRecords([(At: "no time", Page: 5)]).WithColumnRenamed("Item1", "At").Write.Parquet(folder.Combine("other"));
        await using var wrong = context.ReadStream.Parquet<Click>(folder.Combine("other")).WriteStream.Start(sink);
        var error = await Assert.ThrowsAsync<QueryException>(() => wrong.ProcessAllAvailableAsync());
        Assert.Contains("the stream's schema says TIMESTAMP", error.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_sink_that_reads_rows_again_has_as_many_as_there_are()
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<string>(context), new MemorySink());
        source.Add(Enumerable.Range(0, 50_000).Select(i => $"row {i:D6}"));
        await using var query = context.ReadStream.From(source).WriteStream.Start(sink);
        await query.ProcessAllAvailableAsync();
        Assert.Equal(Enumerable.Range(0, 50_000).Select(i => $"row {i:D6}"), sink.Rows.Select(row => row.Get<string>("value")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_batch_runs_at_each_multiple_of_an_interval_and_not_before()
    {
        await using var context = DataflowContext.Local(1);
        var (source, sink, time) = (new MemorySource<int>(context), new MemorySink(), new ManualTimeProvider());
        source.Add(1, 2);
        await using var query = context.ReadStream.From(source).WriteStream.Start(sink, new() { Trigger = Trigger.Every(TimeSpan.FromSeconds(10)), Time = time });
        await Until(() => sink.Rows.Count == 2 && time.WaitingTimers == 1);
        source.Add(3);
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(1, time.WaitingTimers);
        Assert.Equal(2, sink.Rows.Count);
        time.Advance(TimeSpan.FromSeconds(1));
        await Until(() => sink.Rows.Count == 3 && query.LastProgress!.BatchId == 1);
        Assert.Equal([1, 2, 3], sink.Rows.Select(row => row.Get<int>("value")).Order());
        Assert.Equal(new DateTimeOffset(1970, 1, 1, 0, 0, 10, TimeSpan.Zero), query.LastProgress!.Timestamp);
    }

    [Fact]
    public async Task Progress_is_told_batch_by_batch_until_the_query_ends()
    {
        await using var context = DataflowContext.Local(1);
        var source = new MemorySource<int>(context, maxRowsPerTrigger: 2);
        foreach (var i in Enumerable.Range(0, 5)) source.Add(i);
        await using var query = context.ReadStream.From(source).WriteStream.Start(new MemorySink(), new() { Trigger = Trigger.AvailableNow, Name = "five" });
        var told = new List<StreamingProgress>(query.RecentProgress);
        await foreach (var progress in query.ProgressAsync())
        {
            if (told.All(each => each.BatchId != progress.BatchId)) told.Add(progress);
        }
        await query.AwaitTerminationAsync();
        Assert.Equal([0, 1, 2], query.RecentProgress.Select(progress => progress.BatchId));
        Assert.Equal([2, 2, 1], query.RecentProgress.Select(progress => progress.InputRows));
        Assert.All(told, progress => Assert.InRange(progress.BatchId, 0, 2));
        Assert.False(query.IsActive);
        Assert.Null(query.Exception);
        Assert.Equal("five", query.Name);
    }

    [Fact]
    public async Task An_error_of_a_row_ends_the_query_with_that_error_and_a_stop_without()
    {
        await using var context = DataflowContext.Local(1);
        var source = new MemorySource<int>(context);
        var halves = context.ReadStream.From(source).Select((Lit(10) / Col("value")).As("tenth"));
        await using var failing = halves.WriteStream.Start(new MemorySink());
        await using var stopped = halves.WriteStream.Start(new MemorySink());
        source.Add(5);
        await failing.ProcessAllAvailableAsync();
        await stopped.ProcessAllAvailableAsync();
        await stopped.StopAsync();
        Assert.Null(stopped.Exception);
        source.Add(0);
        var error = await Assert.ThrowsAsync<QueryException>(() => failing.ProcessAllAvailableAsync());
        Assert.Contains("Division by zero", error.Message, StringComparison.Ordinal);
        Assert.Same(error, failing.Exception);
    }

    [Fact]
    public async Task The_time_of_a_batch_is_the_same_when_it_runs_again()
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(1);
        var (source, time) = (new MemorySource<int>(context), new ManualTimeProvider());
        source.Add(1);
        var times = new List<DateTimeOffset>();
        var options = new StreamingQueryOptions { Checkpoint = folder.Combine("checkpoint"), Time = time, Trigger = Trigger.AvailableNow };
        for (var attempt = 0; attempt < 2; attempt++)
        {
            await using var query = context.ReadStream.From(source).Select(Expr("current_timestamp()").As("now")).WriteStream.ForeachBatch(
                (rows, _) =>
                {
                    times.Add(rows.Collect().Single().Get<DateTimeOffset>("now"));
                    return times.Count == 1 ? Task.FromException(new IOException("once")) : Task.CompletedTask;
                },
                options);
            if (attempt == 0) await Assert.ThrowsAsync<IOException>(() => query.AwaitTerminationAsync());
            else await query.AwaitTerminationAsync();
            time.Advance(TimeSpan.FromHours(1));
        }
        Assert.Equal([DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch], times);
    }

    private static async Task Until(Func<bool> condition)
    {
        var deadline = Environment.TickCount64 + 60_000;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < deadline, "It did not come to that within a minute.");
            await Task.Delay(5);
        }
    }
}
