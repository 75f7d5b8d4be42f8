using System.Buffers.Binary;
using Dataflow.Files;

namespace Dataflow.Sql.ParquetMetadata;

/// <summary>Reads the footer of a file. (Apache Parquet format, README "File format" and parquet.thrift)</summary>
internal static class Footer
{
    private const uint Magic = 0x31524150; // PAR1
    private const uint EncryptedMagic = 0x45524150; // PARE
    private const int TailLength = 8;
    private const uint MaxLength = 1 << 30;

    /// <summary>Reads it.</summary>
    /// <remarks>Two reads of the file's end; one if the footer is short.</remarks>
    /// <exception cref="CorruptDataException">It is no Parquet file, or a damaged one.</exception>
    public static FileMetadata Read(FileEntry file)
    {
        using var stream = FileSystems.For(file.Path).OpenRead(file.Path);
        var length = stream.Length;
        if (length < 4 + TailLength) throw new CorruptDataException("parquet", length, $"the file has {length:N0} bytes, and even one without rows has more than {4 + TailLength}", file.Path);

        var guess = (int)Math.Min(length, 64 << 10);
        var end = new byte[guess];
        stream.Position = length - guess;
        stream.ReadExactly(end);
        var magic = BinaryPrimitives.ReadUInt32LittleEndian(end.AsSpan(^4..));
        if (magic == EncryptedMagic)
            throw new CorruptDataException("parquet", length - 4, "the file's footer is encrypted, and encrypted files can't be read; write it without encryption", file.Path);
        if (magic != Magic) throw new CorruptDataException("parquet", length - 4, "the file does not end with PAR1", file.Path);

        var footer = BinaryPrimitives.ReadUInt32LittleEndian(end.AsSpan(^TailLength..));
        if (footer > length - TailLength - 4)
            throw new CorruptDataException("parquet", length - TailLength, $"the footer should have {footer:N0} bytes, but only {length - TailLength - 4:N0} come before it", file.Path);
        if (footer > MaxLength) throw new CorruptDataException("parquet", length - TailLength, $"the footer should have {footer:N0} bytes, more than the {MaxLength:N0} that are read", file.Path);
        byte[] whole;
        if (footer + TailLength <= guess)
        {
            whole = end.AsSpan((int)(guess - TailLength - footer), (int)footer).ToArray();
        }
        else
        {
            whole = new byte[footer];
            stream.Position = length - TailLength - footer;
            stream.ReadExactly(whole);
        }

        try
        {
            return Parse(whole, length - TailLength - footer);
        }
        catch (CorruptDataException error)
        {
            throw new CorruptDataException("parquet", length - TailLength - footer + (error.Offset ?? 0), $"in the footer, {error.Problem ?? error.Message}", file.Path, error);
        }
    }

    /// <summary>Makes sense of a footer.</summary>
    /// <param name="bytes">The footer.</param>
    /// <param name="dataEnd">Where in the file it begins: no page reaches further.</param>
    public static FileMetadata Parse(ReadOnlySpan<byte> bytes, long dataEnd)
    {
        var reader = new ThriftReader(bytes);
        SchemaNode[]? nodes = null;
        RowGroup[]? groups = null;
        string? createdBy = null;
        var rows = -1L;
        var id = 0;
        while (reader.NextField(ref id, out var kind))
        {
            switch (id)
            {
                case 2:
                    nodes = new SchemaNode[reader.List(kind, out var node)];
                    for (var i = 0; i < nodes.Length; i++) nodes[i] = ReadNode(ref reader, node);
                    break;
                case 3:
                    rows = reader.Integer(kind);
                    break;
                case 4:
                    groups = new RowGroup[reader.List(kind, out var group)];
                    for (var i = 0; i < groups.Length; i++) groups[i] = ReadRowGroup(ref reader, group, i, dataEnd);
                    break;
                case 6:
                    createdBy = reader.Text(kind);
                    break;
                default:
                    reader.Skip(kind);
                    break;
            }
        }
        if (nodes is null || nodes.Length == 0 || groups is null || rows < 0) throw new CorruptDataException("parquet", 0, "schema, row count or row groups are missing");
        Check(nodes, groups, rows);
        return new FileMetadata(nodes, rows, groups, createdBy);
    }

    private static void Check(SchemaNode[] nodes, RowGroup[] groups, long rows)
    {
        var leaves = nodes.Count(node => node.Children == 0 && node.Stored is not null);
        var sum = 0L;
        foreach (var group in groups)
        {
            if (group.Chunks.Length != leaves)
                throw new CorruptDataException("parquet", 0, $"row group {group.Ordinal} has {group.Chunks.Length} columns, the schema {leaves}");
            sum += group.Rows;
        }
        if (sum != rows) throw new CorruptDataException("parquet", 0, $"the file should have {rows:N0} rows, but its row groups have {sum:N0}");
    }

