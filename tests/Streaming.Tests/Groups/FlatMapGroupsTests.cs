using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests.Groups;

/// <summary>A reading of a meter.</summary>
public sealed record Reading(DateTimeOffset At, string Meter, int Value);

/// <summary>What is kept of a meter.</summary>
public sealed record MeterState(int Count, long Sum, List<int> Last);

/// <summary>What is given of a meter.</summary>
public sealed record MeterSum(string Meter, int Count, long Sum, string Last);

/// <summary>Functions of the program with state of their own.</summary>
public sealed class FlatMapGroupsTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    [InlineData(3, 10)]
    public async Task Each_group_goes_on_with_what_was_kept_of_it(int seed, int interval)
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<Reading>(context), new MemorySink());
        var all = Make(seed, 5000, 97);
        await using var query = Sums(context.ReadStream.From(source)).WriteStream.Start(sink, new() { StatePartitions = 3, SnapshotInterval = interval });
        var expected = new Dictionary<string, List<int>>();
        foreach (var batch in all.Chunk(400))
        {
            source.Add(batch);
            await query.ProcessAllAvailableAsync();
            foreach (var reading in batch) (expected.TryGetValue(reading.Meter, out var values) ? values : expected[reading.Meter] = []).Add(reading.Value);
            var given = new DataFrameRows(sink, query.LastProgress!.BatchId).Sums;
            Assert.Equal(batch.Select(reading => reading.Meter).Distinct().Order(StringComparer.Ordinal).Select(meter => Sum(meter, expected[meter])), given);
        }
        Assert.Equal(expected.Count, query.LastProgress!.StateRows);
    }

    [Fact]
    public async Task Functions_that_assign_to_what_the_program_has_are_refused()
    {
        await using var context = DataflowContext.Local(1);
        var seen = 0;
        var keyed = context.ReadStream.From(new MemorySource<Message>(context)).GroupByKey((Message message) => message.Id);
        Assert.Throws<ClosureException>(() => keyed.FlatMapGroupsWithState<int, int>((_, _, _) =>
        {
            seen++;
            return [];
        }));
        Assert.Equal(0, seen);
    }

    [Fact]
    public async Task A_group_larger_than_a_batch_of_columns_is_one_call()
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<Reading>(context), new MemorySink());
        await using var query = Sums(context.ReadStream.From(source)).WriteStream.Start(sink, new() { StatePartitions = 1 });
        var all = Make(4, 60_000, 3);
        source.Add(all);
        await query.ProcessAllAvailableAsync();
        Assert.Equal(all.GroupBy(reading => reading.Meter).Select(group => Sum(group.Key, [.. group.Select(reading => reading.Value)])).OrderBy(sum => sum.Meter, StringComparer.Ordinal), new DataFrameRows(sink, 0).Sums);
    }

    [Theory]
    [InlineData(5, 1)]
    [InlineData(6, 3)]
    public async Task A_frame_that_is_no_stream_gives_the_same_as_a_stream_of_it(int seed, int partitions)
    {
        await using var context = DataflowContext.Local(2);
        var all = Make(seed, 3000, 40);
        var once = Sums(context.FromRecords(all, partitions)).Collect<MeterSum>().OrderBy(sum => sum.Meter, StringComparer.Ordinal);
        Assert.Equal(all.GroupBy(reading => reading.Meter).Select(group => Sum(group.Key, [.. group.Select(reading => reading.Value)])).OrderBy(sum => sum.Meter, StringComparer.Ordinal), once);
    }

    [Theory]
    [InlineData(7, 1)]
    [InlineData(8, 3)]
    public async Task What_was_kept_is_there_after_a_restart_at_each_batch(int seed, int interval)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<Reading>(context), new MemorySink());
        var options = new StreamingQueryOptions { StatePartitions = 2, SnapshotInterval = interval, Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow };
        var expected = new Dictionary<string, List<int>>();
        foreach (var batch in Make(seed, 700, 30).Chunk(100))
        {
            source.Add(batch);
            await using var query = Sums(context.ReadStream.From(source)).WriteStream.Start(sink, options);
            await query.AwaitTerminationAsync();
            foreach (var reading in batch) (expected.TryGetValue(reading.Meter, out var values) ? values : expected[reading.Meter] = []).Add(reading.Value);
            Assert.Equal(batch.Select(reading => reading.Meter).Distinct().Order(StringComparer.Ordinal).Select(meter => Sum(meter, expected[meter])), new DataFrameRows(sink, query.LastProgress!.BatchId).Sums);
        }
    }

    [Fact]
    public async Task What_a_function_throws_is_told_with_key_and_batch()
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<Reading>(context), new MemorySink());
        var rows = context.ReadStream.From(source).GroupByKey((Reading reading) => reading.Meter)
            .FlatMapGroupsWithState<int, int>((_, readings, _) => readings.Select(reading => reading.Value < 0 ? throw new FormatException("below zero") : reading.Value));
        await using var query = rows.WriteStream.Start(sink);
        source.Add(new Reading(Noon, "good", 1), new Reading(Noon, "bad", 1));
        await query.ProcessAllAvailableAsync();
        source.Add(new Reading(Noon, "good", 1), new Reading(Noon, "bad", -1));
        var error = await Assert.ThrowsAsync<QueryException>(() => query.AwaitTerminationAsync());
        Assert.Contains("FormatException for the key bad in batch 1: below zero", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Modes_and_keys_that_cannot_be_are_refused()
    {
        await using var context = DataflowContext.Local(1);
        var groups = context.ReadStream.From(new MemorySource<Reading>(context)).GroupByKey((Reading reading) => reading.Meter);
        var map = groups.MapGroupsWithState<int, int>((_, readings, _) => readings.Count());
        Assert.Contains("update mode", Assert.Throws<QueryException>(() => map.WriteStream.Start(new MemorySink())).Message, StringComparison.Ordinal);
        var flat = groups.FlatMapGroupsWithState<int, int>((_, readings, _) => [readings.Count()]);
        Assert.Contains("append or update", Assert.Throws<QueryException>(() => flat.WriteStream.Start(new MemorySink(), new() { OutputMode = OutputMode.Complete })).Message, StringComparison.Ordinal);
        Assert.Throws<QueryException>(() => groups.FlatMapGroupsWithState<int, object>((_, _, _) => []));
        Assert.ThrowsAny<Exception>(() => groups.FlatMapGroupsWithState<Stream, int>((_, _, _) => []));
    }

    private static Reading[] Make(int seed, int count, int meters)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i => new Reading(Noon.AddSeconds(i), $"meter {random.Next(meters)}", random.Next(1000)))];
    }

    private static DataFrame Sums(DataFrame readings) => readings.GroupByKey((Reading reading) => reading.Meter).FlatMapGroupsWithState<MeterState, MeterSum>((meter, rows, state) =>
    {
        var (count, sum, last) = state.Exists ? state.Get() : new MeterState(0, 0, []);
        foreach (var row in rows)
        {
            count++;
            sum += row.Value;
            last.Add(row.Value);
        }
        last = last.Order().TakeLast(3).ToList();
        state.Update(new MeterState(count, sum, last));
        return [new MeterSum(meter, count, sum, string.Join(',', last))];
    });

    private static MeterSum Sum(string meter, List<int> values) => new(meter, values.Count, values.Sum(value => (long)value), string.Join(',', values.Order().TakeLast(3)));

    private sealed class DataFrameRows(MemorySink sink, long batch)
    {
        public IEnumerable<MeterSum> Sums => sink.RowsOf(batch).Select(row => new MeterSum(row.Get<string>("Meter")!, row.Get<int>("Count"), row.Get<long>("Sum"), row.Get<string>("Last")!)).OrderBy(sum => sum.Meter, StringComparer.Ordinal);
    }
}
