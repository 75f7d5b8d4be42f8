using Dataflow.Sql.Json;

namespace Dataflow.Sql.Sources;

/// <summary>Files of JSON objects, one a line, as a table.</summary>
/// <remarks>A task reads a part of a file; compressed files (by extension) are read as one. Objects and lists within objects are text: their JSON.</remarks>
public sealed class JsonTable : ITable
{
    private readonly FolderColumns _folders;
    private readonly int _fileColumns;
    private readonly JsonOptions _options;
    private readonly Schema _columns;
    private readonly string _timeZone;
    private readonly bool _isGuess;

    private JsonTable(string name, FolderColumns folders, JsonOptions options, Schema columns, string timeZone, bool isGuess)
    {
        Name = name;
        _folders = folders;
        _options = options;
        _columns = columns;
        _timeZone = timeZone;
        _isGuess = isGuess;
        var all = options.CorruptRecordColumn is { } corrupt ? new Schema(columns.Fields.Add(new Field(corrupt, DataType.String))) : columns;
        _fileColumns = all.Count;
        Schema = folders.After(all);
        Statistics = new TableStatistics(-1, folders.Files.Sum(file => file.Length));
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public Schema Schema { get; }

    /// <inheritdoc/>
    public TableStatistics Statistics { get; }

    /// <summary>Opens files: finds them, and reads the beginning of the first one for columns unless the options give them.</summary>
    /// <param name="path">A file, a folder (the files directly in it; all below it if folders in it are named <c>column=value</c>), a pattern, or several with commas between them.</param>
    /// <param name="options">What they mean.</param>
    /// <param name="timeZone">The zone of timestamps that name none.</param>
    /// <exception cref="InputException">Nothing is there, or it may not be read.</exception>
    /// <exception cref="QueryException">There is no object to take columns from.</exception>
    public static JsonTable Open(string path, JsonOptions? options = null, string timeZone = "UTC") => Open(path, () => FolderColumns.Find(path, timeZone), options ?? new JsonOptions(), timeZone);

    /// <summary>Opens files that are found once the options are known to be right.</summary>
    internal static JsonTable Open(string path, Func<FolderColumns> find, JsonOptions options, string timeZone)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.SplitBytes, 1, nameof(options));
        var folders = find();
        var (columns, isWhole) = options.Schema is { } given ? (given, true) : JsonSchema.Find(folders.Files, options.InferRows);
        if (options.CorruptRecordColumn is { } corrupt && columns.IndexOf(corrupt) >= 0)
            throw new ArgumentException($"The files have a column '{corrupt}' already, so it can't be the one of corrupt records.", nameof(options));
        // A field that is not there is null.
        return new JsonTable(path, folders, options, new Schema(columns.Fields.ConvertAll(field => field with { Nullable = true })), timeZone, isGuess: !isWhole && options.IsModeOpen);
    }

    /// <inheritdoc/>
    public ITableScan Scan(ScanRequest request) =>
        _folders.Scan(request, _fileColumns, (files, fields) => new LineScan(LineScan.Cut(files, _options.SplitBytes), new JsonParser(_columns, fields, _options.Mode, _timeZone, _isGuess, _options.IsModeOpen)));
}
