using System.Runtime.InteropServices;

namespace Dataflow.Files;

/// <summary>The disks of this machine. Links are followed; a path is a plain one, without <c>file:</c>.</summary>
public sealed partial class LocalFileSystem : IFileSystem
{
    private LocalFileSystem() { }

    internal static LocalFileSystem Instance { get; } = new();

    /// <inheritdoc/>
    public string Resolve(string path, string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (FilePath.SchemeOf(path) == "file")
        {
            // file:///data and file://host/data: a host other than this one has to be mounted to be read.
            var rest = path["file://".Length..];
            var host = rest[..(rest.IndexOf('/') is var slash and >= 0 ? slash : rest.Length)];
            if (host.Length > 0 && host != "localhost")
                throw new ArgumentException($"'{path}' names the host '{host}'. A local path has none: write file:///folder/name.", nameof(path));
            path = rest[host.Length..];
        }
        var full = Path.GetFullPath(path, folder);
        if (OperatingSystem.IsWindows()) full = full.Replace('\\', '/');
        return FilePath.TrimEnd(full);
    }

    /// <inheritdoc/>
    public FileEntry? Find(string path)
    {
        try
        {
            // Asked by the attributes: Exists says no to what may not be seen, and that is another error.
            return (File.GetAttributes(path) & FileAttributes.Directory) != 0 ? Entry(new DirectoryInfo(path)) : Entry(new FileInfo(path));
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<FileEntry> List(string folder)
    {
        var entries = new List<FileEntry>();
        foreach (var info in new DirectoryInfo(folder).EnumerateFileSystemInfos())
        {
            try
            {
                if (Entry(info) is { } entry) entries.Add(entry);
            }
            catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
            {
                // It went while the folder was read: renamed or deleted by another program.
            }
        }
        entries.Sort(static (a, b) => string.CompareOrdinal(a.Path, b.Path));
        return entries;
    }

    /// <inheritdoc/>
    public Stream OpenRead(string path, long offset = 0)
    {
        var stream = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Open,
            Access = FileAccess.Read,
            Share = FileShare.ReadWrite | FileShare.Delete,
            Options = FileOptions.SequentialScan,
            BufferSize = 0,
        });
        stream.Position = offset;
        return stream;
    }

    /// <inheritdoc/>
    public PendingFile Create(string path) => new LocalPendingFile(path, null);

    /// <inheritdoc/>
    public PendingFile Create(string path, string spent) => new LocalPendingFile(path, spent);

    /// <inheritdoc/>
    public void CreateFolder(string folder, bool durable = false)
    {
        var missing = Make(folder);
        if (durable) FlushAbove(folder, missing);
    }

    /// <inheritdoc/>
    public void FlushFolder(string folder)
    {
        // NTFS keeps names in its journal, and has no such call.
        if (OperatingSystem.IsWindows()) return;
        var file = Libc.Open(folder, Libc.CloseOnExec);
        if (file < 0) throw new IOException($"The names in '{folder}' can't be put on the disk, as it can't be opened: {Marshal.GetLastPInvokeErrorMessage()}. Who writes there must be allowed to list it.");
        var failed = Libc.Fsync(file) < 0 && Marshal.GetLastPInvokeError() != Libc.NotSupported;
        var message = failed ? Marshal.GetLastPInvokeErrorMessage() : "";
        _ = Libc.Close(file);
        if (failed) throw new IOException($"The names in '{folder}' could not be put on the disk: {message}.");
    }

    /// <inheritdoc/>
    public void Rename(string from, string to)
    {
        if (Directory.Exists(from)) Directory.Move(from, to);
        else File.Move(from, to);
    }

    /// <inheritdoc/>
    public void Delete(string path)
    {
        // A link goes, what it points to stays.
        if (new DirectoryInfo(path) is { Exists: true } folder) folder.Delete(recursive: folder.LinkTarget is null);
        else if (File.Exists(path) || new FileInfo(path).LinkTarget is not null) File.Delete(path);
    }

    /// <inheritdoc/>
    public long? FreeBytes(string path)
    {
        for (var folder = path; folder is not null; folder = FilePath.ParentOf(folder))
        {
            if (Directory.Exists(folder)) return new DriveInfo(folder).AvailableFreeSpace;
        }
        return null;
    }

