using Dataflow.Storage;
using Dataflow.Tasks;
using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>Something that happened.</summary>
public sealed record Happening(DateTimeOffset At, int Id, string Text);

/// <summary>What became of it.</summary>
public sealed record Outcome(DateTimeOffset Then, int Of, int Number);

/// <summary>State that is larger than the memory for it lies in files, and gives what it would have given in memory.</summary>
public sealed class BoundedStateTests
{
    private const int Memory = 128 << 10;
    private const int Batches = 3;
    private const int RowsOfBatch = 1200;
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("inner", 1)]
    [InlineData("left", 2)]
    [InlineData("distinct", 4)]
    [InlineData("within", 5)]
    [InlineData("sessions", 6)]
    [InlineData("timeouts", 7)]
    [InlineData("processors", 8)]
    public async Task State_beyond_its_memory_gives_the_same_also_after_starts(string what, int seed)
    {
        var plenty = await RunAsync(what, seed, 1L << 30);
        var little = await RunAsync(what, seed, Memory);
        Assert.NotEmpty(plenty.Rows);
        Assert.Equal(plenty.Rows, little.Rows);
        Assert.Equal(0, plenty.FileBytes);
        Assert.True(little.FileBytes > 0, "All state fitted into memory.");

        // Some bits of each row are objects.
        Assert.True(little.StateBytes <= Memory + little.StateRows, $"State took {little.StateBytes} bytes of {Memory}, with {little.StateRows} rows.");
        Assert.True(plenty.StateBytes > 2 * Memory, $"State took {plenty.StateBytes} bytes only.");
    }

    // What was given; the most bytes of files that state lay in and of the budget, and rows, after any batch.
    private static async Task<(string[] Rows, long FileBytes, long StateBytes, long StateRows)> RunAsync(string what, int seed, long memory)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(DataflowOptions.Default with { Threads = 2, Progress = false, TempFolder = folder.Combine("temp") });
        var random = new Random(seed);
        var (left, right, sink, time) = (new MemorySource<Happening>(context), new MemorySource<Outcome>(context), new MemorySink(), new ManualTimeProvider());
        var (fileBytes, stateBytes, stateRows) = (0L, 0L, 0L);
        var options = new StreamingQueryOptions { Checkpoint = folder.Combine("checkpoint"), StatePartitions = 2, SnapshotInterval = 2, StateMemoryBytes = memory, Time = time, Trigger = Trigger.AvailableNow, MaxRowsPerBatch = RowsOfBatch };
        for (var batch = 0; batch <= Batches; batch++)
        {
            // The last ends all that waits. Each start has two batches.
            left.Add(batch == Batches ? [new Happening(Noon.AddDays(2), -1, "end")] : Enumerable.Range(0, 2 * RowsOfBatch).Select(i => Happened(random, batch, i)));
            right.Add(batch == Batches ? [new Outcome(Noon.AddDays(2), -2, 0)] : Enumerable.Range(0, RowsOfBatch).Select(_ => new Outcome(Noon.AddSeconds((batch * 60) + random.Next(60)), random.Next(5000), random.Next(100))));
            time.Advance(TimeSpan.FromMinutes(batch == Batches ? 60 : 1));
            await using var query = Query(what, context.ReadStream.From(left), context.ReadStream.From(right)).WriteStream.Start(sink, options);
            query.BatchCompleted += progress =>
            {
                var (files, state) = Taken(context);
                (fileBytes, stateBytes, stateRows) = (Math.Max(fileBytes, files), Math.Max(stateBytes, state), Math.Max(stateRows, progress.StateRows));
            };
            await query.AwaitTerminationAsync();
        }
        Assert.Equal((0, 0), Taken(context));
        return ([.. sink.Rows.Select(row => row.ToString()).Order(StringComparer.Ordinal)], fileBytes, stateBytes, stateRows);
    }

    private static Happening Happened(Random random, int batch, int i) => new(Noon.AddSeconds((batch * 60) + random.Next(60)), random.Next(5000), $"what happened as number {i}");

    private static DataFrame Query(string what, DataFrame happened, DataFrame outcomes)
    {
        happened = happened.WithWatermark("At", TimeSpan.FromMinutes(10));
        outcomes = outcomes.WithWatermark("Then", TimeSpan.FromMinutes(10));
        var isOutcome = Col("Id") == Col("Of") & Col("Then") >= Col("At") & Col("Then") <= Col("At") + Lit(TimeSpan.FromMinutes(3));
        return what switch
        {
            "inner" => happened.Join(outcomes, isOutcome),
            "left" => happened.Join(outcomes, isOutcome, JoinKind.Left),
            "distinct" => happened.Select("Id", "Text").Distinct(),
            "within" => happened.DropDuplicates("Id", "At"),
            "sessions" => happened.GroupBy(SessionWindow(Col("At"), TimeSpan.FromSeconds(20)), Col("Id")).Agg(Count().As("n"), Max("Text").As("text")),
            "timeouts" => happened.GroupByKey((Happening row) => row.Id).FlatMapGroupsWithState<string, string>(
                new GroupStateOptions { Timeout = GroupTimeout.ProcessingTime },
                (id, rows, state) =>
                {
                    if (state.HasTimedOut)
                    {
                        var all = $"{id}: {state.Get()}";
                        state.Remove();
                        return [all];
                    }
                    state.Update(string.Join(',', rows.Select(row => row.Text).Prepend(state.Exists ? state.Get() : "").Order(StringComparer.Ordinal)));
                    state.SetTimeoutDuration(TimeSpan.FromMinutes(2));
                    return [];
                }),
            _ => happened.GroupByKey((Happening row) => row.Id).TransformWithState(() => new Kept(), new ProcessorOptions { Timers = GroupTimeout.ProcessingTime }),
        };
    }

    // In a task, which sees what the executor has.
    private static (long Files, long State) Taken(DataflowContext context) => context.Range(0, 1, 1).Map(_ =>
    {
        var services = TaskContext.Current!.Services;
        return (services.Temp.MappedBytes, services.Memory.Consumers.Where(each => each.Consumer.StartsWith("stream ", StringComparison.Ordinal)).Sum(each => each.Bytes));
    }).Collect().Single();

    private sealed class Kept : StatefulProcessor<int, Happening, string>
    {
        private ListState<string> _texts = null!;
        private MapState<int, int> _seconds = null!;

        public override void Init(ProcessorHandle handle) => (_texts, _seconds) = (handle.ListState<string>("texts"), handle.MapState<int, int>("seconds"));

        public override IEnumerable<string> HandleRows(int key, IEnumerable<Happening> rows, GroupTimers timers)
        {
            foreach (var row in rows)
            {
                _texts.Add(row.Text);
                _seconds.Set(row.At.Second, (_seconds.TryGet(row.At.Second, out var before) ? before : 0) + 1);
            }
            timers.Register(timers.CurrentProcessingTime.AddSeconds(90));
            return [];
        }

        public override IEnumerable<string> HandleExpiredTimer(int key, DateTimeOffset time, GroupTimers timers) =>
            [$"{key}: {string.Join(',', _texts.Values.Order(StringComparer.Ordinal))} {string.Join(',', _seconds.Items.OrderBy(each => each.Key).Select(each => $"{each.Key}={each.Value}"))} {timers.List().Count}"];
    }
}
