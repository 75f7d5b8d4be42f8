using Dataflow.TestKit;

namespace Dataflow.Cluster.Tests;

/// <summary>Jobs on worker processes give what they give in this process, also when workers come and go.</summary>
public sealed class ClusterJobTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Words_are_counted_as_in_one_process()
    {
        using var folder = new TempDirectory();
        var random = new Random(7);
        for (var file = 0; file < 3; file++)
            File.WriteAllLines(Path.Combine(folder.Path, $"{file}.txt"), Enumerable.Range(0, 2000).Select(_ => string.Join(' ', Enumerable.Range(0, 8).Select(_ => $"word{(int)(300 * Math.Pow(random.NextDouble(), 2))}"))));

        (string, int)[] Count(DataflowContext context, Counter lines, Broadcast<HashSet<string>> stop) => context.TextFile(folder.Path, minPartitions: 6)
            .FlatMap(line =>
            {
                lines.Add(1);
                return line.Split(' ');
            })
            .Filter(word => !stop.Value.Contains(word))
            .Map(word => (word, 1))
            .ReduceByKey((a, b) => a + b, partitions: 4)
            .Collect();

        using var local = DataflowContext.Local(2);
        var expected = Count(local, local.Counter("lines"), local.Broadcast(new HashSet<string> { "word1", "word2" }));

        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var one = new WorkerProcess(context.Cluster.Url.ToString());
        using var two = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        var lines = context.Counter("lines");
        Assert.Equal(expected, Count(context, lines, context.Broadcast(new HashSet<string> { "word1", "word2" })));
        Assert.Equal(6000, lines.Value);
    }

    [Fact]
    public async Task A_killed_executor_changes_no_answer()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var one = new WorkerProcess(context.Cluster.Url.ToString());
        using var two = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        var pairs = context.Range(0, 200_000, partitions: 8).Map(i => (i % 1000, i)).ReduceByKey((a, b) => a + b, partitions: 6).Cache();
        var expected = Enumerable.Range(0, 200_000).GroupBy(i => i % 1000).Sum(group => (long)group.Key * group.Sum(i => (long)i) % 1_000_003);
        Assert.Equal(expected, pairs.Map(pair => pair.Item1 * pair.Item2 % 1_000_003).Sum());

        // The executor takes its cached partitions and its map outputs with it.
        one.KillExecutors();
        Assert.Equal(expected, pairs.Map(pair => pair.Item1 * pair.Item2 % 1_000_003).Sum());

        // A worker that is killed leaves the other one; one that joins gets tasks.
        two.Kill();
        using var three = new WorkerProcess(context.Cluster.Url.ToString());
        Assert.Equal(expected, pairs.Map(pair => pair.Item1 * pair.Item2 % 1_000_003).Sum());
    }

    [Fact]
    public async Task What_a_task_throws_arrives_as_what_was_thrown_and_where()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var worker = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        var error = Assert.Throws<JobFailedException>(() => context.Parallelize(["1", "n/a"], 2).Map(text => int.Parse(text)).Collect());
        Assert.Contains("FormatException", error.Message);
        Assert.Contains("'n/a'", error.Message);
        Assert.Contains("ClusterJobTests.cs", error.Message);

        // The executor has taken no harm.
        Assert.Equal(3, context.Parallelize(["1", "2"], 2).Map(text => int.Parse(text)).Sum());
    }

    [Fact]
    public async Task What_cannot_travel_is_refused_at_once_even_while_nobody_is_there_to_run_it()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var file = File.OpenRead(typeof(ClusterJobTests).Assembly.Location);
        var sums = context.Range(0, 100, partitions: 4).Map(x => (x % 3, x)).ReduceByKey((a, b) => a + b, partitions: 2);
        var error = Assert.Throws<ClosureException>(() => sums.Map(pair => pair.Value + file.Length).Count());
        Assert.Contains("it reads 'file' (FileStream), and it holds an open file or connection. Open it inside MapPartitions instead", error.Message);
        Assert.Contains("ClusterJobTests.cs:", error.Message);
    }

    [Fact]
    public async Task Code_that_ends_its_process_ends_only_its_executor_and_its_job()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var worker = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        var error = Assert.Throws<JobFailedException>(() => context.Range(0, 1, partitions: 1).Map(i =>
        {
            Environment.Exit(3);
            return i;
        }).Count());
        Assert.Contains("lost", error.Message);
        Assert.Equal(10, context.Range(0, 10, partitions: 2).Count());
    }

    [Fact]
    public async Task A_task_that_ignores_cancellation_costs_its_executor()
    {
        var options = new ClusterOptions { Application = DataflowOptions.Default with { CancellationGrace = TimeSpan.FromSeconds(1) } };
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0", options);
        using var worker = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        int Process() => context.Range(0, 1, partitions: 1).Map(_ => Environment.ProcessId).First();
        var before = Process();
        using var folder = new TempDirectory();
        var started = Path.Combine(folder.Path, "started");
        using var cancelled = new CancellationTokenSource();
        var job = context.Range(0, 1, partitions: 1).Map(i =>
        {
            File.WriteAllText(started, "");
            while (true) Thread.SpinWait(100);
#pragma warning disable CS0162 // The compiler wants a result of what never ends.
            return i;
#pragma warning restore CS0162
        }).CountAsync(cancelled.Token);
        Assert.True(SpinWait.SpinUntil(() => File.Exists(started), Patience));
        cancelled.Cancel();
        var error = await Assert.ThrowsAnyAsync<Exception>(() => job);
        Assert.True(error.Message.Contains($"the lambda in Map in {nameof(A_task_that_ignores_cancellation_costs_its_executor)}"), error.ToString());
        Assert.NotEqual(before, Process());
        Assert.Throws<ArgumentException>(() => System.Diagnostics.Process.GetProcessById(before));
    }

    [Fact]
    public async Task A_large_result_and_a_large_captured_value_travel()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var worker = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        var large = Enumerable.Range(0, 1_000_000).ToArray();
        Assert.Equal(large.Select(i => i + 1), context.Range(0, 1, partitions: 1).FlatMap(_ => large.Select(i => i + 1)).Collect());
    }

    [Fact]
    public async Task Nobody_gets_in_with_another_token()
    {
        const string token = "a token that is long enough";
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0", new ClusterOptions { Token = token });
        using (var stranger = new WorkerProcess(context.Cluster.Url.ToString(), token: "another token that is long enough"))
        {
            Assert.Equal(1, await stranger.ExitAsync());
            Assert.Contains("token", stranger.Output);
            Assert.DoesNotContain("another token", stranger.Output);
        }
        using var worker = new WorkerProcess(context.Cluster.Url.ToString(), token: token);
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        Assert.Equal(10, context.Range(0, 10).Count());
    }

    [Fact]
    public async Task Listening_to_other_machines_takes_a_token()
    {
        var error = await Assert.ThrowsAsync<ClusterException>(() => DataflowContext.ListenAsync("http://0.0.0.0:0"));
        Assert.Contains("token", error.Message);
    }

    [Fact]
    public async Task Workers_end_with_the_program()
    {
        var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var worker = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        await context.DisposeAsync();
        Assert.Equal(0, await worker.ExitAsync());
    }
}
