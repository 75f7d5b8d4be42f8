using System.Runtime.InteropServices;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Caching;

/// <summary>
/// Some rows as bytes, by column, as batches can point into them: what a cached frame is kept as.
/// </summary>
/// <remarks>
/// Layout: the header; an entry a column; for each column a zone a batch; then, at multiples of 64, the columns: a bit a row if it has nulls; values, views or
/// codes of all rows; the values of its dictionary; bytes of texts. Views of texts of more than 12 bytes hold the place among the column's bytes where a pointer
/// belongs. Places are counted from the beginning of the block, so that it may be copied anywhere.
/// </remarks>
internal static unsafe class CacheBlock
{
    /// <summary>Most rows of a block.</summary>
    public const int MaxRows = 16 * ColumnBatch.MaxRows;

    public static CacheColumn* ColumnsOf(byte* block) => (CacheColumn*)(block + sizeof(CacheHeader));

    /// <summary>The zones of a column, one a batch.</summary>
    public static CacheZone* ZonesOf(byte* block, int column)
    {
        var header = (CacheHeader*)block;
        return (CacheZone*)(block + sizeof(CacheHeader) + (header->Columns * sizeof(CacheColumn))) + (column * header->Batches);
    }

    public static int HeadBytes(int columns, int batches) => Aligned(sizeof(CacheHeader) + (columns * sizeof(CacheColumn)) + (columns * batches * sizeof(CacheZone)));

    public static int Aligned(int bytes) => checked(bytes + 63) & ~63;

    /// <summary>Bytes of a column's values.</summary>
    public static int ValueBytes(PhysicalType physical, int rows) =>
        physical == PhysicalType.Bit ? (rows + 63) / 64 * sizeof(ulong) : checked(rows * DataType.WidthOf(physical));
}

/// <summary>What a block begins with.</summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
internal struct CacheHeader
{
    public int Rows;
    public int Columns;
    public int Batches;
}

/// <summary>Where a column of a block is.</summary>
[StructLayout(LayoutKind.Sequential, Size = 32)]
internal struct CacheColumn
{
    /// <summary>Bits of rows that have values; 0 if all have.</summary>
    public int Validity;

    /// <summary>Values, views, or codes of the dictionary.</summary>
    public int Values;

    /// <summary>Views of the dictionary's values; 0 if there is none.</summary>
    public int Dictionary;

    public int DictionaryCount;

    /// <summary>Where the bytes of texts begin.</summary>
    public int Heap;

    /// <summary>1 if no text has more than 12 bytes, so that views are whole as they lie there.</summary>
    public int IsInline;
}

/// <summary>What is known of a column's values in one batch.</summary>
[StructLayout(LayoutKind.Sequential, Size = 48)]
internal struct CacheZone
{
    /// <summary>The key of the smallest value: see <see cref="ZoneKey"/>.</summary>
    public Int128 Min;

    /// <summary>The key of the largest value.</summary>
    public Int128 Max;

    public int Nulls;

    /// <summary>1 if the keys are known.</summary>
    public int IsKnown;
}
