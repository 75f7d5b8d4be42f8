namespace Dataflow.Storage;

/// <summary>What one running task holds of the budget. With n tasks running each may take up to 1/n of it, and one that holds less than
/// 1/2n waits for its share instead of being refused.</summary>
/// <remarks>Made by <see cref="MemoryBudget.ForTask"/>; what its consumers still hold when the task ends is given back.</remarks>
public sealed class TaskMemory
{
    private readonly MemoryBudget _budget;
    private readonly List<MemoryConsumer> _consumers = [];
    private long _peakBytes;

    internal TaskMemory(MemoryBudget budget, string name)
    {
        _budget = budget;
        Name = name;
    }

    /// <summary>What errors call the task.</summary>
    public string Name { get; }

    /// <summary>Bytes its consumers were granted.</summary>
    public long GrantedBytes { get; private set; }

    /// <summary>Most bytes its consumers were granted at once.</summary>
    public long PeakBytes => _peakBytes;

    /// <summary>A consumer for memory that the task works with: grown, shrunk and disposed by the task's own code.</summary>
    /// <param name="name">What errors call it: <c>sort of stage 3</c>.</param>
    /// <param name="kind">Where the memory lies.</param>
    /// <param name="onRevoke">Told how many bytes are wanted when others are below their share; may note the wish and return 0. Called on
    /// other threads.</param>
    public MemoryConsumer Open(string name, MemoryKind kind = MemoryKind.Native, Func<long, long>? onRevoke = null) =>
        new Work(_budget, name, kind, this, onRevoke);

    // The rest is called by the budget under its lock.
    internal void Add(MemoryConsumer consumer) => _consumers.Add(consumer);

    internal void Remove(MemoryConsumer consumer) => _consumers.Remove(consumer);

    internal MemoryConsumer[] Consumers => [.. _consumers];

    internal void AddGranted(long bytes)
    {
        GrantedBytes += bytes;
        if (GrantedBytes > _peakBytes) _peakBytes = GrantedBytes;
    }

    private sealed class Work(MemoryBudget budget, string name, MemoryKind kind, TaskMemory task, Func<long, long>? onRevoke)
        : MemoryConsumer(budget, name, MemoryPriority.Work, kind, task)
    {
        protected internal override long OnRevoke(long bytes) => onRevoke?.Invoke(bytes) ?? 0;
    }
}
