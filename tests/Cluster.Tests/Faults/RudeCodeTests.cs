using System.Diagnostics;

namespace Dataflow.Cluster.Tests;

/// <summary>What code of the user may do to its executor does nothing to the worker.</summary>
public sealed class RudeCodeTests
{
    private const string Token = "a token that is long enough";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_flood_on_the_console_an_empty_input_and_no_token_in_the_environment()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0", new ClusterOptions { Token = Token });
        using var worker = new WorkerProcess(context.Cluster.Url.ToString(), token: Token);
        await context.Cluster.WaitForWorkersAsync(1, Patience);

        Assert.Equal([true], context.Range(0, 1).Map(_ => Console.In.ReadLine() is null && Environment.GetEnvironmentVariable("DATAFLOW_TOKEN") is null).Collect());
        var written = await context.Range(0, 30, partitions: 3).Map(_ =>
        {
            var megabyte = new string('x', 1 << 20);
            Console.Out.Write(megabyte);
            Console.Out.Flush();
            return megabyte.Length;
        }).CollectAsync().WaitAsync(Patience);
        Assert.Equal(30, written.Length);
        Assert.InRange(worker.Output.Length, 0, 100_000);
    }

    [Fact]
    public async Task A_result_that_its_executor_has_no_room_to_send_fails_its_task_and_says_so()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0", new ClusterOptions { Token = Token });
        using var worker = new WorkerProcess(context.Cluster.Url.ToString(), token: Token);
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        var error = await Assert.ThrowsAsync<JobFailedException>(() => context.Range(0, 1).Map(_ => new byte[300 << 20]).CollectAsync().WaitAsync(Patience));
        Assert.DoesNotContain("lost its executor", error.Message);
        Assert.Contains("next:", error.Message);
        Assert.Equal(10, context.Range(0, 10).Count());
    }

    [Fact]
    public async Task An_executor_that_ends_and_leaves_a_process_behind_is_noticed()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0", new ClusterOptions { Token = Token });
        using var worker = new WorkerProcess(context.Cluster.Url.ToString(), token: Token);
        await context.Cluster.WaitForWorkersAsync(1, Patience);

        // Once: the file says that it was done.
        var marker = Path.Combine(Path.GetTempPath(), $"dataflow-left-behind-{Environment.ProcessId}-{Guid.NewGuid():N}");
        try
        {
            var count = await context.Range(0, 1).Map(i =>
            {
                if (File.Exists(marker)) return i;
                using var left = Process.Start("sleep", "120");
                File.WriteAllText(marker, $"{left.Id}");
                Environment.FailFast("rude");
                return i;
            }).CountAsync().WaitAsync(Patience);
            Assert.Equal(1, count);
        }
        finally
        {
            using var left = Process.GetProcessById(int.Parse(File.ReadAllText(marker)));
            left.Kill();
            File.Delete(marker);
        }
    }
}
