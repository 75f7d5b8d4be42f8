namespace Dataflow.Cluster.Tests;

/// <summary>Broadcast values between processes: they spread from executor to executor, and can be dropped.</summary>
public sealed class BroadcastTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_large_value_leaves_the_driver_about_once_for_four_executors()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var one = new WorkerProcess(context.Cluster.Url.ToString());
        using var two = new WorkerProcess(context.Cluster.Url.ToString());
        using var three = new WorkerProcess(context.Cluster.Url.ToString());
        using var four = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(4, Patience);

        // Random bytes: compressing does not pay.
        var bytes = new byte[30 << 20];
        new Random(11).NextBytes(bytes);
        var expected = Hash(bytes);
        var value = context.Broadcast(bytes);

        // All tasks of a barrier stage start together, one on each executor.
        string[] Read() => context.Range(0, 4, partitions: 4).Barrier().MapPartitions((_, _) => new[] { Hash(value.Value) }).Collect();
        Assert.Equal(Enumerable.Repeat(expected, 4), Read());
        var left = context.Node!.Backend.BroadcastBytes;
        Assert.InRange(left, bytes.Length, bytes.Length * 1.5);

        // Kept: the second job fetches nothing.
        Assert.Equal(Enumerable.Repeat(expected, 4), Read());
        Assert.Equal(left, context.Node!.Backend.BroadcastBytes);

        // Dropped: each new copy is fetched again.
        value.Unpersist();
        Assert.Equal(Enumerable.Repeat(expected, 4), context.Range(0, 4, partitions: 4).Barrier().MapPartitions((_, items) => items.Select(_ => Hash(value.Value))).Collect());
        Assert.True(context.Node!.Backend.BroadcastBytes > left);

        value.Destroy();
        var error = Assert.Throws<JobFailedException>(() => context.Range(0, 1, partitions: 1).Map(i => i + value.Value.Length).Count());
        Assert.Contains("destroyed", error.Message);
    }

    private static string Hash(byte[] bytes) => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(bytes));
}
