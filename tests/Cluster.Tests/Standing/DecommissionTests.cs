namespace Dataflow.Cluster.Tests;

/// <summary>A worker that is told to leave hands over what it keeps: nothing is computed again on its account.</summary>
public sealed class DecommissionTests
{
    private const int Maps = 6;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Map_outputs_and_cached_partitions_of_a_worker_that_leaves_are_with_another()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var one = new WorkerProcess(context.Cluster.Url.ToString(), name: "one");
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        var run = await Run.BeginAsync(context);
        Assert.Equal(Maps, one.MapFiles().Count);

        using var two = new WorkerProcess(context.Cluster.Url.ToString(), name: "two");
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        one.Terminate();
        Assert.Equal(0, await one.ExitAsync());
        Assert.Contains("it was drained", one.Output);
        Assert.Equal(Maps, two.MapFiles().Count);
        await run.CheckAsync(mapsAgain: 0, computedAgain: 0);
    }

    [Fact]
    public async Task Map_outputs_outlast_their_executor_and_then_their_worker()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var one = new WorkerProcess(context.Cluster.Url.ToString(), name: "one");
        using var two = new WorkerProcess(context.Cluster.Url.ToString(), name: "two");
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        var run = await Run.BeginAsync(context);
        one.KillExecutors();
        one.Terminate();
        Assert.Equal(0, await one.ExitAsync());
        Assert.Equal(Maps, two.MapFiles().Count);
        Assert.Equal(run.Expected, run.Answer());
        Assert.Equal(0, await run.Maps.OfNextJobAsync());
    }

    [Fact]
    public async Task A_worker_that_is_killed_while_it_hands_over_costs_no_answer()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var one = new WorkerProcess(context.Cluster.Url.ToString(), name: "one");
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        var run = await Run.BeginAsync(context);
        using var two = new WorkerProcess(context.Cluster.Url.ToString(), name: "two");
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        one.Terminate();
        Assert.True(SpinWait.SpinUntil(() => one.Output.Contains("draining one", StringComparison.Ordinal), Patience), one.Output);
        one.Kill();
        Assert.Equal(run.Expected, run.Answer());
        Assert.Equal(Run.Rows, run.Cached.Count());
    }

    [Fact]
    public async Task A_receiver_that_is_killed_costs_no_answer()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var one = new WorkerProcess(context.Cluster.Url.ToString(), name: "one");
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        var run = await Run.BeginAsync(context);
        using var two = new WorkerProcess(context.Cluster.Url.ToString(), name: "two");
        await context.Cluster.WaitForWorkersAsync(2, Patience);

        // It stands still, so that it is in the middle for sure.
        two.StopExecutors();
        one.Terminate();
        Assert.True(SpinWait.SpinUntil(() => one.Output.Contains("draining one", StringComparison.Ordinal), Patience), one.Output);
        two.Kill();
        two.KillExecutors();
        Assert.Equal(0, await one.ExitAsync());
        using var three = new WorkerProcess(context.Cluster.Url.ToString(), name: "three");
        Assert.Equal(run.Expected, run.Answer());
        Assert.Equal(Run.Rows, run.Cached.Count());
    }

    [Fact]
    public async Task A_program_that_ends_while_its_worker_hands_over_leaves_nothing()
    {
        var (coordinator, url) = ToolProcess.Coordinator();
        using var _ = coordinator;
        using var one = new WorkerProcess(url, name: "one");
        var context = await DataflowContext.ConnectAsync(url);
        await using (context)
        {
            await context.Cluster.WaitForWorkersAsync(1, Patience);
            await Run.BeginAsync(context);
            using var two = new WorkerProcess(url, name: "two");
            await context.Cluster.WaitForWorkersAsync(2, Patience);
            two.StopExecutors();
            one.Terminate();
            Assert.True(SpinWait.SpinUntil(() => one.Output.Contains("draining one", StringComparison.Ordinal), Patience), one.Output);
            await context.DisposeAsync();
            Assert.Equal(0, await one.ExitAsync());
            two.KillExecutors();
            Assert.True(SpinWait.SpinUntil(() => two.MapFiles().Count == 0 && !two.HasExecutors, Patience), two.Output);
        }
    }

    [Fact]
    public async Task A_worker_that_starts_again_clears_what_its_predecessor_left()
    {
        using var folder = new Dataflow.TestKit.TempDirectory();
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        var url = context.Cluster.Url.ToString();
        using var other = new WorkerProcess(url, name: "other");
        using var one = new WorkerProcess(url, name: "one", temp: folder.Path);
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        var run = await Run.BeginAsync(context);
        var left = one.MapFiles();
        Assert.NotEmpty(left);
        one.Kill();
        Assert.True(SpinWait.SpinUntil(() => !one.HasExecutors, Patience), one.Output);
        Assert.All(left, file => Assert.True(File.Exists(file)));

        using var next = new WorkerProcess(url, name: "one", temp: folder.Path);
        Assert.True(SpinWait.SpinUntil(() => !left.Any(File.Exists), Patience), next.Output);
        Assert.Equal(run.Expected, run.Answer());
    }

    /// <summary>A program that has written a shuffle and keeps an Rdd.</summary>
    private sealed class Run
    {
        public const int Rows = 60_000;

        private Run(DataflowContext context)
        {
            context.AddListener(Maps);
            Computed = context.Counter("computed");
            var computed = Computed;
            Cached = context.Range(0, Rows, partitions: DecommissionTests.Maps).Map(i =>
            {
                computed.Add(1);
                return $"word {i % 997}";
            }).Cache();
            Counts = Cached.Map(word => (word, 1)).ReduceByKey((a, b) => a + b, partitions: 4);
            Expected = Answer();
        }

        public MapTasks Maps { get; } = new();

        public Counter Computed { get; }

        public Rdd<string> Cached { get; }

        public Rdd<(string Word, int Count)> Counts { get; }

        public int Expected { get; }

        public static async Task<Run> BeginAsync(DataflowContext context)
        {
            var run = new Run(context);
            Assert.Equal(Rows + 997, run.Expected);
            Assert.Equal(DecommissionTests.Maps, await run.Maps.OfNextJobAsync());
            return run;
        }

        public int Answer() => Counts.Map(word => word.Count + 1).Reduce((a, b) => a + b);

        public async Task CheckAsync(int mapsAgain, int computedAgain)
        {
            Assert.Equal(Expected, Answer());
            Assert.Equal(mapsAgain, await Maps.OfNextJobAsync());
            Assert.Equal(Rows, Cached.Count());
            Assert.Equal(Rows + computedAgain, Computed.Value);
        }
    }
}
