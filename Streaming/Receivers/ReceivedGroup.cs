using System.Buffers.Binary;
using Dataflow.Compression;

namespace Dataflow.Streaming.Receivers;

/// <summary>What a receiver took in.</summary>
/// <param name="Number">Its place: records of a log are numbered from 0.</param>
/// <param name="Received">When it came, in microseconds since 1970.</param>
/// <param name="Bytes">What it is; valid until the next record is read.</param>
internal readonly record struct ReceivedRecord(long Number, long Received, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>When it came.</summary>
    public DateTimeOffset At => DateTimeOffset.UnixEpoch.AddTicks(Received * TimeSpan.TicksPerMicrosecond);
}

/// <summary>
/// Records that go to the disk together: with one write, one wait, and one checksum. A group is there as a whole or not at all, and a later one is written only when it is on the disk.
/// </summary>
/// <remarks>Little-endian. Header: bytes behind it (4), records (4), number of the first (8), CRC-32C of the bytes behind it (4), CRC-32C of the 20 bytes before (4). Then each record: its
/// bytes (4), when it came (8), it itself.</remarks>
internal sealed class ReceivedGroup(long first)
{
    public const int HeaderBytes = 24;
    public const int RecordBytes = 12;

    private readonly TaskCompletionSource _kept = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte[] _bytes = new byte[512];

    /// <summary>The number of its first record.</summary>
    public long First => first;

    public int Count { get; private set; }

    /// <summary>Bytes so far, with the header.</summary>
    public int Length { get; private set; } = HeaderBytes;

    /// <summary>Done when the group is on the disk.</summary>
    public Task Kept => _kept.Task;

    public void Add(ReadOnlySpan<byte> record, long received)
    {
        var end = checked(Length + RecordBytes + record.Length);
        if (end > _bytes.Length) Array.Resize(ref _bytes, Math.Max(end, (int)Math.Min(2L * _bytes.Length, Array.MaxLength)));
        var place = _bytes.AsSpan(Length);
        BinaryPrimitives.WriteInt32LittleEndian(place, record.Length);
        BinaryPrimitives.WriteInt64LittleEndian(place[4..], received);
        record.CopyTo(place[RecordBytes..]);
        Length = end;
        Count++;
    }

    /// <summary>Writes the header. Nothing may be added any more.</summary>
    /// <returns>The group's memory; <see cref="Length"/> bytes of it count.</returns>
    public byte[] Seal()
    {
        var header = _bytes.AsSpan(0, HeaderBytes);
        BinaryPrimitives.WriteInt32LittleEndian(header, Length - HeaderBytes);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], Count);
        BinaryPrimitives.WriteInt64LittleEndian(header[8..], first);
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], Crc32C.Of(_bytes.AsSpan(HeaderBytes, Length - HeaderBytes)));
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], Crc32C.Of(header[..20]));
        return _bytes;
    }

    /// <summary>Says that it is on the disk, or why it is not.</summary>
    public void End(Exception? error = null)
    {
        if (error is null) _kept.SetResult();
        else _kept.SetException(error);
        // Who appended may not want to know.
        _ = _kept.Task.Exception;
    }

    /// <summary>Reads a header.</summary>
    /// <returns>Null if it is none.</returns>
    public static GroupHeader? ReadHeader(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(bytes[20..]) != Crc32C.Of(bytes[..20])) return null;
        return new GroupHeader(
            BinaryPrimitives.ReadInt32LittleEndian(bytes), BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]), BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]));
    }
}

/// <summary>What stands before a group.</summary>
/// <param name="Bytes">Bytes behind the header.</param>
/// <param name="Count">Records.</param>
/// <param name="First">Number of the first.</param>
/// <param name="Sum">CRC-32C of the bytes behind the header.</param>
internal readonly record struct GroupHeader(int Bytes, int Count, long First, uint Sum);
