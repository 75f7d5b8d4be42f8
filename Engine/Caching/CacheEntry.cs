using Dataflow.Tasks;

namespace Dataflow.Caching;

/// <summary>What the store knows of one block: who computes it, or where it is. Fields are read and written under the store's
/// lock.</summary>
internal sealed class CacheEntry(StorageLevel level, TaskContext? builder)
{
    private readonly TaskCompletionSource _built = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public StorageLevel Level { get; } = level;

    /// <summary>The task that computes it; null when it is done.</summary>
    public TaskContext? Builder { get; set; } = builder;

    public StoredBlock? Block { get; set; }

    public long LastUse { get; set; }

    /// <summary>Bytes of memory it took before it was moved to disk; 0 if it never was in memory.</summary>
    public long MovedBytes { get; set; }

    /// <summary>Whether it is just being moved to disk or back.</summary>
    public bool IsMoving { get; set; }

    /// <summary>Ends when it was computed, or when that failed.</summary>
    public Task Built => _built.Task;

    public void SetBuilt() => _built.TrySetResult();
}