    private static SchemaNode ReadNode(ref ThriftReader reader, ThriftKind element)
    {
        ThriftReader.Struct(element);
        StoredKind? stored = null;
        var (length, repetition, children, converted, scale, precision) = (0, Repetition.Required, 0, ConvertedKind.None, 0, 0);
        string? name = null;
        var logical = default(LogicalAnnotation);
        var id = 0;
        while (reader.NextField(ref id, out var kind))
        {
            switch (id)
            {
                case 1: stored = Known(reader.Int32(kind), StoredKind.FixedBytes, "type"); break;
                case 2: length = reader.Int32(kind); break;
                case 3: repetition = Known(reader.Int32(kind), Repetition.Repeated, "repetition"); break;
                case 4: name = reader.Text(kind); break;
                case 5: children = reader.Int32(kind); break;
                case 6: converted = reader.Int32(kind) is var old and >= 0 and <= (int)ConvertedKind.Interval ? (ConvertedKind)old : ConvertedKind.None; break;
                case 7: scale = reader.Int32(kind); break;
                case 8: precision = reader.Int32(kind); break;
                case 10: logical = ReadLogical(ref reader, kind); break;
                default: reader.Skip(kind); break;
            }
        }
        if (name is null) throw new CorruptDataException("parquet", reader.Position, "a column of the schema has no name");
        if (children < 0) throw new CorruptDataException("parquet", reader.Position, $"column '{name}' has {children} children");
        return new SchemaNode(name, children > 0 ? null : stored, length, repetition, children, converted, scale, precision, logical);
    }

    private static LogicalAnnotation ReadLogical(ref ThriftReader reader, ThriftKind kind)
    {
        ThriftReader.Struct(kind);
        var found = default(LogicalAnnotation);
        var id = 0;
        while (reader.NextField(ref id, out var field))
        {
            ThriftReader.Struct(field);
            var annotation = ReadParameters(ref reader, id);
            // Kinds of later versions are ignored: the values are read as they are stored.
            if (id is >= (int)LogicalKind.String and <= (int)LogicalKind.Float16) found = annotation;
        }
        return found;
    }

    private static LogicalAnnotation ReadParameters(ref ThriftReader reader, int logical)
    {
        var found = new LogicalAnnotation((LogicalKind)Math.Clamp(logical, 0, (int)LogicalKind.Float16));
        var id = 0;
        while (reader.NextField(ref id, out var kind))
        {
            switch (found.Kind, id)
            {
                case (LogicalKind.Decimal, 1): found = found with { Scale = reader.Int32(kind) }; break;
                case (LogicalKind.Decimal, 2): found = found with { Precision = reader.Int32(kind) }; break;
                case (LogicalKind.Timestamp or LogicalKind.Time, 1): found = found with { IsUtc = ThriftReader.Flag(kind) }; break;
                case (LogicalKind.Timestamp or LogicalKind.Time, 2): found = found with { Unit = ReadUnit(ref reader, kind) }; break;
                case (LogicalKind.Integer, 1): found = found with { Bits = reader.Int32(kind) }; break;
                case (LogicalKind.Integer, 2): found = found with { IsSigned = ThriftReader.Flag(kind) }; break;
                default: reader.Skip(kind); break;
            }
        }
        return found;
    }

    private static TimeUnit ReadUnit(ref ThriftReader reader, ThriftKind kind)
    {
        ThriftReader.Struct(kind);
        var unit = 0;
        var id = 0;
        while (reader.NextField(ref id, out var field))
        {
            unit = id;
            reader.Skip(field);
        }
        return unit is >= 1 and <= 3 ? (TimeUnit)unit : throw new CorruptDataException("parquet", reader.Position, $"a timestamp has the unknown unit {unit}");
    }

    private static RowGroup ReadRowGroup(ref ThriftReader reader, ThriftKind element, int ordinal, long dataEnd)
    {
        ThriftReader.Struct(element);
        ColumnChunk[]? chunks = null;
        var rows = -1L;
        var id = 0;
        while (reader.NextField(ref id, out var kind))
        {
            switch (id)
            {
                case 1:
                    chunks = new ColumnChunk[reader.List(kind, out var chunk)];
                    for (var i = 0; i < chunks.Length; i++) chunks[i] = ReadChunk(ref reader, chunk, ordinal, i, dataEnd);
                    break;
                case 3:
                    rows = reader.Integer(kind);
                    break;
                default:
                    reader.Skip(kind);
                    break;
            }
        }
        if (chunks is null || rows < 0) throw new CorruptDataException("parquet", reader.Position, $"row group {ordinal} has no columns or no row count");
        return new RowGroup(ordinal, rows, chunks);
    }

