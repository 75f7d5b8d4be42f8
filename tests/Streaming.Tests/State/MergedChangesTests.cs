using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>Where changes are few beside the whole, their files are made one instead of writing all anew.</summary>
public sealed class MergedChangesTests
{
    private const int Starts = 6;
    private const int Batches = 3;
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("groups")]
    [InlineData("distinct")]
    [InlineData("join")]
    public async Task Few_changes_beside_much_state_make_few_files_and_no_snapshot(string what)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var (left, right, random) = (new MemorySource<Message>(context), new MemorySource<AdClick>(context), new Random(9));
        var (messages, clicks, given, kinds) = (new List<Message>(), new List<AdClick>(), new List<Row>(), new HashSet<string>());
        for (var start = 0; start < Starts; start++)
        {
            // Much at first; then few rows a batch, of which some change or end what is there. A query that starts goes on from its files.
            await using var query = Of(what, context.ReadStream.From(left), context.ReadStream.From(right)).WriteStream.ForeachBatch(async (frame, _) => given.AddRange(await frame.CollectAsync()), new()
            {
                Checkpoint = folder.Combine("checkpoint"), StatePartitions = 1, SnapshotInterval = 3, OutputMode = what == "groups" ? OutputMode.Update : OutputMode.Append,
            });
            for (var batch = 0; batch < Batches; batch++)
            {
                var isFirst = start == 0 && batch == 0;
                var at = Noon.AddSeconds(10 * ((start * Batches) + batch));
                Add(messages, left, [.. Enumerable.Range(0, isFirst ? 3000 : 8).Select(i => new Message(at, isFirst ? i : random.Next(4000), $"text {i}"))]);
                Add(clicks, right, [.. Enumerable.Range(0, isFirst ? 0 : 3).Select(_ => new AdClick(at, random.Next(4000), start))]);
                await query.ProcessAllAvailableAsync();
            }
            var files = Directory.GetFiles(folder.Combine("checkpoint", "state"), "*", SearchOption.AllDirectories);
            kinds.UnionWith(files.Select(file => Path.GetExtension(file)));
            Assert.InRange(files.Length, 1, 12);
        }
        Assert.Contains(".merged", kinds);
        Assert.DoesNotContain(".snapshot", kinds);
        Assert.Equal(Expected(what, messages, clicks), Given(what, given));
    }

    [Fact]
    public async Task What_ended_between_changes_that_were_made_one_file_stays_ended()
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var (source, random, kinds) = (new MemorySource<Impression>(context), new Random(10), new HashSet<string>());
        var (all, given) = (new List<Impression>(), new List<Row>());
        for (var start = 0; start <= Starts; start++)
        {
            var counts = context.ReadStream.From(source).WithWatermark("ShownAt", TimeSpan.FromSeconds(30)).GroupBy(Window(Col("ShownAt"), TimeSpan.FromMinutes(1)), Col("Ad")).Agg(Count().As("n"));
            await using var query = counts.WriteStream.ForeachBatch(async (frame, _) => given.AddRange(await frame.CollectAsync()), new() { Checkpoint = folder.Combine("checkpoint"), StatePartitions = 1, SnapshotInterval = 3 });
            for (var batch = 0; batch < Batches; batch++)
            {
                // Rows without a time are never final: they are the whole that the others are few beside.
                var at = start == Starts ? Noon.AddDays(1 + batch) : Noon.AddSeconds(20 * ((start * Batches) + batch));
                Add(all, source, [.. Enumerable.Range(0, start + batch == 0 ? 3000 : 0).Select(i => new Impression(null, i, "")), .. Enumerable.Range(0, 8).Select(_ => new Impression(at, random.Next(10), ""))]);
                await query.ProcessAllAvailableAsync();
            }
            kinds.UnionWith(Directory.GetFiles(folder.Combine("checkpoint", "state"), "*", SearchOption.AllDirectories).Select(file => Path.GetExtension(file)));
        }
        Assert.Contains(".merged", kinds);
        Assert.DoesNotContain(".snapshot", kinds);
        var end = Noon.AddDays(1);
        Assert.Equal(
            all.Where(row => row.ShownAt < end).GroupBy(row => (row.ShownAt!.Value.Minute, row.Ad)).Select(group => $"{group.Key.Minute} {group.Key.Ad} {group.Count()}").Order(StringComparer.Ordinal),
            given.Where(row => row.Get<DateTimeOffset>("window") < end).Select(row => $"{row.Get<DateTimeOffset>("window").Minute} {row.Get<int>("Ad")} {row.Get<long>("n")}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Changes_of_batches_that_follow_each_other_stand_in_one_file_and_what_a_lost_task_left_behind_them_does_not_count()
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var (source, path) = (new MemorySource<int>(context), folder.Combine("checkpoint"));
        for (var start = 0; start < 3; start++)
        {
            await using (var query = context.ReadStream.From(source).GroupBy("value").Count().WriteStream.Start(new MemorySink(), new() { Checkpoint = path, StatePartitions = 1, OutputMode = OutputMode.Update }))
            {
                for (var batch = 0; batch < 3; batch++)
                {
                    source.Add(Enumerable.Range(0, 4 + (3 * start) + batch));
                    await query.ProcessAllAvailableAsync();
                }
            }

            // Each start begins a file. The state after any batch is read from those that it needs, and of the last one a part.
            var files = Directory.GetFiles(folder.Combine("checkpoint", "state"), "*", SearchOption.AllDirectories);
            Assert.Equal(start + 1, files.Length);
            for (var batch = 0; batch < 3 * (start + 1); batch++)
            {
                var counts = context.ReadState(path, batch: batch).Collect().ToDictionary(row => row.Get<int>("value"), row => row.Get<long>("count"));
                Assert.Equal(Enumerable.Range(0, 4 + batch).ToDictionary(value => value, value => value < 4 ? batch + 1L : batch + 4L - value), counts);
            }
            File.AppendAllText(files.Order(StringComparer.Ordinal).Last(), "what a task wrote before it was lost");
        }
    }

    private static void Add<T>(List<T> all, MemorySource<T> source, T[] rows)
    {
        all.AddRange(rows);
        source.Add(rows);
    }

    private static DataFrame Of(string what, DataFrame messages, DataFrame clicks) => what switch
    {
        "groups" => messages.GroupBy("Id").Agg(Count().As("n")),
        "distinct" => messages.DropDuplicates("Id"),
        _ => messages.Join(clicks, Col("Id") == Col("Clicked")),
    };

    private static string[] Expected(string what, List<Message> messages, List<AdClick> clicks) => what switch
    {
        "groups" => [.. messages.GroupBy(row => row.Id).Select(group => $"{group.Key} {group.Count()}").Order(StringComparer.Ordinal)],
        "distinct" => [.. messages.Select(row => $"{row.Id}").Distinct().Order(StringComparer.Ordinal)],
        _ => [.. messages.Join(clicks, row => row.Id, click => click.Clicked, (row, click) => $"{row.Id} {row.Text} {click.User}").Order(StringComparer.Ordinal)],
    };

    private static string[] Given(string what, List<Row> rows) => what switch
    {
        // The last of each group counts.
        "groups" => [.. rows.GroupBy(row => row.Get<int>("Id")).Select(group => $"{group.Key} {group.Last().Get<long>("n")}").Order(StringComparer.Ordinal)],
        "distinct" => [.. rows.Select(row => $"{row.Get<int>("Id")}").Order(StringComparer.Ordinal)],
        _ => [.. rows.Select(row => $"{row.Get<int>("Id")} {row.Get<string>("Text")} {row.Get<int>("User")}").Order(StringComparer.Ordinal)],
    };
}