    /// <inheritdoc/>
    public bool HasLocks => true;

    /// <inheritdoc/>
    public IDisposable? TryLock(string path)
    {
        while (true)
        {
            FileStream held;
            try
            {
                held = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
            }
            catch (IOException error) when (IsHeld(error))
            {
                return null;
            }

            // Who had it before may have deleted the file between our opening and our locking: then we hold a lock that nobody sees.
            if (File.Exists(path)) return held;
            held.Dispose();
        }
    }

    // Makes a folder; says how many were missing, itself among them.
    private static int Make(string folder)
    {
        var missing = 0;
        for (var at = folder; !Directory.Exists(at) && FilePath.ParentOf(at) is { } parent; at = parent) missing++;
        if (missing > 0) Directory.CreateDirectory(folder);
        return missing;
    }

    // Puts the last names of a path on the disk, from the innermost on.
    private static void FlushAbove(string path, int names)
    {
        for (var folder = FilePath.ParentOf(path); names > 0 && folder is not null; folder = FilePath.ParentOf(folder), names--) Instance.FlushFolder(folder);
    }

    // EWOULDBLOCK of flock on Linux and macOS; a sharing violation on Windows.
    private static bool IsHeld(IOException error) =>
        (error.HResult & 0xFFFF) is var code && (OperatingSystem.IsWindows() ? code == 32 : code == (OperatingSystem.IsMacOS() ? 35 : 11));

    private static FileEntry? Entry(FileSystemInfo info)
    {
        // The length of a link is that of its own text; what counts is where it leads.
        if ((info.Attributes & FileAttributes.ReparsePoint) != 0 && info.LinkTarget is not null)
        {
            if (info.ResolveLinkTarget(returnFinalTarget: true) is not { Exists: true } target) return null;
            return Entry(target, info.FullName) with { IsLink = true };
        }
        return Entry(info, info.FullName);
    }

    private static FileEntry Entry(FileSystemInfo info, string path)
    {
        if (OperatingSystem.IsWindows()) path = path.Replace('\\', '/');
        var modified = new DateTimeOffset(info.LastWriteTimeUtc, TimeSpan.Zero);
        return info is FileInfo file ? new FileEntry(path, file.Length, modified) : new FileEntry(path, 0, modified, IsFolder: true);
    }

    /// <summary>Written beside its place under a hidden name, and renamed.</summary>
    private sealed class LocalPendingFile : PendingFile
    {
        private readonly string _temporary;
        private readonly FileStream _stream;
        private readonly int _made;
        private bool _ended;

        public LocalPendingFile(string path, string? spent)
        {
            Path = path;
            var folder = FilePath.ParentOf(path) ?? throw new IOException($"'{path}' is no path of a file.");
            _made = Make(folder);
            _temporary = FilePath.Combine(folder, $".{FilePath.NameOf(path)}.{Guid.NewGuid():N}.tmp");
            _stream = new FileStream(_temporary, spent is not null && TryMove(spent, _temporary) ? FileMode.Truncate : FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
        }

        public override string Path { get; }

        public override Stream Stream => _stream;

        public override void Commit(bool replace, bool durable)
        {
            ObjectDisposedException.ThrowIf(_ended, this);
            if (durable) _stream.Flush(flushToDisk: true);
            _stream.Dispose();
            File.Move(_temporary, Path, replace);
            _ended = true;

            // Folders that were made for it have names too.
            if (durable) FlushAbove(Path, _made + 1);
        }

        protected override void Dispose(bool disposing)
        {
            if (_ended) return;
            _ended = true;
            _stream.Dispose();
            File.Delete(_temporary);
        }

        private static bool TryMove(string from, string to)
        {
            try
            {
                File.Move(from, to);
                return true;
            }
            catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
            {
                return false;
            }
        }
    }

    // What .NET has no call for: a folder can't be opened as a file is.
    private static partial class Libc
    {
        // What child processes do not inherit.
        public static readonly int CloseOnExec = OperatingSystem.IsMacOS() ? 0x1000000 : 0x80000;

        // EINVAL: file systems that have nothing to wait for.
        public const int NotSupported = 22;

        [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        public static partial int Open(string path, int flags);

        [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
        public static partial int Fsync(int file);

        [LibraryImport("libc", EntryPoint = "close")]
        public static partial int Close(int file);
    }
}
