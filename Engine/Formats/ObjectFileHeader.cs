using System.Buffers.Binary;
using System.Text;
using Dataflow.Compression;
using Dataflow.Serialization;

namespace Dataflow.Formats;

/// <summary>What stands at the start of an object file: which elements its blocks hold. Object files may be put end to end.</summary>
/// <remarks>Little-endian: magic <c>DFOF</c> (4), version (1), zero (3), schema hash (8), bytes of the schema's text (4), CRC-32C (4) of all
/// that is before it and of the text, the text in UTF-8. <see cref="EncodedBlock"/>s follow, back to back.</remarks>
internal static class ObjectFileHeader
{
    public const int FixedLength = 24;

    private const uint Magic = 0x464F4644;
    private const byte Version = 1;
    private const int MostTextBytes = 1 << 24;

    public static byte[] Write<T>(Codec<T> codec)
    {
        var text = Encoding.UTF8.GetBytes(codec.Schema);
        var header = new byte[FixedLength + text.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(header, Magic);
        header[4] = Version;
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(8), codec.SchemaHash);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(16), text.Length);
        text.CopyTo(header.AsSpan(FixedLength));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(20), Checksum(header, text));
        return header;
    }

    /// <summary>Whether bytes begin such a header.</summary>
    public static bool Begins(ReadOnlySpan<byte> bytes) => bytes.Length >= 4 && BinaryPrimitives.ReadUInt32LittleEndian(bytes) == Magic;

    /// <summary>How long the text is that follows the fixed part.</summary>
    public static int TextLength(ReadOnlySpan<byte> header, string path)
    {
        if (!Begins(header))
        {
            throw new CorruptDataException(
                "object file", 0, "it does not begin as one: ObjectFile reads only what SaveAsObjects wrote", path);
        }
        if (header[4] != Version)
            throw new CorruptDataException("object file", 4, $"its version is {header[4]}, and this code reads version {Version}", path);
        var length = BinaryPrimitives.ReadInt32LittleEndian(header[16..]);
        if (length is < 0 or > MostTextBytes) throw new CorruptDataException("object file", 16, $"its schema can't have {length} bytes", path);
        return length;
    }

    /// <summary>Refuses a damaged header, and elements of another type.</summary>
    public static void Require<T>(ReadOnlySpan<byte> header, ReadOnlySpan<byte> text, Codec<T> codec, string path)
    {
        var stored = BinaryPrimitives.ReadUInt32LittleEndian(header[20..]);
        if (stored != Checksum(header, text)) throw new CorruptDataException("object file", 20, "its header does not match its checksum", path);
        if (BinaryPrimitives.ReadUInt64LittleEndian(header[8..]) == codec.SchemaHash) return;
        throw new CodecException(
            $"'{path}' holds {Encoding.UTF8.GetString(text)}, and is read as {codec.Schema}. "
            + $"Read it with the type it was written with; if {typeof(T).Name} has changed since, write the file anew.");
    }

    private static uint Checksum(ReadOnlySpan<byte> header, ReadOnlySpan<byte> text) => Crc32C.Append(Crc32C.Of(header[..20]), text);
}
