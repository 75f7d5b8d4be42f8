namespace Dataflow.Files;

/// <summary>
/// Where files are: this machine's disks, a distributed file system, an object store. The engine reads and writes through it only, so
/// that sources, sinks and checkpoints work alike on each.
/// </summary>
/// <remarks>
/// <para>Paths are full ones, as <see cref="Resolve"/> gives them, with <c>/</c> between names. Calls block: they run on the threads of
/// tasks, or on the driver's. An implementation is used by many threads at once and keeps no state of a call.</para>
/// <para>Errors of access come as <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>; whoever calls adds what the
/// file was wanted for. Register one for its scheme with <see cref="FileSystems.Register"/>.</para>
/// </remarks>
public interface IFileSystem
{
    /// <summary>Makes a full path of what the user wrote.</summary>
    /// <remarks>Runs in the driver, before the path travels. Touches no file.</remarks>
    /// <param name="path">As the user wrote it; may hold glob characters.</param>
    /// <param name="folder">What a relative path is relative to: the driver's working folder.</param>
    string Resolve(string path, string folder);

    /// <summary>What is at a path: one request.</summary>
    /// <param name="path">A full path.</param>
    /// <returns>Null if there is nothing.</returns>
    FileEntry? Find(string path);

    /// <summary>The files and folders directly in a folder, ordered by name (ordinal).</summary>
    /// <param name="folder">A full path.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    IReadOnlyList<FileEntry> List(string folder);

    /// <summary>Which hosts hold which part of a file, in order of offset; empty if it does not matter where it is read.</summary>
    /// <param name="file">As <see cref="Find"/> or <see cref="List"/> gave it.</param>
    IReadOnlyList<BlockLocation> BlocksOf(FileEntry file) => [];

    /// <summary>Opens a file for reading.</summary>
    /// <param name="path">A full path.</param>
    /// <param name="offset">Where reading begins, in bytes.</param>
    /// <returns>A stream that can seek, knows its length, and need not buffer: callers read large pieces.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    Stream OpenRead(string path, long offset = 0);

    /// <summary>Begins a file that appears at its path, whole, when it is committed. Makes missing folders.</summary>
    /// <param name="path">A full path.</param>
    PendingFile Create(string path);

    /// <summary>Begins a file as <see cref="Create(string)"/> does, in the place on the disk of one that nobody needs any more: where files come and go all the time, that is less work for the disk's tables.</summary>
    /// <param name="path">A full path.</param>
    /// <param name="spent">The file that goes, at once; nothing happens if it is not there.</param>
    PendingFile Create(string path, string spent)
    {
        Delete(spent);
        return Create(path);
    }

    /// <summary>Makes a folder, and those above it that are missing. Nothing happens if it is there.</summary>
    /// <param name="folder">A full path.</param>
    /// <param name="durable">Whether to wait until the names of the folders that were made are on the disk.</param>
    void CreateFolder(string folder, bool durable = false);

    /// <summary>Waits until the names in a folder are on the disk: what was made, renamed or deleted there is then so after a loss of power too.</summary>
    /// <remarks>Nothing to do where that is so by itself.</remarks>
    /// <param name="folder">A full path.</param>
    /// <exception cref="IOException">The disk failed.</exception>
    void FlushFolder(string folder) { }

    /// <summary>Gives a file or folder another path, in one step that others see wholly or not at all.</summary>
    /// <remarks>A store that can't do that in one step moves a file named <c>_SUCCESS</c> last.</remarks>
    /// <param name="from">A full path.</param>
    /// <param name="to">A full path in a folder that exists, of the same file system.</param>
    /// <exception cref="IOException">There is something at <paramref name="to"/>.</exception>
    void Rename(string from, string to);

    /// <summary>Deletes a file, or a folder with all that is in it. Nothing happens if nothing is there.</summary>
    /// <param name="path">A full path.</param>
    void Delete(string path);

    /// <summary>Bytes that can still be written at a path; null if nobody knows.</summary>
    /// <param name="path">A full path; it need not exist.</param>
    long? FreeBytes(string path) => null;

    /// <summary>Whether <see cref="TryLock"/> works here.</summary>
    bool HasLocks => false;

    /// <summary>Takes a lock that no two processes have at once and that ends with its process, however it ends.</summary>
    /// <param name="path">A full path of a file that need not exist, in a folder that does; gone when the lock is disposed.</param>
    /// <returns>Null if someone else has it.</returns>
    /// <exception cref="NotSupportedException"><see cref="HasLocks"/> is false.</exception>
    IDisposable? TryLock(string path) => throw new NotSupportedException($"{GetType().Name} has no locks ({path}).");
}

/// <summary>A file or folder.</summary>
/// <param name="Path">Its full path.</param>
/// <param name="Length">Its length in bytes; 0 for a folder.</param>
/// <param name="Modified">When it was last written.</param>
/// <param name="IsFolder">Whether it is a folder.</param>
/// <param name="IsLink">Whether it is a link to a file or folder elsewhere; length and kind are those of what it leads to.</param>
public sealed record FileEntry(string Path, long Length, DateTimeOffset Modified, bool IsFolder = false, bool IsLink = false);

/// <summary>Which hosts hold a part of a file.</summary>
/// <param name="Offset">Where the part begins, in bytes.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Hosts">Names of the hosts, best first.</param>
public sealed record BlockLocation(long Offset, long Length, IReadOnlyList<string> Hosts);