    private static ColumnChunk ReadChunk(ref ThriftReader reader, ThriftKind element, int group, int column, long dataEnd)
    {
        ThriftReader.Struct(element);
        ColumnChunk? chunk = null;
        var (columnIndex, columnLength, offsetIndex, offsetLength) = (0L, 0, 0L, 0);
        var id = 0;
        while (reader.NextField(ref id, out var kind))
        {
            switch (id)
            {
                case 1: throw new CorruptDataException("parquet", reader.Position, $"column {column} of row group {group} lies in another file, '{reader.Text(kind)}', which is not supported");
                case 3: chunk = ReadChunkMetadata(ref reader, kind, group, column); break;
                case 4: offsetIndex = reader.Integer(kind); break;
                case 5: offsetLength = reader.Int32(kind); break;
                case 6: columnIndex = reader.Integer(kind); break;
                case 7: columnLength = reader.Int32(kind); break;
                default: reader.Skip(kind); break;
            }
        }
        if (chunk is null) throw new CorruptDataException("parquet", reader.Position, $"column {column} of row group {group} has no metadata");
        if (chunk.Offset < 4 || chunk.Bytes < 0 || chunk.RawBytes < 0 || chunk.Values < 0 || chunk.Bytes > dataEnd || chunk.Offset > dataEnd - chunk.Bytes)
        {
            throw new CorruptDataException("parquet", reader.Position,
                $"column {column} of row group {group} should lie at byte {chunk.Offset:N0}, {chunk.Bytes:N0} bytes long, which is not between the file's start and its footer at {dataEnd:N0}");
        }
        return chunk with { ColumnIndex = Within(columnIndex, columnLength, dataEnd), OffsetIndex = Within(offsetIndex, offsetLength, dataEnd) };
    }

    // Indexes only save work; where they point out of the file, the file is read without them.
    private static FileRange Within(long offset, int length, long dataEnd) =>
        offset >= 4 && length > 0 && offset <= dataEnd - length ? new FileRange(offset, length) : default;

    private static ColumnChunk ReadChunkMetadata(ref ThriftReader reader, ThriftKind struct_, int group, int column)
    {
        ThriftReader.Struct(struct_);
        var (stored, codec) = (StoredKind.Boolean, PageCodec.None);
        var (values, bytes, raw, data, dictionary, bloom) = (-1L, -1L, -1L, -1L, 0L, -1L);
        StoredStatistics? statistics = null;
        var id = 0;
        while (reader.NextField(ref id, out var kind))
        {
            switch (id)
            {
                case 1: stored = Known(reader.Int32(kind), StoredKind.FixedBytes, "type"); break;
                case 4: codec = Known(reader.Int32(kind), PageCodec.Lz4, "compression"); break;
                case 5: values = reader.Integer(kind); break;
                case 6: raw = reader.Integer(kind); break;
                case 7: bytes = reader.Integer(kind); break;
                case 9: data = reader.Integer(kind); break;
                case 11: dictionary = reader.Integer(kind); break;
                case 12: statistics = ReadStatistics(ref reader, kind); break;
                case 14: bloom = reader.Integer(kind); break;
                default: reader.Skip(kind); break;
            }
        }
        if (values < 0 || bytes < 0 || raw < 0 || data < 0) throw new CorruptDataException("parquet", reader.Position, $"column {column} of row group {group} does not say where it lies");

        // Some writers say 0 where there is no dictionary, others leave the field out.
        var offset = dictionary > 0 && dictionary < data ? dictionary : data;
        return new ColumnChunk { Stored = stored, Codec = codec, Values = values, Offset = offset, Bytes = bytes, RawBytes = raw, Statistics = statistics, BloomOffset = bloom };
    }

    /// <summary>Reads statistics, of a chunk or of a page.</summary>
    public static StoredStatistics ReadStatistics(ref ThriftReader reader, ThriftKind struct_)
    {
        ThriftReader.Struct(struct_);
        byte[]? min = null, max = null, oldMin = null, oldMax = null;
        var (nulls, distinct) = (-1L, -1L);
        var id = 0;
        while (reader.NextField(ref id, out var kind))
        {
            switch (id)
            {
                case 1: oldMax = reader.Binary(kind).ToArray(); break;
                case 2: oldMin = reader.Binary(kind).ToArray(); break;
                case 3: nulls = reader.Integer(kind); break;
                case 4: distinct = reader.Integer(kind); break;
                case 5: max = reader.Binary(kind).ToArray(); break;
                case 6: min = reader.Binary(kind).ToArray(); break;
                default: reader.Skip(kind); break;
            }
        }
        var isOld = min is null && max is null;
        return new StoredStatistics(isOld ? oldMin : min, isOld ? oldMax : max, nulls, distinct, isOld);
    }

    private static TEnum Known<TEnum>(int value, TEnum last, string what)
        where TEnum : struct, Enum
    {
        if (value < 0 || value > Convert.ToInt32(last, null)) throw new CorruptDataException("parquet", 0, $"the {what} {value} is not known");
        return (TEnum)Enum.ToObject(typeof(TEnum), value);
    }
}
