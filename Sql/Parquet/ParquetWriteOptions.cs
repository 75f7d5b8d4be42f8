namespace Dataflow.Sql.Parquet;

/// <summary>How Parquet files are written. The defaults suit files that are read often.</summary>
public sealed record ParquetWriteOptions
{
    /// <summary><c>snappy</c>, <c>zstd</c>, <c>gzip</c>, <c>lz4</c> (stored as LZ4_RAW), <c>brotli</c> or <c>none</c>. Default <c>snappy</c>.</summary>
    public string Compression { get; init; } = "snappy";

    /// <summary>Rows of a row group, which one task reads. Default 122,880.</summary>
    public int RowGroupRows { get; init; } = 122_880;

    /// <summary>Most rows of a page. Default 16,384: two batches.</summary>
    public int PageRows { get; init; } = 16_384;

    /// <summary>Columns in which few values come again and again are written as codes of a dictionary. Default on.</summary>
    public bool UseDictionaries { get; init; } = true;

    /// <summary>Smallest and largest value and count of nulls are noted of row groups and pages, so that readers can pass over them. Default on.</summary>
    public bool WriteStatistics { get; init; } = true;

    /// <summary>Pages carry checksums, which readers check: safer, and slower to read. Default off.</summary>
    public bool WriteChecksums { get; init; }

    /// <summary>Names of columns that get a Bloom filter in each row group, for look-ups of single values.</summary>
    public IReadOnlyList<string> BloomFilterColumns { get; init; } = [];
}
