using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests.Groups;

/// <summary>Functions are called without rows when a group's time is over, by the clock and by the watermark.</summary>
public sealed class GroupTimeoutTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    public async Task A_group_that_is_quiet_for_a_while_ends_also_across_restarts(int seed, int interval)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var (source, sink, time, random) = (new MemorySource<Reading>(context), new MemorySink(), new ManualTimeProvider(), new Random(seed));
        var ended = new List<(string Meter, int Count)>();
        var open = new Dictionary<string, (int Count, DateTimeOffset Until)>();
        for (var step = 0; step < 16; step++)
        {
            time.Advance(TimeSpan.FromSeconds(random.Next(1, 25)));
            var rows = Enumerable.Range(0, random.Next(4) == 0 ? 0 : random.Next(1, 12)).Select(_ => new Reading(Noon, $"meter {random.Next(15)}", 1)).ToArray();
            source.Add(rows);
            await using var query = Visits(context.ReadStream.From(source), GroupTimeout.ProcessingTime, (state, _) => state.SetTimeoutDuration(Quiet)).WriteStream.Start(sink, new()
            {
                Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow, StatePartitions = 2, SnapshotInterval = interval, Time = time,
            });
            await query.AwaitTerminationAsync();

            var now = time.GetUtcNow();
            foreach (var group in rows.GroupBy(row => row.Meter)) open[group.Key] = (open.GetValueOrDefault(group.Key).Count + group.Count(), now + Quiet);
            foreach (var (meter, visit) in open.Where(each => each.Value.Until <= now).ToArray())
            {
                ended.Add((meter, visit.Count));
                open.Remove(meter);
            }
            Assert.True(ended.Order().SequenceEqual(Ended(sink)), $"seed {seed}, step {step}: expected {string.Join(' ', ended.Order())}, not {string.Join(' ', Ended(sink))}");
            if (query.LastProgress is { } progress) Assert.Equal(open.Count, progress.StateRows);
        }
        Assert.NotEmpty(ended);
    }

    [Theory]
    [InlineData(3, 1, true)]
    [InlineData(4, 3, true)]
    [InlineData(5, 1, false)]
    [InlineData(6, 3, false)]
    public async Task A_group_ends_when_the_watermark_comes_to_its_time_also_in_batches_without_rows(int seed, int interval, bool restarts)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var (source, sink, random, delay) = (new MemorySource<Reading>(context), new MemorySink(), new Random(seed), TimeSpan.FromSeconds(20));
        var (ended, late, countedLate, lateSink) = (new List<(string Meter, int Count)>(), 0L, 0L, new MemorySink());
        var open = new Dictionary<string, (int Count, DateTimeOffset Until)>();
        DateTimeOffset? watermark = null, latest = null;
        var visits = Visits(context.ReadStream.From(source).WithWatermark("At", delay), GroupTimeout.EventTime, (state, last) => state.SetTimeoutTimestamp(last + Quiet));
        StreamingQuery? query = null;
        try
        {
            for (var step = 0; step < 12; step++)
            {
                var rows = Enumerable.Range(0, 8).Select(_ => new Reading(Noon.AddSeconds((step * 15) + random.Next(-70, 15)), $"meter {random.Next(9)}", 1)).ToArray();
                source.Add(rows);
                query ??= visits.WriteStream.Start(sink, new()
                {
                    Checkpoint = folder.Combine("checkpoint"), Trigger = restarts ? Trigger.AvailableNow : Trigger.AsSoonAsPossible, StatePartitions = 2, SnapshotInterval = interval,
                    LateRows = lateSink,
                });
                if (restarts)
                {
                    await query.AwaitTerminationAsync();
                    countedLate += query.RecentProgress.Sum(progress => progress.LateRows);
                    await query.DisposeAsync();
                    query = null;
                }
                else
                {
                    await query.ProcessAllAvailableAsync();
                }

                // The batch with the rows, then the one for the watermark that they moved.
                Batch(rows);
                Batch([]);
                Assert.True(ended.Order().SequenceEqual(Ended(sink)), $"seed {seed}, step {step}: expected {string.Join(' ', ended.Order())}, not {string.Join(' ', Ended(sink))}");
            }
            if (!restarts) countedLate = query!.RecentProgress.Sum(progress => progress.LateRows);
        }
        finally
        {
            if (query is not null) await query.DisposeAsync();
        }
        Assert.NotEmpty(ended);
        Assert.True(late > 0);
        Assert.Equal(late, countedLate);
        Assert.Equal(late, lateSink.Rows.Count);

        void Batch(Reading[] rows)
        {
            var before = watermark;
            if (latest is not null) watermark = latest - delay > watermark || watermark is null ? latest - delay : watermark;
            if (rows.Length == 0 && before == watermark) return;
            late += rows.Count(row => row.At < before);
            foreach (var group in rows.Where(row => !(row.At < before)).GroupBy(row => row.Meter))
            {
                open[group.Key] = (open.GetValueOrDefault(group.Key).Count + group.Count(), group.Max(row => row.At) + Quiet);
            }
            foreach (var (meter, visit) in open.Where(each => each.Value.Until <= watermark).ToArray())
            {
                ended.Add((meter, visit.Count));
                open.Remove(meter);
            }
            if (rows.Length > 0) latest = rows.Max(row => row.At) is var last && (latest is null || last > latest) ? last : latest;
        }
    }

    [Fact]
    public async Task A_batch_without_rows_is_planned_when_the_clock_comes_to_a_time()
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink, time) = (new MemorySource<Reading>(context), new MemorySink(), new ManualTimeProvider());
        await using var query = Visits(context.ReadStream.From(source), GroupTimeout.ProcessingTime, (state, _) => state.SetTimeoutDuration(Quiet)).WriteStream
            .Start(sink, new() { Time = time, Trigger = Trigger.Every(TimeSpan.FromSeconds(1)) });
        source.Add(new Reading(Noon, "one", 1), new Reading(Noon, "one", 2));
        await Until(() => query.LastProgress is { StateRows: 1 }, time);
        Assert.Empty(sink.Rows);
        var batches = query.LastProgress!.BatchId;
        await Until(() => sink.Rows.Count == 1, time);
        Assert.Equal(("one", 2), Ended(sink).Single());
        Assert.True(time.GetUtcNow() - DateTimeOffset.UnixEpoch >= Quiet);
        await Until(() => query.LastProgress.BatchId == batches + 1, time);
        Assert.Equal(0, query.LastProgress.StateRows);
    }

    [Fact]
    public async Task Timeouts_that_the_options_do_not_name_are_refused()
    {
        await using var context = DataflowContext.Local(1);
        var source = new MemorySource<Reading>(context);
        source.Add(new Reading(Noon, "one", 1));
        await using var query = Visits(context.ReadStream.From(source), GroupTimeout.None, (state, _) => state.SetTimeoutDuration(Quiet)).WriteStream.Start(new MemorySink());
        var error = await Assert.ThrowsAsync<QueryException>(() => query.AwaitTerminationAsync());
        Assert.Contains("Timeout = GroupTimeout.ProcessingTime", error.Message, StringComparison.Ordinal);
        var visits = Visits(context.ReadStream.From(source), GroupTimeout.EventTime, (_, _) => { });
        Assert.Contains("WithWatermark", Assert.Throws<QueryException>(() => visits.WriteStream.Start(new MemorySink())).Message, StringComparison.Ordinal);
    }

    private static DataFrame Visits(DataFrame readings, GroupTimeout timeout, Action<GroupState<int>, DateTimeOffset> again) =>
        readings.GroupByKey((Reading reading) => reading.Meter).FlatMapGroupsWithState<int, MeterCount>(new GroupStateOptions { Timeout = timeout }, (meter, rows, state) =>
        {
            if (state.HasTimedOut)
            {
                var count = state.Get();
                state.Remove();
                return [new MeterCount(meter, count)];
            }
            Reading[] all = [.. rows];
            state.Update(state.Value + all.Length);
            again(state, all.Max(row => row.At));
            return [];
        });

    private static IEnumerable<(string Meter, int Count)> Ended(MemorySink sink) => sink.Rows.Select(row => (row.Get<string>("Meter")!, row.Get<int>("Count"))).Order();

    private static async Task Until(Func<bool> isSo, ManualTimeProvider time)
    {
        for (var end = DateTime.UtcNow.AddMinutes(1); !isSo(); await Task.Yield())
        {
            if (time.WaitingTimers > 0) time.Advance(TimeSpan.FromMilliseconds(250));
            Assert.True(DateTime.UtcNow < end, "It was not so within a minute.");
        }
    }
}

/// <summary>How many readings a meter had.</summary>
public sealed record MeterCount(string Meter, int Count);
