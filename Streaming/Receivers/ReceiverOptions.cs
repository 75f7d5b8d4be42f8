namespace Dataflow.Streaming;

/// <summary>How what a receiver takes in is kept until batches have read it: in a log in the query's checkpoint, since nobody can be asked for it again.</summary>
public sealed record ReceiverOptions
{
    /// <summary>Bytes that may wait to be read by batches. Beyond, the receiver takes nothing more in: it stops reading its connection, or answers that it is busy.</summary>
    public long MaxUnreadBytes { get; init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(MaxUnreadBytes), value, "At least 1 byte may wait."); } = 256L << 20;

    /// <summary>Bytes of these that are kept in memory as well, so that batches need not read them from the log.</summary>
    public long MemoryBytes { get; init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(MemoryBytes), value, "0 bytes (none) or more."); } = 32L << 20;

    /// <summary>Whether what is received counts as kept when it is on the disk (fsync), and so outlives a loss of power. Without, it outlives the end of the process only. One wait is
    /// for all that came during the one before.</summary>
    public bool FlushToDisk { get; init; } = true;

    /// <summary>Longest line or message, in bytes; a longer one ends the query with an error.</summary>
    public int MaxRecordBytes { get; init => field = value is >= 1 and <= 1 << 30 ? value : throw new ArgumentOutOfRangeException(nameof(MaxRecordBytes), value, "From 1 byte to 1 GiB."); } = 16 << 20;

    /// <summary>Bytes after which the log goes on in another file: what was read goes by whole files.</summary>
    internal long SegmentBytes { get; init; } = 64L << 20;
}
