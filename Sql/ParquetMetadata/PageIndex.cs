using Dataflow.Sql.Columns;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.ParquetMetadata;

/// <summary>Where the pages of a chunk begin. (parquet.thrift, OffsetIndex)</summary>
/// <param name="Offsets">Of each page, its place in the file.</param>
/// <param name="FirstRows">Of each page, its first row in the row group.</param>
internal sealed record PageOffsets(long[] Offsets, long[] FirstRows)
{
    /// <summary>The page that holds a row.</summary>
    public int PageOf(long row)
    {
        var at = Array.BinarySearch(FirstRows, row);
        return at >= 0 ? at : Math.Max(0, ~at - 1);
    }
}

/// <summary>Reads the index of pages, and finds which rows of a row group its statistics leave over.</summary>
/// <remarks>Indexes only save work: one that makes no sense is as good as none.</remarks>
internal static class PageIndex
{
    /// <summary>Reads where the pages of a chunk are; null if there is no index, or none that makes sense.</summary>
    public static PageOffsets? ReadOffsets(Stream file, ColumnChunk chunk, long rows)
    {
        if (Read(file, chunk.OffsetIndex) is not { } bytes) return null;
        try
        {
            var reader = new ThriftReader(bytes);
            long[] offsets = [], firstRows = [];
            var id = 0;
            while (reader.NextField(ref id, out var kind))
            {
                if (id != 1)
                {
                    reader.Skip(kind);
                    continue;
                }
                var count = reader.List(kind, out var element);
                (offsets, firstRows) = (new long[count], new long[count]);
                for (var i = 0; i < count; i++) (offsets[i], firstRows[i]) = ReadLocation(ref reader, element);
            }
            return IsSound(offsets, firstRows, chunk, rows) ? new PageOffsets(offsets, firstRows) : null;
        }
        catch (CorruptDataException)
        {
            return null;
        }
    }

    /// <summary>The rows of a row group in which a filter may be true, by the statistics of pages; null if they say nothing.</summary>
    public static RowRanges? RowsOf(Stream file, ScanFilter filter, StoredColumn column, ColumnChunk chunk, long rows)
    {
        if (chunk.ColumnIndex.IsEmpty || ReadOffsets(file, chunk, rows) is not { } offsets || ReadStatistics(file, chunk) is not { } pages || pages.Length != offsets.Offsets.Length) return null;
        var ranges = new RowRanges();
        for (var i = 0; i < pages.Length; i++)
        {
            var end = i + 1 < pages.Length ? offsets.FirstRows[i + 1] : rows;
            var count = end - offsets.FirstRows[i];
            var statistics = pages[i].IsNull ? pages[i].Statistics with { Nulls = count } : pages[i].Statistics;
            if (!RowGroupPruning.Rejects(filter, column, statistics, count)) ranges.Add(offsets.FirstRows[i], end);
        }
        return ranges;
    }

    /// <summary>The bounds of the values of each page, with its first row; null if they are not known.</summary>
    public static (long FirstRow, ValueBounds? Bounds)[]? BoundsOf(Stream file, StoredColumn column, ColumnChunk chunk, long rows)
    {
        if (chunk.ColumnIndex.IsEmpty || ReadOffsets(file, chunk, rows) is not { } offsets || ReadStatistics(file, chunk) is not { } pages || pages.Length != offsets.Offsets.Length) return null;
        return [.. pages.Select((page, i) => (offsets.FirstRows[i], StatisticsBounds.Of(column, page.Statistics)))];
    }

    private static (long Offset, long FirstRow) ReadLocation(ref ThriftReader reader, ThriftKind element)
    {
        ThriftReader.Struct(element);
        var (offset, row) = (-1L, -1L);
        var id = 0;
        while (reader.NextField(ref id, out var kind))
        {
            if (id == 1) offset = reader.Integer(kind);
            else if (id == 3) row = reader.Integer(kind);
            else reader.Skip(kind);
        }
        return (offset, row);
    }

    private static bool IsSound(long[] offsets, long[] firstRows, ColumnChunk chunk, long rows)
    {
        if (offsets.Length == 0 || firstRows[0] != 0) return false;
        for (var i = 0; i < offsets.Length; i++)
        {
            if (offsets[i] < chunk.Offset || offsets[i] >= chunk.Offset + chunk.Bytes || firstRows[i] > rows) return false;
            if (i > 0 && (offsets[i] <= offsets[i - 1] || firstRows[i] <= firstRows[i - 1])) return false;
        }
        return true;
    }

    private static (bool IsNull, StoredStatistics Statistics)[]? ReadStatistics(Stream file, ColumnChunk chunk)
    {
        if (Read(file, chunk.ColumnIndex) is not { } bytes) return null;
        try
        {
            var reader = new ThriftReader(bytes);
            bool[] areNull = [];
            byte[][] mins = [], maxs = [];
            long[]? nulls = null;
            var id = 0;
            while (reader.NextField(ref id, out var kind))
            {
                switch (id)
                {
                    case 1:
                        areNull = new bool[reader.List(kind, out _)];
                        for (var i = 0; i < areNull.Length; i++) areNull[i] = reader.FlagElement();
                        break;
                    case 2: mins = ReadValues(ref reader, kind); break;
                    case 3: maxs = ReadValues(ref reader, kind); break;
                    case 5:
                        nulls = new long[reader.List(kind, out var element)];
                        for (var i = 0; i < nulls.Length; i++) nulls[i] = reader.Integer(element);
                        break;
                    default: reader.Skip(kind); break;
                }
            }
            if (mins.Length != areNull.Length || maxs.Length != areNull.Length || (nulls is not null && nulls.Length != areNull.Length)) return null;
            var pages = new (bool, StoredStatistics)[areNull.Length];
            for (var i = 0; i < pages.Length; i++)
                pages[i] = (areNull[i], new StoredStatistics(areNull[i] ? null : mins[i], areNull[i] ? null : maxs[i], nulls is null ? -1 : nulls[i], -1, IsOld: false));
            return pages;
        }
        catch (CorruptDataException)
        {
            return null;
        }
    }

    private static byte[][] ReadValues(ref ThriftReader reader, ThriftKind kind)
    {
        var values = new byte[reader.List(kind, out var element)][];
        for (var i = 0; i < values.Length; i++) values[i] = reader.Binary(element).ToArray();
        return values;
    }

    private static byte[]? Read(Stream file, FileRange range)
    {
        if (range.IsEmpty) return null;
        var bytes = new byte[range.Length];
        file.Position = range.Offset;
        return file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == bytes.Length ? bytes : null;
    }
}
