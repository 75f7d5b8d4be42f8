namespace Dataflow.Storage;

/// <summary>A temporary file: written once from front to back, then read at any place by any number of readers, removed when
/// disposed.</summary>
/// <remarks>One thread writes. After <see cref="Finish"/> no handle is held, so there may be many of them.</remarks>
public sealed class TempFile : IDisposable
{
    private readonly TempFolders _folders;
    private IDiskFile? _writing;
    private int _disposed;

    internal TempFile(TempFolders folders, string path)
    {
        _folders = folders;
        Path = path;
        try
        {
            _writing = folders.Disk.Create(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw folders.Failed("write", e);
        }
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>Bytes written.</summary>
    public long Length { get; private set; }

    /// <summary>Writes at the end.</summary>
    /// <param name="bytes">Give large pieces: each call is one to the system.</param>
    /// <exception cref="TempFolderException">The disk is full, or fails.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (_writing is not { } file) throw new InvalidOperationException($"{Path} is finished; it can't be written to.");
        try
        {
            file.Write(bytes, Length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw _folders.Failed("write", e);
        }
        Length += bytes.Length;
    }

    /// <summary>Ends writing and closes the handle.</summary>
    public void Finish()
    {
        _writing?.Dispose();
        _writing = null;
    }

    /// <summary>Opens it for reading. A reader stays valid when the file is disposed.</summary>
    /// <exception cref="TempFolderException">It is gone, or the disk fails.</exception>
    public TempFileReader OpenRead()
    {
        try
        {
            return new TempFileReader(this, _folders, _folders.Disk.Open(Path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw _folders.Failed("read", e);
        }
    }

    /// <summary>Removes the file. Safe to call twice.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        Finish();
        try
        {
            _folders.Disk.Delete(Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is removed with the application's folder, at the latest at the next start.
        }
    }
}

/// <summary>Reads a <see cref="TempFile"/>. Thread-safe.</summary>
public sealed class TempFileReader : IDisposable
{
    private readonly TempFile _file;
    private readonly TempFolders _folders;
    private readonly IDiskFile _reading;

    internal TempFileReader(TempFile file, TempFolders folders, IDiskFile reading)
    {
        _file = file;
        _folders = folders;
        _reading = reading;
    }

    /// <summary>Reads until <paramref name="bytes"/> is full or the file ends.</summary>
    /// <param name="bytes">Filled from its start.</param>
    /// <param name="offset">Where in the file to begin, in bytes.</param>
    /// <returns>How many bytes were read.</returns>
    /// <exception cref="TempFolderException">The disk fails.</exception>
    public int Read(Span<byte> bytes, long offset)
    {
        try
        {
            return _reading.Read(bytes, offset);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw _folders.Failed("read", e);
        }
    }

    /// <summary>Fills <paramref name="bytes"/>.</summary>
    /// <param name="bytes">Filled whole.</param>
    /// <param name="offset">Where in the file to begin, in bytes.</param>
    /// <exception cref="CorruptDataException">The file ends before that.</exception>
    /// <exception cref="TempFolderException">The disk fails.</exception>
    public void ReadExactly(Span<byte> bytes, long offset)
    {
        var read = Read(bytes, offset);
        if (read == bytes.Length) return;
        throw new CorruptDataException(
            $"The file {_file.Path} ends after {offset + read:N0} bytes; {bytes.Length:N0} were expected at {offset:N0}, of {_file.Length:N0} written.");
    }

    /// <inheritdoc/>
    public void Dispose() => _reading.Dispose();
}
