using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>Watermarks of several inputs, late rows, triggers, and what a query says of itself.</summary>
public sealed class TimeTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task The_input_that_is_furthest_may_say_what_is_final()
    {
        await using var context = DataflowContext.Local(2);
        var (left, right, sink) = (new MemorySource<Message>(context), new MemorySource<Message>(context), new MemorySink());
        await using var query = Both(context, left, right).WriteStream.Start(sink, new StreamingQueryOptions { WatermarkPolicy = WatermarkPolicy.Max });
        left.Add(new Message(Noon, 1, ""), new Message(Noon.AddMinutes(10), 1, ""));
        await query.ProcessAllAvailableAsync();
        Assert.Equal(Noon.AddMinutes(9), query.LastProgress!.Watermark);
        Assert.Single(sink.Rows);
        right.Add(new Message(Noon.AddMinutes(1), 1, "late"));
        await query.ProcessAllAvailableAsync();
        Assert.Equal(1, query.LastProgress.LateRows);
        Assert.Single(sink.Rows);
    }

    [Fact]
    public async Task An_input_that_falls_silent_holds_nothing_back_until_it_is_heard_again()
    {
        var time = new ManualTimeProvider();
        await using var context = DataflowContext.Local(2);
        var (left, right, sink) = (new MemorySource<Message>(context), new MemorySource<Message>(context), new MemorySink());
        await using var query = Both(context, left, right).WriteStream.Start(
            sink, new StreamingQueryOptions { IdleTimeout = TimeSpan.FromSeconds(30), Time = time, Trigger = Trigger.Every(TimeSpan.FromSeconds(1)) });
        right.Add(new Message(Noon, 2, ""));
        left.Add(new Message(Noon, 1, ""), new Message(Noon.AddMinutes(10), 1, ""));
        await AllOf(query, time);
        Assert.Equal(Noon.AddMinutes(-1), query.LastProgress!.Watermark);
        Assert.Empty(sink.Rows);
        Assert.Contains("final when the watermark reaches 2026-01-01 12:01:00; it is 2026-01-01 11:59:00", query.Status.Message, StringComparison.Ordinal);

        // The left goes on, the right does not.
        time.Advance(TimeSpan.FromSeconds(31));
        left.Add(new Message(Noon.AddMinutes(11), 1, ""));
        await AllOf(query, time);
        Assert.Equal(Noon.AddMinutes(10), query.LastProgress.Watermark);
        Assert.Equal(2, sink.Rows.Count);

        // It never goes back: the right is too late with what it had kept for itself, and counts with what is new.
        right.Add(new Message(Noon, 3, "late"), new Message(Noon.AddMinutes(10), 3, "on time"));
        await AllOf(query, time);
        Assert.Equal(1, query.RecentProgress.Sum(progress => progress.LateRows));
        Assert.Equal(Noon.AddMinutes(10), query.LastProgress.Watermark);
    }

    [Fact]
    public async Task Times_at_the_ends_of_time_end_no_query()
    {
        await using var context = DataflowContext.Local(1);
        var (source, sink) = (new MemorySource<Message>(context), new MemorySink());
        await using var query = context.ReadStream.From(source).WithWatermark("At", TimeSpan.FromMinutes(1)).GroupBy(Window(Col("At"), TimeSpan.FromMinutes(1)), Col("Id")).Agg(Count().As("n"))
            .WriteStream.Start(sink, new StreamingQueryOptions { OutputMode = OutputMode.Append });
        foreach (var at in new[] { DateTimeOffset.MinValue, Noon, DateTimeOffset.MaxValue.AddDays(-1), DateTimeOffset.MaxValue })
        {
            source.Add(new Message(at, 1, ""));
            await query.ProcessAllAvailableAsync();
        }
        Assert.Equal([DateTimeOffset.MinValue, Noon], sink.Rows.Select(row => row.Get<DateTimeOffset>("window")).Order().Take(2));
    }

    [Fact]
    public async Task Where_all_inputs_fall_silent_none_holds_the_other_back()
    {
        var time = new ManualTimeProvider();
        await using var context = DataflowContext.Local(2);
        var (left, right, sink) = (new MemorySource<Message>(context), new MemorySource<Message>(context), new MemorySink());
        await using var query = Both(context, left, right).WriteStream.Start(
            sink, new StreamingQueryOptions { IdleTimeout = TimeSpan.FromSeconds(30), Time = time, Trigger = Trigger.Every(TimeSpan.FromSeconds(1)) });
        right.Add(new Message(Noon, 2, ""));
        left.Add(new Message(Noon.AddMinutes(10), 1, ""));
        await AllOf(query, time);
        Assert.Empty(sink.Rows);
        time.Advance(TimeSpan.FromSeconds(31));
        await AllOf(query, time);
        Assert.Equal(Noon.AddMinutes(9), query.LastProgress!.Watermark);
        Assert.Single(sink.Rows);
    }

    [Fact]
    public async Task Late_rows_go_to_a_sink_of_their_own()
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink, late) = (new MemorySource<Message>(context), new MemorySink(), new MemorySink());
        var counted = context.ReadStream.From(source).WithWatermark("At", TimeSpan.FromMinutes(1)).Where("Text <> 'no'").GroupBy(Window(Col("At"), TimeSpan.FromMinutes(1)), Col("Id")).Agg(Max("Text").As("t"));
        await using var query = counted.WriteStream.Start(sink, new StreamingQueryOptions { LateRows = late, StatePartitions = 2 });
        source.Add(new Message(Noon, 1, "a"), new Message(Noon.AddMinutes(5), 1, "b"));
        await query.ProcessAllAvailableAsync();
        source.Add(new Message(Noon, 1, "late"), new Message(Noon.AddSeconds(1), 2, "late too"), new Message(Noon, 7, "no"), new Message(Noon.AddMinutes(5), 3, "on time"));
        await query.ProcessAllAvailableAsync();
        Assert.Equal([(Noon, 1, "late"), (Noon.AddSeconds(1), 2, "late too")], late.Rows.Select(row => (row.Get<DateTimeOffset>("At"), row.Get<int>("Id"), row.Get<string>("Text"))).Order());
        Assert.Single(sink.Rows);

        var error = Assert.Throws<QueryException>(() => context.ReadStream.From(source).Where("Id > 1").WriteStream.Start(sink, new StreamingQueryOptions { LateRows = late }));
        Assert.Equal("NO_LATE_ROWS", error.ErrorClass);
    }

    [Fact]
    public async Task Late_rows_are_batches_of_another_query_so_that_one_database_takes_both()
    {
        await using var context = DataflowContext.Local(1);
        var source = new MemorySource<Message>(context);
        var (rows, late) = (new Noting(), new Noting());
        var counted = context.ReadStream.From(source).WithWatermark("At", TimeSpan.Zero).GroupBy(Window(Col("At"), TimeSpan.FromMinutes(1))).Agg(Count().As("n"));
        await using var query = counted.WriteStream.Start(rows, new StreamingQueryOptions { LateRows = late });
        foreach (var at in new[] { Noon.AddHours(1), Noon, Noon })
        {
            source.Add(new Message(at, 1, ""));
            await query.ProcessAllAvailableAsync();
        }
        Assert.Equal(query.Id, rows.Queries.Single());
        Assert.NotEqual(query.Id, late.Queries.Single());
    }

    private sealed class Noting : IStreamSink
    {
        public HashSet<Guid> Queries { get; } = [];

        public string Name => "ids";

        public Task WriteAsync(StreamBatch batch, CancellationToken cancellationToken)
        {
            Queries.Add(batch.Query);
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task Late_rows_of_both_sides_of_a_join_go_to_one_sink()
    {
        await using var context = DataflowContext.Local(2);
        var (left, right, sink, late) = (new MemorySource<Message>(context), new MemorySource<Message>(context), new MemorySink(), new MemorySink());
        context.ReadStream.From(left).WithWatermark("At", TimeSpan.FromMinutes(1)).CreateTempView("l");
        context.ReadStream.From(right).WithWatermark("At", TimeSpan.FromMinutes(1)).CreateTempView("r");
        var joined = context.Sql("SELECT l.*, r.* FROM l JOIN r ON l.Id = r.Id AND l.At = r.At");
        await using var query = joined.WriteStream.Start(sink, new StreamingQueryOptions { LateRows = late });
        left.Add(new Message(Noon.AddHours(1), 1, "a"));
        right.Add(new Message(Noon.AddHours(1), 1, "b"));
        await query.ProcessAllAvailableAsync();
        for (var i = 0; i < 2; i++)
        {
            left.Add(new Message(Noon, 1, "late left"));
            right.Add(new Message(Noon, 1, "late right"));
            await query.ProcessAllAvailableAsync();
        }
        
        Assert.Single(sink.Rows);
        Assert.Equal(4, late.Rows.Count);
        Assert.Equal(query.RecentProgress.Sum(progress => progress.LateRows), late.Rows.Count);
        Assert.Equal(["late left", "late right"], late.Rows.Select(row => row.Get<string>("Text")).Distinct().Order());
    }

    [Fact]
    public async Task All_that_is_there_can_be_taken_in_one_batch_whatever_the_limits()
    {
        using var folder = new TempDirectory();
        var files = Clicks.Make(files: 5, perFile: 10, seed: 9);
        Clicks.WriteAll(folder, files);
        await using var context = DataflowContext.Local(2);
        var clicks = context.ReadStream.Json<Click>(folder.Combine("in"), new FileSourceOptions { MaxFilesPerTrigger = 1 });
        var sink = new MemorySink();
        await using var query = clicks.WriteStream.Start(sink, new StreamingQueryOptions { Trigger = Trigger.Once });
        await query.AwaitTerminationAsync();
        Assert.Equal(50, sink.RowsOf(0).Count);
        Assert.Single(query.RecentProgress);
    }

    [Fact]
    public async Task Batches_take_what_can_be_computed_in_the_time_that_they_should_take()
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<int>(context), new MemorySink());
        for (var i = 0; i < 150; i++) source.Add(Enumerable.Range(0, 100));
        await using var query = context.ReadStream.From(source).WriteStream.Start(sink, new StreamingQueryOptions { TargetBatchDuration = TimeSpan.FromMilliseconds(1) });
        await query.ProcessAllAvailableAsync();
        Assert.Equal(15_000, sink.Rows.Count);
        Assert.Equal(10_000, query.RecentProgress[0].InputRows);
        Assert.InRange(query.RecentProgress.Count, 2, 51);
    }

    [Fact]
    public async Task A_query_says_what_it_does_and_listeners_are_told()
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink, told) = (new MemorySource<Message>(context), new MemorySink(), new Told());
        var line = new StringWriter();
        context.Streams.AddListener(told);
        context.Streams.AddListener(new ProgressLine(line));
        var query = context.ReadStream.From(source).WriteStream.Start(sink, new StreamingQueryOptions { Name = "messages" });
        Assert.Same(query, context.Streams.Active.Single());
        Assert.Same(query, context.Streams.Find(query.Id));
        source.Add(new Message(Noon, 1, "a"), new Message(Noon, 2, "b"));
        await query.ProcessAllAvailableAsync();
        Assert.Equal("waits for new rows of objects of Message", query.Status.Message);
        var progress = query.LastProgress!;
        Assert.Equal((2L, null, "1", 2L), (progress.InputRows, progress.Sources[0].Start, progress.Sources[0].End, progress.Sources[0].Rows));
        Assert.Equal("memory", progress.Sink);
        await query.StopAsync();
        Assert.Empty(context.Streams.Active);
        Assert.Null(await context.Streams.AwaitAnyTerminationAsync());
        Assert.Equal(["started messages", "batch 0 of messages", "ended messages"], told.Said);
        Assert.Contains("messages: batch 0 in ", line.ToString(), StringComparison.Ordinal);
        Assert.Equal("has ended", query.Status.Message);

        await using var failing = context.ReadStream.From(source).WriteStream.ForeachBatch((_, _) => throw new InvalidDataException("no room"), new StreamingQueryOptions { Name = "other" });
        await Assert.ThrowsAsync<InvalidDataException>(() => context.Streams.AwaitAnyTerminationAsync());
        Assert.Equal("has failed: no room", failing.Status.Message);
    }

    [Fact]
    public async Task Listeners_that_throw_and_contexts_that_are_disposed_end_queries()
    {
        using var folder = new TempDirectory();
        var options = new StreamingQueryOptions { Checkpoint = folder.Combine("checkpoint") };
        StreamingQuery idle;
        await using (var context = DataflowContext.Local(1))
        {
            var source = new MemorySource<int>(context);
            var refusing = new Refusing { OfStart = true };
            context.Streams.AddListener(refusing);
            Assert.Throws<NotSupportedException>(() => context.ReadStream.From(source).WriteStream.Start(new MemorySink(), options));
            Assert.Empty(context.Streams.Active);
            context.Streams.RemoveListener(refusing);

            context.Streams.AddListener(new Refusing());
            var ended = context.ReadStream.From(source).WriteStream.Start(new MemorySink(), options with { Trigger = Trigger.AvailableNow });
            await Assert.ThrowsAsync<NotSupportedException>(() => ended.AwaitTerminationAsync());
            Assert.IsType<NotSupportedException>(ended.Exception);
            idle = context.ReadStream.From(source).WriteStream.Start(new MemorySink(), options);
            await idle.ProcessAllAvailableAsync();
        }
        await Assert.ThrowsAnyAsync<Exception>(() => idle.AwaitTerminationAsync().WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.False(idle.IsActive);
        Assert.IsNotType<TimeoutException>(idle.Exception);
    }

    private sealed class Refusing : StreamingListener
    {
        public bool OfStart { get; init; }

        public override void OnStarted(StreamingQuery query)
        {
            if (OfStart) throw new NotSupportedException();
        }

        public override void OnTerminated(StreamingQuery query, Exception? error) => throw new NotSupportedException();
    }

    private static DataFrame Both(DataflowContext context, MemorySource<Message> left, MemorySource<Message> right)
    {
        DataFrame Open(MemorySource<Message> source) => context.ReadStream.From(source).WithWatermark("At", TimeSpan.FromMinutes(1));
        return Open(left).Union(Open(right)).GroupBy(Window(Col("At"), TimeSpan.FromMinutes(1)), Col("Id")).Agg(Count().As("n"));
    }

    // The clock goes on until all is done that is there.
    private static async Task AllOf(StreamingQuery query, ManualTimeProvider time)
    {
        for (var i = 0; i < 2; i++)
        {
            var done = query.ProcessAllAvailableAsync();
            while (!done.IsCompleted)
            {
                if (time.WaitingTimers > 0) time.Advance(TimeSpan.FromMilliseconds(250));
                await Task.Yield();
            }
            await done;
        }
    }

    private sealed class Told : StreamingListener
    {
        public List<string> Said { get; } = [];

        public override void OnStarted(StreamingQuery query) => Said.Add($"started {query.Name}");

        public override void OnProgress(StreamingQuery query, StreamingProgress progress) => Said.Add($"batch {progress.BatchId} of {query.Name}");

        public override void OnTerminated(StreamingQuery query, Exception? error) => Said.Add($"ended {query.Name}");
    }
}
