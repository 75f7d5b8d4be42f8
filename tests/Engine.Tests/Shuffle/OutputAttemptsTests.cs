using Dataflow.Scheduling;
using Dataflow.Shuffle;
using Dataflow.Tasks;
using Dataflow.Tracking;

namespace Dataflow.Engine.Tests.Shuffle;

/// <summary>Several attempts may write the same map output. Readers get the one that the driver knows of, or none.</summary>
public sealed class OutputAttemptsTests : IDisposable
{
    private static readonly ShuffleId Id = new(3);

    private readonly ExecutorServices _services = new(new ExecutorId(0), new WorkerId(0), DataflowOptions.Default);
    private readonly MapOutputTracker _tracker = new();

    public OutputAttemptsTests()
    {
        _services.MapOutputs = _tracker;
        _tracker.Declare(Id, 1, 1);
    }

    public void Dispose() => _services.Dispose();

    [Fact]
    public void A_copy_of_the_task_that_ends_second_changes_nothing_for_readers()
    {
        var first = Write(task: 1, rows: [1, 2]);
        _tracker.Register(Id, 0, first);
        var input = Open();
        Assert.Equal(first, Write(task: 2, rows: [8, 9]));
        Assert.Equal([1, 2], Rows(input));
        Assert.Equal([1, 2], Rows(Open()));
    }

    [Fact]
    public void A_late_attempt_does_not_replace_the_output_of_a_later_one()
    {
        var second = Write(task: 5, stage: 1, stageAttempt: 1, rows: [3]);
        Assert.Equal(second, Write(task: 1, stage: 1, stageAttempt: 0, rows: [1]));
        Assert.Equal(second, Write(task: 9, stage: 0, stageAttempt: 7, rows: [1]));
        _tracker.Register(Id, 0, second);
        Assert.Equal([3], Rows(Open()));
    }

    [Fact]
    public void A_later_attempt_replaces_the_output_of_an_earlier_one()
    {
        Write(task: 1, stageAttempt: 0, rows: [1]);
        var second = Write(task: 2, stageAttempt: 1, rows: [2]);
        Assert.Equal(new TaskId(2), second.Location.Writer);
        _tracker.Register(Id, 0, second);
        Assert.Equal([2], Rows(Open()));
        Assert.Equal(1, _services.Shuffles.Count);
    }

    [Fact]
    public void A_late_copy_is_not_read_in_place_of_an_output_that_was_dropped()
    {
        _tracker.Register(Id, 0, Write(task: 1, rows: [1, 2]));
        _services.Shuffles.Remove(Id, 0);
        var copy = Write(task: 2, rows: [8, 9]);
        var failed = Assert.Throws<FetchFailedException>(() => Open());
        Assert.Equal((FetchFailure.Missing, new MapLocation(_services.Worker, new TaskId(1))), (failed.Failure, failed.Location));

        // The complaint is about the one that is gone; then the driver may learn of the other.
        Assert.True(_tracker.Unregister(Id, 0, failed.Location));
        _tracker.Register(Id, 0, copy);
        Assert.False(_tracker.Unregister(Id, 0, failed.Location));
        Assert.Equal([8, 9], Rows(Open()));
    }

    [Fact]
    public void An_output_that_is_dropped_after_it_was_found_is_missed_and_not_read_as_empty()
    {
        _tracker.Register(Id, 0, Write(task: 1, rows: [1, 2]));
        var input = Open();
        _services.Shuffles.Remove(Id, 0);
        Assert.Equal(FetchFailure.Missing, Assert.Throws<FetchFailedException>(() => input.Segments(0)).Failure);
    }

    [Fact]
    public void A_shuffle_that_was_removed_is_missed_and_not_read_as_empty()
    {
        _tracker.Register(Id, 0, Write(task: 1, rows: [1, 2]));
        _tracker.Remove(Id);
        var failed = Assert.Throws<FetchFailedException>(() => Open());
        Assert.Equal((FetchFailure.Missing, 0, null), (failed.Failure, failed.Map, failed.Location));
        Assert.Contains("the shuffle is not known, or was removed", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cancelled_task_registers_nothing()
    {
        using var context = Task(1, 0, 0);
        using var writer = new MapOutputWriter(_services.Shuffles, Id, 0, 1, context);
        writer.Add(0, 0, [1], 1, 4);
        context.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => writer.Commit());
        Assert.Equal(0, _services.Shuffles.Count);
    }

    private TaskContext Task(long task, int stage, int stageAttempt) =>
        new(new TaskDescription(new TaskId(task), new JobId(0), new StageId(stage), stageAttempt, 0, 0), _services);

    private MapStatus Write(long task, int[] rows, int stage = 0, int stageAttempt = 0)
    {
        using var context = Task(task, stage, stageAttempt);
        using var writer = new MapOutputWriter(_services.Shuffles, Id, 0, 1, context);
        writer.Add(0, 0, rows, rows.Length, rows.Length * sizeof(int));
        return writer.Commit();
    }

    private ShuffleInput Open() => ShuffleInput.Open(Id, new ShuffleReadPartition(0, 0, 1), Task(100, 9, 0));

    private static int[] Rows(ShuffleInput input)
    {
        using var reader = new SegmentReader<int>(input.Segments(0));
        return [.. reader.AsEnumerable()];
    }
}
