using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>Sessions of any gap, delay, number of keys and size of batches, with starts in between: what the batch gives.</summary>
public sealed class RandomSessionTests
{
    [Theory]
    [InlineData(101)]
    [InlineData(102)]
    [InlineData(103)]
    public async Task A_stream_gives_the_sessions_of_a_batch(int seed)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var random = new Random(seed);
        var gap = TimeSpan.FromMilliseconds(random.Next(3) switch { 0 => random.Next(100, 2000), 1 => random.Next(2000, 60_000), _ => random.Next(60_000, 600_000) });
        var delay = TimeSpan.FromMilliseconds(random.Next(1000, 300_000));
        var step = gap / random.Next(1, 40);
        var noon = new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
        var people = random.Next(1, 300);
        var all = Enumerable.Range(0, random.Next(200, 2000))
            .Select(i => new Visit(noon.AddMilliseconds(Math.Round(((i * step) + (random.NextDouble() * 0.99 * delay)).TotalMilliseconds)), $"who {random.Next(people)} of them", random.Next(1000))).ToArray();
        var (source, sink) = (new MemorySource<Visit>(context), new MemorySink());
        var options = new StreamingQueryOptions { Checkpoint = folder.Combine("checkpoint"), StatePartitions = random.Next(1, 4), SnapshotInterval = random.Next(1, 5) };
        for (var next = 0; next < all.Length;)
        {
            await using var query = Of(context.ReadStream.From(source)).WriteStream.Start(sink, options);
            for (var i = 0; i < 4 && next < all.Length; i++)
            {
                var count = Math.Min(random.Next(1, 400), all.Length - next);
                source.Add(all[next..(next + count)]);
                next += count;
                await query.ProcessAllAvailableAsync();
            }
        }
        source.Add(new Visit(noon.AddDays(30), "end", 1));
        await using (var query = Of(context.ReadStream.From(source)).WriteStream.Start(sink, options)) await query.ProcessAllAvailableAsync();
        var expected = Of(context.FromRecords(all)).Collect().Select(row => row.ToString()).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(expected, sink.Rows.Select(row => row.ToString()).Order(StringComparer.Ordinal));

        DataFrame Of(DataFrame visits) => visits.WithWatermark("At", delay).GroupBy(SessionWindow(Col("At"), gap), Col("Who"))
            .Agg(SessionEnd(Col("At"), gap).As("until"), Count().As("n"), Max(Concat(Lit("a text of some length "), Col("Amount"))).As("text"), Avg("Amount").As("average"), Min("At").As("first"), Max("At").As("last"));
    }
}
