using System.Globalization;
using Dataflow.Files;
using Dataflow.Sql.Sources;
using Dataflow.Streaming.Execution;

namespace Dataflow.Streaming.Sources;

/// <summary>
/// Files that come into a folder, each read once. An offset is a number: how many times new files were found. Which files those were is written down, in order, before
/// the offset is given.
/// </summary>
internal sealed class FileStreamSource(string folder, FileStreamFormat format, FileSourceOptions? options) : IStreamSource
{
    public string Name => $"{format.Name} files in '{folder}'";

    /// <summary>What offsets are of, wherever the folder lies.</summary>
    public string Kind => $"{format.Name} files";

    public Schema Schema => format.Schema;

    public IStreamReader Open(string checkpoint) => new FileStreamReader(Name, FileSystems.Resolve(folder), format, options ?? new(), new DurableLog(checkpoint));
}

/// <summary>Finds new files for one query.</summary>
internal sealed class FileStreamReader : IStreamReader
{
    private readonly string _name;
    private readonly string _folder;
    private readonly IFileSystem _system;
    private readonly FileStreamFormat _format;
    private readonly FileSourceOptions _options;
    private readonly DurableLog _log;
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly List<FileEntry[]> _found = [];
    private int _cleaned;

    public FileStreamReader(string name, string folder, FileStreamFormat format, FileSourceOptions options, DurableLog log)
    {
        if (options is { AfterReading: AfterReading.Archive, ArchiveFolder: null })
            throw new ArgumentException("Files that were read are to be moved away, and nothing says where to: give the options an ArchiveFolder.", nameof(options));
        (_name, _folder, _system, _format, _options, _log) = (name, folder, FileSystems.For(folder), format, options, log);
        foreach (var number in _log.Numbers())
        {
            if (number != _found.Count) throw _log.Missing(_found.Count);
            Note([.. _log.Read<FoundFile[]>(number).Select(file => new FileEntry(file.Path, file.Length, file.Modified))]);
        }
    }

    public ValueTask<string?> FindEndAsync(string? start, long mostRows, CancellationToken cancellationToken)
    {
        var next = Number(start);
        if (next == _found.Count && Find() is { Length: > 0 } files)
        {
            _log.Write(next, files.Select(file => new FoundFile(file.Path, file.Length, file.Modified)).ToArray());
            Note(files);
        }
        return new(next < _found.Count ? (next + 1).ToString(CultureInfo.InvariantCulture) : start);
    }

    /// <summary>Which files are taken; null for all.</summary>
    public Func<FileEntry, bool>? Takes { get; init; }

    public ITable Read(string? start, string end) => _format.Open(_name, FilesOf(start, end));

    /// <summary>The files of a range.</summary>
    public IEnumerable<FileEntry> FilesOf(string? start, string end) =>
        Number(end) <= _found.Count ? _found[Number(start)..Number(end)].SelectMany(files => files) : throw _log.Missing(_found.Count);

    public ValueTask CommitAsync(string end, CancellationToken cancellationToken)
    {
        for (; _options.AfterReading != AfterReading.Keep && _cleaned < Number(end); _cleaned++)
        {
            foreach (var file in _found[_cleaned]) Clean(file.Path);
        }
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

    private static int Number(string? offset) => offset is null ? 0 : int.Parse(offset, CultureInfo.InvariantCulture);

    private void Note(FileEntry[] files)
    {
        _found.Add(files);
        foreach (var file in files) _seen.Add(file.Path);
    }

    // New files, the oldest first. Names that programs give to what they still write are not looked at: the file comes under another one.
    private FileEntry[] Find()
    {
        if (_system.Find(_folder) is null) return [];
        var files = _system.List(_folder).Where(entry => !entry.IsFolder && !IsUnfinished(FilePath.NameOf(entry.Path)) && !_seen.Contains(entry.Path) && Takes?.Invoke(entry) != false)
            .OrderBy(entry => entry.Modified).ThenBy(entry => entry.Path, StringComparer.Ordinal);
        var taken = new List<FileEntry>();
        var bytes = 0L;
        foreach (var file in files)
        {
            if (taken.Count == _options.MaxFilesPerTrigger || (taken.Count > 0 && bytes + file.Length > _options.MaxBytesPerTrigger)) break;
            taken.Add(file);
            bytes += file.Length;
        }
        return [.. taken];
    }

    private static bool IsUnfinished(string name) =>
        FilePath.IsHidden(name) || name.EndsWith(".tmp", StringComparison.OrdinalIgnoreCase) || name.EndsWith("._COPYING_", StringComparison.Ordinal);

    private sealed record FoundFile(string Path, long Length, DateTimeOffset Modified);
}

/// <summary>How files of a stream are read.</summary>
/// <param name="Name">As <c>JSON</c>.</param>
/// <param name="Schema">Their columns.</param>
/// <param name="Open">Makes a table of some files.</param>
internal sealed record FileStreamFormat(string Name, Schema Schema, Func<string, IEnumerable<FileEntry>, ITable> Open)
{
    public static FileStreamFormat Json(JsonOptions json, string timeZone) =>
        new("JSON", With(json.CorruptRecordColumn, Nullable(json.Schema!)), (name, files) => JsonTable.Open(name, () => FolderColumns.Of(files), json, timeZone));

    public static FileStreamFormat Csv(CsvOptions csv, string timeZone)
    {
        ArgumentNullException.ThrowIfNull(csv);
        if (csv.Schema is not { } schema) throw new ArgumentException("A stream's columns can't be found in files that come later: give the options a Schema.", nameof(csv));
        return new("CSV", With(csv.CorruptRecordColumn, csv.Mode == MalformedMode.FailFast ? schema : Nullable(schema)), (name, files) => CsvTable.Open(name, () => FolderColumns.Of(files), csv, timeZone));
    }

    public static FileStreamFormat Text() =>
        new("text", new Schema(new Field("value", DataType.String, Nullable: false)), (name, files) => TextTable.Open(name, FolderColumns.Of(files)));

    public static FileStreamFormat Parquet(Schema schema) => new("Parquet", Nullable(schema), (name, files) => ParquetTable.Open(name, Nullable(schema), files));

    private static Schema With(string? corrupt, Schema schema) => corrupt is null ? schema
        : schema.IndexOf(corrupt) < 0 ? new Schema(schema.Fields.Add(new Field(corrupt, DataType.String)))
        : throw new ArgumentException($"The files have a column '{corrupt}' already, so it can't be the one of corrupt records.", nameof(corrupt));

    private static Schema Nullable(Schema schema) => new(schema.Fields.ConvertAll(field => field with { Nullable = true }));
}
