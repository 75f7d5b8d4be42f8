namespace Dataflow.Storage;

/// <summary>A cached block came, moved or went: what the driver and the storage page learn.</summary>
/// <param name="Id">The block.</param>
/// <param name="Change">What happened.</param>
/// <param name="MemoryBytes">Bytes it takes in memory now.</param>
/// <param name="DiskBytes">Bytes it takes on disk now.</param>
/// <param name="Problem">What was wrong, when something was.</param>
public sealed record BlockUpdate(RddBlockId Id, BlockChange Change, long MemoryBytes, long DiskBytes, string? Problem = null)
{
    /// <summary>On how many executors it is to be kept.</summary>
    public int Replicas { get; init; } = 1;

    /// <summary>Whether the block can be read here now.</summary>
    public bool IsHere => Change is BlockChange.Added or BlockChange.MovedToDisk or BlockChange.MovedToMemory;
}

/// <summary>What happened to a cached block.</summary>
public enum BlockChange
{
    /// <summary>It was computed and kept.</summary>
    Added,

    /// <summary>Its memory was needed; it is on disk now.</summary>
    MovedToDisk,

    /// <summary>There was room for it again when it was read.</summary>
    MovedToMemory,

    /// <summary>Its memory was needed; it is gone and will be computed again.</summary>
    Evicted,

    /// <summary>Its Rdd was unpersisted.</summary>
    Removed,

    /// <summary>It could not be kept: no memory, a full disk, an element that can't be encoded.</summary>
    NotKept,

    /// <summary>Its bytes on disk were damaged; it is gone and will be computed again.</summary>
    Damaged,
}

/// <summary>What is cached of one Rdd.</summary>
/// <param name="Rdd">Id of the Rdd.</param>
/// <param name="Partitions">How many of its partitions are kept.</param>
/// <param name="MemoryBytes">Bytes in memory.</param>
/// <param name="DiskBytes">Bytes on disk.</param>
public sealed record CachedRdd(int Rdd, int Partitions, long MemoryBytes, long DiskBytes);
