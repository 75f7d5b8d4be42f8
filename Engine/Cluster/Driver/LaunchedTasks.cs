using System.Collections.Concurrent;
using Dataflow.Errors;
using Dataflow.Scheduling;
using Dataflow.Shared;
using Dataflow.Tasks;

namespace Dataflow.Cluster;

/// <summary>The attempts that executors run now, and what becomes of their reports.</summary>
/// <param name="findAccumulator">The program's accumulators by number.</param>
/// <param name="reports">Fetches reports that are too large for a message.</param>
/// <param name="tell">Takes events, and whether its thread may run what follows from them.</param>
/// <remarks>Called on any thread.</remarks>
internal sealed class LaunchedTasks(Func<int, Accumulator?> findAccumulator, ReportFetcher reports, Action<SchedulerEvent, bool> tell)
{
    private readonly ConcurrentDictionary<TaskId, (ExecutorLink Link, StageBinary Binary)> _running = new();

    /// <summary>Attempts whose end is waited for.</summary>
    public int Count => _running.Count;

    /// <summary>Notes that an executor is about to run an attempt.</summary>
    public void Add(TaskId task, ExecutorLink link, StageBinary binary) => _running[task] = (link, binary);

    /// <summary>Forgets the attempts of an executor that is lost.</summary>
    public void Forget(ExecutorLink gone)
    {
        foreach (var (task, (link, _)) in _running)
        {
            if (link == gone) _running.TryRemove(task, out _);
        }
    }

    /// <summary>An executor says that an attempt ended.</summary>
    public void Finish(ExecutorLink link, TaskFinish finish)
    {
        // Of a task that was given up, that nobody launched, or that is somebody else's: that one's own end must still count.
        if (!_running.TryGetValue(finish.Task, out var running) || running.Link != link || !_running.TryRemove(finish.Task, out _)) return;
        if (finish.Report is { } report)
        {
            Finish(finish.Task, running.Binary, report);
            return;
        }
        reports.Fetch(link.DataUrl, finish.Task, bytes =>
        {
            link.Channel.Send(new ReportTaken(finish.Task));
            if (bytes is not null)
                Finish(finish.Task, running.Binary, bytes);
            else
                tell(new TaskEnded(finish.Task, new TaskLost("its result could not be fetched"), new TaskMetrics(), null), false);
        });
    }

    private void Finish(TaskId task, StageBinary binary, byte[] bytes)
    {
        try
        {
            var (outcome, metrics, accumulators) = TaskReport.Read(bytes, binary, findAccumulator);
            tell(new TaskEnded(task, outcome, metrics, accumulators), true);
        }
        catch (Exception error) when (error is CorruptDataException or CodecException)
        {
            tell(new TaskEnded(task, new TaskThrew(error), new TaskMetrics(), null), false);
        }
    }
}
