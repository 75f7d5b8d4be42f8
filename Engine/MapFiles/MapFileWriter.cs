using System.Buffers;
using Dataflow.Compression;
using Dataflow.Storage;

namespace Dataflow.Shuffle;

/// <summary>Writes one map output as a file: under another name first, so that a file that can be found is whole.</summary>
/// <remarks>Used by one thread. Segments are given reduce partition after reduce partition.</remarks>
internal sealed class MapFileWriter : IDisposable
{
    private const int BufferBytes = 1 << 20;

    private readonly ShuffleFolder _folder;
    private readonly MapFileId _id;
    private readonly string _half;
    private readonly IDiskFile _file;
    private readonly List<MapFileEntry> _entries = [];
    private readonly int[] _first;
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private int _buffered;
    private long _written;
    private bool _isWhole;

    /// <param name="folder">Where it goes.</param>
    /// <param name="id">What it holds.</param>
    /// <param name="reducePartitions">How many reduce partitions.</param>
    /// <exception cref="TempFolderException">The folder can't be written to.</exception>
    public MapFileWriter(ShuffleFolder folder, MapFileId id, int reducePartitions)
    {
        _folder = folder;
        _id = id;
        _first = new int[reducePartitions + 1];
        _half = folder.PathOf(id) + ".half";
        try
        {
            folder.Disk.CreateFolder(Path.GetDirectoryName(_half)!);

            // Left by an executor that died in the middle of it; no attempt is made twice.
            folder.Disk.Delete(_half);
            _file = folder.Disk.Create(_half);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            throw folder.Failed("write", e);
        }
    }

    /// <summary>Appends a segment.</summary>
    /// <returns>Where it lies.</returns>
    /// <exception cref="TempFolderException">The disk is full, or fails.</exception>
    public MapFileEntry Append(int reduce, int tag, int rows, ReadOnlySpan<byte> stored, int rawLength, byte compression)
    {
        var entry = new MapFileEntry(tag, rows, _written + _buffered, stored.Length, rawLength, compression, Crc32C.Of(stored));
        if (stored.Length > BufferBytes - _buffered) Flush();
        if (stored.Length > BufferBytes / 4)
        {
            Flush();
            Write(stored);
        }
        else
        {
            stored.CopyTo(_buffer.AsSpan(_buffered));
            _buffered += stored.Length;
        }
        _entries.Add(entry);
        _first[reduce + 1] = _entries.Count;
        return entry;
    }

    /// <summary>Writes the index and gives the file its name.</summary>
    /// <exception cref="TempFolderException">The disk is full, or fails.</exception>
    public void Finish()
    {
        for (var i = 1; i < _first.Length; i++) _first[i] = Math.Max(_first[i], _first[i - 1]);
        Flush();
        Write(MapFileIndex.Write(_id, _entries, _first, _written));
        _file.Dispose();
        try
        {
            _folder.Disk.Move(_half, _folder.PathOf(_id));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw _folder.Failed("write", e);
        }
        _isWhole = true;
    }

    /// <summary>Removes what was written, unless it is whole.</summary>
    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        if (_isWhole) return;
        _file.Dispose();
        try
        {
            _folder.Disk.Delete(_half);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It goes with its shuffle's folder.
        }
    }

    private void Flush()
    {
        if (_buffered == 0) return;
        Write(_buffer.AsSpan(0, _buffered));
        _buffered = 0;
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _file.Write(bytes, _written);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw _folder.Failed("write", e);
        }
        _written += bytes.Length;
    }
}
