using System.Globalization;
using Dataflow.Diagnostics;
using Dataflow.TestKit;
using Xunit.Abstractions;

namespace Dataflow.Cluster.Tests;

/// <summary>
/// Programs of many jobs, while executors and workers are killed with <c>kill -9</c>, replaced, and one joins: every bit of the answer is that of this
/// process alone, and no process is left.
/// </summary>
public sealed class DisturbedJobTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>A few; as many as <c>DATAFLOW_SEEDS</c> says for a hunt.</summary>
    public static TheoryData<int> Seeds { get; } =
        new(Enumerable.Range(1, int.Parse(Environment.GetEnvironmentVariable("DATAFLOW_SEEDS") ?? "3", CultureInfo.InvariantCulture)));

    [Theory]
    [MemberData(nameof(Seeds))]
    public Task Records_are_sorted(int seed) => ProveAsync(seed, (context, folder) => KnownJobs.TeraSortAsync(context, folder, records: 200_000));

    [Theory]
    [MemberData(nameof(Seeds))]
    public Task Pages_are_ranked(int seed) => ProveAsync(seed, (context, _) => KnownJobs.PageRankAsync(context, pages: 20_000, rounds: 6));

    [Theory]
    [MemberData(nameof(Seeds))]
    public Task Clusters_of_cached_points_are_found(int seed) => ProveAsync(seed, (context, _) => KnownJobs.KMeansAsync(context, count: 200_000, rounds: 10));

    private async Task ProveAsync(int seed, Func<DataflowContext, string, Task<byte[]>> program)
    {
        var tasks = new TasksStarted();
        byte[] expected;
        using (var folder = new TempDirectory())
        using (var local = DataflowContext.Local(2))
        {
            local.AddListener(tasks);
            expected = await program(local, folder.Path);
        }

        using var results = new TempDirectory();
        var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var disturbance = new Disturbance(context.Cluster.Url, seed, tasks.Count, workers: 2);
        await using (context)
        {
            await context.Cluster.WaitForWorkersAsync(2, Patience);
            context.AddListener(disturbance);
            try
            {
                var answer = await program(context, results.Path).WaitAsync(Patience);
                Assert.True(expected.AsSpan().SequenceEqual(answer), "the answer is another");
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"seed {seed}, {tasks.Count} tasks undisturbed: {disturbance.Story}", error);
            }
            output.WriteLine(disturbance.Story);
            Assert.True(SpinWait.SpinUntil(() => disturbance.Left == 0, Patience), disturbance.Story);
        }

        // Those that live are told to end; executors of those that were killed end by themselves.
        foreach (var worker in disturbance.Everybody)
        {
            await worker.ExitAsync();
            Assert.True(SpinWait.SpinUntil(() => worker.IsGone, Patience), $"seed {seed}: a process is left. {disturbance.Story}");
        }
    }

    /// <summary>Counts tasks; whole once the context is disposed.</summary>
    private sealed class TasksStarted : JobListener
    {
        public int Count { get; private set; }

        public override void OnTaskStarted(TaskStarted news) => Count++;
    }
}
