namespace Dataflow.Cluster;

/// <summary>Where mailboxes run: a thread, the thread pool, or a simulator that picks the next one by its seed.</summary>
internal interface IDispatcher
{
    /// <summary>
    /// Whether a thread that puts a message into an idle mailbox may run it at once. It saves a change of threads, which costs more than
    /// most messages; a simulator says no, to keep the order in its own hands.
    /// </summary>
    bool RunsInline { get; }

    /// <summary>Has <paramref name="work"/> run once, soon, on a thread of the dispatcher's choice.</summary>
    void Schedule(IThreadPoolWorkItem work);
}
