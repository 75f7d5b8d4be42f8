using System.Buffers.Binary;

namespace Dataflow.Compression;

/// <summary>Id 4, <c>snappy</c>: the raw Snappy format, all managed. The usual one of Parquet files.</summary>
internal sealed class SnappyCodec : ICompressionCodec
{
    public byte Id => 4;

    public string Name => "snappy";

    public int MaxCompressedLength(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, SnappyEncoder.MaxLength);
        return SnappyEncoder.MaxEncodedLength(length);
    }

    public int Compress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        ICompressionCodec.RequireRoom(this, source.Length, destination.Length);
        return SnappyEncoder.Encode(source, destination);
    }

    public int Decompress(ReadOnlySpan<byte> source, Span<byte> destination) => SnappyDecoder.Decode(source, destination);
}

/// <summary>The Snappy framing format: a stream identifier, then chunks of at most 64 KB of raw bytes, each with its CRC-32C.</summary>
/// <remarks>Format: framing_format.txt of the Snappy project, revision 2013-10-25. Hadoop's files ending in .snappy have another
/// format, without identifier or checksums.</remarks>
internal static class SnappyFraming
{
    /// <summary>Raw bytes a chunk holds at most.</summary>
    public const int MaxRawLength = 1 << 16;

    /// <summary>Bytes before a chunk's body: its type and its length.</summary>
    public const int HeaderLength = 4;

    /// <summary>Bytes of the checksum at the front of a chunk of data.</summary>
    public const int ChecksumLength = 4;

    /// <summary>Chunk types; those between <see cref="FirstSkippable"/> and the identifier may be skipped, others may not.</summary>
    public const byte Packed = 0x00, Raw = 0x01, FirstSkippable = 0x80, Identifier = 0xFF;

    /// <summary>What a stream begins with: chunk type 0xFF, length 6, and the name.</summary>
    public static ReadOnlySpan<byte> Start => [Identifier, 6, 0, 0, (byte)'s', (byte)'N', (byte)'a', (byte)'P', (byte)'p', (byte)'Y'];

    /// <summary>The checksum as it is stored: rotated and shifted, since the CRC of data that holds its own CRC is a weak one.</summary>
    public static uint Checksum(ReadOnlySpan<byte> raw)
    {
        var crc = Crc32C.Of(raw);
        return (crc >> 15 | crc << 17) + 0xA282EAD8;
    }
}

