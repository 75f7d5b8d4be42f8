using System.Buffers.Binary;
using Dataflow.Compression;
using Dataflow.Scheduling;

namespace Dataflow.Shuffle;

/// <summary>Which map output a file holds: one attempt at one map task.</summary>
internal readonly record struct MapFileId(ShuffleId Shuffle, int Map, TaskId Writer);

/// <summary>Where one segment lies in a map file.</summary>
/// <param name="Tag">The segment's number for its reader.</param>
/// <param name="Rows">Rows of the segment.</param>
/// <param name="Offset">First byte.</param>
/// <param name="StoredLength">Bytes in the file.</param>
/// <param name="RawLength">Bytes before compression.</param>
/// <param name="Compression">Id of the compression; 0 for none.</param>
/// <param name="Checksum">CRC-32C of the bytes in the file.</param>
internal readonly record struct MapFileEntry(int Tag, int Rows, long Offset, int StoredLength, int RawLength, byte Compression, uint Checksum);

/// <summary>
/// The end of a map file, which says what lies in it. All numbers are little-endian. After the bytes of all segments: for each segment its tag
/// (4), rows (4), raw length (4), stored length (4), CRC-32C (4), compression (1), zero (3); for each reduce partition and for their end the
/// number of its first segment (4); then magic <c>DFMO</c> (4), version (4), shuffle (4), map (4), writer (8), reduce partitions (4), segments
/// (4), bytes of all segments (8), zero (4), CRC-32C of the index before it (4).
/// </summary>
internal sealed class MapFileIndex
{
    public const int FooterLength = 48;

    private const int EntryLength = 24;
    private const uint Magic = 0x4F4D4644;
    private const int Version = 1;

    private readonly MapFileEntry[] _entries;
    private readonly int[] _first;

    private MapFileIndex(MapFileEntry[] entries, int[] first)
    {
        _entries = entries;
        _first = first;
    }

    public int ReducePartitions => _first.Length - 1;

    /// <summary>The segments of some reduce partitions, one after the other in the file.</summary>
    public ReadOnlySpan<MapFileEntry> Entries(int reduceStart, int reduceEnd) => _entries.AsSpan(_first[reduceStart].._first[reduceEnd]);

    /// <summary>Bytes of the index of a file, by its last <see cref="FooterLength"/> bytes; -1 if that is no footer of it.</summary>
    public static long LengthOf(ReadOnlySpan<byte> footer, MapFileId id, long fileLength)
    {
        var parts = BinaryPrimitives.ReadInt32LittleEndian(footer[24..]);
        var entries = BinaryPrimitives.ReadInt32LittleEndian(footer[28..]);
        var data = BinaryPrimitives.ReadInt64LittleEndian(footer[32..]);
        var length = ((long)EntryLength * entries) + (sizeof(int) * ((long)parts + 1)) + FooterLength;
        return BinaryPrimitives.ReadUInt32LittleEndian(footer) == Magic && BinaryPrimitives.ReadInt32LittleEndian(footer[4..]) == Version
            && BinaryPrimitives.ReadInt32LittleEndian(footer[8..]) == id.Shuffle.Value && BinaryPrimitives.ReadInt32LittleEndian(footer[12..]) == id.Map
            && BinaryPrimitives.ReadInt64LittleEndian(footer[16..]) == id.Writer.Value
            && parts >= 0 && entries >= 0 && data >= 0 && length <= int.MaxValue && data + length == fileLength ? length : -1;
    }

    /// <summary>Reads an index, footer and all.</summary>
    /// <returns>Null if it is damaged.</returns>
    public static MapFileIndex? Read(ReadOnlySpan<byte> index)
    {
        var footer = index[^FooterLength..];
        if (Crc32C.Of(index[..^sizeof(uint)]) != BinaryPrimitives.ReadUInt32LittleEndian(index[^sizeof(uint)..])) return null;
        var first = new int[BinaryPrimitives.ReadInt32LittleEndian(footer[24..]) + 1];
        var entries = new MapFileEntry[BinaryPrimitives.ReadInt32LittleEndian(footer[28..])];
        var offset = 0L;
        foreach (ref var entry in entries.AsSpan())
        {
            var stored = BinaryPrimitives.ReadInt32LittleEndian(index[12..]);
            entry = new MapFileEntry(
                BinaryPrimitives.ReadInt32LittleEndian(index), BinaryPrimitives.ReadInt32LittleEndian(index[4..]), offset, stored,
                BinaryPrimitives.ReadInt32LittleEndian(index[8..]), index[20], BinaryPrimitives.ReadUInt32LittleEndian(index[16..]));
            offset += stored;
            index = index[EntryLength..];
        }
        foreach (ref var start in first.AsSpan())
        {
            start = BinaryPrimitives.ReadInt32LittleEndian(index);
            index = index[sizeof(int)..];
        }
        return new MapFileIndex(entries, first);
    }

    /// <summary>The bytes of an index.</summary>
    /// <param name="id">The output.</param>
    /// <param name="entries">Its segments.</param>
    /// <param name="first">The number of the first segment of each reduce partition, and of their end.</param>
    /// <param name="dataLength">Bytes of all segments.</param>
    public static byte[] Write(MapFileId id, IReadOnlyList<MapFileEntry> entries, int[] first, long dataLength)
    {
        var bytes = new byte[(EntryLength * entries.Count) + (sizeof(int) * first.Length) + FooterLength];
        var rest = bytes.AsSpan();
        foreach (var entry in entries)
        {
            BinaryPrimitives.WriteInt32LittleEndian(rest, entry.Tag);
            BinaryPrimitives.WriteInt32LittleEndian(rest[4..], entry.Rows);
            BinaryPrimitives.WriteInt32LittleEndian(rest[8..], entry.RawLength);
            BinaryPrimitives.WriteInt32LittleEndian(rest[12..], entry.StoredLength);
            BinaryPrimitives.WriteUInt32LittleEndian(rest[16..], entry.Checksum);
            rest[20] = entry.Compression;
            rest = rest[EntryLength..];
        }
        foreach (var start in first)
        {
            BinaryPrimitives.WriteInt32LittleEndian(rest, start);
            rest = rest[sizeof(int)..];
        }
        BinaryPrimitives.WriteUInt32LittleEndian(rest, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(rest[4..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(rest[8..], id.Shuffle.Value);
        BinaryPrimitives.WriteInt32LittleEndian(rest[12..], id.Map);
        BinaryPrimitives.WriteInt64LittleEndian(rest[16..], id.Writer.Value);
        BinaryPrimitives.WriteInt32LittleEndian(rest[24..], first.Length - 1);
        BinaryPrimitives.WriteInt32LittleEndian(rest[28..], entries.Count);
        BinaryPrimitives.WriteInt64LittleEndian(rest[32..], dataLength);
        BinaryPrimitives.WriteUInt32LittleEndian(rest[44..], Crc32C.Of(bytes.AsSpan(0, bytes.Length - sizeof(uint))));
        return bytes;
    }
}
