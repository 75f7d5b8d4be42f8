using System.Buffers.Binary;

namespace Dataflow.Compression;

/// <summary>The header of an LZ4 frame: how its blocks are made and what checks they carry.</summary>
/// <remarks>Format: lz4_Frame_format.md of the LZ4 project, version 1.6.3, section "Frame Descriptor".</remarks>
/// <param name="Linked">Whether the matches of a block may reach into the 64 KB before it.</param>
/// <param name="BlockChecksums">Whether an XXH32 follows each block.</param>
/// <param name="ContentChecksum">Whether an XXH32 of all raw bytes follows the last block.</param>
/// <param name="MaxBlockLength">Raw bytes a block has at most: 64 KB, 256 KB, 1 MB or 4 MB.</param>
/// <param name="ContentLength">Raw bytes of the frame, or null when its writer did not know.</param>
internal sealed record Lz4Frame(bool Linked, bool BlockChecksums, bool ContentChecksum, int MaxBlockLength, ulong? ContentLength)
{
    /// <summary>The four bytes that a frame begins with.</summary>
    public const uint Magic = 0x184D2204;

    /// <summary>Of the format that the Linux kernel still uses, which has no header at all.</summary>
    public const uint LegacyMagic = 0x184C2102;

    /// <summary>What stands in the place of a block's length after the last one.</summary>
    public const uint EndMark = 0;

    /// <summary>Set in a block's length when its bytes are raw.</summary>
    public const uint RawBlock = 1u << 31;

    /// <summary>The longest header after the magic number: two bytes of flags, content length, dictionary id, checksum.</summary>
    public const int MaxLength = 2 + 8 + 4 + 1;

    private const int Version = 1 << 6;
    private const int IndependentFlag = 1 << 5, BlockChecksumFlag = 1 << 4, ContentLengthFlag = 1 << 3, ContentChecksumFlag = 1 << 2,
        ReservedFlag = 1 << 1, DictionaryFlag = 1;

    /// <summary>Whether the number marks a frame of user data, which readers skip: its length and then as many bytes follow.</summary>
    public static bool IsSkippable(uint magic) => (magic & 0xFFFFFFF0) == 0x184D2A50;

    /// <summary>How many bytes follow the magic number, as its first byte tells.</summary>
    public static int LengthFor(byte flags) =>
        2 + ((flags & ContentLengthFlag) != 0 ? 8 : 0) + ((flags & DictionaryFlag) != 0 ? 4 : 0) + 1;

    /// <summary>Reads a header.</summary>
    /// <returns>The header, or null and what is wrong with it.</returns>
    /// <param name="header">The bytes after the magic number, <see cref="LengthFor"/> of them.</param>
    public static (Lz4Frame? Frame, string Problem) Parse(ReadOnlySpan<byte> header)
    {
        int flags = header[0], sizes = header[1];
        var expected = (byte)(XxHash32.Of(header[..^1]) >> 8);
        if (header[^1] != expected)
            return (null, $"the frame header's checksum is {header[^1]:X2}, but its bytes give {expected:X2}");
        if ((flags & 0xC0) != Version)
            return (null, $"the frame has version {flags >> 6}, and only version 1 is known");
        if ((flags & ReservedFlag) != 0 || (sizes & 0x8F) != 0)
            return (null, $"reserved bits are set in the frame header ({flags:X2} {sizes:X2})");
        if (sizes >> 4 < 4)
            return (null, $"the frame's block size code is {sizes >> 4}, and 4 to 7 are known");
        if ((flags & DictionaryFlag) != 0)
            return (null, $"the frame needs dictionary {BinaryPrimitives.ReadUInt32LittleEndian(header[^5..]):X8}, and dictionaries are not supported");

        return (new Lz4Frame(
            Linked: (flags & IndependentFlag) == 0,
            BlockChecksums: (flags & BlockChecksumFlag) != 0,
            ContentChecksum: (flags & ContentChecksumFlag) != 0,
            MaxBlockLength: 1 << 8 + 2 * (sizes >> 4),
            ContentLength: (flags & ContentLengthFlag) != 0 ? BinaryPrimitives.ReadUInt64LittleEndian(header[2..]) : null), "");
    }

    /// <summary>Writes the magic number and the header.</summary>
    /// <returns>Bytes written, at most 4 + <see cref="MaxLength"/>.</returns>
    public int Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, Magic);
        destination[4] = (byte)(Version | (Linked ? 0 : IndependentFlag) | (BlockChecksums ? BlockChecksumFlag : 0)
            | (ContentLength is null ? 0 : ContentLengthFlag) | (ContentChecksum ? ContentChecksumFlag : 0));
        destination[5] = (byte)(SizeCode << 4);
        var end = 6;
        if (ContentLength is { } length)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(destination[end..], length);
            end += 8;
        }

        destination[end] = (byte)(XxHash32.Of(destination[4..end]) >> 8);
        return end + 1;
    }

    private int SizeCode => MaxBlockLength switch
    {
        1 << 16 => 4,
        1 << 18 => 5,
        1 << 20 => 6,
        1 << 22 => 7,
        _ => throw new InvalidOperationException($"An LZ4 frame has blocks of 65536, 262144, 1048576 or 4194304 bytes, not {MaxBlockLength}."),
    };
}
