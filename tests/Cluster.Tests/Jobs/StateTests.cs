using Dataflow.Storage;
using Dataflow.TestKit;

namespace Dataflow.Cluster.Tests;

/// <summary>Jobs find what the tasks of earlier jobs left in their executors' state.</summary>
public sealed class StateTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    // Longer than any test waits: what is asserted is that nobody had to go elsewhere.
    private static ClusterOptions Patient => new() { Application = DataflowOptions.Default with { LocalityWait = TimeSpan.FromMinutes(2) } };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Each_partition_returns_to_the_executor_that_keeps_its_state(bool barrier)
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0", Patient);
        using var one = new WorkerProcess(context.Cluster.Url.ToString(), cores: 2, name: "one");
        using var two = new WorkerProcess(context.Cluster.Url.ToString(), cores: 2, name: "two");
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        using var folder = new TempDirectory();
        var made = folder.Path;

        // Other Rdds each time: the name of the state is what they share.
        Rdd<string> Job() => barrier
            ? context.Range(0, 4, partitions: 4).Barrier().MapPartitions((_, _) => (IEnumerable<string>)[Counted(Tasks.TaskContext.Current!.PartitionIndex, made)]).NearState("counters")
            : context.Range(0, 4, partitions: 4).MapPartitionsWithIndex((partition, _) => (IEnumerable<string>)[Counted(partition, made)]).NearState("counters");
        var first = await Job().CollectAsync().WaitAsync(Patience);
        Assert.All(first, text => Assert.EndsWith(" 1", text));
        for (var round = 2; round <= 6; round++)
        {
            var now = await Job().CollectAsync().WaitAsync(Patience);
            Assert.Equal(first.Select(text => $"{text[..^2]} {round}"), now);
        }
        Assert.Equal(4, Directory.EnumerateFiles(made).Count());
    }

    [Fact]
    public async Task What_a_lost_executor_kept_is_made_anew_elsewhere()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0", Patient);
        using var one = new WorkerProcess(context.Cluster.Url.ToString(), cores: 2, name: "one");
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        using var folder = new TempDirectory();
        var made = folder.Path;
        Rdd<string> Job() => context.Range(0, 2, partitions: 2).MapPartitionsWithIndex((partition, _) => (IEnumerable<string>)[Counted(partition, made)]).NearState("counters");
        var first = await Job().CollectAsync().WaitAsync(Patience);
        using var two = new WorkerProcess(context.Cluster.Url.ToString(), cores: 2, name: "two");
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        one.Kill();
        one.KillExecutors();
        var second = await Job().CollectAsync().WaitAsync(Patience);
        Assert.All(second, text => Assert.EndsWith(" 1", text));
        Assert.Empty(first.Select(text => text.Split(' ')[0]).Intersect(second.Select(text => text.Split(' ')[0])));
    }

    // The process, and how often the partition's object was used there.
    private static string Counted(int partition, string made)
    {
        var task = Tasks.TaskContext.Current!;
        var counter = task.Services.State.GetOrCreate(ExecutorState.KeyOf("counters", partition), 1, () =>
        {
            File.WriteAllText(Path.Combine(made, $"{partition}-{Guid.NewGuid()}"), "");
            return new int[1];
        }, LossRule.Rebuild, context: task);
        return $"{Environment.ProcessId} {Interlocked.Increment(ref counter.Value[0])}";
    }
}
