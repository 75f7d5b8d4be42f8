namespace Dataflow.Cluster;

/// <summary>The threads of the pool: for mailboxes that nothing else waits for, such as those of listeners.</summary>
internal sealed class PoolDispatcher : IDispatcher
{
    public static PoolDispatcher Shared { get; } = new();

    public bool RunsInline => false;

    public void Schedule(IThreadPoolWorkItem work) => ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: false);
}
