namespace Dataflow.Storage;

/// <summary>
/// The folder of one application's temporary files: spilled runs, cached blocks on disk, staged files. Made at the first file, removed
/// with the context; what a crashed run left is removed when the next one starts.
/// </summary>
/// <remarks>
/// Beside each application's folder lies a file that its process keeps locked. The lock ends with the process, however it ends, so a
/// folder whose file can be locked has no owner. Files are spread over sub-folders, since large folders are slow on some file systems.
/// </remarks>
public sealed class TempFolders : IDisposable
{
    private const string Prefix = "app-";
    private const string LockSuffix = ".lock";
    private const int SubFolders = 64;

    private readonly Lock _lock = new();
    private readonly IDisk _disk;
    private readonly bool[] _made = new bool[SubFolders];
    private readonly Task _cleanup;
    private FileStream? _owned;
    private string? _folder;
    private int _next;
    private bool _disposed;
    private long _mappedBytes;

    /// <summary>Begins to remove leftovers; makes nothing yet.</summary>
    /// <param name="root">The folder that holds the folders of all applications; null for <c>dataflow-USER</c> in the system's temporary
    /// folder.</param>
    public TempFolders(string? root = null)
        : this(root, LocalDisk.Instance) { }

    internal TempFolders(string? root, IDisk disk)
    {
        IsDefault = root is null;
        Root = Path.GetFullPath(root ?? Path.Combine(Path.GetTempPath(), $"dataflow-{Environment.UserName}"));
        _disk = disk;
        _cleanup = Task.Run(RemoveLeftovers);
    }

    /// <summary>The folder that holds the folders of all applications of this user.</summary>
    public string Root { get; }

    /// <summary>This application's folder; made by this call if need be, and made again, with its lock, if somebody removed it.</summary>
    /// <exception cref="TempFolderException">It can't be made.</exception>
    public string Folder
    {
        get
        {
            lock (_lock)
            {
                Restore();
                return Make();
            }
        }
    }

    /// <summary>Bytes of files that are used as memory: see <see cref="Mapping.MappedMemory"/>.</summary>
    public long MappedBytes => Interlocked.Read(ref _mappedBytes);

    internal IDisk Disk => _disk;

    /// <summary>Ends when the leftovers of crashed runs are removed.</summary>
    internal Task Cleanup => _cleanup;

    private bool IsDefault { get; }

    /// <summary>A new file, open for writing.</summary>
    /// <param name="name">What it holds, for people who look into the folder; a number is appended.</param>
    /// <exception cref="TempFolderException">The folder can't be written to, or the disk is full.</exception>
    public TempFile Create(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        try
        {
            return new TempFile(this, NewPath(name));
        }
        catch (TempFolderException error) when (error.InnerException is DirectoryNotFoundException)
        {
            // Somebody tidied up while we run. What was in it is lost and will be missed where it is read; what comes now need not be.
            lock (_lock) Array.Clear(_made);
            return new TempFile(this, NewPath(name));
        }
    }

    /// <summary>A new file as memory.</summary>
    /// <param name="name">What it holds; a number is appended.</param>
    /// <param name="bytes">How long it is: so much room is taken on the disk at once.</param>
    /// <exception cref="TempFolderException">The folder can't be written to, or the disk is full.</exception>
    internal IDiskMapping Map(string name, long bytes)
    {
        for (var again = false; ; again = true)
        {
            try
            {
                return _disk.Map(NewPath(name), bytes);
            }
            catch (DirectoryNotFoundException) when (!again)
            {
                // As above.
                lock (_lock) Array.Clear(_made);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Failed("write", e);
            }
        }
    }

    /// <summary>Counts mapped files that came, or went.</summary>
    internal void CountMapped(long bytes) => Interlocked.Add(ref _mappedBytes, bytes);

