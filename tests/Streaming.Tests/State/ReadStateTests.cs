using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>State is read as a table, without the query that keeps it.</summary>
public sealed class ReadStateTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0)]
    [InlineData(100 << 10)]
    public async Task Groups_of_an_aggregate_have_the_values_that_the_query_would_give(long memory)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var random = new Random(5);
        var source = new MemorySource<Message>(context);
        var all = new List<Message>();
        var options = Options(folder) with { StateMemoryBytes = memory, SnapshotInterval = 3 };
        for (var i = 0; i < 6; i++)
        {
            var rows = Enumerable.Range(0, 1500).Select(n => new Message(Noon.AddSeconds(random.Next(60)), random.Next(3500), $"text {i} {n:D4}")).ToArray();
            all.AddRange(rows);
            source.Add(rows);
            await Run(context.ReadStream.From(source).WithWatermark("At", TimeSpan.FromMinutes(1)).GroupBy(Window(Col("At"), TimeSpan.FromMinutes(1)), Col("Id"))
                .Agg(Count().As("n"), Min("Text").As("least"), Avg("Id").As("mean")), options);
        }
        var info = context.ReadStateMetadata(options.Checkpoint!);
        Assert.Equal((3, null, OutputMode.Update), (info.StatePartitions, info.PlannedBatch, info.OutputMode));
        Assert.Equal(("aggregate", 3, "6"), (info.Operators[0].Kind, info.Operators[0].Partitions, info.Sources[0].Offset));
        var state = context.ReadState(options.Checkpoint!);
        Assert.Equal(["window", "Id", "n", "least", "mean", "partition"], state.Columns);
        Assert.Equal(info.Operators[0].Schema.Select(column => column.Name), state.Columns);
        var read = state.Collect();
        Assert.Equal(
            all.GroupBy(row => row.Id).Select(group => (group.Key, (long)group.Count(), group.Min(row => row.Text)!, (double)group.Key)).Order(),
            read.Select(row => (row.Get<int>("Id"), row.Get<long>("n"), row.Get<string>("least"), row.Get<double>("mean"))).Order());
        Assert.Equal([0, 1, 2], read.Select(row => row.Get<int>("partition")).Distinct().Order());

        // Of one partition; of some columns; behind a filter.
        Assert.Equal(read.Count(row => row.Get<int>("partition") == 1), context.ReadState(options.Checkpoint!, partition: 1).Count());
        Assert.Equal(read.Count(row => row.Get<int>("partition") == 2 && row.Get<long>("n") > 2), state.Where(Col("partition") == 2 & Col("n") > 2).Select("least").Count());
        Assert.Equal("STATE_NOT_FOUND", Assert.Throws<StreamingException>(() => context.ReadState(options.Checkpoint!, partition: 3)).Kind);
        Assert.Equal("STATE_NOT_FOUND", Assert.Throws<StreamingException>(() => context.ReadState(options.Checkpoint!, @operator: 1)).Kind);
        Assert.Equal("STATE_NOT_FOUND", Assert.Throws<StreamingException>(() => context.ReadState(options.Checkpoint!, side: StateJoinSide.Right)).Kind);
        Assert.Equal("STATE_BATCH_NOT_KEPT", Assert.Throws<StreamingException>(() => context.ReadState(options.Checkpoint!, batch: 99)).Kind);
        var counts = info.Batches.Select(batch => context.ReadState(options.Checkpoint!, batch: batch).Count()).ToArray();
        Assert.Equal(counts.Order(), counts);
        Assert.Equal(read.Count, counts[^1]);
    }

    [Fact]
    public async Task States_that_say_no_value_by_themselves_are_given_as_they_are()
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var source = new MemorySource<int>(context);
        source.Add(Enumerable.Range(0, 100));
        var options = Options(folder);
        await Run(context.ReadStream.From(source).GroupBy((Col("value") % 10).As("last")).Agg(Expr("percentile(value, 0.9)").As("most"), Count().As("n")), options);
        var state = context.ReadState(options.Checkpoint!);
        Assert.Equal("last", state.Columns[0]);
        Assert.Contains("n.0", state.Columns);
        Assert.DoesNotContain("most", state.Columns);
        Assert.Equal(10, state.Count());
    }

    [Fact]
    public async Task Both_sides_of_a_join_what_is_known_sessions_and_groups_are_read_too()
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var (left, right) = (new MemorySource<Message>(context), new MemorySource<Message>(context));
        left.Add(Enumerable.Range(0, 50).Select(i => new Message(Noon.AddSeconds(i), i, $"left {i}")));
        right.Add(Enumerable.Range(0, 30).Select(i => new Message(Noon.AddSeconds(i), i + 100, $"right {i}")));
        var a = context.ReadStream.From(left).WithWatermark("At", TimeSpan.FromMinutes(1));
        var b = context.ReadStream.From(right).WithWatermark("At", TimeSpan.FromMinutes(1)).Select(Col("Id").As("Other"), Col("Text").As("OtherText"));

        var join = Options(folder, "join") with { OutputMode = OutputMode.Append };
        await Run(a.Join(b, Col("Id") == Col("Other")), join);
        Assert.Equal(Enumerable.Range(0, 50).Select(i => (i, $"left {i}")), context.ReadState(join.Checkpoint!).Collect().Select(row => (row.Get<int>("Id"), row.Get<string>("Text"))).Order());
        var other = context.ReadState(join.Checkpoint!, side: StateJoinSide.Right);
        Assert.Equal(["Other", "OtherText", "partition"], other.Columns);
        Assert.Equal(Enumerable.Range(0, 30).Select(i => (i + 100, $"right {i}")).OrderBy(row => row.Item1), other.Collect().Select(row => (row.Get<int>("Other"), row.Get<string>("OtherText"))).Order());
        Assert.Equal(["Other", "OtherText", "partition"], context.ReadStateMetadata(join.Checkpoint!).Operators[0].RightSchema!.Select(column => column.Name));

        var distinct = Options(folder, "distinct") with { OutputMode = OutputMode.Append };
        await Run(a.DropDuplicates("At"), distinct);
        Assert.Equal(["At", "partition"], context.ReadState(distinct.Checkpoint!).Columns);
        Assert.Equal(50, context.ReadState(distinct.Checkpoint!).Count());

        var sessions = Options(folder, "sessions") with { OutputMode = OutputMode.Append };
        await Run(a.GroupBy(SessionWindow(Col("At"), TimeSpan.FromSeconds(5)), (Col("Id") % 2).As("Odd")).Agg(Count().As("n"), Sum("Id").As("sum")), sessions);
        var session = context.ReadState(sessions.Checkpoint!).OrderBy("Odd").Collect();
        Assert.Equal([(0, 25L, 600L), (1, 25L, 625L)], session.Select(row => (row.Get<int>("Odd"), row.Get<long>("n"), row.Get<long>("sum"))));
        Assert.Equal((Noon, Noon.AddSeconds(53)), (session[0].Get<DateTimeOffset>("start"), session[0].Get<DateTimeOffset>("end")));

        var groups = Options(folder, "groups") with { OutputMode = OutputMode.Append };
        await Run(a.GroupByKey((Message row) => row.Id % 4).FlatMapGroupsWithState<long, string>(new(), (_, rows, state) =>
        {
            state.Update(rows.Count());
            return [];
        }), groups);
        var kept = context.ReadState(groups.Checkpoint!);
        Assert.Equal([0, 1, 2, 3], kept.Collect().Select(row => (int)row[0]!).Order());
        Assert.Equal(["name", "part", "value", "time", "due", "partition"], kept.Columns.Skip(1));
    }

    [Fact]
    public async Task What_can_not_be_read_is_a_named_error_that_says_what_to_do()
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(1);
        Assert.Equal("CHECKPOINT_MISSING", Assert.Throws<StreamingException>(() => context.ReadState(folder.Combine("nothing"))).Kind);
        Assert.False(Directory.Exists(folder.Combine("nothing")));
        var source = new MemorySource<int>(context);
        var options = Options(folder);
        for (var i = 0; i < 3; i++)
        {
            source.Add(1, 2, 3);
            await Run(context.ReadStream.From(source).GroupBy("value").Count(), options);
        }
        var state = context.ReadState(options.Checkpoint!);
        Assert.Equal(3, state.Count());

        // While the query runs; then a file goes between the frame and its rows.
        await using (var query = context.ReadStream.From(source).GroupBy("value").Count().WriteStream.Start(new MemorySink(), options))
        {
            await query.ProcessAllAvailableAsync();
            Assert.All(context.ReadState(options.Checkpoint!).Collect(), row => Assert.Equal(3, row.Get<long>("count")));
        }
        var files = Directory.GetFiles(folder.Combine("checkpoint", "state"), "*.delta", SearchOption.AllDirectories);
        var file = files[0];
        var bytes = File.ReadAllBytes(file);
        File.Delete(file);
        Assert.Contains("STATE_GONE", Assert.ThrowsAny<Exception>(() => state.Collect()).ToString(), StringComparison.Ordinal);
        Assert.Equal("CHECKPOINT_DAMAGED", Assert.Throws<StreamingException>(() => context.ReadState(options.Checkpoint!)).Kind);
        bytes[^20] ^= 1;
        File.WriteAllBytes(file, bytes);
        Assert.Contains("CHECKPOINT_DAMAGED", Assert.ThrowsAny<Exception>(() => state.Collect()).ToString(), StringComparison.Ordinal);

        // As versions wrote it that did not say what the state is.
        var log = new Execution.DurableLog(folder.Combine("checkpoint", "metadata"));
        log.Write(1, log.Read<Execution.CheckpointMetadata>(0) with { State = null });
        var error = Assert.Throws<StreamingException>(() => context.ReadState(options.Checkpoint!));
        Assert.Equal("STATE_NOT_DESCRIBED", error.Kind);
        bytes[^20] ^= 1;
        File.WriteAllBytes(file, bytes);
        await Run(context.ReadStream.From(source).GroupBy("value").Count(), options);
        Assert.Equal(3, context.ReadState(options.Checkpoint!).Count());
    }

    private static StreamingQueryOptions Options(TempDirectory folder, string name = "checkpoint") =>
        new() { Checkpoint = folder.Combine(name), StatePartitions = 3, OutputMode = OutputMode.Update, Trigger = Trigger.AvailableNow };

    private static async Task Run(DataFrame frame, StreamingQueryOptions options)
    {
        await using var query = frame.WriteStream.Start(new MemorySink(), options);
        await query.AwaitTerminationAsync();
    }
}
