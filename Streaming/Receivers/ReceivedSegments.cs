using System.Globalization;
using Dataflow.Compression;
using Dataflow.Files;
using Microsoft.Win32.SafeHandles;

namespace Dataflow.Streaming.Receivers;

/// <summary>
/// The files of a log, each called by the number of its first record. Groups are appended to the last one. What an ended process left unfinished at its end was never said to be kept, and is
/// cut off; anything else that is not as it was written is an error.
/// </summary>
internal sealed class ReceivedSegments : IDisposable
{
    private const string Extension = ".received";
    private const int Sector = 512;

    private readonly string _folder;
    private readonly long _segmentBytes;
    private readonly bool _flush;
    private readonly Lock _lock = new();
    private readonly List<(string Path, long First)> _files = [];
    private string _path = "";
    private SafeFileHandle? _last;
    private long _length;

    /// <param name="folder">The log's folder: of a file system of this machine, or mounted there.</param>
    /// <param name="options">How large files become, and whether they are waited for.</param>
    /// <param name="pieces">Gets the groups that are there.</param>
    /// <exception cref="StreamingException">Something is missing or changed.</exception>
    public ReceivedSegments(string folder, ReceiverOptions options, List<ReceivedPiece> pieces)
    {
        (_folder, _segmentBytes, _flush) = (folder, options.SegmentBytes, options.FlushToDisk);
        if (FileSystems.For(folder) is not LocalFileSystem)
        {
            throw new StreamingException(
                "CHECKPOINT_WITHOUT_APPEND", $"A source that can't be asked again writes what it receives at the end of a file, which '{folder}' can't do. "
                + "Give the query a checkpoint in a folder of this machine, or one that is mounted there.");
        }
        FileSystems.For(folder).CreateFolder(folder, _flush);
        string[] paths = [.. Directory.GetFiles(folder, "*" + Extension).Order(StringComparer.Ordinal)];
        for (var i = 0; i < paths.Length; i++)
        {
            var first = long.Parse(Path.GetFileNameWithoutExtension(paths[i]), CultureInfo.InvariantCulture);
            if (i > 0 && first != End(pieces)) throw ReceivedPiece.Damaged(paths[i], 0, $"it begins with record {first}, and the one before ends with {End(pieces)}");
            _files.Add((paths[i], first));
            Scan(paths[i], first, isLast: i == paths.Length - 1, pieces);
        }
    }

    public string Folder => _folder;

    /// <summary>The number behind the last record of all.</summary>
    public long End(List<ReceivedPiece> pieces) => pieces.Count > 0 ? pieces[^1].End : _files.Count > 0 ? _files[^1].First : 0;

    /// <summary>Puts a group at the end, and waits until it is on the disk if that is wanted.</summary>
    /// <param name="keep">Whether the piece holds the memory.</param>
    public ReceivedPiece Append(ReceivedGroup group, Func<int, bool> keep)
    {
        if (_last is null || _length >= _segmentBytes)
        {
            _last?.Dispose();
            var path = FilePath.Combine(_folder, group.First.ToString("D20", CultureInfo.InvariantCulture) + Extension);
            _last = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read | FileShare.Delete);
            if (_flush) FileSystems.For(_folder).FlushFolder(_folder);
            lock (_lock) _files.Add((path, group.First));
            (_path, _length) = (path, 0);
        }
        var bytes = group.Seal();
        RandomAccess.Write(_last, bytes.AsSpan(0, group.Length), _length);
        if (_flush) RandomAccess.FlushToDisk(_last);
        var piece = new ReceivedPiece(_path, _length, group.Length, group.First, group.Count, keep(bytes.Length) ? bytes : null);
        _length += group.Length;
        return piece;
    }

    /// <summary>Deletes files whose records are all below a number. The last one stays.</summary>
    public void DropBelow(long number)
    {
        while (true)
        {
            string path;
            lock (_lock)
            {
                if (_files.Count < 2 || _files[1].First > number) return;
                path = _files[0].Path;
                _files.RemoveAt(0);
            }
            File.Delete(path);
        }
    }

    public void Dispose() => _last?.Dispose();

    private void Scan(string path, long number, bool isLast, List<ReceivedPiece> pieces)
    {
        var handle = File.OpenHandle(path, FileMode.Open, isLast ? FileAccess.ReadWrite : FileAccess.Read, FileShare.Read | FileShare.Delete);
        try
        {
            var (at, length, buffer) = (0L, RandomAccess.GetLength(handle), new byte[64 << 10]);
            while (at < length)
            {
                var header = ReceivedGroup.ReadHeader(buffer.AsSpan(0, RandomAccess.Read(handle, buffer.AsSpan(0, ReceivedGroup.HeaderBytes), at)));
                var whole = header is { } there && at + ReceivedGroup.HeaderBytes + there.Bytes <= length && there.Sum == SumOf(handle, at + ReceivedGroup.HeaderBytes, there.Bytes, buffer);
                if (whole && header!.Value.First == number)
                {
                    pieces.Add(new ReceivedPiece(path, at, ReceivedGroup.HeaderBytes + header.Value.Bytes, number, header.Value.Count, null));
                    number += header.Value.Count;
                    at += ReceivedGroup.HeaderBytes + header.Value.Bytes;
                    continue;
                }
                if (whole) throw ReceivedPiece.Damaged(path, at, $"record {number} should be there, and is {header!.Value.First}");
                if (!isLast || !IsTorn(handle, at, length, header, buffer)) throw ReceivedPiece.Damaged(path, at, "its checksum does not fit");
                RandomAccess.SetLength(handle, at);
                if (_flush) RandomAccess.FlushToDisk(handle);
                break;
            }
            if (!isLast) return;
            (_last, _path, _length) = (handle, path, at);
            handle = null;
        }
        finally
        {
            handle?.Dispose();
        }
    }

    // A write that an end of the process cut is short. One that a loss of power cut may lack any of its sectors, which are zeros then. In both cases it is the last: the next is only written
    // when one is on the disk.
    private static bool IsTorn(SafeFileHandle handle, long at, long length, GroupHeader? header, byte[] buffer)
    {
        if (length - at < ReceivedGroup.HeaderBytes) return true;
        if (header is { } there)
        {
            var end = at + ReceivedGroup.HeaderBytes + there.Bytes;
            if (end > length) return true;
            if (end < length) return false;
        }
        for (var sector = at; sector < length; sector += Sector - (sector % Sector))
        {
            var span = buffer.AsSpan(0, (int)Math.Min(Sector - (sector % Sector), length - sector));
            if (RandomAccess.Read(handle, span, sector) == span.Length && span.IndexOfAnyExcept((byte)0) < 0) return true;
        }
        return false;
    }

    private static uint SumOf(SafeFileHandle handle, long at, int length, byte[] buffer)
    {
        var sum = 0u;
        for (var done = 0; done < length;)
        {
            var read = RandomAccess.Read(handle, buffer.AsSpan(0, Math.Min(buffer.Length, length - done)), at + done);
            if (read == 0) break;
            sum = Crc32C.Append(sum, buffer.AsSpan(0, read));
            done += read;
        }
        return sum;
    }
}
