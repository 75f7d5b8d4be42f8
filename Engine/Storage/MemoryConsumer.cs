namespace Dataflow.Storage;

/// <summary>Somebody who holds memory of the <see cref="MemoryBudget"/>: a cache, a shuffle's runs, a task's table. Asks through the
/// budget and may be asked to give back.</summary>
/// <remarks>Thread-safe. Disposing it gives everything back.</remarks>
public abstract class MemoryConsumer : IDisposable
{
    private long _slack;
    private long _granted;
    private int _disposed;

    /// <summary>Registers a consumer.</summary>
    /// <param name="budget">The budget it takes from.</param>
    /// <param name="name">What errors and pages call it: <c>cache of rdd 4</c>.</param>
    /// <param name="priority">Who is asked to give back before whom.</param>
    /// <param name="kind">Where its memory lies.</param>
    /// <param name="task">The task whose share it is part of, or null if it outlives tasks.</param>
    protected MemoryConsumer(
        MemoryBudget budget, string name, MemoryPriority priority, MemoryKind kind = MemoryKind.Native, TaskMemory? task = null)
    {
        ArgumentNullException.ThrowIfNull(budget);
        Budget = budget;
        Name = name;
        Priority = priority;
        Kind = kind;
        Task = task;
        budget.Register(this);
    }

    /// <summary>The budget it takes from.</summary>
    public MemoryBudget Budget { get; }

    /// <summary>What errors and pages call it.</summary>
    public string Name { get; }

    /// <summary>Who is asked to give back before whom.</summary>
    public MemoryPriority Priority { get; }

    /// <summary>Where its memory lies.</summary>
    public MemoryKind Kind { get; }

    /// <summary>The task whose share it is part of, or null.</summary>
    public TaskMemory? Task { get; }

    /// <summary>Bytes reserved and not released.</summary>
    public long UsedBytes => Math.Max(Interlocked.Read(ref _granted) - Interlocked.Read(ref _slack), 0);

    /// <summary>Bytes that the budget has set aside for it: what it uses and up to 2 MB at hand.</summary>
    internal long GrantedBytes => Interlocked.Read(ref _granted);

    /// <summary>Gives memory back, if it can, by dropping it or moving it to disk. Called outside all locks of the budget, on the thread
    /// of whoever needs the memory, by several threads at once.</summary>
    /// <remarks>What is given back is released as always, with <see cref="MemoryBudget.Release"/>. Work of a task that runs can't be taken
    /// from another thread: it may note the wish, return 0 and spill at its next chunk.</remarks>
    /// <param name="bytes">How much is wanted; more or less may be given.</param>
    /// <returns>Bytes released before returning.</returns>
    protected internal abstract long OnRevoke(long bytes);

    /// <summary>Gives everything back and leaves the budget. Safe to call twice.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives everything back and leaves the budget.</summary>
    /// <param name="disposing">True when called from <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0) Budget.Unregister(this);
    }

    internal bool IsDisposed => Volatile.Read(ref _disposed) != 0;

    /// <summary>Takes from what was granted before and is not used. The quick path: one interlocked operation.</summary>
    internal bool TryTakeSlack(long bytes)
    {
        var slack = Volatile.Read(ref _slack);
        while (slack >= bytes)
        {
            var seen = Interlocked.CompareExchange(ref _slack, slack - bytes, slack);
            if (seen == slack) return true;
            slack = seen;
        }
        return false;
    }

    internal long AddSlack(long bytes) => Interlocked.Add(ref _slack, bytes);

    internal long TakeAllSlack() => Interlocked.Exchange(ref _slack, 0);

    // Called by the budget under its lock.
    internal void AddGranted(long bytes) => Interlocked.Add(ref _granted, bytes);
}

/// <summary>Who gives memory back first when somebody else needs it.</summary>
public enum MemoryPriority
{
    /// <summary>Cached blocks: recomputed or read from disk when they are needed again.</summary>
    Cache,

    /// <summary>Executor state that is idle and can be built again.</summary>
    State,

    /// <summary>Finished runs of shuffles and sorts: moved to disk.</summary>
    Runs,

    /// <summary>What a running task works with. Asked last, and only for what exceeds its fair share.</summary>
    Work,
}

/// <summary>Where reserved memory lies.</summary>
public enum MemoryKind
{
    /// <summary>In the <see cref="NativePool"/>.</summary>
    Native,

    /// <summary>In the managed heap. What the heap really takes is measured; reservations say in advance what it will take.</summary>
    Managed,
}
