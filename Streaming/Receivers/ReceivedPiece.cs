using System.Buffers.Binary;
using Dataflow.Compression;

namespace Dataflow.Streaming.Receivers;

/// <summary>Where a group is. It travels to tasks, without what the driver has in memory of it: they read the file, which all machines see.</summary>
internal sealed class ReceivedPiece(string path, long offset, int length, long first, int count, byte[]? memory)
{
    [NonSerialized]
    private readonly byte[]? _memory = memory;

    public string Path => path;

    public long Offset => offset;

    /// <summary>Bytes, with the header.</summary>
    public int Length => length;

    public long First => first;

    /// <summary>The number behind its last record.</summary>
    public long End => first + count;

    /// <summary>Bytes of memory that it holds.</summary>
    public long MemoryBytes => _memory?.Length ?? 0;

    /// <summary>Its bytes, with the header.</summary>
    /// <exception cref="StreamingException">They are not as they were written.</exception>
    public ReadOnlyMemory<byte> Load()
    {
        if (_memory is not null) return _memory.AsMemory(0, length);
        var bytes = new byte[length];
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            for (var done = 0; done < length;)
            {
                var read = RandomAccess.Read(file, bytes.AsSpan(done), offset + done);
                if (read == 0) throw Damaged(path, offset + done, "the file ends there");
                done += read;
            }
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Damaged(path, offset, "the file is missing");
        }
        if (ReceivedGroup.ReadHeader(bytes) is not { } header || header.First != first || header.Count != count || header.Sum != Crc32C.Of(bytes.AsSpan(ReceivedGroup.HeaderBytes)))
            throw Damaged(path, offset, "its checksum does not fit");
        return bytes;
    }

    /// <summary>The error of a log that is not as it was written.</summary>
    public static StreamingException Damaged(string path, long offset, string what) => new(
        "CHECKPOINT_DAMAGED", $"The log of received rows '{path}' is not as it was written at byte {offset:N0}: {what}. "
        + "Bring the checkpoint's folder back from a copy; or begin anew with another folder, without the rows that were received and not read.");
}

/// <summary>Reads the records of some pieces, from one number to another. Runs in tasks.</summary>
internal sealed class ReceivedRecords(ReceivedPiece[] pieces, long start, long end)
{
    private ReadOnlyMemory<byte> _bytes;
    private int _piece;
    private int _at;
    private long _number;

    /// <summary>The next record.</summary>
    /// <returns>False at the end.</returns>
    public bool TryRead(out ReceivedRecord record)
    {
        while (true)
        {
            if (_at >= _bytes.Length)
            {
                if (_piece == pieces.Length || pieces[_piece].First >= end) break;
                (_bytes, _at, _number) = (pieces[_piece].Load(), ReceivedGroup.HeaderBytes, pieces[_piece].First);
                _piece++;
                continue;
            }
            if (_number >= end) break;
            var place = _bytes.Span[_at..];
            var length = BinaryPrimitives.ReadInt32LittleEndian(place);
            record = new ReceivedRecord(_number, BinaryPrimitives.ReadInt64LittleEndian(place[4..]), _bytes.Slice(_at + ReceivedGroup.RecordBytes, length));
            _at += ReceivedGroup.RecordBytes + length;
            if (_number++ >= start) return true;
        }
        record = default;
        return false;
    }
}
