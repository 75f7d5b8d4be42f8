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
    private static readonly KnownProgram Sort = new((context, folder) => KnownJobs.TeraSortAsync(context, folder, records: 200_000));
    private static readonly KnownProgram Rank = new((context, _) => KnownJobs.PageRankAsync(context, pages: 20_000, rounds: 6));
    private static readonly KnownProgram FindCentres = new((context, _) => KnownJobs.KMeansAsync(context, count: 200_000, rounds: 10));

    /// <summary>A few; as many as <c>DATAFLOW_SEEDS</c> says for a hunt.</summary>
    public static TheoryData<int> Seeds { get; } =
        new(Enumerable.Range(1, int.Parse(Environment.GetEnvironmentVariable("DATAFLOW_SEEDS") ?? "3", CultureInfo.InvariantCulture)));

    [Theory]
    [MemberData(nameof(Seeds))]
    public Task Records_are_sorted(int seed) => ProveAsync(seed, hasCoordinator: false, Sort);

    [Theory]
    [MemberData(nameof(Seeds))]
    public Task Pages_are_ranked(int seed) => ProveAsync(seed, hasCoordinator: false, Rank);

    [Theory]
    [MemberData(nameof(Seeds))]
    public Task Clusters_of_cached_points_are_found(int seed) => ProveAsync(seed, hasCoordinator: false, FindCentres);

    [Theory]
    [MemberData(nameof(Seeds))]
    public Task Pages_are_ranked_while_the_coordinator_is_killed_too(int seed) => ProveAsync(seed, hasCoordinator: true, Rank);

    private async Task ProveAsync(int seed, bool hasCoordinator, KnownProgram known)
    {
        var (expected, tasks) = await known.Undisturbed;
        using var results = new TempDirectory();
        var (coordinator, url) = hasCoordinator ? ToolProcess.Coordinator() : (null, null);
        var context = await (url is null ? DataflowContext.ListenAsync("http://127.0.0.1:0") : DataflowContext.ConnectAsync(url));
        using var disturbance = new Disturbance(url ?? context.Cluster.Url.ToString(), coordinator, seed, tasks);
        await using (context)
        {
            await context.Cluster.WaitForWorkersAsync(Disturbance.WorkersAtFirst, Patience);
            context.AddListener(disturbance);
            try
            {
                var answer = await known.Run(context, results.Path).WaitAsync(Patience);
                Assert.True(expected.AsSpan().SequenceEqual(answer), "the answer is another");
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"seed {seed}, {tasks} tasks undisturbed: {disturbance.Story}", error);
            }
            output.WriteLine(disturbance.Story);
            Assert.True(SpinWait.SpinUntil(() => disturbance.Left == 0, Patience), disturbance.Story);
        }

        // Executors end with their program, those of workers that were killed by themselves; and workers too, if their coordinator was the driver.
        foreach (var worker in disturbance.Everybody)
            Assert.True(SpinWait.SpinUntil(() => hasCoordinator ? !worker.HasExecutors : worker.IsGone, Patience), $"seed {seed}: a process is left. {disturbance.Story}");
    }

    /// <summary>A program, and what it gives in this process alone: found once for all seeds.</summary>
    private sealed class KnownProgram(Func<DataflowContext, string, Task<byte[]>> run)
    {
        private readonly Lazy<Task<(byte[] Answer, int Tasks)>> _undisturbed = new(() => RunAloneAsync(run));

        public Func<DataflowContext, string, Task<byte[]>> Run => run;

        public Task<(byte[] Answer, int Tasks)> Undisturbed => _undisturbed.Value;

        private static async Task<(byte[] Answer, int Tasks)> RunAloneAsync(Func<DataflowContext, string, Task<byte[]>> run)
        {
            var tasks = new TasksStarted();
            byte[] answer;
            using (var folder = new TempDirectory())
            using (var local = DataflowContext.Local(2))
            {
                local.AddListener(tasks);
                answer = await run(local, folder.Path);
            }
            return (answer, tasks.Count);
        }
    }

    /// <summary>Counts tasks; whole once the context is disposed.</summary>
    private sealed class TasksStarted : JobListener
    {
        public int Count { get; private set; }

        public override void OnTaskStarted(TaskStarted news) => Count++;
    }
}
