using Dataflow.Streaming.Execution;
using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>State that is put into another number of partitions, in the middle of a query, gives what it would have given.</summary>
public sealed class RescaleTests
{
    private const int Rounds = 8;

    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(OutputMode.Append, 0)]
    [InlineData(OutputMode.Append, 60 << 10)]
    [InlineData(OutputMode.Complete, 60 << 10)]
    [InlineData(OutputMode.Update, 100 << 10)]
    public async Task Groups_go_on_in_other_partitions_also_those_that_were_put_away(OutputMode mode, long memory)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var random = new Random(21);
        var source = new MemorySource<Message>(context);
        var all = new List<Message>();
        var given = new Dictionary<(DateTimeOffset, int), (long, string?)>();
        var away = 0;
        for (var i = 0; i < 9; i++)
        {
            var rows = Enumerable.Range(0, 800).Select(n => new Message(Noon.AddSeconds((i * 20) + random.Next(50)), random.Next(1500), $"text {i:D2} {n:D4}")).ToArray();
            all.AddRange(rows);
            source.Add(rows);
            if (i == 8) source.Add(new Message(Noon.AddDays(1), -1, "end"));
            var frame = context.ReadStream.From(source).WithWatermark("At", TimeSpan.FromMinutes(1))
                .GroupBy(Window(Col("At"), TimeSpan.FromMinutes(1)), Col("Id")).Agg(Count().As("n"), Min("Text").As("least"));
            await using var query = frame.WriteStream.ForeachBatch(
                async (rows, _) =>
                {
                    var result = await rows.CollectAsync();
                    if (mode == OutputMode.Complete) given.Clear();
                    foreach (var row in result)
                    {
                        var key = (row.Get<DateTimeOffset>("window"), row.Get<int>("Id"));
                        if (mode == OutputMode.Append) Assert.DoesNotContain(key, given);
                        given[key] = (row.Get<long>("n"), row.Get<string>("least"));
                    }
                },
                new() { Checkpoint = folder.Combine("checkpoint"), StatePartitions = i == 0 ? 2 : 0, OutputMode = mode, Trigger = Trigger.AvailableNow, SnapshotInterval = 3, StateMemoryBytes = memory });
            await query.AwaitTerminationAsync();
            var before = Read(context, folder);
            if (i is 2 or 4 or 6)
            {
                var files = Files(folder);
                StreamingCheckpoint.Rescale(folder.Combine("checkpoint"), i == 2 ? 5 : i == 4 ? 1 : 3);
                away += Files(folder).Except(files).Count(file => file.EndsWith(".run", StringComparison.Ordinal));
                Assert.Equal(before, Read(context, folder));
                Assert.Equal(i == 2 ? 5 : i == 4 ? 1 : 3, context.ReadStateMetadata(folder.Combine("checkpoint")).StatePartitions);
            }
        }
        Assert.Equal(memory > 0, away > 0);
        Assert.Equal(
            all.GroupBy(row => (At: row.At.AddTicks(-(row.At.Ticks % TimeSpan.TicksPerMinute)), row.Id))
                .Select(group => (group.Key.At, group.Key.Id, (long)group.Count(), group.Min(row => row.Text)!)).Order(),
            given.Where(row => row.Key.Item2 >= 0).Select(row => (row.Key.Item1, row.Key.Item2, row.Value.Item1, row.Value.Item2!)).Order());
    }

    [Theory]
    [InlineData("distinct")]
    [InlineData("join")]
    [InlineData("chain")]
    [InlineData("sessions")]
    [InlineData("groups")]
    public async Task Other_state_goes_on_in_other_partitions(string kind)
    {
        string[] expected;
        using (var folder = new TempDirectory()) expected = await Run(folder, kind, []);
        using (var folder = new TempDirectory())
        {
            var given = await Run(folder, kind, new() { [2] = 5, [4] = 1, [5] = 3 });
            Assert.NotEmpty(expected);
            Assert.Equal(expected, given);
        }
    }

    [Theory]
    [InlineData("operator 0")]
    [InlineData("written")]
    [InlineData("named")]
    public async Task A_process_that_is_killed_between_two_steps_leaves_all_as_it_was_or_all_as_it_shall_be(string step)
    {
        string[] expected;
        using (var folder = new TempDirectory()) expected = await Run(folder, "join", []);
        using (var folder = new TempDirectory())
        {
            var isDone = step == "named";
            var given = await Run(folder, "join", new() { [3] = 4 }, (path, partitions) =>
            {
                using var killed = Program.StartRescale(path, partitions, step);
                var (output, error) = (killed.StandardOutput.ReadToEndAsync(), killed.StandardError.ReadToEndAsync());
                if (!killed.WaitForExit(TimeSpan.FromMinutes(1))) killed.Kill();
                killed.WaitForExit();
                Assert.True(killed.ExitCode != 0, output.Result + error.Result);
                var metadata = Checkpoint.Look(path).Metadata;
                Assert.Equal(isDone ? 4 : 2, metadata.StatePartitions);
            });
            Assert.Equal(expected, given);
        }
    }

    [Fact]
    public async Task What_can_not_be_rescaled_is_a_named_error()
    {
        using var folder = new TempDirectory();
        var path = folder.Combine("checkpoint");
        Assert.Equal("CHECKPOINT_MISSING", Refused(path));
        Assert.False(Directory.Exists(path));
        await using var context = DataflowContext.Local(1);
        var source = new MemorySource<int>(context);
        var options = new StreamingQueryOptions { Checkpoint = path, StatePartitions = 2, OutputMode = OutputMode.Update };
        var counts = context.ReadStream.From(source).GroupBy("value").Count();
        source.Add(1, 2, 3, 4, 5);
        await using (var query = counts.WriteStream.Start(new MemorySink(), options))
        {
            await query.ProcessAllAvailableAsync();
            Assert.Equal("CHECKPOINT_IN_USE", Refused(path));
        }
        source.Add(1, 2);
        var failing = new StreamingQueryOptions { Checkpoint = path, OutputMode = OutputMode.Update, Trigger = Trigger.AvailableNow };
        await using (var query = counts.WriteStream.ForeachBatch((_, _) => throw new IOException("The sink is full."), failing))
            await Assert.ThrowsAsync<IOException>(() => query.AwaitTerminationAsync());
        Assert.Equal("CHECKPOINT_BATCH_PLANNED", Refused(path));
        await using (var query = counts.WriteStream.Start(new MemorySink(), failing)) await query.AwaitTerminationAsync();

        // What is asked for must be what there is then.
        StreamingCheckpoint.Rescale(path, 3);
        Assert.Contains("3 partitions", Assert.Throws<StreamingException>(() => counts.WriteStream.Start(new MemorySink(), options)).Message, StringComparison.Ordinal);
        await using (var query = counts.WriteStream.Start(new MemorySink(), options with { StatePartitions = 3, Trigger = Trigger.AvailableNow })) await query.AwaitTerminationAsync();

        // A damaged file is found before anything is written for good.
        var file = Files(folder).First(file => file.EndsWith(".snapshot", StringComparison.Ordinal));
        var bytes = File.ReadAllBytes(file);
        bytes[^30] ^= 1;
        File.WriteAllBytes(file, bytes);
        Assert.Equal("CHECKPOINT_DAMAGED", Refused(path));
        Assert.Equal(3, Checkpoint.Look(path).Metadata.StatePartitions);
        bytes[^30] ^= 1;
        File.WriteAllBytes(file, bytes);
        StreamingCheckpoint.Rescale(path, 1);
        Assert.Equal([(1, 2L), (2, 2L), (3, 1L), (4, 1L), (5, 1L)], context.ReadState(path).Collect().Select(row => (row.Get<int>("value"), row.Get<long>("count"))).Order());
    }

    private static string Refused(string path) => Assert.Throws<StreamingException>(() => StreamingCheckpoint.Rescale(path, 7)).Kind;

    private static string[] Files(TempDirectory folder) => Directory.GetFiles(folder.Combine("checkpoint", "state"), "*", SearchOption.AllDirectories);

    private static string[] Read(DataflowContext context, TempDirectory folder) =>
        [.. context.ReadState(folder.Combine("checkpoint")).Select("window", "Id", "n", "least").Collect().Select(row => row.ToString()).Order(StringComparer.Ordinal)];

    // Starts a query again and again, with more rows each time, and gives all that came of it.
    internal static async Task<string[]> Run(
        TempDirectory folder, string kind, Dictionary<int, int> partitions, Action<string, int>? rescale = null, int first = 0, int behind = Rounds)
    {
        await using var context = DataflowContext.Local(2);
        var random = new Random(77);
        var (one, other) = (new MemorySource<Message>(context), new MemorySource<Message>(context));
        var given = new SortedSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < behind; i++)
        {
            foreach (var source in new[] { one, other })
                source.Add(Enumerable.Range(0, 150).Select(n => new Message(Noon.AddSeconds((i * 20) + random.Next(50)), random.Next(200), $"{i} {n}")));
            if (i == Rounds - 1)
            {
                one.Add(new Message(Noon.AddHours(1), -1, "end"));
                other.Add(new Message(Noon.AddHours(1), -2, "end"));
            }
            if (i < first) continue;
            await using (var query = Frame(kind, context.ReadStream.From(one).WithWatermark("At", TimeSpan.FromMinutes(1)), context.ReadStream.From(other).WithWatermark("At", TimeSpan.FromMinutes(1)))
                .WriteStream.ForeachBatch(
                    async (rows, _) =>
                    {
                        foreach (var row in await rows.CollectAsync()) Assert.True(given.Add(row.ToString()), $"twice: {row}");
                    },
                    new() { Checkpoint = folder.Combine("checkpoint"), StatePartitions = i == 0 ? 2 : 0, Trigger = Trigger.AvailableNow, SnapshotInterval = 3 }))
                await query.AwaitTerminationAsync();
            if (partitions.TryGetValue(i, out var count)) (rescale ?? StreamingCheckpoint.Rescale)(folder.Combine("checkpoint"), count);
        }
        return [.. given];
    }

    private static DataFrame Frame(string kind, DataFrame first, DataFrame second) => kind switch
    {
        "counts" => first.GroupBy(Window(Col("At"), TimeSpan.FromMinutes(1)), Col("Id")).Agg(Count().As("n"), Min("Text").As("least")),
        "distinct" => first.Select("At", "Id").Distinct(),
        "join" => first.Select(Col("At").As("A"), Col("Id").As("X"), Col("Text").As("Left")).Join(
            second.Select(Col("At").As("B"), Col("Id").As("Y"), Col("Text").As("Right")),
            Col("X") == Col("Y") & Col("B") >= Col("A") - Expr("INTERVAL 20 SECONDS") & Col("B") <= Col("A") + Expr("INTERVAL 20 SECONDS"), JoinKind.Full),
        "chain" => first.Select(Expr("window_start(At, INTERVAL 1 MINUTE)").As("A"), Col("Id").As("X"), Col("Text"))
            .Join(second.Select(Expr("window_start(At, INTERVAL 1 MINUTE)").As("B"), Col("Id").As("Y")).Distinct(), Col("X") == Col("Y") & Col("A") == Col("B"))
            .GroupBy("X", "A").Agg(Count().As("n"), Min("Text").As("least")),
        "sessions" => first.GroupBy(SessionWindow(Col("At"), TimeSpan.FromSeconds(10)), Col("Id")).Agg(Count().As("n"), Min("Text").As("least")),
        _ => first.GroupByKey((Message row) => row.Id).FlatMapGroupsWithState<long, string>(new(), (id, rows, state) =>
        {
            var counted = (state.Exists ? state.Value : 0) + rows.Count();
            state.Update(counted);
            return [$"{id}: {counted}"];
        }),
    };
}
