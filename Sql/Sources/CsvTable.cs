using System.Collections.Concurrent;
using Dataflow.Compression;
using Dataflow.Files;
using Dataflow.Sql.Csv;
using Dataflow.Tasks;

namespace Dataflow.Sql.Sources;

/// <summary>CSV files of one schema as a table (RFC 4180, with other delimiters, quotes and escapes where asked for).</summary>
/// <remarks>A task reads a part of a file. Large files are cut, also where fields in quotes hold ends of lines: they are gone through once for their quotes
/// when they are planned. Compressed files (by extension) are read as one. Text is UTF-8.</remarks>
public sealed class CsvTable : ITable
{
    private readonly FolderColumns _folders;
    private readonly int _fileColumns;
    private readonly CsvOptions _options;
    private readonly CsvPlan _plan;
    private readonly ConcurrentDictionary<string, CsvSplit[]> _splits = new(StringComparer.Ordinal);

    private CsvTable(string name, FolderColumns folders, CsvOptions options, CsvPlan plan)
    {
        Name = name;
        _folders = folders;
        _options = options;
        _plan = plan;
        var columns = options.CorruptRecordColumn is { } corrupt ? new Schema(plan.Columns.Fields.Add(new Field(corrupt, DataType.String))) : plan.Columns;
        _fileColumns = columns.Count;
        Schema = folders.After(columns);
        Statistics = new TableStatistics(-1, folders.Files.Sum(file => file.Length));
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public Schema Schema { get; }

    /// <inheritdoc/>
    public TableStatistics Statistics { get; }

    /// <summary>Opens files: finds them, and reads the beginning of the first one for names and types that the options leave open.</summary>
    /// <param name="path">A file, a folder (the files directly in it; all below it if folders in it are named <c>column=value</c>), a pattern, or several with commas between them.</param>
    /// <param name="options">How they are written.</param>
    /// <param name="timeZone">The zone of timestamps that name none.</param>
    /// <exception cref="InputException">Nothing is there, or it may not be read.</exception>
    /// <exception cref="QueryException">There is no record to take columns from.</exception>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    public static CsvTable Open(string path, CsvOptions? options = null, string timeZone = "UTC") => Open(path, () => FolderColumns.Find(path, timeZone), options ?? new CsvOptions(), timeZone);

    /// <summary>Opens files that are found once the options are known to be right.</summary>
    internal static CsvTable Open(string path, Func<FolderColumns> find, CsvOptions options, string timeZone)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.SplitBytes, 1, nameof(options));
        var dialect = CsvDialect.Of(options);
        var folders = find();
        var (columns, isWhole) = options.Schema is { } given ? (given, true) : CsvSchema.Find(folders.Files, options, dialect);
        if (options.CorruptRecordColumn is { } corrupt && columns.IndexOf(corrupt) >= 0)
            throw new ArgumentException($"The files have a column '{corrupt}' already, so it can't be the one of corrupt records.", nameof(options));
        // Whatever a schema says, a field that does not fit is null.
        if (options.Mode != MalformedMode.FailFast) columns = new Schema(columns.Fields.ConvertAll(field => field with { Nullable = true }));
        return new CsvTable(path, folders, options, new CsvPlan(dialect, new CsvFormats(options.DateFormat, options.TimestampFormat, timeZone), options.HasHeader, options.Mode, columns, IsGuess: !isWhole && options.IsModeOpen));
    }

    /// <inheritdoc/>
    public ITableScan Scan(ScanRequest request) =>
        _folders.Scan(request, _fileColumns, (files, fields) => new CsvScan(_plan, fields, [.. files.SelectMany(file => _splits.GetOrAdd(file.Path, _ => Cut(file)))]));

    private CsvSplit[] Cut(FileEntry file)
    {
        var offsets = TextFiles.Cut(file, _options.SplitBytes);
        CsvState[]? states = null;
        if (_plan.Dialect is { IsMultiLine: true, Quote: >= 0 } && !CompressedStreams.IsCompressed(file.Path)) states = offsets.Length > 1 ? new CsvStates(_plan.Dialect).Find(file.Path, offsets) : [CsvState.RecordStart];
        return
        [
            .. offsets.Select((offset, i) => new CsvSplit(
                file.Path, file.Length, offset, (i + 1 < offsets.Length ? offsets[i + 1] : file.Length) - offset, states?[i], TextFiles.HostsOf(file, offset))),
        ];
    }

    private sealed class CsvScan(CsvPlan plan, ValueList<int> fields, CsvSplit[] splits) : ITableScan
    {
        public IReadOnlyList<TableSplit> Splits => splits;

        public BatchReader Open(TableSplit split, TaskContext context, IReadOnlyList<IDynamicFilter> dynamic) => new CsvReader((CsvSplit)split, plan, fields, context, dynamic);
    }
}
