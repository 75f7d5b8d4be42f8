using Dataflow.Sql.ParquetMetadata;

namespace Dataflow.Sql.ParquetWriting;

/// <summary>A page that was written.</summary>
/// <param name="Offset">Where it begins in the file.</param>
/// <param name="Bytes">Its bytes with its header.</param>
/// <param name="FirstRow">Its first row in the row group.</param>
/// <param name="Rows">Its rows.</param>
/// <param name="Nulls">Rows that are null.</param>
/// <param name="Bounds">Smallest and largest value, if something useful can be said.</param>
internal readonly record struct WrittenPage(long Offset, int Bytes, long FirstRow, int Rows, int Nulls, (byte[] Min, byte[] Max)? Bounds);

/// <summary>A column of a row group that was written, for footer and indexes.</summary>
internal sealed record WrittenChunk(WrittenColumn Column, PageCodec Codec, long Rows, long Nulls)
{
    public List<WrittenPage> Pages { get; } = [];

    /// <summary>Where its dictionary begins; -1 if there is none.</summary>
    public long DictionaryOffset { get; set; } = -1;

    public long Bytes { get; set; }

    public long RawBytes { get; set; }

    public long Distinct { get; set; } = -1;

    public (byte[] Min, byte[] Max)? Bounds { get; set; }

    /// <summary>The blocks of its Bloom filter, until they are written.</summary>
    public byte[]? Bloom { get; set; }

    public long BloomOffset { get; set; } = -1;

    public int BloomBytes { get; set; }

    public (long Offset, int Length) ColumnIndex { get; set; }

    public (long Offset, int Length) OffsetIndex { get; set; }

    /// <summary>Writes what the footer says of it.</summary>
    public void Write(ThriftWriter to)
    {
        to.BeginElement();
        to.Int64(2, 0);
        to.Begin(3);
        to.Int32(1, (int)Column.Stored);
        to.List(2, ThriftKind.Int32, DictionaryOffset >= 0 ? 3 : 2);
        to.IntegerElement((int)PageEncoding.Plain);
        to.IntegerElement((int)PageEncoding.Rle);
        if (DictionaryOffset >= 0) to.IntegerElement((int)PageEncoding.RleDictionary);
        to.List(3, ThriftKind.Binary, 1);
        to.BinaryElement(System.Text.Encoding.UTF8.GetBytes(Column.Field.Name));
        to.Int32(4, (int)Codec);
        to.Int64(5, Rows);
        to.Int64(6, RawBytes);
        to.Int64(7, Bytes);
        to.Int64(9, Pages[0].Offset);
        if (DictionaryOffset >= 0) to.Int64(11, DictionaryOffset);
        WriteStatistics(to);
        if (BloomOffset >= 0)
        {
            to.Int64(14, BloomOffset);
            to.Int32(15, BloomBytes);
        }
        to.End();
        if (OffsetIndex.Length > 0)
        {
            to.Int64(4, OffsetIndex.Offset);
            to.Int32(5, OffsetIndex.Length);
        }
        if (ColumnIndex.Length > 0)
        {
            to.Int64(6, ColumnIndex.Offset);
            to.Int32(7, ColumnIndex.Length);
        }
        to.End();
    }

    /// <summary>Writes where its pages are.</summary>
    public void WriteOffsetIndex(ThriftWriter to)
    {
        to.List(1, ThriftKind.Struct, Pages.Count);
        foreach (var page in Pages)
        {
            to.BeginElement();
            to.Int64(1, page.Offset);
            to.Int32(2, page.Bytes);
            to.Int64(3, page.FirstRow);
            to.End();
        }
        to.End();
    }

    /// <summary>Writes what its pages hold.</summary>
    /// <returns>False if a page with values has no bounds: then there is no such index.</returns>
    public bool TryWriteColumnIndex(ThriftWriter to)
    {
        foreach (var page in Pages)
        {
            if (page.Bounds is null && page.Nulls < page.Rows) return false;
        }
        to.List(1, ThriftKind.True, Pages.Count);
        foreach (var page in Pages) to.FlagElement(page.Bounds is null);
        to.List(2, ThriftKind.Binary, Pages.Count);
        foreach (var page in Pages) to.BinaryElement(page.Bounds?.Min ?? []);
        to.List(3, ThriftKind.Binary, Pages.Count);
        foreach (var page in Pages) to.BinaryElement(page.Bounds?.Max ?? []);
        to.Int32(4, 0);
        to.List(5, ThriftKind.Int64, Pages.Count);
        foreach (var page in Pages) to.IntegerElement(page.Nulls);
        to.End();
        return true;
    }

    private void WriteStatistics(ThriftWriter to)
    {
        to.Begin(12);
        to.Int64(3, Nulls);
        if (Distinct >= 0) to.Int64(4, Distinct);
        if (Bounds is { } bounds)
        {
            to.Binary(5, bounds.Max);
            to.Binary(6, bounds.Min);
            to.Flag(7, true);
            to.Flag(8, true);
        }
        to.End();
    }
}
