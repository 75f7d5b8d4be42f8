namespace Dataflow.Diagnostics;

/// <summary>Is told what happens to jobs. Derive from it, override what is of interest, and add it to the context.</summary>
/// <remarks>
/// Called on a thread of its own choosing, one event at a time, in the order they happened. A slow listener holds up nothing: events wait for
/// it in a queue of bounded length, then are dropped and counted (<see cref="EventsDropped"/>). One that throws is detached, and the
/// others are told (<see cref="ListenerDetached"/>).
/// </remarks>
public abstract class JobListener
{
    /// <summary>Whether it wants to be told anything now. What nobody wants is not told: it would wake a thread beside those that compute.</summary>
    internal virtual bool Listens => true;

    /// <summary>Called for every event; the default calls the method for its kind.</summary>
    /// <param name="news">What happened.</param>
    public virtual void OnEvent(JobEvent news)
    {
        switch (news)
        {
            case TaskStarted e: OnTaskStarted(e); break;
            case TaskFinished e: OnTaskFinished(e); break;
            case JobStarted e: OnJobStarted(e); break;
            case JobEnded e: OnJobEnded(e); break;
            case StageSubmitted e: OnStageSubmitted(e); break;
            case StageCompleted e: OnStageCompleted(e); break;
            case ExecutorJoined e: OnExecutorJoined(e); break;
            case ExecutorLeft e: OnExecutorLeft(e); break;
            case WorkerLeft e: OnWorkerLeft(e); break;
            case BlockChanged e: OnBlockChanged(e); break;
            case EventsDropped e: OnEventsDropped(e); break;
            case ListenerDetached e: OnListenerDetached(e); break;
        }
    }

    /// <summary>A job began.</summary>
    /// <param name="news">Which, and what it needs.</param>
    public virtual void OnJobStarted(JobStarted news) { }

    /// <summary>A job is over.</summary>
    /// <param name="news">Which, and how it ended.</param>
    public virtual void OnJobEnded(JobEnded news) { }

    /// <summary>Tasks of a stage are about to run.</summary>
    /// <param name="news">Which, and how many.</param>
    public virtual void OnStageSubmitted(StageSubmitted news) { }

    /// <summary>An attempt at a stage is over.</summary>
    /// <param name="news">Which, and how it ended.</param>
    public virtual void OnStageCompleted(StageCompleted news) { }

    /// <summary>An attempt at a task was sent to an executor.</summary>
    /// <param name="news">Which, and where.</param>
    public virtual void OnTaskStarted(TaskStarted news) { }

    /// <summary>An attempt at a task ended.</summary>
    /// <param name="news">Which, how, and what it did.</param>
    public virtual void OnTaskFinished(TaskFinished news) { }

    /// <summary>An executor offers slots.</summary>
    /// <param name="news">Which, and where.</param>
    public virtual void OnExecutorJoined(ExecutorJoined news) { }

    /// <summary>An executor is gone.</summary>
    /// <param name="news">Which, and why.</param>
    public virtual void OnExecutorLeft(ExecutorLeft news) { }

    /// <summary>A worker is gone.</summary>
    /// <param name="news">Which, and why.</param>
    public virtual void OnWorkerLeft(WorkerLeft news) { }

    /// <summary>A block was stored, moved or dropped.</summary>
    /// <param name="news">Which, and how it is kept now.</param>
    public virtual void OnBlockChanged(BlockChanged news) { }

    /// <summary>This listener was too slow and missed events.</summary>
    /// <param name="news">How many.</param>
    public virtual void OnEventsDropped(EventsDropped news) { }

    /// <summary>Another listener threw and was detached.</summary>
    /// <param name="news">Which, and what it threw.</param>
    public virtual void OnListenerDetached(ListenerDetached news) { }
}
