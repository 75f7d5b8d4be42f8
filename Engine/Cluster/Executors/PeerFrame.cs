using System.Buffers.Binary;
using Dataflow.Collectives;
using Dataflow.Compression;

namespace Dataflow.Cluster;

/// <summary>The first bytes of every frame between executors: what it is for, how long it is, and a checksum of both. Little-endian.</summary>
internal static class PeerFrame
{
    public const int HeaderBytes = 48;

    /// <summary>Bytes after the header at most.</summary>
    public const int MaxBytes = 1 << 20;

    private const uint Magic = 0x31504644;
    private const int ChecksumAt = HeaderBytes - sizeof(uint);

    /// <summary>Writes the header of a frame whose bytes lie behind it already.</summary>
    public static void WriteHeader(Span<byte> frame, PeerHeader header)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(frame, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(frame[4..], frame.Length - HeaderBytes);
        BinaryPrimitives.WriteInt32LittleEndian(frame[8..], header.Gang.Stage);
        BinaryPrimitives.WriteInt32LittleEndian(frame[12..], header.Gang.Attempt);
        BinaryPrimitives.WriteInt32LittleEndian(frame[16..], header.From);
        BinaryPrimitives.WriteInt32LittleEndian(frame[20..], header.To);
        BinaryPrimitives.WriteInt32LittleEndian(frame[24..], header.Sequence);
        BinaryPrimitives.WriteInt32LittleEndian(frame[28..], header.Part);
        BinaryPrimitives.WriteInt32LittleEndian(frame[32..], (int)header.Call);
        BinaryPrimitives.WriteInt64LittleEndian(frame[36..], header.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[ChecksumAt..], Checksum(frame[..ChecksumAt], frame[HeaderBytes..]));
    }

    /// <summary>How many bytes follow the header.</summary>
    /// <exception cref="InvalidDataException">It is no header, or announces too many.</exception>
    public static int LengthOf(ReadOnlySpan<byte> header)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(header[4..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(header) != Magic || length is < 0 or > MaxBytes)
            throw new InvalidDataException($"it sent a frame of {length:N0} bytes that is none of this protocol");
        return length;
    }

    /// <summary>Reads the header of a frame that is here whole.</summary>
    /// <exception cref="InvalidDataException">It was changed on its way.</exception>
    public static PeerHeader Read(ReadOnlySpan<byte> header, ReadOnlySpan<byte> bytes)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(header[ChecksumAt..]) != Checksum(header[..ChecksumAt], bytes))
            throw new InvalidDataException($"a frame of {bytes.Length:N0} bytes arrived damaged");
        var gang = new GangId(BinaryPrimitives.ReadInt32LittleEndian(header[8..]), BinaryPrimitives.ReadInt32LittleEndian(header[12..]));
        return new PeerHeader(
            gang, BinaryPrimitives.ReadInt32LittleEndian(header[16..]), BinaryPrimitives.ReadInt32LittleEndian(header[20..]),
            (CollectiveCall)BinaryPrimitives.ReadInt32LittleEndian(header[32..]), BinaryPrimitives.ReadInt32LittleEndian(header[24..]),
            BinaryPrimitives.ReadInt32LittleEndian(header[28..]), BinaryPrimitives.ReadInt64LittleEndian(header[36..]));
    }

    private static uint Checksum(ReadOnlySpan<byte> header, ReadOnlySpan<byte> bytes) => Crc32C.Append(Crc32C.Of(header), bytes);
}
