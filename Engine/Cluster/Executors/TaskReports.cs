using System.Collections.Concurrent;
using Dataflow.Diagnostics;
using Dataflow.Scheduling;
using Dataflow.Serialization;
using Dataflow.Shared;
using Dataflow.Tasks;

namespace Dataflow.Cluster;

/// <summary>Tells the driver how attempts ended. A small report goes with its message; a larger one waits as a block until the driver has it.</summary>
/// <param name="driver">The link to the driver.</param>
internal sealed class TaskReports(IControlChannel driver)
{
    private const int LargestInMessage = 1 << 20;

    private readonly ConcurrentDictionary<TaskId, byte[]> _waiting = new();

    /// <summary>Sends the report of an attempt.</summary>
    /// <param name="task">The attempt.</param>
    /// <param name="binary">Its code, which knows how results are written; null if the code could not be read and there is only a failure.</param>
    /// <param name="outcome">How it ended.</param>
    /// <param name="metrics">What it cost.</param>
    /// <param name="accumulators">What it added.</param>
    public void Send(TaskId task, StageBinary? binary, TaskOutcome outcome, TaskMetrics metrics, AccumulatorUpdates? accumulators)
    {
        byte[] report;
        try
        {
            report = Encode(binary, outcome, metrics, accumulators ?? new AccumulatorUpdates());
        }
        catch (Exception error)
        {
            // The task has failed, its executor has not.
            var why = error is OutOfMemoryException
                ? new MemoryExhaustedException(
                    $"No memory: the result of a task was made and could not be encoded for the driver; the heap of the executor holds {Size.Of(GC.GetTotalMemory(forceFullCollection: false))} of "
                    + $"{Size.Of(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes)}.\n  next: give workers more memory (dataflow worker --memory), cut the data into more partitions, or save large results to files instead.",
                    0)
                : error;
            report = Encode(binary, new TaskThrew(why), metrics, new AccumulatorUpdates());
        }
        var isSmall = report.Length <= LargestInMessage;
        if (!isSmall) _waiting[task] = report;
        driver.Send(new TasksFinished([new TaskFinish(task, isSmall ? report : null)]));
    }

    private static byte[] Encode(StageBinary? binary, TaskOutcome outcome, TaskMetrics metrics, AccumulatorUpdates accumulators)
    {
        using var writer = new BlockWriter();
        TaskReport.Write(writer, binary, outcome, metrics, accumulators);
        return writer.Written.ToArray();
    }

    /// <summary>A report that waits for the driver, or null.</summary>
    public ServedBlock? Open(BlockName name) => _waiting.TryGetValue(new TaskId(name.First), out var report) ? ServedBlock.Of(report) : null;

    /// <summary>The driver has a report.</summary>
    public void Taken(TaskId task) => _waiting.TryRemove(task, out _);
}
