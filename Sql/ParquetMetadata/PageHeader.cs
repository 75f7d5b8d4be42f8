namespace Dataflow.Sql.ParquetMetadata;

/// <summary>Kinds of pages; the numbers are those of the format.</summary>
internal enum PageKind : byte
{
    Data = 0,
    Index = 1,
    Dictionary = 2,
    DataV2 = 3,
}

/// <summary>What stands before a page. (parquet.thrift, PageHeader)</summary>
internal struct PageHeader
{
    public PageKind Kind;

    /// <summary>Bytes of the page as it lies in the file.</summary>
    public int Bytes;

    /// <summary>Bytes of it decompressed.</summary>
    public int RawBytes;

    /// <summary>Rows, nulls included; of a dictionary, its values.</summary>
    public int Values;

    public PageEncoding Encoding;

    /// <summary>Version 1: how definition levels are written.</summary>
    public PageEncoding LevelEncoding;

    /// <summary>Version 2: bytes of both kinds of levels, which lie before the values and are not compressed.</summary>
    public int DefinitionBytes, RepetitionBytes;

    /// <summary>Version 2: how many values are null; else -1.</summary>
    public int Nulls;

    /// <summary>Version 2: whether the values are compressed.</summary>
    public bool IsCompressed;

    /// <summary>CRC-32 of the page as it lies in the file, if there is one.</summary>
    public uint? Checksum;

    /// <summary>Reads one.</summary>
    /// <param name="bytes">From its first byte on.</param>
    /// <param name="length">Bytes it takes.</param>
    /// <exception cref="CorruptDataException">It is no header, or does not end within the bytes.</exception>
    public static PageHeader Read(ReadOnlySpan<byte> bytes, out int length)
    {
        var reader = new ThriftReader(bytes);
        var header = new PageHeader { IsCompressed = true, Nulls = -1, Bytes = -1, RawBytes = -1, Values = -1, LevelEncoding = PageEncoding.Rle };
        var page = -1;
        var id = 0;
        while (reader.NextField(ref id, out var kind))
        {
            switch (id)
            {
                case 1: page = reader.Int32(kind); break;
                case 2: header.RawBytes = reader.Int32(kind); break;
                case 3: header.Bytes = reader.Int32(kind); break;
                case 4: header.Checksum = (uint)reader.Int32(kind); break;
                case 5 or 7: header.ReadVersion1(ref reader, kind, isDictionary: id == 7); break;
                case 8: header.ReadVersion2(ref reader, kind); break;
                default: reader.Skip(kind); break;
            }
        }
        length = reader.Position;
        if (page is < 0 or > (int)PageKind.DataV2) throw new CorruptDataException("parquet", 0, $"a page has the unknown kind {page}");
        header.Kind = (PageKind)page;
        if (header.Bytes < 0 || header.RawBytes < 0) throw new CorruptDataException("parquet", 0, $"a page should have {header.Bytes} bytes, {header.RawBytes} decompressed");
        if (header.Values < 0 && header.Kind != PageKind.Index) throw new CorruptDataException("parquet", 0, $"a page should have {header.Values} values");
        return header;
    }

    // Of a dictionary the third field is another one.
    private void ReadVersion1(ref ThriftReader reader, ThriftKind struct_, bool isDictionary)
    {
        ThriftReader.Struct(struct_);
        var id = 0;
        while (reader.NextField(ref id, out var kind))
        {
            switch (id)
            {
                case 1: Values = reader.Int32(kind); break;
                case 2: Encoding = (PageEncoding)reader.Int32(kind); break;
                case 3 when !isDictionary: LevelEncoding = (PageEncoding)reader.Int32(kind); break;
                default: reader.Skip(kind); break;
            }
        }
    }

    private void ReadVersion2(ref ThriftReader reader, ThriftKind struct_)
    {
        ThriftReader.Struct(struct_);
        var id = 0;
        while (reader.NextField(ref id, out var kind))
        {
            switch (id)
            {
                case 1: Values = reader.Int32(kind); break;
                case 2: Nulls = reader.Int32(kind); break;
                case 4: Encoding = (PageEncoding)reader.Int32(kind); break;
                case 5: DefinitionBytes = reader.Int32(kind); break;
                case 6: RepetitionBytes = reader.Int32(kind); break;
                case 7: IsCompressed = ThriftReader.Flag(kind); break;
                default: reader.Skip(kind); break;
            }
        }
        if (DefinitionBytes < 0 || RepetitionBytes < 0 || (long)DefinitionBytes + RepetitionBytes > Math.Min(Bytes, RawBytes))
            throw new CorruptDataException("parquet", 0, $"a page of {Bytes} bytes should have {DefinitionBytes} and {RepetitionBytes} bytes of levels");
    }
}
