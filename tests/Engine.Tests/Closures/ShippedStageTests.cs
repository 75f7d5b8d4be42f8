using Dataflow.Closures;
using Dataflow.Serialization;
using Dataflow.Shared;
using Dataflow.Shuffle;
using Dataflow.Tasks;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Closures;

/// <summary>What the code of a stage takes along, and what comes back.</summary>
public sealed class ShippedStageTests : IDisposable
{
    private readonly ShippingBackend _backend;
    private readonly DataflowContext _context;

    public ShippedStageTests() => _context = ShippingBackend.Context(DataflowOptions.Default with { Threads = 2 }, out _backend);

    public void Dispose() => _context.Dispose();

    [Fact]
    public void The_data_of_a_program_goes_with_its_tasks_not_with_the_stage()
    {
        Assert.Equal(1_000_000, _context.Parallelize(new int[1_000_000], 50).Map(static x => x + 1).Sum());
        Assert.Equal(1, _backend.StagesShipped);
        Assert.InRange(_backend.CodeBytes, 1, 10_000);
    }

    [Fact]
    public void What_is_behind_a_shuffle_or_a_checkpoint_stays_in_the_driver()
    {
        using var folder = new TempDirectory();
        _context.CheckpointFolder = folder.Path;
        var pairs = _context.Range(0, 100, partitions: 2).Map(static x => (x % 3, x)).ReduceByKey(static (a, b) => a + b, partitions: 2);
        var size = SizeOf(pairs);
        var further = pairs;
        for (var i = 0; i < 20; i++) further = further.Map(static pair => (pair.Key, pair.Value + 1)).ReduceByKey(static (a, b) => a + b, partitions: 2);
        Assert.InRange(SizeOf(further), size / 2, size + 500);

        var longer = further;
        for (var i = 0; i < 100; i++) longer = longer.Filter(static pair => pair.Value >= 0);
        var before = SizeOf(longer);
        longer.Checkpoint();
        var values = longer.Collect();
        Assert.InRange(SizeOf(longer), 1, before / 4);
        Assert.Equal(values, longer.Collect());
        Assert.Equal(3, longer.Map(static pair => pair.Key).Count());
    }

    [Fact]
    public void A_lineage_of_ten_thousand_steps_travels()
    {
        var rdd = _context.Parallelize(Enumerable.Range(0, 50), 2);
        var union = rdd;
        for (var i = 0; i < 10_000; i++)
        {
            rdd = rdd.Map(static x => x + 1);
            if (i % 5 == 0) union = union.Union(_context.Empty<int>());
        }
        Assert.Equal(Enumerable.Range(10_000, 50), rdd.Collect());
        Assert.Equal(Enumerable.Range(0, 50), union.Collect());
    }

    [Fact]
    public void Only_assemblies_that_dotnet_does_not_bring_are_named()
    {
        var rdd = _context.Range(0, 10).Map(static x => x + 1);
        var names = ClosureCodec.Write(new MapStageBinary(new Plain(rdd))).Assemblies.Select(static assembly => assembly.Name).Order().ToArray();
        Assert.Equal(["Dataflow.Engine", "Dataflow.Engine.Tests"], names);
        Assert.Empty(ClosureCodec.Write(new List<DateTime?>()).Assemblies);
    }

    [Fact]
    public void An_assembly_of_another_build_is_refused_by_both_ids()
    {
        var error = Assert.Throws<CodeUnavailableException>(
            () => Ship.Code.Resolve(new AssemblyRef("Dataflow.Engine", Guid.Parse("11111111-2222-3333-4444-555555555555"), "")));
        Assert.Contains("11111111-2222-3333-4444-555555555555", error.Message);
        Assert.Contains(typeof(Rdd).Module.ModuleVersionId.ToString(), error.Message);
        Assert.Throws<CodeUnavailableException>(() => Ship.Code.Resolve(new AssemblyRef("No.Such", Guid.NewGuid(), "")));
    }

