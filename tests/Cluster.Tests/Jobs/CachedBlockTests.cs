using System.Collections.Concurrent;
using Dataflow.Diagnostics;
using Dataflow.Storage;

namespace Dataflow.Cluster.Tests;

/// <summary>Cached partitions serve other executors, and replicated ones outlive the executor that computed them.</summary>
public sealed class CachedBlockTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_task_that_runs_elsewhere_fetches_what_is_cached()
    {
        // Nothing waits for a better place: the second worker gets tasks whose partitions the first one keeps.
        await using var context = await DataflowContext.ListenAsync(
            "http://127.0.0.1:0", new ClusterOptions { Application = DataflowOptions.Default with { LocalityWait = TimeSpan.Zero } });
        using var one = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        var computed = context.Counter("computed");
        var words = context.Range(0, 800, partitions: 8).Map(i =>
        {
            computed.Add(1);
            return $"word {i}";
        }).Cache();
        Assert.Equal(800, words.Count());
        Assert.Equal(800, computed.Value);

        var blocks = new Blocks();
        context.AddListener(blocks);
        using var two = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        Assert.Equal(Enumerable.Range(0, 800).Select(i => $"word {i}"), words.Map(word =>
        {
            // Long enough that both executors take part.
            if (word.EndsWith('0')) Thread.Sleep(5);
            return word;
        }).Collect());
        Assert.Equal(800, computed.Value);
        await blocks.WaitForAsync(1);
    }

    [Fact]
    public async Task A_replicated_partition_outlives_its_executor()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var one = new WorkerProcess(context.Cluster.Url.ToString());
        using var two = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        var blocks = new Blocks();
        context.AddListener(blocks);
        var computed = context.Counter("computed");
        var words = context.Range(0, 600, partitions: 6).Map(i =>
        {
            computed.Add(1);
            return $"word {i}";
        }).Persist(StorageLevel.MemoryOnly2);
        Assert.Equal(600, words.Count());
        await blocks.WaitForAsync(12);

        one.KillExecutors();
        Assert.Equal(Enumerable.Range(0, 600).Select(i => $"word {i}"), words.Collect());
        Assert.Equal(600, computed.Value);
    }

    [Fact]
    public async Task A_lost_replica_is_replaced_and_the_next_loss_costs_nothing_either()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var one = new WorkerProcess(context.Cluster.Url.ToString());
        using var two = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        var blocks = new Blocks();
        context.AddListener(blocks);
        var computed = context.Counter("computed");
        var words = context.Range(0, 600, partitions: 6).Map(i =>
        {
            computed.Add(1);
            return $"word {i}";
        }).Persist(StorageLevel.MemoryOnly2);
        Assert.Equal(600, words.Count());
        await blocks.WaitForAsync(12);

        // No job runs meanwhile: the copies come when the next executor does.
        one.KillExecutors();
        await blocks.WaitForAsync(18);
        two.KillExecutors();
        Assert.Equal(Enumerable.Range(0, 600).Select(i => $"word {i}"), words.Collect());
        Assert.Equal(600, computed.Value);
    }

    [Fact]
    public async Task What_is_unpersisted_is_gone_on_all_executors()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var one = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        var blocks = new Blocks();
        context.AddListener(blocks);
        var computed = context.Counter("computed");
        var numbers = context.Range(0, 100, partitions: 2).Map(i =>
        {
            computed.Add(1);
            return i;
        }).Cache();
        Assert.Equal(100, numbers.Count());
        await blocks.WaitForAsync(2);
        numbers.Unpersist();
        await blocks.WaitForAsync(0);
        numbers.Cache();
        Assert.Equal(100, numbers.Count());
        Assert.Equal(200, computed.Value);
        await blocks.WaitForAsync(2);
    }

    /// <summary>Which executor keeps which partition.</summary>
    private sealed class Blocks : JobListener
    {
        private readonly ConcurrentDictionary<(int Executor, RddBlockId Id), bool> _here = new();
        private readonly SemaphoreSlim _changed = new(0);

        public override void OnBlockChanged(BlockChanged news)
        {
            if (news.Update.IsHere)
                _here[(news.Executor.Value, news.Update.Id)] = true;
            else
                _here.TryRemove((news.Executor.Value, news.Update.Id), out _);
            _changed.Release();
        }

        /// <summary>Waits until so many are kept, or more.</summary>
        public async Task WaitForAsync(int count)
        {
            while (count == 0 ? !_here.IsEmpty : _here.Count < count)
                Assert.True(await _changed.WaitAsync(Patience), $"{_here.Count} cached partitions instead of {count}");
        }
    }
}
