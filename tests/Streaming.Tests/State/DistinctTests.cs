using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>A message that may come twice.</summary>
public sealed record Message(DateTimeOffset At, int Id, string Text);

/// <summary>Rows that come again are given once.</summary>
public sealed class DistinctTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly StreamingQueryOptions Options = new() { StatePartitions = 3, SnapshotInterval = 3 };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Each_row_is_given_once_whichever_batch_it_comes_in(int seed)
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<Message>(context), new MemorySink());
        var random = new Random(seed);
        var all = Enumerable.Range(0, 3000).Select(_ => Of(random.Next(700), random.Next(3))).ToArray();
        await using var query = context.ReadStream.From(source).Select("Id", "Text").Distinct().WriteStream.Start(sink, Options);
        foreach (var batch in all.Chunk(300))
        {
            source.Add(batch);
            await query.ProcessAllAvailableAsync();
        }
        Assert.Equal(all.Select(row => (row.Id, row.Text)).Distinct().Order(), sink.Rows.Select(row => (row.Get<int>("Id"), row.Get<string>("Text"))).Order());
        Assert.Equal(sink.Rows.Count, query.LastProgress!.StateRows);
    }

    [Fact]
    public async Task Of_rows_with_one_key_the_first_is_given_whole()
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<Message>(context), new MemorySink());
        var all = Enumerable.Range(0, 400).Select(i => new Message(Noon.AddSeconds(i), i % 90, $"text {i % 90} of some length")).ToArray();
        await using var query = context.ReadStream.From(source).DropDuplicates("Id").WriteStream.Start(sink, Options);
        foreach (var batch in all.Chunk(37))
        {
            source.Add(batch);
            await query.ProcessAllAvailableAsync();
        }
        Assert.Equal(Enumerable.Range(0, 90).Select(i => (i, $"text {i} of some length")), sink.Rows.Select(row => (row.Get<int>("Id"), row.Get<string>("Text"))).Order());
    }

    [Fact]
    public async Task Keys_with_a_time_are_forgotten_behind_the_watermark_and_late_rows_left_out()
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<Message>(context), new MemorySink());
        var rows = context.ReadStream.From(source).WithWatermark("At", TimeSpan.FromMinutes(1)).DropDuplicates("Id", "At");
        await using var query = rows.WriteStream.Start(sink, Options);
        for (var minute = 0; minute < 60; minute++)
        {
            source.Add(new Message(Noon.AddMinutes(minute), 1, "first"), new Message(Noon.AddMinutes(minute), 1, "again"), new Message(Noon.AddMinutes(minute), 2, "other"));
            source.Add(new Message(Noon.AddMinutes(minute), 2, "again"));
            await query.ProcessAllAvailableAsync();
        }
        Assert.Equal(120, sink.Rows.Count);
        Assert.InRange(query.LastProgress!.StateRows, 1, 10);

        // Long forgotten: it is not given again.
        source.Add(new Message(Noon, 1, "late"));
        await query.ProcessAllAvailableAsync();
        Assert.Equal(120, sink.Rows.Count);
        Assert.Equal(1, query.LastProgress!.LateRows);
    }

    [Fact]
    public async Task Within_the_watermark_a_key_counts_whatever_the_time_of_its_row()
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<Message>(context), new MemorySink());
        var rows = context.ReadStream.From(source).WithWatermark("At", TimeSpan.FromMinutes(10)).DropDuplicatesWithinWatermark("Id");
        await using var query = rows.WriteStream.Start(sink, Options);

        // Of two spans of times in one batch, and in the batches behind it.
        source.Add(new Message(Noon, 1, "a"), new Message(Noon.AddMinutes(9), 1, "a again"), new Message(Noon.AddMinutes(3), 2, "b"));
        await query.ProcessAllAvailableAsync();
        source.Add(new Message(Noon.AddMinutes(5), 1, "a again"), new Message(Noon.AddMinutes(8), 2, "b again"), new Message(Noon.AddMinutes(8), 3, "c"));
        await query.ProcessAllAvailableAsync();
        Assert.Equal([1, 2, 3], sink.Rows.Select(row => row.Get<int>("Id")).Order());

        // Forgotten once the watermark is ten minutes later than its time.
        source.Add(new Message(Noon.AddHours(1), 9, "far"));
        await query.ProcessAllAvailableAsync();
        source.Add(new Message(Noon.AddHours(1), 1, "anew"));
        await query.ProcessAllAvailableAsync();
        Assert.Equal([1, 1, 2, 3, 9], sink.Rows.Select(row => row.Get<int>("Id")).Order());
        Assert.Equal(2, query.LastProgress!.StateRows);
    }

    [Fact]
    public async Task What_was_seen_is_known_after_a_restart()
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var source = new MemorySource<Message>(context);
        var sink = new MemorySink();
        var options = Options with { Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow };
        for (var i = 0; i < 12; i++)
        {
            source.Add(Enumerable.Range(i * 10, 30).Select(id => Of(id, 0)));
            await using var query = context.ReadStream.From(source).DropDuplicates("Id").WriteStream.Start(sink, options);
            await query.AwaitTerminationAsync();
        }
        Assert.Equal(Enumerable.Range(0, 140), sink.Rows.Select(row => row.Get<int>("Id")).Order());
    }

    [Fact]
    public async Task Windows_of_what_was_left_once_and_windows_of_windows_are_computed_in_one_query()
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<Message>(context), new MemorySink());
        var random = new Random(5);
        var all = Enumerable.Range(0, 2000).Select(i => new Message(Noon.AddSeconds((i * 3) + random.Next(-20, 20)), random.Next(4), "")).ToArray();
        var perMinute = context.ReadStream.From(source).WithWatermark("At", TimeSpan.FromMinutes(1)).DropDuplicates("Id", "At")
            .GroupBy(Window(Col("At"), TimeSpan.FromMinutes(1)).As("Minute"), Col("Id")).Agg(Count().As("n"));
        var perHour = perMinute.GroupBy(Window(Col("Minute"), TimeSpan.FromMinutes(10)).As("Tens")).Agg(Sum("n").As("n"), Max("n").As("most"));
        await using var query = perHour.WriteStream.Start(sink, Options);
        foreach (var batch in all.Append(new Message(Noon.AddDays(1), 0, "")).Chunk(83))
        {
            source.Add(batch);
            await query.ProcessAllAvailableAsync();
        }
        var expected = all.Select(row => (row.At, row.Id)).Distinct()
            .GroupBy(row => (row.Id, Minute: row.At.UtcTicks / TimeSpan.TicksPerMinute)).Select(group => (group.Key.Minute, Count: group.Count()))
            .GroupBy(group => group.Minute / 10 * 10).Select(group => (new DateTimeOffset(group.Key * TimeSpan.TicksPerMinute, TimeSpan.Zero), (long)group.Sum(each => each.Count), (long)group.Max(each => each.Count)))
            .Order().ToArray();
        Assert.Equal(expected, sink.Rows.Select(row => (row.Get<DateTimeOffset>("Tens"), row.Get<long>("n"), row.Get<long>("most"))).Order());
        Assert.Equal(3, query.LastProgress!.StateOperators.Count);
        Assert.Equal(0, query.RecentProgress.Sum(progress => progress.LateRows));
    }

    private static Message Of(int id, int text) => new(Noon.AddSeconds(id), id, $"text {text}");
}
