namespace Dataflow.Streaming;

/// <summary>What of a folder a batch reads.</summary>
public sealed record FileSourceOptions
{
    /// <summary>Most new files of a batch; the oldest first.</summary>
    public int MaxFilesPerTrigger { get; init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(MaxFilesPerTrigger), value, "A batch reads 1 file or more."); } = int.MaxValue;

    /// <summary>Bytes of new files after which a batch takes no more; one file is always taken.</summary>
    public long MaxBytesPerTrigger { get; init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(MaxBytesPerTrigger), value, "A batch reads 1 byte or more."); } = long.MaxValue;

    /// <summary>How much older than the newest file that was read a file may be, by when it was changed last; one that comes later and is older is not read, and the query's status says so. What is
    /// older need not be remembered, so the list of files in memory and in the checkpoint is of those of this time, and not of all. Counts from the hundredth batch on: what is there when a query
    /// begins is read, whatever its age. <see cref="TimeSpan.MaxValue"/> remembers all files for ever.</summary>
    public TimeSpan MaxFileAge { get; init => field = value >= TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(MaxFileAge), value, "It is zero or more."); } = TimeSpan.FromDays(7);

    /// <summary>What becomes of files whose batch is done.</summary>
    public AfterReading AfterReading { get; init; }

    /// <summary>Where <see cref="AfterReading.Archive"/> moves files, under the same names: a folder on the same disk, outside of the stream's. What is there under that name is an error.</summary>
    public string? ArchiveFolder { get; init; }
}

/// <summary>What becomes of a file of a stream when the batch that read it is done. Only one query may do away with the files of a folder.</summary>
public enum AfterReading
{
    /// <summary>It stays.</summary>
    Keep,

    /// <summary>It is deleted.</summary>
    Delete,

    /// <summary>It is moved into <see cref="FileSourceOptions.ArchiveFolder"/>.</summary>
    Archive,
}
