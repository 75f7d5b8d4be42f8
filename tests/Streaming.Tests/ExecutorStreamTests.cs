using Dataflow.Cluster.Tests;
using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests;

/// <summary>State that lies in executor processes, some of which are killed.</summary>
public sealed class ExecutorStreamTests
{
    [Fact]
    public async Task Executors_that_are_killed_between_batches_and_within_them_change_nothing()
    {
        using var folder = new TempDirectory();
        var files = Clicks.Make(files: 16, perFile: 80, seed: 21);
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var one = new WorkerProcess(context.Cluster.Url.ToString());
        using var two = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(2, TimeSpan.FromMinutes(1));
        var written = new SortedDictionary<long, PageMinute[]>();
        async Task Write(DataFrame rows, long batch)
        {
            // The state of this batch is written, and its rows are kept in executors: one goes.
            if (batch == 5) one.KillExecutors();
            lock (written) written[batch] = rows.Collect<PageMinute>().ToArray();
            await Task.Yield();
        }
        await using var query = Clicks.PerPage(context, folder.Path).WriteStream.ForeachBatch(Write, new StreamingQueryOptions
        {
            Checkpoint = folder.Combine("checkpoint"), OutputMode = OutputMode.Update, StatePartitions = 4, SnapshotInterval = 3,
        });
        for (var i = 0; i < files.Length; i++)
        {
            Clicks.Write(folder.Combine("in"), i, files[i]);
            if (i == 10) two.KillExecutors();
            if (i % 4 == 3) await query.ProcessAllAvailableAsync().WaitAsync(TimeSpan.FromMinutes(1));
        }
        await query.ProcessAllAvailableAsync().WaitAsync(TimeSpan.FromMinutes(1));
        var last = written.SelectMany(each => each.Value).GroupBy(row => (row.Window, row.Page)).Select(group => group.Last());
        Assert.Equal(Clicks.Expected(files.SelectMany(file => file)), Clicks.Ordered(last));
    }

    [Fact]
    public async Task What_an_executor_finds_damaged_is_the_error_of_the_query()
    {
        using var folder = new TempDirectory();
        var files = Clicks.Make(files: 2, perFile: 80, seed: 22);
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var worker = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(1, TimeSpan.FromMinutes(1));
        var options = new StreamingQueryOptions { Checkpoint = folder.Combine("checkpoint"), OutputMode = OutputMode.Update, StatePartitions = 1, Trigger = Trigger.AvailableNow };
        Clicks.Write(folder.Combine("in"), 0, files[0]);
        await using (var query = Start()) await query.AwaitTerminationAsync().WaitAsync(TimeSpan.FromMinutes(1));
        foreach (var file in Directory.GetFiles(folder.Combine("checkpoint", "state"), "*.delta", SearchOption.AllDirectories)) File.WriteAllText(file, "something else");
        Clicks.Write(folder.Combine("in"), 1, files[1]);
        await using (var query = Start())
        {
            var error = await Assert.ThrowsAsync<StreamingException>(() => query.AwaitTerminationAsync().WaitAsync(TimeSpan.FromMinutes(1)));
            Assert.Equal("CHECKPOINT_DAMAGED", error.Kind);
            Assert.Contains(".delta", error.Message, StringComparison.Ordinal);
            Assert.Same(error, query.Exception);
        }

        StreamingQuery Start() => Clicks.PerPage(context, folder.Path).WriteStream.Start(new MemorySink(), options);
    }
}
