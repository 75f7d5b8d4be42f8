using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests.Groups;

/// <summary>What a user did.</summary>
public sealed record Visit(string User, string Page, int Seconds);

/// <summary>What is known of a user.</summary>
public sealed record UserPages(string User, long Visits, string Pages, string PerPage);

/// <summary>Objects of the program that keep values, lists and maps of groups.</summary>
public sealed class ProcessorTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    public async Task Values_lists_and_maps_go_on_across_restarts(int seed, int interval)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var (source, sink, random) = (new MemorySource<Visit>(context), new MemorySink(), new Random(seed));
        var all = new List<Visit>();
        for (var step = 0; step < 9; step++)
        {
            var visits = Enumerable.Range(0, 60).Select(_ => new Visit($"user {random.Next(7)}", $"/{random.Next(25)}", random.Next(100))).ToArray();
            source.Add(visits);
            all.AddRange(visits);
            await using var query = context.ReadStream.From(source).GroupByKey((Visit visit) => visit.User).TransformWithState(() => new PageCounter()).WriteStream.Start(sink, new()
            {
                Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow, StatePartitions = 2, SnapshotInterval = interval,
            });
            await query.AwaitTerminationAsync();
            var given = sink.RowsOf(query.LastProgress!.BatchId).Select(row => new UserPages(row.Get<string>("User")!, row.Get<long>("Visits"), row.Get<string>("Pages")!, row.Get<string>("PerPage")!));
            var users = visits.Select(visit => visit.User).ToHashSet();
            Assert.Equal(Expected(all).Where(user => users.Contains(user.User)), given.OrderBy(user => user.User, StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task A_frame_that_is_no_stream_is_one_batch()
    {
        await using var context = DataflowContext.Local(2);
        var random = new Random(3);
        var all = Enumerable.Range(0, 2000).Select(_ => new Visit($"user {random.Next(7)}", $"/{random.Next(25)}", random.Next(100))).ToArray();
        var given = context.FromRecords(all, 1).GroupByKey((Visit visit) => visit.User).TransformWithState(() => new PageCounter()).Collect<UserPages>();
        Assert.Equal(Expected(all), given.OrderBy(user => user.User, StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task What_is_kept_for_a_time_is_not_there_after_it(int interval)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(1);
        var (source, sink, time) = (new MemorySource<Visit>(context), new MemorySink(), new ManualTimeProvider());
        var options = new StreamingQueryOptions { Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow, StatePartitions = 1, SnapshotInterval = interval, Time = time };
        Assert.Equal(("- [] {}", 3), await Step(0, "a"));
        Assert.Equal(("a [a] {a}", 5), await Step(6, "b"));
        Assert.Equal(("b [b] {b}", 5), await Step(4, "c"));
        Assert.Equal(("c [b,c] {b,c}", 6), await Step(5, "b"));
        Assert.Equal(("b [b] {b}", 5), await Step(9, "d"));
        Assert.Equal(("- [] {}", 3), await Step(100, "e"));

        // What was there before, and how many rows of state are left: the value, and what list and map have that is not over.
        async Task<(string, long)> Step(int seconds, string page)
        {
            time.Advance(TimeSpan.FromSeconds(seconds));
            source.Add(new Visit("one", page, 0));
            await using var query = context.ReadStream.From(source).GroupByKey((Visit visit) => visit.User).TransformWithState(() => new Forgetful()).WriteStream.Start(sink, options);
            await query.AwaitTerminationAsync();
            return (sink.RowsOf(query.LastProgress!.BatchId).Single().Get<string>("value")!, query.LastProgress.StateRows);
        }
    }

    [Theory]
    [InlineData(4, 1)]
    [InlineData(5, 3)]
    public async Task Timers_fire_once_unless_they_were_deleted(int seed, int interval)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var (source, sink, time, random) = (new MemorySource<Visit>(context), new MemorySink(), new ManualTimeProvider(), new Random(seed));
        var timers = new Dictionary<string, SortedSet<DateTimeOffset>>();
        var expected = new List<string>();
        for (var step = 0; step < 16; step++)
        {
            time.Advance(TimeSpan.FromSeconds(random.Next(1, 10)));
            var now = time.GetUtcNow();

            // More than 0: a timer; less: one is deleted.
            var visits = Enumerable.Range(0, random.Next(3) == 0 ? 0 : 6).Select(_ => new Visit($"user {random.Next(4)}", "", random.Next(-15, 30))).GroupBy(visit => visit.User).Select(group => group.First()).ToArray();
            source.Add(visits);
            var options = new ProcessorOptions { Timers = GroupTimeout.ProcessingTime };
            await using var query = context.ReadStream.From(source).GroupByKey((Visit visit) => visit.User).TransformWithState(() => new Alarms(), options).WriteStream.Start(sink, new()
            {
                Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow, StatePartitions = 2, SnapshotInterval = interval, Time = time,
            });
            await query.AwaitTerminationAsync();
            foreach (var visit in visits)
            {
                if (!timers.TryGetValue(visit.User, out var own)) timers.Add(visit.User, own = []);
                if (visit.Seconds >= 0) own.Add(now.AddSeconds(visit.Seconds));
                else if (own.Count > 0) own.Remove(own.Max);
            }
            foreach (var (user, own) in timers)
            {
                while (own.Count > 0 && own.Min is var first && first <= now)
                {
                    own.Remove(first);
                    expected.Add($"{user} {first:HH:mm:ss}, {own.Count} more");
                }
            }
            Assert.True(expected.Order().SequenceEqual(sink.Rows.Select(row => row.Get<string>("value")!).Order()), $"seed {seed}, step {step}: expected {string.Join("; ", expected)}, not {string.Join("; ", sink.Rows)}");
        }
        Assert.NotEmpty(expected);
    }

    [Fact]
    public async Task A_timer_may_delete_another_that_is_due_with_it()
    {
        await using var context = DataflowContext.Local(1);
        var (source, sink) = (new MemorySource<Reading>(context), new MemorySink());
        var noon = new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
        var alarms = context.ReadStream.From(source).WithWatermark("At", TimeSpan.Zero).GroupByKey((Reading reading) => reading.Meter)
            .TransformWithState(() => new FirstOfTwo(), new ProcessorOptions { Timers = GroupTimeout.EventTime });
        await using var query = alarms.WriteStream.Start(sink);
        source.Add(new Reading(noon, "one", 0), new Reading(noon, "two", 0));
        await query.ProcessAllAvailableAsync();
        Assert.Empty(sink.Rows);
        Assert.Equal(4, query.LastProgress!.StateRows);
        source.Add(new Reading(noon.AddHours(1), "three", 0));
        await query.ProcessAllAvailableAsync();
        Assert.Equal(["one 12:01", "two 12:01"], sink.Rows.Select(row => row.Get<string>("value")!).Order());
        Assert.Equal(4, query.LastProgress!.StateRows);
    }

    [Fact]
    public async Task Names_that_are_taken_or_none_and_state_out_of_place_are_refused()
    {
        await using var context = DataflowContext.Local(1);
        var groups = context.FromRecords([new Visit("one", "/", 1)]).GroupByKey((Visit visit) => visit.User);
        Assert.Contains("'a' already", Assert.Throws<ArgumentException>(() => groups.TransformWithState(() => new Named("a", "a"))).Message, StringComparison.Ordinal);
        Assert.Contains("'a b' is no name", Assert.Throws<ArgumentException>(() => groups.TransformWithState(() => new Named("a", "a b"))).Message, StringComparison.Ordinal);
        Assert.Contains("Init only names", Assert.Throws<InvalidOperationException>(() => groups.TransformWithState(() => new Named("a", "b") { IsEager = true })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Groups_begin_with_rows_of_a_frame_that_is_no_stream_once(int interval)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<Visit>(context), new MemorySink());
        var before = context.FromRecords([new MeterCount("one", 10), new MeterCount("two", 20), new MeterCount("two", 5)], 2);
        for (var step = 0; step < 3; step++)
        {
            source.Add(new Visit("one", "/", 1), new Visit(step == 0 ? "three" : "two", "/", 1));
            await using var query = Counts(context.ReadStream.From(source), before).WriteStream.Start(sink, new()
            {
                Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow, StatePartitions = 2, SnapshotInterval = interval,
            });
            await query.AwaitTerminationAsync();
            string[] expected = step switch { 0 => ["one 11", "three 1"], 1 => ["one 12", "two 26"], _ => ["one 13", "two 27"] };
            Assert.Equal(expected, sink.RowsOf(step).Select(row => row.Get<string>("value")!).Order());
        }
        var once = Counts(context.FromRecords([new Visit("one", "/", 1), new Visit("three", "/", 1)]), before).Collect<string>();
        Assert.Equal(["one 11", "three 1"], once.Order());
        var stream = context.ReadStream.From(new MemorySource<MeterCount>(context));
        var error = Assert.Throws<QueryException>(() => Counts(context.ReadStream.From(source), stream).WriteStream.Start(new MemorySink()));
        Assert.Contains("begin with rows of a stream", error.Message, StringComparison.Ordinal);

        static DataFrame Counts(DataFrame visits, DataFrame before) => visits.GroupByKey((Visit visit) => visit.User)
            .TransformWithState(() => new Continued(), before.GroupByKey((MeterCount count) => count.Meter));
    }

    [Fact]
    public async Task State_may_come_and_may_not_go()
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(1);
        var source = new MemorySource<Visit>(context);
        await Start("a", null);
        await Start("b", "a");
        Assert.Contains("the value 'a' that groups kept is gone", (await Assert.ThrowsAsync<StreamingException>(() => Start("b", null))).Message, StringComparison.Ordinal);

        async Task Start(string one, string? two)
        {
            source.Add(new Visit("one", "/", 1));
            var rows = context.ReadStream.From(source).GroupByKey((Visit visit) => visit.User).TransformWithState(() => new Named(one, two));
            await using var query = rows.WriteStream.Start(new MemorySink(), new() { Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow, StatePartitions = 1 });
            await query.AwaitTerminationAsync();
        }
    }

    private static IEnumerable<UserPages> Expected(IEnumerable<Visit> all) => all.GroupBy(visit => visit.User).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => new UserPages(
        group.Key, group.Count(), string.Join(' ', group.Select(visit => visit.Page).Distinct().Order(StringComparer.Ordinal)),
        string.Join(' ', group.GroupBy(visit => visit.Page).Select(page => $"{page.Key}={page.Sum(visit => visit.Seconds)}").Order(StringComparer.Ordinal))));

    private sealed class PageCounter : StatefulProcessor<string, Visit, UserPages>
    {
        private ValueState<long> _visits = null!;
        private ListState<string> _pages = null!;
        private MapState<string, int> _seconds = null!;

        public override void Init(ProcessorHandle handle) =>
            (_visits, _pages, _seconds) = (handle.ValueState<long>("visits"), handle.ListState<string>("pages"), handle.MapState<string, int>("seconds"));

        public override IEnumerable<UserPages> HandleRows(string key, IEnumerable<Visit> rows, GroupTimers timers)
        {
            foreach (var row in rows)
            {
                _visits.Update(_visits.Value + 1);
                if (!_seconds.ContainsKey(row.Page)) _pages.Add(row.Page);
                _seconds.Set(row.Page, (_seconds.TryGet(row.Page, out var before) ? before : 0) + row.Seconds);
            }
            yield return new UserPages(key, _visits.Get(), string.Join(' ', _pages.Values.Order(StringComparer.Ordinal)), string.Join(' ', _seconds.Items.Select(each => $"{each.Key}={each.Value}").Order(StringComparer.Ordinal)));
        }
    }

    // Keeps each page for 10 seconds.
    private sealed class Forgetful : StatefulProcessor<string, Visit, string>
    {
        private static readonly TimeSpan Life = TimeSpan.FromSeconds(10);
        private ValueState<string> _last = null!;
        private ListState<string> _list = null!;
        private MapState<string, int> _map = null!;

        public override void Init(ProcessorHandle handle) =>
            (_last, _list, _map) = (handle.ValueState<string>("last", Life), handle.ListState<string>("list", Life), handle.MapState<string, int>("map", Life));

        public override IEnumerable<string> HandleRows(string key, IEnumerable<Visit> rows, GroupTimers timers)
        {
            yield return $"{_last.Value ?? "-"} [{string.Join(',', _list.Values)}] {{{string.Join(',', _map.Keys)}}}";
            foreach (var row in rows)
            {
                _last.Update(row.Page);
                _list.Add(row.Page);
                _map.Set(row.Page, 1);
            }
        }
    }

    private sealed class Alarms : StatefulProcessor<string, Visit, string>
    {
        public override void Init(ProcessorHandle handle) { }

        public override IEnumerable<string> HandleRows(string key, IEnumerable<Visit> rows, GroupTimers timers)
        {
            foreach (var row in rows)
            {
                if (row.Seconds >= 0) timers.Register(timers.CurrentProcessingTime.AddSeconds(row.Seconds));
                else if (timers.List() is [.., var last]) timers.Delete(last);
            }
            return [];
        }

        public override IEnumerable<string> HandleExpiredTimer(string key, DateTimeOffset time, GroupTimers timers) => [$"{key} {time:HH:mm:ss}, {timers.List().Count} more"];
    }

    private sealed class FirstOfTwo : StatefulProcessor<string, Reading, string>
    {
        private ValueState<int> _fired = null!;

        public override void Init(ProcessorHandle handle) => _fired = handle.ValueState<int>("fired");

        public override IEnumerable<string> HandleRows(string key, IEnumerable<Reading> rows, GroupTimers timers)
        {
            var first = rows.First().At;
            timers.Register(first.AddMinutes(1));
            timers.Register(first.AddMinutes(2));
            return [];
        }

        public override IEnumerable<string> HandleExpiredTimer(string key, DateTimeOffset time, GroupTimers timers)
        {
            foreach (var other in timers.List()) timers.Delete(other);
            _fired.Update(_fired.Value + 1);
            return [$"{key} {time:HH:mm}"];
        }
    }

    private sealed class Continued : StatefulProcessor<string, Visit, string, MeterCount>
    {
        private ValueState<int> _count = null!;

        public override void Init(ProcessorHandle handle) => _count = handle.ValueState<int>("count");

        public override void HandleInitialState(string key, MeterCount initial, GroupTimers timers) => _count.Update(_count.Value + initial.Count);

        public override IEnumerable<string> HandleRows(string key, IEnumerable<Visit> rows, GroupTimers timers)
        {
            _count.Update(_count.Value + rows.Count());
            yield return $"{key} {_count.Value}";
        }
    }

    private sealed class Named(string one, string? two) : StatefulProcessor<string, Visit, string>
    {
        public bool IsEager { get; init; }

        public override void Init(ProcessorHandle handle)
        {
            var value = handle.ValueState<int>(one);
            if (two is not null) handle.ValueState<int>(two);
            if (IsEager) value.Update(1);
        }

        public override IEnumerable<string> HandleRows(string key, IEnumerable<Visit> rows, GroupTimers timers) => [];
    }
}
