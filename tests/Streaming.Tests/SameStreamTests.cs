using System.Threading.Channels;
using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>A stream that stands in several places of a query is read once for all of them, and gives what a table gives.</summary>
public sealed class SameStreamTests
{
    private const string Pairs = """
        SELECT a.User AS u, a.Page AS first, b.Page AS next, b.At AS at FROM clicks a JOIN clicks b
        ON a.User = b.User AND a.Page < b.Page AND b.At BETWEEN a.At AND a.At + INTERVAL 30 SECONDS
        """;

    private const string Both = "SELECT User AS u, Page AS p FROM clicks WHERE User < 7 UNION ALL SELECT User + 100, Page FROM clicks WHERE User >= 5";

    private const string Common = "WITH few AS (SELECT User AS u, Page AS p FROM clicks WHERE User < 4) SELECT * FROM few WHERE p = '/page/1' UNION ALL SELECT u, upper(p) FROM few";

    private const string Seen = """
        SELECT a.User AS u, a.Page AS p, a.At AS at FROM clicks a LEFT SEMI JOIN clicks b ON a.User = b.User + 1 AND b.At BETWEEN a.At - INTERVAL 20 SECONDS AND a.At
        """;

    [Theory]
    [InlineData(Pairs)]
    [InlineData(Both)]
    [InlineData(Common)]
    [InlineData(Seen)]
    public async Task A_stream_with_itself_gives_what_a_table_with_itself_gives(string query)
    {
        using var folder = new TempDirectory();
        var files = Clicks.Make(files: 5, perFile: 40, seed: 23);
        Clicks.WriteAll(folder, files);
        await using var context = DataflowContext.Local(2);
        var all = files.SelectMany(file => file).ToArray();
        context.FromRecords(all).CreateTempView("clicks");
        var expected = Text(context.Sql(query).Collect());
        Assert.NotEmpty(expected);

        // In two starts, so that what one side waits for is in the checkpoint.
        var (sink, rows) = (new MemorySink(), 0L);
        context.ReadStream.Json<Click>(folder.Combine("in"), new FileSourceOptions { MaxFilesPerTrigger = 1 }).WithWatermark("At", TimeSpan.FromMinutes(4)).CreateTempView("clicks");
        for (var start = 0; start < 2; start++)
        {
            var stops = start == 0;
            await using var stream = context.Sql(query).WriteStream.Start(sink, new()
            {
                Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow, Reached = (step, batch) => { if (stops && step == "planned" && batch == 3) throw new IOException("stop"); },
            });
            if (stops) await Assert.ThrowsAsync<IOException>(() => stream.AwaitTerminationAsync());
            else await stream.AwaitTerminationAsync();
            rows += stream.RecentProgress.Sum(batch => batch.InputRows);
            Assert.All(stream.RecentProgress, batch => Assert.Single(batch.Sources));
            Assert.Equal(0, stream.RecentProgress.Sum(batch => batch.LateRows));
        }
        Assert.Equal(expected, Text(sink.Rows));
        Assert.Equal(all.Length, rows);
    }

    [Fact]
    public void Pairs_of_a_table_are_those_of_plain_loops()
    {
        using var context = DataflowContext.Local(2);
        var all = Clicks.Make(files: 5, perFile: 40, seed: 23).SelectMany(file => file).ToArray();
        context.FromRecords(all).CreateTempView("clicks");
        var expected = from a in all from b in all
                       where a.User == b.User && string.CompareOrdinal(a.Page, b.Page) < 0 && b.At >= a.At && b.At <= a.At.AddSeconds(30)
                       select (a.User, a.Page, b.Page, b.At);
        Assert.Equal(expected.Order(), context.Sql(Pairs).Collect().Select(row => (row.Get<int>("u"), row.Get<string>("first"), row.Get<string>("next"), row.Get<DateTimeOffset>("at"))).Order());
    }

    [Fact]
    public async Task What_can_be_read_once_only_is_read_once_for_both_places()
    {
        await using var context = DataflowContext.Local(2);
        var channel = Channel.CreateUnbounded<Click>();
        foreach (var click in Clicks.Make(files: 1, perFile: 30, seed: 4)[0]) channel.Writer.TryWrite(click);
        channel.Writer.Complete();
        var (clicks, sink) = (context.ReadStream.From(channel.Reader), new MemorySink());
        await using var query = clicks.Select("User").Union(clicks.Select("User")).WriteStream.Start(sink, new() { Trigger = Trigger.AvailableNow });
        await query.AwaitTerminationAsync();
        Assert.Equal(60, sink.Rows.Count);
        Assert.All(sink.Rows.CountBy(row => row.Get<int>("User")), user => Assert.Equal(0, user.Value % 2));
    }

    [Fact]
    public async Task Late_rows_of_a_join_are_told_by_side_and_a_stream_is_not_kept()
    {
        await using var context = DataflowContext.Local(1);
        var (left, right) = (new MemorySource<Click>(context), new MemorySource<Click>(context));
        var start = new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
        DataFrame Side(MemorySource<Click> source) => context.ReadStream.From(source).WithWatermark("At", TimeSpan.FromMinutes(1));
        Side(left).CreateTempView("l");
        Side(right).CreateTempView("r");
        var joined = context.Sql("SELECT l.User FROM l JOIN r ON l.User = r.User AND r.At BETWEEN l.At AND l.At + INTERVAL 1 MINUTE");
        await using var query = joined.WriteStream.Start(new MemorySink());
        left.Add(new Click(start.AddHours(1), "/", 1));
        right.Add(new Click(start.AddHours(1), "/", 1));
        await query.ProcessAllAvailableAsync();
        left.Add(new Click(start, "/", 1), new Click(start, "/", 2), new Click(start.AddHours(1), "/", 3));
        right.Add(new Click(start, "/", 1));
        await query.ProcessAllAvailableAsync();
        Assert.Equal(3, query.RecentProgress.Sum(batch => batch.LateRows));
        Assert.Equal(2, query.RecentProgress.Sum(batch => batch.StateOperators[0].LateRowsByInput[0]));
        Assert.Equal(1, query.RecentProgress.Sum(batch => batch.StateOperators[0].LateRowsByInput[1]));

        foreach (var frame in (DataFrame[])[joined, context.Sql("WITH c AS (SELECT * FROM l) SELECT * FROM c")])
        {
            Assert.True(frame.IsStreaming);
            Assert.Contains("can't be kept", Assert.Throws<QueryException>(() => frame.Cache()).Message, StringComparison.Ordinal);
        }
    }

    private static string[] Text(IEnumerable<Row> rows) => [.. rows.Select(row => row.ToString()).Order(StringComparer.Ordinal)];
}
