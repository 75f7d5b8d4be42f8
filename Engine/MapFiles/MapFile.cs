using Dataflow.Storage;

namespace Dataflow.Shuffle;

/// <summary>A map output on disk, whole and never changed. Its handle may be closed at any time, and is opened again when it is needed.</summary>
/// <remarks>Read by any thread.</remarks>
internal sealed class MapFile(ShuffleFolder folder, MapFileId id) : ISegmentFile
{
    private IDiskFile? _handle;
    private MapFileIndex? _index;

    public MapFileId Id => id;

    public string Path { get; } = folder.PathOf(id);

    /// <summary>What lies in it.</summary>
    /// <exception cref="CorruptDataException">The file is cut short or damaged.</exception>
    /// <exception cref="TempFolderException">It is gone, or the disk fails.</exception>
    public MapFileIndex Index => _index ??= ReadIndex();

    public void Read(long offset, Span<byte> destination)
    {
        var read = Try(offset, destination);
        if (read != destination.Length)
            throw new CorruptDataException($"The file {Path} ends after {offset + read:N0} bytes; {destination.Length:N0} were expected at {offset:N0}.");
    }

    /// <summary>A segment's body in the file.</summary>
    /// <param name="entry">Where.</param>
    /// <param name="bytes">Bytes that it counts for.</param>
    public FileBody BodyOf(MapFileEntry entry, long bytes) =>
        new(this, entry.Offset, entry.StoredLength, entry.RawLength, entry.Checksum, entry.Compression, bytes);

    /// <summary>Closes the handle; the next read opens another.</summary>
    public void Close() => Interlocked.Exchange(ref _handle, null)?.Dispose();

    private MapFileIndex ReadIndex()
    {
        var length = LengthOfFile();
        var footer = new byte[MapFileIndex.FooterLength];
        if (length >= footer.Length)
        {
            Read(length - footer.Length, footer);
            if (MapFileIndex.LengthOf(footer, id, length) is > 0 and var indexLength)
            {
                var index = new byte[indexLength];
                Read(length - indexLength, index);
                if (MapFileIndex.Read(index) is { } found) return found;
            }
        }
        throw new CorruptDataException($"The file {Path} of {length:N0} bytes does not end with the index of map output {id.Map} of shuffle {id.Shuffle}: it was cut short or damaged.");
    }

    private long LengthOfFile()
    {
        try
        {
            return folder.Disk.LengthOf(Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw folder.Failed("read", e);
        }
    }

    private int Try(long offset, Span<byte> destination)
    {
        while (true)
        {
            try
            {
                return (Volatile.Read(ref _handle) ?? Open()).Read(destination, offset);
            }
            catch (ObjectDisposedException)
            {
                // Closed meanwhile, since many others are open.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw folder.Failed("read", e);
            }
        }
    }

    private IDiskFile Open()
    {
        var opened = folder.Disk.Open(Path);
        if (Interlocked.CompareExchange(ref _handle, opened, null) is { } other)
        {
            opened.Dispose();
            return other;
        }
        folder.Opened(this);
        return opened;
    }
}
