using System.Globalization;
using Dataflow.Files;
using Dataflow.Sql.Sources;
using Dataflow.Streaming.Execution;

namespace Dataflow.Streaming.Sources;

/// <summary>Finds new files for one query.</summary>
internal sealed class FileStreamReader : IStreamReader
{
    private readonly string _name;
    private readonly string _folder;
    private readonly IFileSystem _system;
    private readonly FileStreamFormat _format;
    private readonly FileSourceOptions _options;
    private readonly SeenFiles _seen;
    private int _cleaned;
    private int _old = -1;

    // Whether the last look left files for the next.
    private bool _isFull;
    private volatile string? _problem;

    public FileStreamReader(string name, string folder, FileStreamFormat format, FileSourceOptions options, DurableLog log)
    {
        if (options is { AfterReading: AfterReading.Archive, ArchiveFolder: null })
            throw new ArgumentException("Files that were read are to be moved away, and nothing says where to: give the options an ArchiveFolder.", nameof(options));
        (_name, _folder, _system, _format, _options, _seen) = (name, folder, FileSystems.For(folder), format, options, new SeenFiles(log, options.MaxFileAge));
        _cleaned = _seen.Done;
    }

    /// <summary>Which files are taken; null for all.</summary>
    public Func<FileEntry, bool>? Takes { get; init; }

    /// <summary>Finds the files that are there; null for those directly in the folder.</summary>
    public Func<IReadOnlyList<FileEntry>>? Look { get; init; }

    /// <summary>Whether one file is to be read with the one before it; null where all may be read apart.</summary>
    public Func<FileEntry, FileEntry, bool>? BelongTogether { get; init; }

    public string? Problem => _problem;

    public ValueTask<string?> FindEndAsync(string? start, long mostRows, CancellationToken cancellationToken)
    {
        _seen.CheckUpTo(Number(start));
        if (Number(start) == _seen.Looks && Find() is { Length: > 0 } files) _seen.Add(files);
        return new(EndBehind(start));
    }

    public async ValueTask<string?> FindSettledEndAsync(string? start, long mostRows, CancellationToken cancellationToken)
    {
        // Where the batch before left nothing, there is hardly enough for another.
        if (!_isFull) return start;
        await Task.Run(
            () =>
            {
                if (Number(start) == _seen.Looks && Find() is var files && _isFull) _seen.Add(files);
            },
            cancellationToken).ConfigureAwait(false);
        return EndBehind(start);
    }

    public ITable Read(string? start, string end) => _format.Open(_name, FilesOf(start, end));

    /// <summary>The files of a range.</summary>
    public IEnumerable<FileEntry> FilesOf(string? start, string end) => _seen.Between(Number(start), Number(end));

    public ValueTask CommitAsync(string end, CancellationToken cancellationToken)
    {
        var done = Number(end);
        if (done <= _cleaned) return ValueTask.CompletedTask;
        if (_options.AfterReading != AfterReading.Keep)
        {
            foreach (var file in _seen.Between(_cleaned, done)) Clean(file.Path);
        }
        _cleaned = done;
        var before = _seen.Forgotten;
        _seen.Finish(_cleaned);
        if (_old >= 0) _old += (int)(_seen.Forgotten - before);
        return ValueTask.CompletedTask;
    }

    public void Dispose() { }

    // It may be gone already: the process ended after it had seen to it, or somebody else took it away.
    private void Clean(string path)
    {
        if (_system.Find(path) is null) return;
        if (_options.AfterReading == AfterReading.Delete)
        {
            _system.Delete(path);
            return;
        }
        var archive = FileSystems.Resolve(_options.ArchiveFolder!);
        _system.CreateFolder(archive);
        _system.Rename(path, FilePath.Combine(archive, FilePath.NameOf(path)));
    }

    private string? EndBehind(string? start) => Number(start) is var next && next < _seen.Looks ? (next + 1).ToString(CultureInfo.InvariantCulture) : start;

    private static int Number(string? offset) => offset is null ? 0 : int.Parse(offset, CultureInfo.InvariantCulture);

    // New files, the oldest first. Names that programs give to what they still write are not looked at: the file comes under another one.
    private FileEntry[] Find()
    {
        _isFull = false;
        var found = Look is not null ? Look() : _system.Find(_folder) is null ? [] : _system.List(_folder);
        var there = found.Where(entry => !entry.IsFolder && !IsUnfinished(FilePath.NameOf(entry.Path)) && Takes?.Invoke(entry) != false).ToList();
        TellOfOld(there);
        var files = there.Where(entry => !_seen.Contains(entry)).OrderBy(entry => entry.Modified).ThenBy(entry => entry.Path, StringComparer.Ordinal);
        var taken = new List<FileEntry>();
        var bytes = 0L;
        foreach (var file in files)
        {
            _isFull = taken.Count >= _options.MaxFilesPerTrigger || (taken.Count > 0 && bytes + file.Length > _options.MaxBytesPerTrigger);
            if (_isFull && BelongTogether?.Invoke(taken[^1], file) != true) break;
            _isFull = false;
            taken.Add(file);
            bytes += file.Length;
        }
        return [.. taken];
    }

    // Files that were read and forgotten are as old as those that come too late: more of them than before have come. What a start finds can't be told apart.
    private void TellOfOld(List<FileEntry> there)
    {
        var old = there.Count(_seen.IsTooOld);
        if (_old >= 0 && old > _old)
        {
            _problem = $"{_name}: {old - _old} files came that were changed before {_seen.Threshold!.Value.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC, "
                + $"{_options.MaxFileAge.TotalHours:0.#} h before the newest, and are not read; FileSourceOptions.MaxFileAge says how old files may be";
        }
        _old = old;
    }

    private static bool IsUnfinished(string name) =>
        FilePath.IsHidden(name) || name.EndsWith(".tmp", StringComparison.OrdinalIgnoreCase) || name.EndsWith("._COPYING_", StringComparison.Ordinal);
}
