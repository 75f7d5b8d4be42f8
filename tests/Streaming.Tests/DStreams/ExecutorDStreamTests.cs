using Dataflow.Cluster.Tests;
using Dataflow.Streaming.DStreams;
using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests.DStreams;

/// <summary>Streams of Rdds whose tasks run in executor processes, some of which are killed.</summary>
public sealed class ExecutorDStreamTests
{
    [Fact]
    public async Task Executors_that_are_killed_change_neither_windows_nor_state()
    {
        const int Intervals = 6;
        using var folder = new TempDirectory();
        var clock = new ManualTimeProvider();
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var one = new WorkerProcess(context.Cluster.Url.ToString());
        using var two = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(2, TimeSpan.FromMinutes(1));
        await using var run = new DStreamRun(new() { CheckpointInterval = TimeSpan.FromSeconds(3) }, clock, context);
        run.Streaming.Checkpoint(folder.Path);
        var receiver = new StoredLines();
        var ones = run.Streaming.ReceiverStream(receiver).Map(line => (line.Text, line.Count));
        var totals = DStreamRun.Watch(ones.UpdateStateByKey<string, long, long>((come, before) => new(true, before.Or(0) + come.Sum())));
        var window = DStreamRun.Watch(ones.ReduceByKeyAndWindow((a, b) => a + b, (a, b) => a - b, TimeSpan.FromSeconds(3), keep: pair => pair.Value > 0));
        var mapped = DStreamRun.Watch(ones.MapWithState(new StateSpec<string, long, long, string>((key, value, state) =>
        {
            state.Update(state.ValueOr(0) + value.Value);
            return $"{key} {state.Value}";
        })));
        run.Streaming.Start();
        for (var i = 1; i <= Intervals; i++)
        {
            await receiver.StoreAsync([new Line("a", i), new Line($"b{i}", 1)]);
            if (i == 3) one.KillExecutors();
            if (i == 5) two.KillExecutors();
            await run.PassAsync(1);
        }
        for (var i = 1; i <= Intervals; i++)
        {
            var sum = (long)i * (i + 1) / 2;
            Assert.Equal([("a", sum), .. Enumerable.Range(1, i).Select(b => ($"b{b}", 1L))], totals[i].Order());
            var first = Math.Max(1, i - 2);
            Assert.Equal([("a", Enumerable.Range(first, i - first + 1).Sum()), .. Enumerable.Range(first, i - first + 1).Select(b => ($"b{b}", 1L))], window[i].Order());
            Assert.Equal([$"a {sum}", $"b{i} 1"], mapped[i].Order());
        }
    }

    public sealed record Line(string Text, long Count);

    private sealed class StoredLines : StreamReceiver<Line>
    {
        private readonly TaskCompletionSource<ReceiverStore<Line>> _store = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task StoreAsync(IEnumerable<Line> lines) => await (await _store.Task.WaitAsync(TimeSpan.FromMinutes(1))).StoreAsync(lines);

        protected internal override Task ReceiveAsync(ReceiverStore<Line> store, CancellationToken stop)
        {
            _store.SetResult(store);
            return Task.Delay(Timeout.Infinite, stop);
        }
    }
}
