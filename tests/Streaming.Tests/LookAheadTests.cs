using Dataflow.Sql.Sources;
using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests;

/// <summary>What the next batch reads is found while a batch is computed, where a reader knows it by then.</summary>
public sealed class LookAheadTests
{
    [Fact]
    public async Task A_settled_batch_is_found_while_the_one_before_is_computed()
    {
        await using var context = DataflowContext.Local(1);
        var (source, seen) = (new Numbers(context, settled: 3), new List<(long Batch, long[] Values)>());
        await using var query = context.ReadStream.From(source).WriteStream.ForeachBatch(Write, new() { Trigger = Trigger.AvailableNow });
        await query.AwaitTerminationAsync().WaitAsync(Limit);

        Assert.Equal([(0, [1]), (1, [2]), (2, [3]), (3, [4]), (4, [5])], seen.Select(each => (each.Batch, each.Values.ToArray())), Comparer);

        // Batches 1 and 2 (up to 2 and 3) were settled; the others were asked for in their time, as was whether there is more.
        Assert.Equal(["look 0", "ahead 1", "ahead 2", "ahead 3", "look 3", "ahead 4", "look 4", "ahead 5", "look 5"], source.Calls);

        async Task Write(DataFrame rows, long batch)
        {
            // The batch is not done before the look ahead was made.
            await source.Looked(batch + 1).WaitAsync(Limit);
            seen.Add((batch, [.. (await rows.CollectAsync()).Select(row => row.Get<long>("value"))]));
        }
    }

    [Fact]
    public async Task A_look_ahead_that_fails_is_made_again_in_its_time()
    {
        await using var context = DataflowContext.Local(1);
        var (source, sink) = (new Numbers(context, settled: 0) { FailsAhead = true }, new MemorySink());
        await using var query = context.ReadStream.From(source).WriteStream.Start(sink, new() { Trigger = Trigger.AvailableNow });
        await query.AwaitTerminationAsync().WaitAsync(Limit);
        Assert.Equal([1L, 2, 3, 4, 5], sink.Rows.Select(row => row.Get<long>("value")).Order());
    }

    [Fact]
    public async Task A_query_that_is_stopped_does_not_wait_for_a_look_ahead()
    {
        await using var context = DataflowContext.Local(1);
        var (source, sink) = (new Numbers(context, settled: 0) { HangsAhead = true }, new MemorySink());
        var query = context.ReadStream.From(source).WriteStream.Start(sink);
        await source.Looked(1).WaitAsync(Limit);
        await query.StopAsync().WaitAsync(Limit);
        Assert.True(source.IsClosed);
        await query.DisposeAsync();
    }

    [Fact]
    public async Task Files_that_wait_for_the_next_batch_are_found_once()
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var files = Clicks.Make(files: 7, perFile: 20, seed: 4);
        Clicks.WriteAll(folder, files);
        var sink = new MemorySink();
        for (var start = 0; start < 2; start++)
        {
            await using var query = context.ReadStream.Json<Click>(folder.Combine("in"), new FileSourceOptions { MaxFilesPerTrigger = 2 }).WriteStream.Start(
                sink, new() { Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow });
            await query.AwaitTerminationAsync().WaitAsync(Limit);
            Assert.Equal(start == 0 ? [40L, 40, 40, 20] : [], query.RecentProgress.Select(each => each.InputRows));
        }
        Assert.Equal(files.SelectMany(file => file).Select(click => (click.At, click.User)).Order(), sink.Rows.Select(row => (row.Get<DateTimeOffset>("At"), row.Get<int>("User"))).Order());
    }

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);
    private static readonly EqualityComparer<(long, long[])> Comparer = EqualityComparer<(long, long[])>.Create((one, other) => one.Item1 == other.Item1 && one.Item2.SequenceEqual(other.Item2));

    // The numbers 1 to 5, one a batch; some ends are settled before their time.
    private sealed class Numbers(DataflowContext context, int settled) : IStreamSource, IStreamReader
    {
        private readonly Dictionary<long, TaskCompletionSource> _looks = [];
        private int _calling;

        public bool FailsAhead { get; init; }

        public bool HangsAhead { get; init; }

        public bool IsClosed { get; private set; }

        public List<string> Calls { get; } = [];

        public string Name => "numbers";

        public Schema Schema => new(new Field("value", DataType.BigInt, Nullable: false));

        public Task Looked(long end)
        {
            lock (_looks)
            {
                if (!_looks.TryGetValue(end, out var look)) _looks[end] = look = new(TaskCreationOptions.RunContinuationsAsynchronously);
                return look.Task;
            }
        }

        public IStreamReader Open(string folder) => this;

        public ValueTask<string?> FindEndAsync(string? start, long mostRows, CancellationToken cancellationToken)
        {
            using var call = Call($"look {start ?? "0"}");
            return new(Number(start) < 5 ? $"{Number(start) + 1}" : start);
        }

        public async ValueTask<string?> FindSettledEndAsync(string? start, long mostRows, CancellationToken cancellationToken)
        {
            using var call = Call($"ahead {start}");
            await Task.Yield();
            _ = Looked(Number(start));
            lock (_looks) _looks[Number(start)].TrySetResult();
            if (FailsAhead) throw new InvalidDataException("not yet");
            if (HangsAhead) await Task.Delay(Timeout.Infinite, cancellationToken);
            return Number(start) < settled ? $"{Number(start) + 1}" : start;
        }

        public ITable Read(string? start, string end)
        {
            using var call = Call(null);
            return ((Sql.Plans.Scan)context.FromRecords(Enumerable.Range(Number(start) + 1, Number(end) - Number(start)).Select(i => (long)i)).Plan).Table;
        }

        public void Dispose() => IsClosed = true;

        // One call at a time.
        private Ended Call(string? name)
        {
            Assert.Equal(1, Interlocked.Increment(ref _calling));
            if (name is not null) Calls.Add(name);
            return new Ended(this);
        }

        private static int Number(string? offset) => int.Parse(offset ?? "0");

        private sealed class Ended(Numbers numbers) : IDisposable
        {
            public void Dispose() => Interlocked.Decrement(ref numbers._calling);
        }
    }
}
