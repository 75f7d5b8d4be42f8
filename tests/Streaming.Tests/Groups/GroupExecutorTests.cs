using Dataflow.Cluster.Tests;
using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests.Groups;

/// <summary>Functions and what they keep live in executor processes, some of which are killed.</summary>
public sealed class GroupExecutorTests
{
    [Fact]
    public async Task Functions_travel_and_what_they_keep_outlives_executors()
    {
        using var folder = new TempDirectory();
        var files = Clicks.Make(files: 10, perFile: 60, seed: 31);
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var one = new WorkerProcess(context.Cluster.Url.ToString());
        using var two = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(2, TimeSpan.FromMinutes(1));
        var written = new SortedDictionary<long, UserClicks[]>();
        async Task Write(DataFrame rows, long batch)
        {
            if (batch == 4) one.KillExecutors();
            lock (written) written[batch] = rows.Collect<UserClicks>().ToArray();
            await Task.Yield();
        }
        var factor = 3;
        var clicks = context.ReadStream.Json<Click>(folder.Combine("in"), new FileSourceOptions { MaxFilesPerTrigger = 1 });
        var users = clicks.GroupByKey((Click click) => click.User).FlatMapGroupsWithState<UserState, UserClicks>((user, rows, state) =>
        {
            var kept = state.Value ?? new UserState(0, []);
            foreach (var row in rows) kept = new UserState(kept.Clicks + factor, [.. kept.Pages.Append(row.Page).Distinct().Order(StringComparer.Ordinal)]);
            state.Update(kept);
            return [new UserClicks(user, kept.Clicks, string.Join(' ', kept.Pages))];
        });
        await using var query = users.WriteStream.ForeachBatch(Write, new StreamingQueryOptions { Checkpoint = folder.Combine("checkpoint"), StatePartitions = 3, SnapshotInterval = 3 });
        for (var i = 0; i < files.Length; i++)
        {
            Clicks.Write(folder.Combine("in"), i, files[i]);
            if (i % 3 == 2) await query.ProcessAllAvailableAsync().WaitAsync(TimeSpan.FromMinutes(1));
        }
        await query.ProcessAllAvailableAsync().WaitAsync(TimeSpan.FromMinutes(1));
        var last = written.SelectMany(each => each.Value).GroupBy(row => row.User).Select(group => group.Last()).OrderBy(row => row.User);
        var expected = files.SelectMany(file => file).GroupBy(click => click.User).OrderBy(group => group.Key)
            .Select(group => new UserClicks(group.Key, 3 * group.Count(), string.Join(' ', group.Select(click => click.Page).Distinct().Order(StringComparer.Ordinal))));
        Assert.Equal(expected, last);

        // Processors, that begin with rows of a frame.
        var before = context.FromRecords(Enumerable.Range(0, 5).Select(user => new UserBefore(user, 1000)));
        var sink = new MemorySink();
        var counts = clicks.GroupByKey((Click click) => click.User).TransformWithState(() => new Counter(factor), before.GroupByKey((UserBefore row) => row.User));
        await using (var counting = counts.WriteStream.Start(sink, new() { Trigger = Trigger.AvailableNow, StatePartitions = 3 })) await counting.AwaitTerminationAsync().WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(
            files.SelectMany(file => file).GroupBy(click => click.User).OrderBy(group => group.Key).Select(group => (group.Key, (3 * group.Count()) + (group.Key < 5 ? 1000 : 0))),
            sink.Rows.GroupBy(row => row.Get<int>("User")).Select(group => (group.Key, group.Max(row => row.Get<int>("Clicks")))).Order());
    }

    private sealed record UserBefore(int User, int Clicks);

    private sealed class Counter(int factor) : StatefulProcessor<int, Click, UserBefore, UserBefore>
    {
        private ValueState<int> _clicks = null!;

        public override void Init(ProcessorHandle handle) => _clicks = handle.ValueState<int>("clicks");

        public override void HandleInitialState(int key, UserBefore initial, GroupTimers timers) => _clicks.Update(initial.Clicks);

        public override IEnumerable<UserBefore> HandleRows(int key, IEnumerable<Click> rows, GroupTimers timers)
        {
            _clicks.Update(_clicks.Value + (factor * rows.Count()));
            yield return new UserBefore(key, _clicks.Value);
        }
    }

    private sealed record UserState(int Clicks, string[] Pages);

    private sealed record UserClicks(int User, int Clicks, string Pages);
}
