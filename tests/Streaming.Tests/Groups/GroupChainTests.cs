using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests.Groups;

/// <summary>Groups among other parts of a query, with keys of several columns, and large ones.</summary>
public sealed class GroupChainTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Groups_stand_behind_distinct_rows_and_before_filters()
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink, random) = (new MemorySource<Reading>(context), new MemorySink(), new Random(1));
        var counts = context.ReadStream.From(source).DropDuplicates("Meter", "Value").Where(Col("Value") < 40).Select("Value", "Meter")
            .GroupByKey(((int Value, string Meter) row) => row.Meter).FlatMapGroupsWithState<int, MeterCount>((meter, rows, state) =>
            {
                state.Update(state.Value + rows.Count());
                return [new MeterCount(meter, state.Value)];
            }).Where(Col("Count") > 3);
        await using var query = counts.WriteStream.Start(sink, new() { StatePartitions = 2 });
        var all = new List<Reading>();
        for (var batch = 0; batch < 6; batch++)
        {
            var rows = Enumerable.Range(0, 80).Select(_ => new Reading(Noon, $"meter {random.Next(6)}", random.Next(50))).ToArray();
            all.AddRange(rows);
            source.Add(rows);
            await query.ProcessAllAvailableAsync();
        }
        var last = sink.Rows.GroupBy(row => row.Get<string>("Meter")!).Select(group => (group.Key, group.Max(row => row.Get<int>("Count")))).Order();
        Assert.Equal(all.Where(row => row.Value < 40).Select(row => (row.Meter, row.Value)).Distinct().GroupBy(row => row.Meter).Select(group => (group.Key, group.Count())).Order(), last);
        Assert.All(sink.Rows, row => Assert.True(row.Get<int>("Count") > 3));
        Assert.Equal(2, query.LastProgress!.StateOperators.Count);
    }

    [Fact]
    public async Task Rows_have_the_columns_that_functions_read()
    {
        await using var context = DataflowContext.Local(1);
        var readings = context.FromRecords([new Reading(Noon, "one", 2), new Reading(Noon, "one", 3), new Reading(Noon, "two", 4)]).WithColumn("Other", Lit(1)).WithColumn("Doubled", Col("Value") * 2);
        var sums = readings.GroupByKey((Doubled row) => row.Meter).FlatMapGroupsWithState<int, MeterCount>((meter, rows, _) => [new MeterCount(meter, rows.Sum(row => row.DOUBLED))]);
        Assert.Equal([new MeterCount("one", 10), new MeterCount("two", 8)], sums.Collect<MeterCount>().OrderBy(sum => sum.Meter, StringComparer.Ordinal));
        Assert.DoesNotContain("Other", sums.ExplainText(), StringComparison.Ordinal);
        Assert.Contains("Meter", Assert.Throws<QueryException>(() => context.FromRecords([new Visit("", "", 1)]).GroupByKey((Doubled row) => row.Meter)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_may_be_records_with_nulls_and_times_and_values_of_groups_are_updated()
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink, random) = (new MemorySource<Reading>(context), new MemorySink(), new Random(2));
        var sums = context.ReadStream.From(source).GroupByKey((Reading reading) => new Slot(reading.Meter.EndsWith('0') ? null : reading.Meter, reading.Value % 3 == 0 ? null : reading.Value % 3, reading.At))
            .MapGroupsWithState<Kept, SlotSum>((slot, rows, state) =>
            {
                state.Update(state.Value with { Sum = state.Value.Sum + rows.Sum(row => row.Value) });
                return new SlotSum(slot.Meter, slot.Third, slot.At, state.Get().Sum);
            });
        await using var query = sums.WriteStream.Start(sink, new() { StatePartitions = 3, OutputMode = OutputMode.Update });
        var all = new List<Reading>();
        for (var batch = 0; batch < 6; batch++)
        {
            var rows = Enumerable.Range(0, 80).Select(_ => new Reading(Noon.AddHours(random.Next(2)), $"meter {random.Next(11)}", random.Next(50))).ToArray();
            all.AddRange(rows);
            source.Add(rows);
            await query.ProcessAllAvailableAsync();
        }
        var given = sink.Rows.Select(row => new SlotSum(row.Get<string?>("Meter"), row.Get<int?>("Third"), row.Get<DateTimeOffset>("At"), row.Get<long>("Sum")))
            .GroupBy(sum => (sum.Meter, sum.Third, sum.At)).Select(group => group.Last()).OrderBy(sum => sum.ToString(), StringComparer.Ordinal);
        var expected = all.GroupBy(row => (Meter: row.Meter.EndsWith('0') ? null : row.Meter, Third: row.Value % 3 == 0 ? (int?)null : row.Value % 3, row.At))
            .Select(group => new SlotSum(group.Key.Meter, group.Key.Third, group.Key.At, group.Sum(row => (long)row.Value))).OrderBy(sum => sum.ToString(), StringComparer.Ordinal);
        Assert.Equal(expected, given);
    }

    [Fact]
    public async Task Many_groups_that_change_again_and_again_and_their_times_stay_what_they_are()
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<Reading>(context), new MemorySink());
        var ends = context.ReadStream.From(source).WithWatermark("At", TimeSpan.Zero).GroupByKey((Reading reading) => reading.Value)
            .FlatMapGroupsWithState<int, MeterCount>(new() { Timeout = GroupTimeout.EventTime }, (value, rows, state) =>
            {
                if (state.HasTimedOut)
                {
                    state.Remove();
                    return [new MeterCount($"{value}", state.Value)];
                }
                state.Update(state.Value + 1);
                state.SetTimeoutTimestamp(Noon.AddHours(1).AddSeconds(value % 100));
                return [];
            });

        // So many changes that all is written anew in between, and rows get other numbers.
        await using var query = ends.WriteStream.Start(sink, new() { StatePartitions = 1, SnapshotInterval = 1000 });
        for (var batch = 0; batch < 8; batch++)
        {
            source.Add(Enumerable.Range(0, 5000).Select(value => new Reading(Noon.AddSeconds(batch), "", value)));
            await query.ProcessAllAvailableAsync();
        }
        Assert.Empty(sink.Rows);
        Assert.Equal(5000, query.LastProgress!.StateRows);
        source.Add(new Reading(Noon.AddHours(1).AddSeconds(49), "", 5099));
        await query.ProcessAllAvailableAsync();
        Assert.Equal(Enumerable.Range(0, 5000).Where(value => value % 100 < 50), sink.Rows.Select(row => int.Parse(row.Get<string>("Meter")!, System.Globalization.CultureInfo.InvariantCulture)).Order());
        Assert.Equal(2501, query.LastProgress.StateRows);
    }

    [Fact]
    public async Task A_map_of_one_group_may_be_large()
    {
        await using var context = DataflowContext.Local(2);
        var (source, sink) = (new MemorySource<Visit>(context), new MemorySink());
        await using var query = context.ReadStream.From(source).GroupByKey((Visit visit) => visit.User).TransformWithState(() => new Counter()).WriteStream.Start(sink, new() { StatePartitions = 1 });
        for (var batch = 0; batch < 3; batch++)
        {
            source.Add(Enumerable.Range(batch * 5000, 10_000).Select(page => new Visit("one", $"/{page}", 1)));
            await query.ProcessAllAvailableAsync();
        }
        Assert.Equal([10_000, 15_000, 20_000], sink.Rows.Select(row => row.Get<int>("value")));
        Assert.Equal(20_000, query.LastProgress!.StateRows);
    }

    private readonly record struct Kept(long Sum, int? Other);

    private sealed record Slot(string? Meter, int? Third, DateTimeOffset At);

    private sealed record Doubled(string Meter, int DOUBLED);

    private sealed record SlotSum(string? Meter, int? Third, DateTimeOffset At, long Sum);

    private sealed class Counter : StatefulProcessor<string, Visit, int>
    {
        private MapState<string, int> _pages = null!;

        public override void Init(ProcessorHandle handle) => _pages = handle.MapState<string, int>("pages");

        public override IEnumerable<int> HandleRows(string key, IEnumerable<Visit> rows, GroupTimers timers)
        {
            foreach (var row in rows) _pages.Set(row.Page, _pages.TryGet(row.Page, out var count) ? count + 1 : 1);
            yield return _pages.Count;
        }
    }
}
