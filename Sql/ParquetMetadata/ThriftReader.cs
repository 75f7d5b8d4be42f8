using System.Text;

namespace Dataflow.Sql.ParquetMetadata;

/// <summary>What a field of the compact protocol holds; the numbers are those of the protocol.</summary>
internal enum ThriftKind : byte
{
    Stop = 0,
    True = 1,
    False = 2,
    Byte = 3,
    Int16 = 4,
    Int32 = 5,
    Int64 = 6,
    Double = 7,
    Binary = 8,
    List = 9,
    Set = 10,
    Map = 11,
    Struct = 12,
}

/// <summary>Reads Thrift's compact protocol, in which Parquet keeps footers, page headers and indexes. (thrift-compact-protocol.md)</summary>
/// <remarks>Safe for any bytes: it never reads outside the span, and counts are checked against the bytes that are left.</remarks>
internal ref struct ThriftReader(ReadOnlySpan<byte> bytes)
{
    private const int MaxDepth = 32;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>Bytes read so far.</summary>
    public int Position { get; private set; }

    private readonly int Left => _bytes.Length - Position;

    /// <summary>Goes to the next field of a struct.</summary>
    /// <param name="id">The last field's id, 0 at first; becomes this one's.</param>
    /// <param name="kind">What it holds.</param>
    /// <returns>False at the end of the struct.</returns>
    public bool NextField(ref int id, out ThriftKind kind)
    {
        var head = NextByte();
        kind = (ThriftKind)(head & 15);
        if (kind == ThriftKind.Stop) return false;
        var step = head >> 4;
        id = step != 0 ? id + step : (int)ReadZigZag();
        return true;
    }

    /// <summary>An integer of any width.</summary>
    public long Integer(ThriftKind kind) => kind switch
    {
        ThriftKind.Byte => (sbyte)NextByte(),
        ThriftKind.Int16 or ThriftKind.Int32 or ThriftKind.Int64 => ReadZigZag(),
        _ => throw Wrong("an integer", kind),
    };

    /// <summary>An integer that must fit 32 bits.</summary>
    public int Int32(ThriftKind kind)
    {
        var value = Integer(kind);
        return value is >= int.MinValue and <= int.MaxValue ? (int)value : throw new CorruptDataException("parquet", Position, $"the number {value} stands where one of 32 bits belongs");
    }

    /// <summary>A flag; its value is in the kind.</summary>
    public static bool Flag(ThriftKind kind) => kind is ThriftKind.True || (kind is ThriftKind.False ? false : throw Wrong("true or false", kind));

    /// <summary>Bytes, as they lie.</summary>
    public ReadOnlySpan<byte> Binary(ThriftKind kind)
    {
        if (kind != ThriftKind.Binary) throw Wrong("bytes", kind);
        var length = ReadVarint();
        if (length > (ulong)Left) throw Ended($"{length:N0} bytes of text");
        var bytes = _bytes.Slice(Position, (int)length);
        Position += (int)length;
        return bytes;
    }

    /// <summary>Text.</summary>
    public string Text(ThriftKind kind) => Encoding.UTF8.GetString(Binary(kind));

    /// <summary>Begins a list.</summary>
    /// <param name="kind">What the field holds.</param>
    /// <param name="element">What the elements hold.</param>
    /// <returns>How many elements follow; no more than there are bytes.</returns>
    public int List(ThriftKind kind, out ThriftKind element)
    {
        if (kind is not (ThriftKind.List or ThriftKind.Set)) throw Wrong("a list", kind);
        var head = NextByte();
        element = (ThriftKind)(head & 15);
        var count = (ulong)(head >> 4);
        if (count == 15) count = ReadVarint();
        return count <= (ulong)Left ? (int)count : throw Ended($"a list of {count:N0} elements");
    }

    /// <summary>Whether a flag in a list is set: there it takes a byte of its own.</summary>
    public bool FlagElement() => NextByte() == (byte)ThriftKind.True;

    /// <summary>A struct is expected.</summary>
    public static void Struct(ThriftKind kind)
    {
        if (kind != ThriftKind.Struct) throw Wrong("a struct", kind);
    }

    /// <summary>Passes over a field.</summary>
    public void Skip(ThriftKind kind) => Skip(kind, 0);

    private void Skip(ThriftKind kind, int depth)
    {
        if (depth > MaxDepth) throw new CorruptDataException("parquet", Position, $"metadata is nested deeper than {MaxDepth} levels");
        switch (kind)
        {
            case ThriftKind.True or ThriftKind.False:
                break;
            case ThriftKind.Byte:
                NextByte();
                break;
            case ThriftKind.Int16 or ThriftKind.Int32 or ThriftKind.Int64:
                ReadVarint();
                break;
            case ThriftKind.Double:
                if (Left < 8) throw Ended("a number of 8 bytes");
                Position += 8;
                break;
            case ThriftKind.Binary:
                Binary(kind);
                break;
            case ThriftKind.List or ThriftKind.Set:
                var count = List(kind, out var element);
                for (var i = 0; i < count; i++) SkipElement(element, depth);
                break;
            case ThriftKind.Map:
                SkipMap(depth);
                break;
            case ThriftKind.Struct:
                var id = 0;
                while (NextField(ref id, out var field)) Skip(field, depth + 1);
                break;
            default:
                throw Wrong("a known kind of field", kind);
        }
    }

    private void SkipElement(ThriftKind kind, int depth)
    {
        if (kind is ThriftKind.True or ThriftKind.False) NextByte();
        else Skip(kind, depth + 1);
    }

    private void SkipMap(int depth)
    {
        var count = ReadVarint();
        if (count == 0) return;
        if (count > (ulong)Left) throw Ended($"a map of {count:N0} entries");
        var kinds = NextByte();
        for (var i = 0; i < (int)count; i++)
        {
            SkipElement((ThriftKind)(kinds >> 4), depth);
            SkipElement((ThriftKind)(kinds & 15), depth);
        }
    }

    private byte NextByte() => Position < _bytes.Length ? _bytes[Position++] : throw Ended("a field");

    private ulong ReadVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = NextByte();
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }
        throw new CorruptDataException("parquet", Position, "a number of the metadata has more than 10 bytes");
    }

    private long ReadZigZag()
    {
        var value = ReadVarint();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    private readonly CorruptDataException Ended(string what) =>
        new("parquet", Position, $"the metadata ends after {_bytes.Length:N0} bytes, where {what} should follow");

    private static CorruptDataException Wrong(string expected, ThriftKind kind) => new("parquet", 0, $"the metadata holds {kind} where {expected} belongs");
}
