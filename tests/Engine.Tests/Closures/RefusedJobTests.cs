using Dataflow.Diagnostics;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Closures;

/// <summary>A job whose code can't travel is refused by the action that was called, before any task of it runs.</summary>
public sealed class RefusedJobTests : IDisposable
{
    private readonly ShippingBackend _backend;
    private readonly DataflowContext _context;
    private readonly Started _started = new();
    private readonly Random _random = new(5);

    public RefusedJobTests()
    {
        _context = ShippingBackend.Context(DataflowOptions.Default with { Threads = 2 }, out _backend);
        _context.AddListener(_started);
    }

    public void Dispose() => _context.Dispose();

    [Fact]
    public void The_last_stage_is_refused_before_the_first_one_runs()
    {
        var random = _random;
        var read = _context.Counter("read");
        var sums = Sums(read);
        var error = Assert.Throws<ClosureException>(() => sums.Map(pair => pair.Value + random.Next()).Count());
        Assert.StartsWith("The lambda in Map at RefusedJobTests.cs:", error.Message);
        Assert.Contains("can't travel to an executor: it reads 'random' (Random), and every task would draw the same numbers. Make one inside MapPartitions", error.Message);
        Assert.Contains("path: ", error.Message);
        Assert.Contains(".random (Random)", error.Message);
        Assert.Equal("Map", error.Site.Operation);

        // Listeners are told on a thread of their own, in order: of the job's end after all of its tasks.
        Assert.True(SpinWait.SpinUntil(() => !_started.Failures.IsEmpty, TimeSpan.FromMinutes(1)));
        Assert.Equal((0, 0L), (_started.Tasks, read.Value));
        Assert.Equal(error.Message, Assert.Single(_started.Failures));
    }

    [Fact]
    public void So_is_one_in_the_middle_and_what_the_action_itself_was_given()
    {
        var random = _random;
        var read = _context.Counter("read");
        Assert.Throws<ClosureException>(() => Sums(read).MapValues(value => value + random.Next()).Map(pair => (pair.Value, 1)).ReduceByKey((a, b) => a + b).Count());
        var error = Assert.Throws<ClosureException>(() => Sums(read).Reduce((a, b) => random.Next() > 1 ? a : b));
        Assert.StartsWith("The lambda in Reduce at RefusedJobTests.cs:", error.Message);
        Assert.Equal((0, 0L), (_started.Tasks, read.Value));
    }

    [Fact]
    public async Task An_asynchronous_action_fails_with_the_same_error()
    {
        var random = _random;
        var counting = _context.Range(0, 10).Map(x => x + random.Next()).CountAsync();
        var error = await Assert.ThrowsAsync<ClosureException>(() => counting);
        Assert.Contains("it reads 'random' (Random)", error.Message);
        Assert.Equal(0, _started.Tasks);
    }

    [Fact]
    public void Other_jobs_go_on_with_what_is_good()
    {
        var random = _random;
        var read = _context.Counter("read");
        var sums = Sums(read);
        Assert.Throws<ClosureException>(() => sums.Filter(pair => random.Next() > pair.Value).Count());
        Assert.Equal(3, sums.Count());
        Assert.Equal(100, read.Value);

        // What the outputs stand for is not looked at any more: only the last stage is new, and bad.
        Assert.Throws<ClosureException>(() => sums.Filter(pair => random.Next() > pair.Value).Count());
        Assert.Equal(3, sums.Map(pair => pair.Value).Count());
        Assert.Equal(100, read.Value);
    }

    [Fact]
    public void The_code_of_a_stage_is_encoded_once()
    {
        var sums = Sums(_context.Counter("read"));
        Assert.Equal(3, sums.Count());
        Assert.Equal((2, 2), (_backend.StagesEncoded, _backend.StagesShipped));
        Assert.Equal(3, sums.Count());
        Assert.Equal((3, 3), (_backend.StagesEncoded, _backend.StagesShipped));
    }

    private Rdd<(long Key, long Value)> Sums(Counter read) => _context.Range(0, 100, partitions: 4)
        .Map(x =>
        {
            read.Add(1);
            return (x % 3, x);
        })
        .ReduceByKey((a, b) => a + b, partitions: 2);

    private sealed class Started : JobListener
    {
        private int _tasks;

        public int Tasks => _tasks;

        public System.Collections.Concurrent.ConcurrentQueue<string> Failures { get; } = new();

        public override void OnTaskStarted(TaskStarted news) => Interlocked.Increment(ref _tasks);

        public override void OnJobEnded(JobEnded news)
        {
            if (news.Failure is { } failure) Failures.Enqueue(failure);
        }
    }
}
