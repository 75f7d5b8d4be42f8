using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>Groups that do not fit into the memory for state are put away, and given as if they had not been.</summary>
public sealed class LargeStateTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(OutputMode.Append, 1)]
    [InlineData(OutputMode.Update, 2)]
    [InlineData(OutputMode.Complete, 3)]
    public async Task Groups_that_were_put_away_are_given_whole(OutputMode mode, int seed)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var random = new Random(seed);
        var source = new MemorySource<Message>(context);
        var all = new List<Message>();
        var written = new SortedDictionary<long, Row[]>();
        var options = new StreamingQueryOptions
        {
            Checkpoint = folder.Combine("checkpoint"), StatePartitions = 2, OutputMode = mode, Trigger = Trigger.AvailableNow, SnapshotInterval = 3, StateMemoryBytes = 100 << 10,
        };
        var kinds = new HashSet<string>();
        for (var i = 0; i < 12; i++)
        {
            // The groups of each of three windows come again and again; the text tells what was first.
            var rows = Enumerable.Range(0, 1500).Select(n => new Message(Noon.AddSeconds((i * 15) + random.Next(40)), random.Next(3500), $"text {i:D2} {n:D4}")).ToArray();
            all.AddRange(rows);
            source.Add(rows);
            if (i == 11) source.Add(new Message(Noon.AddDays(1), -1, "end"));
            var counted = context.ReadStream.From(source).WithWatermark("At", TimeSpan.FromMinutes(1))
                .GroupBy(Window(Col("At"), TimeSpan.FromMinutes(1)), Col("Id")).Agg(Count().As("n"), Min("Text").As("least"), Sum("Id").As("sum"));
            await using var query = counted.WriteStream.ForeachBatch(async (frame, batch) => written[batch] = [.. await frame.CollectAsync()], options);
            await query.AwaitTerminationAsync();
            Assert.Equal(0, query.RecentProgress.Sum(progress => progress.LateRows));
            kinds.UnionWith(Directory.EnumerateFiles(folder.Combine("checkpoint", "state"), "*", SearchOption.AllDirectories).Select(file => Path.GetExtension(file)!));
        }
        Assert.Contains(mode == OutputMode.Update ? ".run" : ".part", kinds);
        Assert.Contains(".base", kinds);
        var expected = all.GroupBy(row => (row.At.UtcTicks / TimeSpan.TicksPerMinute, row.Id))
            .Select(group => (group.Key.Item1, group.Key.Id, (long)group.Count(), group.Min(row => row.Text)!, (long)group.Sum(row => row.Id))).Order().ToArray();
        var given = (mode == OutputMode.Complete ? written.Values.Last() : written.Values.SelectMany(rows => rows)).Select(row =>
            (row.Get<DateTimeOffset>("window").UtcTicks / TimeSpan.TicksPerMinute, Id: row.Get<int>("Id"), row.Get<long>("n"), row.Get<string>("least"), row.Get<long>("sum"))).Where(row => row.Id >= 0);
        if (mode == OutputMode.Update) given = given.GroupBy(row => (row.Item1, row.Id)).Select(group => group.Last());
        Assert.Equal(expected, given.Order());
    }

    // Keys of one number lie in an array at first, of several in slots, of text in another table.
    [Theory]
    [InlineData("Number")]
    [InlineData("Number", "Half")]
    [InlineData("Text", "Half")]
    public async Task Groups_of_a_snapshot_of_many_frames_go_on_after_a_start(params string[] keys)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var source = new MemorySource<Keyed>(context);
        var options = new StreamingQueryOptions { Checkpoint = folder.Combine("checkpoint"), StatePartitions = 2, OutputMode = OutputMode.Update, SnapshotInterval = 1, Trigger = Trigger.AvailableNow };
        var counts = new Dictionary<string, long>();
        for (var start = 0; start < 4; start++)
        {
            source.Add(Enumerable.Range(0, 20_000 + (start * 1000)).Select(i => new Keyed((i * 7919L) - 5_000_000, i % 2 == 0 ? i / 2 : null, $"text {i}")));
            await using var query = context.ReadStream.From(source).GroupBy([.. keys.Select(Col)]).Agg(Count().As("n"), Max("Number").As("most")).WriteStream.ForeachBatch(Write, options);
            await query.AwaitTerminationAsync();
        }
        Assert.Contains(Directory.EnumerateFiles(folder.Combine("checkpoint", "state"), "*", SearchOption.AllDirectories), file => Path.GetExtension(file) == ".snapshot");
        Assert.Equal(23_000, counts.Count);
        Assert.Equal((4 * 20_000) + (3 * 1000) + (2 * 1000) + 1000, counts.Values.Sum());

        async Task Write(DataFrame frame, long batch)
        {
            foreach (var row in await frame.CollectAsync()) counts[string.Join('|', keys.Select(key => row[key]))] = row.Get<long>("n");
        }
    }

    [Fact]
    public async Task A_batch_with_more_groups_than_fit_puts_them_away_as_it_goes()
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var source = new MemorySource<int>(context);
        source.Add(Enumerable.Range(0, 200_000).Select(i => i % 50_000));
        source.Add(Enumerable.Range(0, 50_000));
        var options = new StreamingQueryOptions { Checkpoint = folder.Combine("checkpoint"), StatePartitions = 2, OutputMode = OutputMode.Complete, StateMemoryBytes = 200 << 10, Trigger = Trigger.Once };
        var (groups, kinds) = (new List<Row>(), new List<string?>());
        for (var i = 0; i < 2; i++)
        {
            await using var query = context.ReadStream.From(source).GroupBy("value").Count().WriteStream.ForeachBatch(Write, options);
            await query.AwaitTerminationAsync();
            Assert.Contains(".part", kinds);
            Assert.Contains(".base", kinds);
            Assert.Equal(50_000, groups.Select(row => row.Get<int>("value")).Distinct().Count());
            Assert.All(groups, row => Assert.Equal(5, row.Get<long>("count")));
        }

        // Parts go once all is in the base, and the batch is done.
        async Task Write(DataFrame frame, long batch)
        {
            groups = [.. await frame.CollectAsync()];
            kinds.AddRange(Directory.EnumerateFiles(folder.Combine("checkpoint", "state"), "*", SearchOption.AllDirectories).Select(Path.GetExtension));
        }
    }
}

/// <summary>A row by whose columns groups are made.</summary>
public sealed record Keyed(long Number, int? Half, string Text);