    [Fact]
    public void An_error_comes_back_as_text_and_of_no_class_that_the_executor_names()
    {
        var error = Assert.Throws<JobFailedException>(() => _context.Parallelize(["1", "x"], 1).Map(static text => int.Parse(text)).Collect());
        var remote = Assert.IsType<RemoteTaskException>(error.InnerException);
        Assert.Equal("System.FormatException", remote.RemoteType);
        Assert.Contains("'x'", remote.RemoteMessage);
        Assert.Contains("System.Number", remote.StackTrace);
        Assert.Contains("lambda in ShippedStageTests", error.Message);
        Assert.Contains("ShippedStageTests.cs:", error.Message);
        Assert.Contains("mend the code named above", error.Message);
    }

    [Fact]
    public void Every_way_a_task_ends_comes_back()
    {
        var binary = new MapStageBinary(new Plain(_context.Range(0, 10)));
        TaskOutcome[] outcomes =
        [
            new FetchFailed(new(3), 4, new MapLocation(new(5), new(6)), FetchFailure.Corrupt, "gone"),
            new FetchFailed(new(3), 4, null, FetchFailure.Missing, "gone"),
            new TaskKilled("reason"),
            new TaskLost("reason"),
            new CommitDenied(),
        ];
        foreach (var outcome in outcomes) Assert.Equal(outcome, Back(binary, outcome).Outcome);
        var succeeded = Assert.IsType<TaskSucceeded>(Back(binary, new TaskSucceeded(new MapStatus(new MapLocation(new(1), new(2)), [1, 2], [3, 4], 5))).Outcome);
        var status = Assert.IsType<MapStatus>(succeeded.Value);
        Assert.Equal((1, 2L, 4L, 5UL), (status.Location.Server.Value, status.Bytes[1], status.Rows[1], status.Checksum));
        var threw = Assert.IsType<TaskThrew>(Back(binary, new TaskThrew(new IOException("outer", new TimeoutException("inner"))) { LastRead = "line 3" }).Outcome);
        Assert.Equal("line 3", threw.LastRead);
        Assert.Equal("System.TimeoutException", Assert.IsType<RemoteTaskException>(threw.Exception.InnerException).RemoteType);
        Assert.Equal(77, Back(binary, new CommitDenied()).Metrics.SpilledBytes);
    }

    [Fact]
    public void A_report_of_another_kind_of_task_is_refused()
    {
        using var writer = new BlockWriter();
        TaskReport.Write(writer, new MapStageBinary(new Plain(_context.Range(0, 10))), new TaskSucceeded(new MapStatus(new MapLocation(new(1), new(2)), [], [], 0)), new TaskMetrics(), new AccumulatorUpdates());
        var bytes = writer.Written.ToArray();
        var result = new ResultStageBinary(_context.Range(0, 10), static (_, _) => null) { Results = ResultCodec<int>.Instance };
        Assert.Throws<CorruptDataException>(() => TaskReport.Read(bytes, result, static _ => null));
    }

    private static (TaskOutcome Outcome, TaskMetrics Metrics, AccumulatorUpdates Accumulators) Back(StageBinary binary, TaskOutcome outcome)
    {
        using var writer = new BlockWriter();
        TaskReport.Write(writer, binary, outcome, new TaskMetrics { SpilledBytes = 77 }, new AccumulatorUpdates());
        return TaskReport.Read(writer.Written, binary, static _ => null);
    }

    private static int SizeOf<T>(Rdd<T> rdd) => ClosureCodec.Write(new ResultStageBinary(rdd, new RddFunction<T, long>(rdd, static (_, _) => 1).Run)).Bytes.Length;

    // A shuffle of the program's own.
    private sealed class Plain(Rdd<long> parent) : ShuffleDependency(parent, 1)
    {
        public override void Write(Partition partition, MapOutputWriter output, TaskContext context)
        {
            using var reader = parent.Read(partition, context);
        }
    }
}
