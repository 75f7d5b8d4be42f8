using Dataflow.Scheduling;
using Dataflow.Shuffle;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Scheduling;

/// <summary>Jobs on real threads: the loop, the backend and the task runner together.</summary>
public sealed class LocalJobTests
{
    [Fact]
    public async Task A_job_gives_the_result_of_every_partition()
    {
        using var scheduler = new LocalScheduler(slots: 3);
        var results = await scheduler.Run(new TestRdd(100), (partition, _) => partition.Index * 2);
        Assert.Equal(Enumerable.Range(0, 100).Select(i => (object?)(i * 2)), results);
    }

    [Fact]
    public async Task A_job_runs_the_map_stage_it_reads_once()
    {
        using var scheduler = new LocalScheduler(slots: 2);
        var runs = 0;
        TestShuffle shuffle = null!;
        shuffle = new TestShuffle(new TestRdd(5), 4, (_, context) =>
        {
            Interlocked.Increment(ref runs);
            return shuffle.Status(context.Services.Worker);
        });
        var rdd = new TestRdd(4, shuffle);
        await scheduler.Run(rdd, (_, _) => null);
        await scheduler.Run(rdd, (_, _) => null);
        Assert.Equal(5, runs);
    }
}
