using System.Buffers.Binary;
using Dataflow.Compression;
using Dataflow.Files;
using Microsoft.Win32.SafeHandles;

namespace Dataflow.Streaming.Mqtt;

/// <summary>
/// Messages of quality 2 by their numbers at the broker: <em>held</em> from when one comes until the broker releases its number. While it is held, a message with its number is the same one.
/// That a number was released is on the disk before the broker is told, as the broker may use it for another message then.
/// </summary>
/// <remarks>
/// <para>The messages themselves are in the query's log, which keeps those that are held (<see cref="Oldest"/>). The file has what that can't tell: a line for each release, with the
/// message's place in the log, after which an earlier message with this number is held no more. It is written anew when most of it is of no use.</para>
/// <para>A line has 16 bytes: the place (8), the number (2), nothing (2), CRC-32C of these (4). A line that is torn was never said to the broker, and is cut off with what follows. The number
/// 0 releases all.</para>
/// </remarks>
internal sealed class MqttReleases : IDisposable
{
    private const int LineBytes = 16;
    private const int MostLines = 1 << 17;

    private readonly string _path;
    private readonly bool _flush;
    private readonly Dictionary<ushort, long> _held = [];
    private readonly Queue<(long Place, ushort Id)> _order = new();
    private readonly Dictionary<ushort, long> _released = [];
    private SafeFileHandle _file;
    private long _length;

    /// <param name="path">The file, which may be there from before.</param>
    /// <param name="flush">Whether the disk is waited for.</param>
    public MqttReleases(string path, bool flush)
    {
        (_path, _flush) = (path, flush);
        var (system, folder) = (FileSystems.For(path), FilePath.ParentOf(path)!);
        system.CreateFolder(folder, flush);
        _file = Open();
        if (flush) system.FlushFolder(folder);
        var bytes = new byte[RandomAccess.GetLength(_file)];
        var there = RandomAccess.Read(_file, bytes, 0);
        while (_length + LineBytes <= there && TryRead(bytes.AsSpan((int)_length, LineBytes), out var place, out var id))
        {
            if (id == 0) _released.Clear();
            _released[id] = place;
            _length += LineBytes;
        }
        RandomAccess.SetLength(_file, _length);
    }

    /// <summary>The place in the log of the oldest message that is held; <see cref="long.MaxValue"/> if none is.</summary>
    public long Oldest
    {
        get
        {
            while (_order.TryPeek(out var first) && (!_held.TryGetValue(first.Id, out var place) || place != first.Place)) _order.Dequeue();
            return _order.TryPeek(out var oldest) ? oldest.Place : long.MaxValue;
        }
    }

    /// <summary>Whether a message with the number is held.</summary>
    public bool IsHeld(ushort id) => _held.ContainsKey(id);

    /// <summary>A message has come, and is on its way to the log.</summary>
    public void Hold(ushort id, long place)
    {
        _held[id] = place;
        _order.Enqueue((place, id));
    }

    /// <summary>A message did not come to the log.</summary>
    public void Forget(ushort id) => _held.Remove(id);

    /// <summary>A message is in the log of an earlier process, which may have released its number.</summary>
    public void Recall(ushort id, long place)
    {
        if (place > Math.Max(_released.GetValueOrDefault(id, -1), _released.GetValueOrDefault((ushort)0, -1))) Hold(id, place);
    }

    /// <summary>The broker has released numbers: notes those that are held, and waits for the disk.</summary>
    public void Release(List<ushort> ids)
    {
        var lines = new byte[ids.Count * LineBytes];
        var count = 0;
        foreach (var id in ids)
        {
            if (!_held.Remove(id, out var place)) continue;
            _released[id] = place;
            Write(lines.AsSpan(count++ * LineBytes, LineBytes), place, id);
        }
        if (count > 0) Append(lines.AsSpan(0, count * LineBytes));
    }

    /// <summary>The broker has begun anew: no message comes again, and numbers begin anew.</summary>
    /// <param name="end">The place behind the last message.</param>
    public void ReleaseAll(long end)
    {
        if (end == 0) return;
        _held.Clear();
        _released.Clear();
        _released[0] = end - 1;
        Rewrite();
    }

    /// <summary>Its path, for errors.</summary>
    public override string ToString() => $"'{_path}'";

    public void Dispose() => _file.Dispose();

    private void Append(ReadOnlySpan<byte> lines)
    {
        if (_length / LineBytes > MostLines)
        {
            Rewrite();
            return;
        }
        RandomAccess.Write(_file, lines, _length);
        if (_flush) RandomAccess.FlushToDisk(_file);
        _length += lines.Length;
    }

    // The last release of each number is enough. The new file takes the old one's place as a whole.
    private void Rewrite()
    {
        var lines = new byte[_released.Count * LineBytes];
        var at = 0;
        foreach (var (id, place) in _released.OrderBy(each => each.Key))
        {
            Write(lines.AsSpan(at, LineBytes), place, id);
            at += LineBytes;
        }
        using (var next = FileSystems.For(_path).Create(_path))
        {
            next.Stream.Write(lines);
            next.Commit(replace: true, _flush);
        }
        _file.Dispose();
        (_file, _length) = (Open(), lines.Length);
    }

    private SafeFileHandle Open() => File.OpenHandle(_path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);

    private static void Write(Span<byte> line, long place, ushort id)
    {
        BinaryPrimitives.WriteInt64LittleEndian(line, place);
        BinaryPrimitives.WriteUInt16LittleEndian(line[8..], id);
        BinaryPrimitives.WriteUInt32LittleEndian(line[12..], Crc32C.Of(line[..12]));
    }

    private static bool TryRead(ReadOnlySpan<byte> line, out long place, out ushort id)
    {
        (place, id) = (BinaryPrimitives.ReadInt64LittleEndian(line), BinaryPrimitives.ReadUInt16LittleEndian(line[8..]));
        return BinaryPrimitives.ReadUInt32LittleEndian(line[12..]) == Crc32C.Of(line[..12]);
    }
}