/// <summary>Reads the Snappy framing format to the end of the source; streams that follow one another read as one.</summary>
/// <remarks>Holds two chunks, about 150 KB. A source without any bytes is an empty file, not an error.</remarks>
internal sealed class SnappyReadStream(Stream source, bool leaveOpen = false, string? path = null)
    : BlockReadStream(source, leaveOpen, "snappy", path)
{
    private readonly byte[] body = new byte[SnappyFraming.ChecksumLength + SnappyEncoder.MaxEncodedLength(SnappyFraming.MaxRawLength)];
    private readonly byte[] raw = new byte[SnappyFraming.MaxRawLength];
    private bool begun;

    protected override bool ReadBlock(out ReadOnlyMemory<byte> block)
    {
        block = default;
        Span<byte> header = stackalloc byte[SnappyFraming.HeaderLength];
        if (!TryTakeExactly(header, "a chunk's header"))
            return false;

        var type = header[0];
        var length = (int)(BinaryPrimitives.ReadUInt32LittleEndian(header) >> 8);
        if (!begun && type != SnappyFraming.Identifier)
            throw Corrupt($"the stream begins with a chunk of type {type:X2}, where the identifier FF is expected (Hadoop's .snappy files have another format, which is not supported)");

        switch (type)
        {
            case SnappyFraming.Identifier:
                ReadIdentifier(length);
                break;
            case SnappyFraming.Packed or SnappyFraming.Raw:
                block = ReadData(length, isRaw: type == SnappyFraming.Raw);
                break;
            case >= SnappyFraming.FirstSkippable:
                Skip(length);
                break;
            default:
                throw Corrupt($"a chunk has type {type:X2}, which is not known and may not be skipped");
        }

        return true;
    }

    protected override void Release()
    {
    }

    private void ReadIdentifier(int length)
    {
        var expected = SnappyFraming.Start[SnappyFraming.HeaderLength..];
        if (length != expected.Length)
            throw Corrupt($"the stream identifier has {length:N0} bytes, where {expected.Length:N0} are expected");
        var name = body.AsSpan(0, length);
        TakeExactly(name, "the stream identifier");
        if (!name.SequenceEqual(expected))
            throw Corrupt($"the stream identifier is {Convert.ToHexString(name)}, where {Convert.ToHexString(expected)} (sNaPpY) is expected");
        begun = true;
    }

    private ReadOnlyMemory<byte> ReadData(int length, bool isRaw)
    {
        var most = isRaw ? SnappyFraming.ChecksumLength + SnappyFraming.MaxRawLength : body.Length;
        if (length < SnappyFraming.ChecksumLength || length > most)
            throw Corrupt($"a chunk of {length:N0} bytes is announced, where {SnappyFraming.ChecksumLength:N0} to {most:N0} are allowed");

        TakeExactly(body.AsSpan(0, length), "a chunk");
        var data = body.AsMemory(SnappyFraming.ChecksumLength, length - SnappyFraming.ChecksumLength);
        var block = isRaw ? data : raw.AsMemory(0, Decode(data.Span));

        var stated = BinaryPrimitives.ReadUInt32LittleEndian(body);
        var actual = SnappyFraming.Checksum(block.Span);
        if (stated != actual)
            throw Corrupt($"a chunk's checksum is {stated:X8}, but its {block.Length:N0} raw bytes give {actual:X8}");
        return block;
    }

    private int Decode(ReadOnlySpan<byte> data)
    {
        try
        {
            return SnappyDecoder.Decode(data, raw);
        }
        catch (CorruptDataException error)
        {
            throw Corrupt(error, data.Length);
        }
    }

    private void Skip(int length)
    {
        while (length > 0)
        {
            var part = body.AsSpan(0, Math.Min(length, body.Length));
            TakeExactly(part, "a skipped chunk");
            length -= part.Length;
        }
    }
}

/// <summary>Writes the Snappy framing format; a chunk that saves less than an eighth is stored raw, as the reference does.</summary>
internal sealed class SnappyWriteStream(Stream destination, bool leaveOpen = false)
    : BlockWriteStream(destination, leaveOpen, SnappyFraming.MaxRawLength)
{
    private const int BodyStart = SnappyFraming.HeaderLength + SnappyFraming.ChecksumLength;

    private readonly byte[] chunk = new byte[BodyStart + SnappyEncoder.MaxEncodedLength(SnappyFraming.MaxRawLength)];
    private bool begun;

    protected override void WriteBlock(ReadOnlySpan<byte> block)
    {
        Begin();
        var body = chunk.AsSpan(BodyStart);
        var length = SnappyEncoder.Encode(block, body);
        var isRaw = length >= block.Length - block.Length / 8;
        if (isRaw)
        {
            block.CopyTo(body);
            length = block.Length;
        }

        BinaryPrimitives.WriteUInt32LittleEndian(chunk,
            (uint)(SnappyFraming.ChecksumLength + length) << 8 | (isRaw ? SnappyFraming.Raw : SnappyFraming.Packed));
        BinaryPrimitives.WriteUInt32LittleEndian(chunk.AsSpan(SnappyFraming.HeaderLength), SnappyFraming.Checksum(block));
        Destination.Write(chunk, 0, BodyStart + length);
    }

    protected override void Finish() => Begin();

    protected override void Release()
    {
    }

    private void Begin()
    {
        if (begun)
            return;
        begun = true;
        Destination.Write(SnappyFraming.Start);
    }
}
