namespace Dataflow.Sql.ParquetMetadata;

// What a footer says, as parquet.thrift names it; the numbers of the enumerations are those of the format.

/// <summary>How values are stored.</summary>
internal enum StoredKind : byte
{
    Boolean = 0,
    Int32 = 1,
    Int64 = 2,
    Int96 = 3,
    Float = 4,
    Double = 5,
    Bytes = 6,
    FixedBytes = 7,
}

/// <summary>How values become bytes of a page.</summary>
internal enum PageEncoding : byte
{
    Plain = 0,
    PlainDictionary = 2,
    Rle = 3,
    BitPacked = 4,
    DeltaBinary = 5,
    DeltaLength = 6,
    DeltaBytes = 7,
    RleDictionary = 8,
    ByteStreamSplit = 9,
}

/// <summary>How pages are compressed.</summary>
internal enum PageCodec : byte
{
    None = 0,
    Snappy = 1,
    Gzip = 2,
    Lzo = 3,
    Brotli = 4,
    HadoopLz4 = 5,
    Zstd = 6,
    Lz4 = 7,
}

/// <summary>The older names of what values mean.</summary>
internal enum ConvertedKind : sbyte
{
    None = -1,
    Utf8 = 0,
    Map = 1,
    MapKeyValue = 2,
    List = 3,
    Enum = 4,
    Decimal = 5,
    Date = 6,
    TimeMillis = 7,
    TimeMicros = 8,
    TimestampMillis = 9,
    TimestampMicros = 10,
    UInt8 = 11,
    UInt16 = 12,
    UInt32 = 13,
    UInt64 = 14,
    Int8 = 15,
    Int16 = 16,
    Int32 = 17,
    Int64 = 18,
    Json = 19,
    Bson = 20,
    Interval = 21,
}

/// <summary>The newer names of what values mean.</summary>
internal enum LogicalKind : byte
{
    None = 0,
    String = 1,
    Map = 2,
    List = 3,
    Enum = 4,
    Decimal = 5,
    Date = 6,
    Time = 7,
    Timestamp = 8,
    Integer = 10,
    Unknown = 11,
    Json = 12,
    Bson = 13,
    Uuid = 14,
    Float16 = 15,
}

/// <summary>The unit of times and timestamps.</summary>
internal enum TimeUnit : byte
{
    Millis = 1,
    Micros = 2,
    Nanos = 3,
}

/// <summary>A newer name with its parameters; those of other kinds are 0.</summary>
internal readonly record struct LogicalAnnotation(LogicalKind Kind, int Scale = 0, int Precision = 0, bool IsUtc = false, TimeUnit Unit = 0, int Bits = 0, bool IsSigned = false);

/// <summary>A node of the schema tree, in the order of a walk from the root.</summary>
internal sealed record SchemaNode(string Name, StoredKind? Stored, int Length, Repetition Repetition, int Children, ConvertedKind Converted, int Scale, int Precision, LogicalAnnotation Logical);

/// <summary>How often a node stands in the one above.</summary>
internal enum Repetition : byte
{
    Required = 0,
    Optional = 1,
    Repeated = 2,
}

/// <summary>What a writer noted about the values of a chunk or page.</summary>
/// <param name="Min">The smallest value, or something below it, stored plainly; null if unknown.</param>
/// <param name="Max">The largest value, or something above it.</param>
/// <param name="Nulls">How many are null; -1 if unknown.</param>
/// <param name="Distinct">How many differ; -1 if unknown.</param>
/// <param name="IsOld">Whether the bounds come from the older fields, which are right for signed numbers only.</param>
internal sealed record StoredStatistics(byte[]? Min, byte[]? Max, long Nulls, long Distinct, bool IsOld);

/// <summary>A stretch of a file.</summary>
internal readonly record struct FileRange(long Offset, int Length)
{
    public bool IsEmpty => Length <= 0;
}

/// <summary>The values of one column in one row group.</summary>
internal sealed record ColumnChunk
{
    public required StoredKind Stored { get; init; }

    public required PageCodec Codec { get; init; }

    public required long Values { get; init; }

    /// <summary>Where its first page begins, a dictionary or not.</summary>
    public required long Offset { get; init; }

    /// <summary>Bytes of its pages with their headers.</summary>
    public required long Bytes { get; init; }

    public required long RawBytes { get; init; }

    public StoredStatistics? Statistics { get; init; }

    public FileRange ColumnIndex { get; init; }

    public FileRange OffsetIndex { get; init; }

    /// <summary>Where its Bloom filter is; -1 if there is none.</summary>
    public long BloomOffset { get; init; } = -1;
}

/// <summary>Some rows of a file, by column.</summary>
/// <param name="Ordinal">Its number in the file, from 0.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Chunks">By leaf of the schema.</param>
internal sealed record RowGroup(int Ordinal, long Rows, ColumnChunk[] Chunks);

/// <summary>A footer.</summary>
internal sealed record FileMetadata(SchemaNode[] Nodes, long Rows, RowGroup[] RowGroups, string? CreatedBy);
