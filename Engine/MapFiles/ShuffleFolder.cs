using System.Collections.Concurrent;
using System.Globalization;
using Dataflow.Diagnostics;
using Dataflow.Scheduling;
using Dataflow.Storage;

namespace Dataflow.Shuffle;

/// <summary>
/// The map outputs of one application on one worker, as files: executors write them, the worker serves them, and they stay when an executor
/// ends. One folder for each shuffle, so that removing one is quick.
/// </summary>
/// <remarks>Used from any thread, and by several processes at once: a file is found when it is whole, and its name is given once.</remarks>
/// <param name="path">The folder; made with the first file.</param>
/// <param name="disk">The disk.</param>
/// <param name="server">The worker, as errors name it; null if it is not known.</param>
internal sealed class ShuffleFolder(string path, IDisk disk, WorkerId? server = null) : IDisposable
{
    // Each holds a handle and an index.
    private const int MostOpen = 256;

    private readonly ConcurrentDictionary<MapFileId, MapFile> _files = new();
    private readonly ConcurrentQueue<MapFile> _open = new();

    public ShuffleFolder(string path)
        : this(path, LocalDisk.Instance) { }

    public string Path => path;

    public IDisk Disk => disk;

    /// <summary>Where the file of an output is. Made of numbers only.</summary>
    public string PathOf(MapFileId id) =>
        System.IO.Path.Combine(FolderOf(id.Shuffle), string.Create(CultureInfo.InvariantCulture, $"{id.Map}-{id.Writer.Value}"));

    /// <summary>A file that is there, or null. It is not read yet.</summary>
    public MapFile? Find(MapFileId id)
    {
        if (_files.TryGetValue(id, out var known)) return known;
        if (!disk.Exists(PathOf(id))) return null;
        return _files.GetOrAdd(id, static (id, folder) => new MapFile(folder, id), this);
    }

    /// <summary>Removes one output. Who reads it may find it gone.</summary>
    public void Remove(MapFileId id)
    {
        if (_files.TryRemove(id, out var file)) file.Close();
        try
        {
            disk.Delete(PathOf(id));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It goes with its shuffle's folder.
        }
    }

    /// <summary>Removes the outputs of a shuffle.</summary>
    public void Remove(ShuffleId shuffle)
    {
        Close(shuffle);
        try
        {
            disk.DeleteFolder(FolderOf(shuffle));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another process removes it too, or writes to it still; what is left goes with the application's folder.
        }
    }

    /// <summary>Closes the files of a shuffle. They stay.</summary>
    public void Close(ShuffleId shuffle)
    {
        foreach (var (id, file) in _files)
        {
            if (id.Shuffle == shuffle && _files.TryRemove(id, out _)) file.Close();
        }
    }

    /// <summary>Closes the files. They stay.</summary>
    public void Dispose()
    {
        foreach (var file in _files.Values) file.Close();
        _files.Clear();
        while (_open.TryDequeue(out var file)) file.Close();
    }

    /// <summary>Notes that a file has a handle now; another one's is closed if there are too many.</summary>
    public void Opened(MapFile file)
    {
        _open.Enqueue(file);
        while (_open.Count > MostOpen && _open.TryDequeue(out var oldest))
        {
            _files.TryRemove(oldest.Id, out _);
            oldest.Close();
        }
    }

    public TempFolderException Failed(string what, Exception inner)
    {
        var free = disk.FreeBytes(path);
        return new TempFolderException(
            $"Could not {what} map outputs in {path} of {(server is { } worker ? $"worker {worker} on " : "")}{Environment.MachineName}: {inner.Message} Free space there: {(free is { } bytes ? Size.Of(bytes) : "unknown")}. "
            + "Start the worker with --temp FOLDER on a disk with room.",
            path, free, inner);
    }

    private string FolderOf(ShuffleId shuffle) => System.IO.Path.Combine(path, shuffle.Value.ToString(CultureInfo.InvariantCulture));
}
