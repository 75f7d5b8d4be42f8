using Dataflow.Cluster.Tests;
using Dataflow.Diagnostics;
using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests;

/// <summary>A measurement that may have no key.</summary>
public sealed record Measure(DateTimeOffset At, int? Id, int Value);

/// <summary>Operators with state behind each other exchange rows only where these do not lie right already, and give what a batch gives.</summary>
public sealed class PlacedRowsTests
{
    private const string L = "(SELECT Id, Value, window_start(At, INTERVAL 1 MINUTE) AS start FROM l)";
    private const string R = "(SELECT Id, Value, window_start(At, INTERVAL 1 MINUTE) AS start FROM r)";
    private const string Once = "(SELECT DISTINCT Id, window_start(At, INTERVAL 1 MINUTE) AS start FROM r)";
    private const string SumL = $"(SELECT Id, start, sum(Value) AS s, count(*) AS n FROM {L} GROUP BY Id, start)";
    private const string SumR = $"(SELECT Id, start, sum(Value) AS s FROM {R} GROUP BY Id, start)";
    private const string Same = "ON x.Id = y.Id AND x.start = y.start";
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData($"SELECT x.Id AS i, x.start AS t, Value FROM {L} x JOIN {Once} y {Same}", 2)]
    [InlineData($"SELECT x.Id AS i, x.start AS t, x.s, y.s FROM {SumL} x JOIN {SumR} y {Same}", 2)]
    [InlineData($"SELECT x.Id AS i, x.start AS t, x.s, y.s FROM {SumL} x LEFT JOIN {SumR} y {Same}", 2)]
    [InlineData($"SELECT x.Id AS i, x.start AS t, x.s FROM {SumL} x LEFT SEMI JOIN {SumR} y {Same}", 2)]
    [InlineData($"SELECT y.Id AS i, x.start AS t, x.s, y.s FROM {SumL} x JOIN {SumR} y ON x.Id <=> y.Id AND x.start = y.start", 2)]
    [InlineData($"SELECT x.Id AS i, x.start AS t, count(*) AS n, sum(y.Value) AS s FROM {L} x JOIN {R} y {Same} GROUP BY x.Id, x.start", 2)]
    [InlineData($"SELECT y.Id AS i, x.start AS t, count(*) AS n, sum(y.Value) AS s FROM {L} x JOIN {R} y {Same} GROUP BY y.Id, x.start", 2)]
    [InlineData($"SELECT x.Id AS i, x.start AS t, count(*) AS n, sum(y.Value) AS s FROM {L} x LEFT JOIN {R} y {Same} GROUP BY x.Id, x.start", 2)]
    [InlineData($"SELECT Id AS i, t, count(*) AS n, sum(s) AS s FROM (SELECT x.Id, x.start AS t, x.n + 1 AS s FROM {SumL} x JOIN {Once} y {Same} WHERE x.n % 2 = 1) GROUP BY Id, t", 2)]
    [InlineData("SELECT Id AS i, At AS t, count(*) AS n FROM once GROUP BY Id, At", 1)]

    // Keys in another order, a side whose columns may have become null, a key that is computed: these lie elsewhere.
    [InlineData($"SELECT x.Id AS i, x.start AS t, count(*) AS n, sum(y.Value) AS s FROM {L} x JOIN {R} y {Same} GROUP BY x.start, x.Id", 3)]
    [InlineData($"SELECT y.Id AS i, x.start AS t, count(*) AS n, sum(x.Value) AS s FROM {L} x LEFT JOIN {R} y {Same} GROUP BY y.Id, x.start", 3)]
    [InlineData($"SELECT x.Id + 1 AS i, x.start AS t, count(*) AS n, sum(y.Value) AS s FROM {L} x JOIN {R} y {Same} GROUP BY x.Id + 1, x.start", 3)]
    [InlineData("SELECT At AS t, Id AS i, count(*) AS n FROM once GROUP BY At, Id", 2)]
    public async Task Chains_give_what_a_batch_gives_with_the_exchanges_that_they_need(string query, int exchanges)
    {
        await using var context = DataflowContext.Local(2);
        var stages = new MapStages();
        context.AddListener(stages);
        await Check(context, query, () => stages.Most = 0);
        Assert.Equal(exchanges, stages.Most);
    }

    [Fact]
    public async Task A_task_with_several_states_that_dies_between_them_changes_nothing()
    {
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var worker = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(1, TimeSpan.FromMinutes(1));

        // Pairs are looked at when the distinct rows of the batch are in a file of state, and those of the join are not.
        using var folder = new TempDirectory();
        var order = folder.Combine("die");
        context.RegisterFunction("dies_once", (int value) =>
        {
            if (!File.Exists(order)) return value;
            File.Delete(order);
            Environment.Exit(1);
            return value;
        });
        await Check(context, $"SELECT x.Id AS i, x.start AS t, count(*) AS n, sum(dies_once(Value)) AS s FROM {L} x JOIN {Once} y {Same} GROUP BY x.Id, x.start", () => { }, (step, batch) =>
        {
            if (step == "planned" && batch == 2) File.WriteAllText(order, "");
        });
        Assert.False(File.Exists(order));
    }

    // Runs a query over a batch, then over streams in two starts, the first of which ends within a batch.
    private static async Task Check(DataflowContext context, string query, Action begins, Action<string, long>? reached = null)
    {
        using var folder = new TempDirectory();
        var random = new Random(31);
        var (left, right) = (new MemorySource<Measure>(context, maxRowsPerTrigger: 1), new MemorySource<Measure>(context, maxRowsPerTrigger: 1));
        var (allLeft, allRight) = (new List<Measure>(), new List<Measure>());
        for (var i = 0; i < 7; i++)
        {
            foreach (var (source, all) in new[] { (left, allLeft), (right, allRight) })
            {
                Measure[] rows = i == 6
                    ? [new Measure(Noon.AddDays(1), -1, 0)]
                    : [.. Enumerable.Range(0, 60).Select(_ => new Measure(Noon.AddSeconds((i * 25) + random.Next(30)), random.Next(8) is > 0 and var id ? id * 100 : null, random.Next(100)))];
                all.AddRange(rows);
                source.Add(rows);
            }
        }
        Views(context, context.FromRecords(allLeft.ToArray()), context.FromRecords(allRight.ToArray()));
        var expected = Text(context.Sql(query).Collect());
        Assert.NotEmpty(expected);
        Views(context, context.ReadStream.From(left).WithWatermark("At", TimeSpan.FromMinutes(1)), context.ReadStream.From(right).WithWatermark("At", TimeSpan.FromMinutes(1)));
        begins();
        var sink = new MemorySink();
        for (var start = 0; start < 2; start++)
        {
            var stops = start == 0;
            await using var stream = context.Sql(query).WriteStream.Start(sink, new()
            {
                Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow, StatePartitions = 3, SnapshotInterval = 2,
                Reached = (step, batch) =>
                {
                    reached?.Invoke(step, batch);
                    if (stops && step == "written" && batch == 3) throw new IOException("stop");
                },
            });
            if (stops) await Assert.ThrowsAsync<IOException>(() => stream.AwaitTerminationAsync());
            else await stream.AwaitTerminationAsync();
        }
        Assert.Equal(expected, Text(sink.Rows));
    }

    private static void Views(DataflowContext context, DataFrame left, DataFrame right)
    {
        left.CreateTempView("l");
        right.CreateTempView("r");
        right.DropDuplicates("Id", "At").CreateTempView("once");
    }

    // Without the row that ends all windows.
    private static string[] Text(IEnumerable<Row> rows) => [.. rows.Where(row => row["i"] is not (-1 or 0)).Select(row => row.ToString()).Order(StringComparer.Ordinal)];

    private sealed class MapStages : JobListener
    {
        public int Most { get; set; }

        public override void OnJobStarted(JobStarted news) => Most = Math.Max(Most, news.Stages.Count(stage => stage.IsMapStage));
    }
}
