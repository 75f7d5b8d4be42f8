using Dataflow.Tasks;
using Dataflow.TestKit;

namespace Dataflow.Cluster.Tests;

/// <summary>Collectives between executors that are processes give the bits of those within one.</summary>
public sealed class CollectiveTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Executors_reduce_gather_and_broadcast_to_the_same_bits_as_one_process()
    {
        using var local = DataflowContext.Local(4);
        var expected = Train(local, tasks: 4, rounds: 20, "");

        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var one = new WorkerProcess(context.Cluster.Url.ToString(), cores: 3);
        using var two = new WorkerProcess(context.Cluster.Url.ToString(), cores: 2);
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        Assert.Equal(expected, Train(context, tasks: 4, rounds: 20, ""));

        // Two that swap, and five that fill every slot.
        Assert.Equal(Train(local, tasks: 2, rounds: 5, ""), Train(context, tasks: 2, rounds: 5, ""));
    }

    [Fact]
    public async Task An_executor_that_is_killed_between_two_rounds_costs_an_attempt_and_no_bit()
    {
        using var folder = new TempDirectory();
        using var local = DataflowContext.Local(3);
        var expected = Train(local, tasks: 3, rounds: 400, "");

        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var one = new WorkerProcess(context.Cluster.Url.ToString());
        using var two = new WorkerProcess(context.Cluster.Url.ToString());
        using var three = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(3, Patience);
        var middle = Path.Combine(folder.Path, "middle");
        var training = Task.Run(() => Train(context, tasks: 3, rounds: 400, middle));
        while (!File.Exists(middle))
        {
            Assert.False(training.IsFaulted, training.Exception?.ToString());
            await Task.Delay(5);
        }
        two.KillExecutors();
        var results = await training.WaitAsync(Patience);
        Assert.Equal(expected, results);
    }

    /// <summary>Rounds of every collective; in the middle of the first attempt it waits to be disturbed.</summary>
    private static string[] Train(DataflowContext context, int tasks, int rounds, string middle) => context.Range(0, tasks, partitions: tasks).Barrier().MapPartitions((barrier, _) =>
    {
        var group = barrier.Collectives;
        var random = new Random(barrier.TaskIndex);
        var (weights, large) = (new double[1000], new float[50_000]);
        var gathered = 0;
        for (var round = 0; round < rounds; round++)
        {
            if (middle.Length > 0 && barrier.StageAttempt == 0 && round == rounds / 2 && barrier.TaskIndex == 0)
            {
                // The others are in the middle of the next round, and this one is until it is told to end.
                File.WriteAllText(middle, "");
                barrier.CancellationToken.WaitHandle.WaitOne(TimeSpan.FromSeconds(30));
            }
            for (var i = 0; i < weights.Length; i++) weights[i] += (random.NextDouble() - 0.5) * Math.Pow(10, i % 20);
            group.AllReduce(weights.AsSpan());
            for (var i = 0; i < weights.Length; i++) weights[i] /= tasks;
            if (round % 5 != 0) continue;
            for (var i = 0; i < large.Length; i++) large[i] += (random.NextSingle() - 0.5f) * MathF.Pow(10, i % 10);
            group.AllReduce(large.AsSpan());
            var copy = (float[])large.Clone();
            group.ReduceScatter(copy.AsSpan());
            group.Broadcast(large.AsSpan(), round % tasks);
            gathered += group.AllGather<byte>(new byte[barrier.TaskIndex * 3]).Sum(static bytes => bytes.Length);
            group.Barrier();
        }
        return new[] { $"{Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(weights.AsSpan())))} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(large.AsSpan())))} {gathered}" };
    }).Collect();
}
