namespace Dataflow.Streaming;

/// <summary>What of a folder a batch reads.</summary>
public sealed record FileSourceOptions
{
    /// <summary>Most new files of a batch; the oldest first.</summary>
    public int MaxFilesPerTrigger { get; init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(MaxFilesPerTrigger), value, "A batch reads 1 file or more."); } = int.MaxValue;

    /// <summary>Bytes of new files after which a batch takes no more; one file is always taken.</summary>
    public long MaxBytesPerTrigger { get; init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(MaxBytesPerTrigger), value, "A batch reads 1 byte or more."); } = long.MaxValue;
}
