using System.Collections.Concurrent;
using Dataflow.Streaming.DStreams;
using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests.DStreams;

/// <summary>A context whose clock stands still until a test says that an interval has passed.</summary>
internal sealed class DStreamRun : IAsyncDisposable
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private readonly DataflowContext _context;
    private readonly bool _ownsContext;
    private readonly SemaphoreSlim _done = new(0);

    public DStreamRun(StreamingContextOptions? options = null, ManualTimeProvider? clock = null, DataflowContext? context = null)
    {
        (_context, _ownsContext) = (context ?? DataflowContext.Local(2), context is null);
        Clock = clock ?? new ManualTimeProvider();
        Streaming = new StreamingContext(_context, Interval, (options ?? new()) with { Time = Clock });
        Streaming.BatchCompleted += _ => _done.Release();
    }

    public ManualTimeProvider Clock { get; }

    public StreamingContext Streaming { get; }

    public DataflowContext Context => _context;

    /// <summary>A stream of what each interval has.</summary>
    public DStream<T> Of<T>(IEnumerable<T[]> intervals, int partitions = 2)
    {
        var queue = new ConcurrentQueue<Rdd<T>>(intervals.Select(items => _context.Parallelize(items, partitions)));
        return Streaming.QueueStream(queue);
    }

    /// <summary>What a stream gives, by interval from 1.</summary>
    public static SortedDictionary<long, T[]> Watch<T>(DStream<T> stream)
    {
        var seen = new SortedDictionary<long, T[]>();
        stream.ForeachRdd(async (rdd, time) =>
        {
            var items = await rdd.CollectAsync();
            lock (seen) seen[(time - DateTimeOffset.UnixEpoch).Ticks / Interval.Ticks] = items;
        });
        return seen;
    }

    /// <summary>Lets intervals pass, and waits until their batches are done.</summary>
    public async Task PassAsync(int intervals)
    {
        for (var i = 0; i < intervals; i++)
        {
            // The schedule waits for the clock.
            Assert.True(SpinWait.SpinUntil(() => Clock.WaitingTimers > 0 || !IsRunning, Patience));
            Clock.Advance(Interval);
            await BatchAsync();
        }
    }

    /// <summary>Waits until one more batch is done.</summary>
    public async Task BatchAsync()
    {
        var done = _done.WaitAsync();
        await Task.WhenAny(done, Streaming.AwaitTerminationAsync()).WaitAsync(Patience);
        if (!done.IsCompleted) await Streaming.AwaitTerminationAsync();
    }

    private bool IsRunning => !Streaming.AwaitTerminationAsync().IsCompleted;

    public async ValueTask DisposeAsync()
    {
        await Streaming.DisposeAsync();
        if (_ownsContext) await _context.DisposeAsync();
    }
}