    /// <summary>Removes the application's folder with all that is in it.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed) return;
            _disposed = true;
            if (_folder is not null) TryDelete(_folder);
            _owned?.Dispose();
        }
        _cleanup.Wait();
    }

    internal TempFolderException Failed(string what, Exception inner)
    {
        var folder = _folder ?? Root;
        var free = _disk.FreeBytes(Root);
        return new TempFolderException(
            $"Could not {what} temporary data in {folder}: {inner.Message} Free space there: {(free is { } bytes ? Size.Of(bytes) : "unknown")}. "
            + "Set DataflowOptions.TempFolder to a folder on a disk with room, or raise DataflowOptions.MemoryBytes so that less is moved to disk.",
            folder, free, inner);
    }

    private string NewPath(string name)
    {
        lock (_lock)
        {
            var number = _next++;
            var part = number % SubFolders;
            if (!_made[part]) LeaveUnlocked();
            var folder = Path.Combine(Make(), part.ToString("x2", System.Globalization.CultureInfo.InvariantCulture));
            try
            {
                if (!_made[part]) _disk.CreateFolder(folder);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Failed("make a folder for", e);
            }
            _made[part] = true;
            return Path.Combine(folder, $"{name}-{number}");
        }
    }

    // A folder whose lock is gone is anybody's to remove, and most likely was.
    private void LeaveUnlocked()
    {
        if (_folder is null || File.Exists(_folder + LockSuffix)) return;
        _owned?.Dispose();
        (_owned, _folder) = (null, null);
    }

    // At its old place, which others were told of. Without the lock the next process that starts would take it for a leftover.
    private void Restore()
    {
        if (_folder is null || _disposed || (Directory.Exists(_folder) && File.Exists(_folder + LockSuffix))) return;
        try
        {
            _disk.CreateFolder(Root);
            RefuseForeignRoot();
            if (!File.Exists(_folder + LockSuffix))
            {
                _owned?.Dispose();
                _owned = TryLock(_folder + LockSuffix, FileMode.CreateNew) ?? throw new IOException("Its lock file was removed, and is held by another process now.");
            }
            _disk.CreateFolder(_folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed("make the folder again for", e);
        }
        Array.Clear(_made);
    }

    private string Make()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_folder is not null) return _folder;
        try
        {
            _disk.CreateFolder(Root);
            RefuseForeignRoot();
            while (true)
            {
                var folder = Path.Combine(Root, $"{Prefix}{Environment.ProcessId}-{Guid.NewGuid():n}");

                // The lock comes first: a folder without one is a leftover.
                var owned = TryLock(folder + LockSuffix, FileMode.CreateNew);
                if (owned is null) continue;
                if (!File.Exists(owned.Name))
                {
                    // Another process took it for a leftover between its making and its locking.
                    owned.Dispose();
                    continue;
                }
                try
                {
                    _disk.CreateFolder(folder);
                }
                catch
                {
                    owned.Dispose();
                    throw;
                }
                _owned = owned;
                return _folder = folder;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed("make a folder for", e);
        }
    }

    // The default root lies where every user may make folders: one that others may write to could be somebody else's trap.
    private void RefuseForeignRoot()
    {
        if (!IsDefault || OperatingSystem.IsWindows()) return;
        var mode = File.GetUnixFileMode(Root);
        if ((mode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0)
            throw new UnauthorizedAccessException($"Other users may write to {Root} (mode {Convert.ToString((int)mode, 8)}).");
    }

    private void RemoveLeftovers()
    {
        if (!Directory.Exists(Root)) return;
        try
        {
            foreach (var file in Directory.EnumerateFiles(Root, Prefix + "*" + LockSuffix).ToList())
            {
                if (TryLock(file, FileMode.Open) is not { } taken) continue;
                using (taken) TryDelete(file[..^LockSuffix.Length]);
            }
            foreach (var folder in Directory.EnumerateDirectories(Root, Prefix + "*").ToList())
            {
                if (!File.Exists(folder + LockSuffix)) TryDelete(folder);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A root that can't be listed is reported when something is written to it.
        }
    }

    // Held by this process alone, and removed when it is closed.
    private static FileStream? TryLock(string path, FileMode mode)
    {
        try
        {
            return new FileStream(path, mode, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
        }
        catch (Exception e) when ((e is IOException && (File.Exists(path) || IsHeld(e))) || (mode == FileMode.Open && e is IOException or UnauthorizedAccessException))
        {
            // Its owner is alive, or another process is removing it.
            return null;
        }
    }

    // EWOULDBLOCK: another process locked the file between our making it and our locking it, and may have removed it since.
    private static bool IsHeld(Exception error) => !OperatingSystem.IsWindows() && (error.HResult & 0xFFFF) == (OperatingSystem.IsMacOS() ? 35 : 11);

    private void TryDelete(string folder)
    {
        try
        {
            _disk.DeleteFolder(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Somebody has a file of it open, or removes it at the same time; without its lock the next start removes the rest.
        }
    }
}
