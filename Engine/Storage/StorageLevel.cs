namespace Dataflow;

/// <summary>Where the partitions of a cached Rdd are kept.</summary>
/// <param name="UseMemory">Keep in memory while the budget allows.</param>
/// <param name="UseDisk">Keep on disk what memory cannot hold.</param>
/// <param name="Serialized">Keep encoded bytes instead of objects: several times smaller, exactly accounted, decoded at each read.</param>
/// <param name="Replicas">On how many executors each partition is kept, from 1.</param>
public sealed record StorageLevel(bool UseMemory, bool UseDisk, bool Serialized, int Replicas = 1)
{
    /// <summary>Not kept; recomputed each time.</summary>
    public static StorageLevel None { get; } = new(false, false, false);

    /// <summary>Objects in memory; what does not fit is recomputed.</summary>
    public static StorageLevel MemoryOnly { get; } = new(true, false, false);

    /// <summary>Objects in memory on two executors.</summary>
    public static StorageLevel MemoryOnly2 { get; } = new(true, false, false, 2);

    /// <summary>Encoded bytes in memory; what does not fit is recomputed.</summary>
    public static StorageLevel MemoryOnlySerialized { get; } = new(true, false, true);

    /// <summary>Encoded bytes in memory on two executors.</summary>
    public static StorageLevel MemoryOnlySerialized2 { get; } = new(true, false, true, 2);

    /// <summary>Objects in memory, encoded on disk when they do not fit: what <c>Cache()</c> uses.</summary>
    public static StorageLevel MemoryAndDisk { get; } = new(true, true, false);

    /// <summary>As <see cref="MemoryAndDisk"/>, on two executors.</summary>
    public static StorageLevel MemoryAndDisk2 { get; } = new(true, true, false, 2);

    /// <summary>Encoded bytes in memory, on disk when they do not fit.</summary>
    public static StorageLevel MemoryAndDiskSerialized { get; } = new(true, true, true);

    /// <summary>As <see cref="MemoryAndDiskSerialized"/>, on two executors.</summary>
    public static StorageLevel MemoryAndDiskSerialized2 { get; } = new(true, true, true, 2);

    /// <summary>Encoded bytes on disk.</summary>
    public static StorageLevel DiskOnly { get; } = new(false, true, true);

    /// <summary>Encoded bytes on the disks of two executors.</summary>
    public static StorageLevel DiskOnly2 { get; } = new(false, true, true, 2);

    /// <summary>Encoded bytes on the disks of three executors.</summary>
    public static StorageLevel DiskOnly3 { get; } = new(false, true, true, 3);

    /// <summary>Encoded bytes outside the managed heap; all engine memory is there, so the same as
    /// <see cref="MemoryAndDiskSerialized"/>.</summary>
    public static StorageLevel OffHeap { get; } = MemoryAndDiskSerialized;

    /// <summary>Whether anything is kept at all.</summary>
    public bool IsKept => UseMemory || UseDisk;

    /// <summary>As the level is called here: <c>MemoryAndDisk</c>.</summary>
    public override string ToString()
    {
        if (!IsKept) return nameof(None);
        var name = UseMemory ? UseDisk ? nameof(MemoryAndDisk) : nameof(MemoryOnly) : nameof(DiskOnly);
        return $"{name}{(UseMemory && Serialized ? nameof(Serialized) : "")}{(Replicas > 1 ? Replicas : "")}";
    }
}
