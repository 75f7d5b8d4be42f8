using Dataflow.Diagnostics;
using Dataflow.Errors;
using Dataflow.Tasks;

namespace Dataflow.Cluster.Tests;

/// <summary>A worker whose disk is full can't write map outputs: its tasks run elsewhere, or the job says where there is no room.</summary>
public sealed class FullDiskTests
{
    private const int Megabytes = 256;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [FactOnSmallDisk]
    public async Task What_does_not_fit_on_one_worker_is_written_by_another()
    {
        using var disk = new SmallDisk(Megabytes);
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var full = new WorkerProcess(context.Cluster.Url.ToString(), temp: disk.Path);
        using var other = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(2, Patience);
        disk.Fill();
        var failures = new TaskFailures();
        context.AddListener(failures);

        var words = context.Range(0, 60_000, partitions: 6).Map(i => ($"word {i % 997}", 1)).ReduceByKey((a, b) => a + b, partitions: 4);
        var counts = words.Collect();
        Assert.Equal(997, counts.Length);
        Assert.Equal(60_000, counts.Sum(word => word.Value));

        // Six tasks on two slots: the first of them at least was tried there.
        var message = await failures.FirstAsync();
        Assert.Contains(disk.Path, message);
        Assert.Contains($"on {Environment.MachineName}", message);
        Assert.Contains("No space left", message);
        Assert.Empty(full.MapFiles());
        Assert.Equal(6, other.MapFiles().Count);
        GC.KeepAlive(words);
    }

    [FactOnSmallDisk]
    public async Task A_job_that_finds_no_room_anywhere_says_where_it_looked()
    {
        using var disk = new SmallDisk(Megabytes);
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var full = new WorkerProcess(context.Cluster.Url.ToString(), temp: disk.Path);
        await context.Cluster.WaitForWorkersAsync(1, Patience);
        disk.Fill();
        var error = Assert.Throws<JobFailedException>(() => context.Range(0, 100, partitions: 2).Map(i => (i % 3, 1)).ReduceByKey((a, b) => a + b).Count());
        Assert.Contains(disk.Path, error.Message);
        Assert.Contains("--temp", error.Message);
        Assert.Empty(full.MapFiles());

        // With room again the same worker goes on.
        File.Delete(Path.Combine(disk.Path, "filler"));
        Assert.Equal(3, context.Range(0, 100, partitions: 2).Map(i => (i % 3, 1)).ReduceByKey((a, b) => a + b).Count());
    }

    /// <summary>What attempts failed with.</summary>
    private sealed class TaskFailures : JobListener
    {
        private readonly TaskCompletionSource<string> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string> FirstAsync() => _first.Task.WaitAsync(Patience);

        public override void OnTaskFinished(TaskFinished news)
        {
            if (news.Outcome is TaskThrew threw) _first.TrySetResult(threw.Exception.Message);
        }
    }
}
