using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>State that goes by times themselves, and not by windows of them: it lies in spans of times, whatever the delay becomes.</summary>
public sealed class PlainTimeTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(60, 1000)]
    [InlineData(1000, 60)]
    [InlineData(61, 60)]
    [InlineData(60, 60)]
    public async Task Groups_and_distinct_rows_stay_what_they_are_when_a_start_changes_the_delay(int before, int after)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var source = new MemorySource<Message>(context);
        var (counts, firsts) = (new MemorySink(), new MemorySink());
        var rows = Enumerable.Range(0, 50).Select(i => new Message(Noon.AddSeconds(i), i, "")).ToArray();
        foreach (var delay in new[] { before, after })
        {
            source.Add(rows);
            var messages = context.ReadStream.From(source).WithWatermark("At", TimeSpan.FromSeconds(delay));
            await using var counted = messages.GroupBy("At").Count().WriteStream.Start(counts, Options("counts"));
            await counted.AwaitTerminationAsync();
        }
        foreach (var delay in new[] { before, after })
        {
            var messages = context.ReadStream.From(source).WithWatermark("At", TimeSpan.FromSeconds(delay));
            await using var distinct = messages.DropDuplicates("Id", "At").WriteStream.Start(firsts, Options("firsts"));
            source.Add(rows);
            await distinct.AwaitTerminationAsync();
        }
        source.Add(new Message(Noon.AddDays(1), -1, ""));
        await using (var last = context.ReadStream.From(source).WithWatermark("At", TimeSpan.FromSeconds(after)).GroupBy("At").Count().WriteStream.Start(counts, Options("counts"))) await last.AwaitTerminationAsync();
        Assert.Equal(rows.Select(row => (row.At, 4L)), counts.Rows.Select(row => (row.Get<DateTimeOffset>("At"), row.Get<long>("count"))).Order());
        Assert.Equal(rows.Select(row => row.Id), firsts.Rows.Select(row => row.Get<int>("Id")).Order());

        StreamingQueryOptions Options(string name) => new() { Checkpoint = folder.Combine(name), Trigger = Trigger.AvailableNow, StatePartitions = 2 };
    }

    [Fact]
    public async Task Windows_and_sessions_of_groups_by_plain_times_lose_nothing()
    {
        await using var context = DataflowContext.Local(2);
        var (source, windows, sessions) = (new MemorySource<Message>(context), new MemorySink(), new MemorySink());
        var random = new Random(3);
        var all = Enumerable.Range(0, 600).Select(i => new Message(Noon.AddSeconds((i * 7) + random.Next(-900, 900)), 0, "")).ToArray();
        var perTime = context.ReadStream.From(source).WithWatermark("At", TimeSpan.FromMinutes(30)).GroupBy("At").Agg(Count().As("n"));
        await using var windowed = perTime.GroupBy(Window(Col("At"), TimeSpan.FromSeconds(50))).Agg(Sum("n").As("n")).WriteStream.Start(windows, new StreamingQueryOptions { StatePartitions = 2 });
        await using var grouped = perTime.GroupBy(SessionWindow(Col("At"), TimeSpan.FromSeconds(5))).Agg(Sum("n").As("n")).WriteStream.Start(sessions, new StreamingQueryOptions { StatePartitions = 2 });
        foreach (var batch in all.Append(new Message(Noon.AddDays(1), 0, "")).Chunk(20))
        {
            source.Add(batch);
            await windowed.ProcessAllAvailableAsync();
            await grouped.ProcessAllAvailableAsync();
        }
        Assert.Equal(0, windowed.RecentProgress.Concat(grouped.RecentProgress).Sum(progress => progress.LateRows));
        Assert.Equal(all.Length, windows.Rows.Sum(row => row.Get<long>("n")));
        Assert.Equal(all.Length, sessions.Rows.Sum(row => row.Get<long>("n")));
    }
}
