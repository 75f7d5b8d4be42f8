using Dataflow.Diagnostics;

namespace Dataflow.Engine.Tests.Context;

/// <summary>Groups, tags, descriptions, and cancelling by them.</summary>
public sealed class JobPropertyTests
{
    [Fact]
    public async Task Jobs_carry_the_group_and_tags_of_the_flow_that_starts_them()
    {
        var seen = new Listener();
        using (var context = DataflowContext.Local(2))
        {
            context.AddListener(seen);
            await Task.Run(() =>
            {
                context.SetJobGroup("nightly", "the nightly report");
                context.AddJobTag("report");
                return context.Range(0, 10).CountAsync();
            });
            await context.Range(0, 10).CountAsync();
        }
        Assert.Equal(["nightly/the nightly report/report", "//"], seen.Jobs);
    }

    [Fact]
    public async Task Cancelling_a_group_ends_its_jobs_and_no_others()
    {
        using var context = DataflowContext.Local(2);
        using var entered = new SemaphoreSlim(0);
        using var release = new ManualResetEventSlim();
        Task<long> Start(string group) => Task.Run(() =>
        {
            context.SetJobGroup(group);
            return context.Range(0, 1, 1, 1).MapPartitions(items =>
            {
                entered.Release();
                Tasks.TaskContext.Current!.CancellationToken.Register(() => release.Set());
                release.Wait();
                return items;
            }).CountAsync();
        });
        var doomed = Start("doomed");
        var other = Start("other");
        await entered.WaitAsync();
        await entered.WaitAsync();

        context.CancelJobGroup("doomed");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => doomed);
        Assert.Equal(1, await other);
    }

    [Fact]
    public async Task A_token_stops_a_job_that_would_run_for_ever()
    {
        using var context = DataflowContext.Local(2);
        using var cancellation = new CancellationTokenSource();
        using var entered = new ManualResetEventSlim();
        var job = context.Range(0, long.MaxValue, 1, 2)
            .Filter(x =>
            {
                entered.Set();
                return x < 0;
            })
            .CountAsync(cancellation.Token);
        entered.Wait();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => job);
        Assert.Equal(5, context.Range(0, 5).Count());
    }

    private sealed class Listener : JobListener
    {
        public List<string> Jobs { get; } = [];

        public override void OnJobStarted(JobStarted news) =>
            Jobs.Add($"{news.Properties.Group}/{news.Properties.Description}/{string.Join(',', news.Properties.Tags)}");
    }
}
