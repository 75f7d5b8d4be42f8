using Dataflow.Scheduling;
using Dataflow.Tasks;
using Microsoft.Extensions.Logging;

namespace Dataflow.Diagnostics;

/// <summary>Tells an <see cref="ILogger"/> what happens: jobs at Information, failures at Warning, stages and tasks at Debug.</summary>
internal sealed partial class JobLogger(ILogger logger) : JobListener
{
    public override void OnJobStarted(JobStarted news) =>
        JobStarted(news.Job, news.Properties.CallSite?.ToString() ?? "", news.Stages.Count, news.Stages.Sum(stage => stage.IsSkipped ? 0 : stage.Tasks));

    public override void OnJobEnded(JobEnded news)
    {
        if (news.Failure is null) JobSucceeded(news.Job, news.Duration.TotalMilliseconds);
        else JobFailed(news.Job, news.Duration.TotalMilliseconds, news.Failure);
    }

    public override void OnStageSubmitted(StageSubmitted news) => StageRuns(news.Stage, news.Attempt, news.Tasks);

    public override void OnStageCompleted(StageCompleted news)
    {
        if (news.Failure is not null) StageFailed(news.Stage, news.Attempt, news.Failure);
    }

    public override void OnTaskFinished(TaskFinished news)
    {
        switch (news.Outcome)
        {
            case TaskThrew threw when logger.IsEnabled(LogLevel.Warning):
                TaskThrew(news.Task.Partition, news.Task.Stage, news.Task.Attempt, ExceptionText.Loggable(threw.Exception));
                break;
            case FetchFailed fetch:
                FetchFailed(news.Task.Partition, news.Task.Stage, fetch.Message);
                break;
        }
    }

    public override void OnExecutorLeft(ExecutorLeft news) => ExecutorLeft(news.Executor, news.Reason);

    public override void OnWorkerLeft(WorkerLeft news) => WorkerLeft(news.Worker, news.Reason);

    public override void OnListenerDetached(ListenerDetached news) => ListenerDetached(news.Listener.Name, news.Exception);

    public override void OnEventsDropped(EventsDropped news) => EventsDropped(news.Count);

    [LoggerMessage(1, LogLevel.Information, "Job {Job} started: {CallSite}, {Stages} stages, {Tasks} tasks")]
    private partial void JobStarted(JobId job, string callSite, int stages, int tasks);

    [LoggerMessage(2, LogLevel.Information, "Job {Job} succeeded after {Milliseconds:F1} ms")]
    private partial void JobSucceeded(JobId job, double milliseconds);

    [LoggerMessage(3, LogLevel.Warning, "Job {Job} failed after {Milliseconds:F1} ms: {Failure}")]
    private partial void JobFailed(JobId job, double milliseconds, string failure);

    [LoggerMessage(4, LogLevel.Debug, "Stage {Stage} attempt {Attempt} runs {Tasks} tasks")]
    private partial void StageRuns(StageId stage, int attempt, int tasks);

    [LoggerMessage(5, LogLevel.Warning, "Stage {Stage} attempt {Attempt} failed: {Failure}")]
    private partial void StageFailed(StageId stage, int attempt, string failure);

    [LoggerMessage(6, LogLevel.Warning, "Task {Partition} of stage {Stage} threw on attempt {Attempt}")]
    private partial void TaskThrew(int partition, StageId stage, int attempt, Exception exception);

    [LoggerMessage(7, LogLevel.Warning, "Task {Partition} of stage {Stage} could not read its input: {Failure}")]
    private partial void FetchFailed(int partition, StageId stage, string failure);

    [LoggerMessage(8, LogLevel.Warning, "Executor {Executor} left: {Reason}")]
    private partial void ExecutorLeft(ExecutorId executor, string reason);

    [LoggerMessage(9, LogLevel.Warning, "Worker {Worker} left: {Reason}")]
    private partial void WorkerLeft(WorkerId worker, string reason);

    [LoggerMessage(10, LogLevel.Warning, "The listener {Listener} threw and was detached")]
    private partial void ListenerDetached(string listener, Exception exception);

    [LoggerMessage(11, LogLevel.Warning, "A listener is too slow: {Count} events were dropped")]
    private partial void EventsDropped(long count);
}
