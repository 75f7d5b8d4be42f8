using Dataflow.Files;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Csv;
using Dataflow.Sql.Parquet;
using Dataflow.Tasks;

namespace Dataflow.Sql.Sources;

/// <summary>Columns that names of folders give to tables of text, behind those of the files: files in folders that a filter leaves out are not read.</summary>
/// <param name="found">The files, and what their folders say.</param>
internal sealed class FolderColumns(PartitionedFiles found)
{
    private readonly Dictionary<string, ValueList<Expressions.Literal>> _values = found.Files.ToDictionary(file => file.Entry.Path, file => file.Values, StringComparer.Ordinal);

    /// <summary>The files.</summary>
    public FileEntry[] Files { get; } = [.. found.Files.Select(file => file.Entry)];

    /// <summary>Finds files.</summary>
    /// <exception cref="InputException">There are none.</exception>
    public static FolderColumns Find(string path, string timeZone = "UTC")
    {
        var found = PartitionedFiles.Find(path, timeZone);
        if (found.Files.Count == 0) throw TextFiles.NoFiles(path);
        return new FolderColumns(found);
    }

    /// <summary>Files that were found before; names of folders say nothing.</summary>
    public static FolderColumns Of(IEnumerable<FileEntry> files) => new(new PartitionedFiles([], [.. files.Select(file => (file, ValueList<Expressions.Literal>.Empty))]));

    /// <summary>The schema of the table.</summary>
    /// <exception cref="QueryException">Files and folders name the same column.</exception>
    public Schema After(Schema files)
    {
        foreach (var column in found.Columns)
        {
            if (files.IndexOf(column.Name) >= 0)
                throw new QueryException("COLUMN_ALREADY_EXISTS", $"The files have a column '{column.Name}', and so have the names of their folders. Give the files a schema that calls it otherwise.");
        }
        return found.Columns.Count == 0 ? files : new Schema(new ValueList<Field>([.. files.Fields, .. found.Columns]));
    }

    /// <summary>Prepares to read.</summary>
    /// <param name="request">What is wanted of the table.</param>
    /// <param name="fileColumns">How many columns files have.</param>
    /// <param name="scan">Prepares to read some fields of some files.</param>
    public ITableScan Scan(ScanRequest request, int fileColumns, Func<FileEntry[], ValueList<int>, ITableScan> scan)
    {
        if (found.Columns.Count == 0) return scan(Files, request.Fields);
        var files = Array.FindAll(Files, file => !request.Filters.Any(filter => filter.Field >= fileColumns && ConstantColumn.Rejects(filter, _values[file.Path][filter.Field - fileColumns])));
        ValueList<int> inner = [.. request.Fields.Where(field => field < fileColumns)];
        var splits = files.SelectMany(file => scan([file], inner).Splits.Select(split => new FolderSplit(split, _values[file.Path]))).ToArray();
        return new FolderScan(scan([], inner), splits, request.Fields, fileColumns);
    }

    private sealed record FolderSplit(TableSplit File, ValueList<Expressions.Literal> Values) : TableSplit(File.Rows, File.Hosts);

    private sealed class FolderScan(ITableScan files, FolderSplit[] splits, ValueList<int> fields, int fileColumns) : ITableScan
    {
        public IReadOnlyList<TableSplit> Splits => splits;

        public BatchReader Open(TableSplit split, TaskContext context, IReadOnlyList<IDynamicFilter> dynamic)
        {
            var (file, values) = (FolderSplit)split;
            return new Reader(files.Open(file, context, []), values, fields, fileColumns, new TaskArena(context, "folder columns"));
        }
    }

    private sealed unsafe class Reader : BatchReader
    {
        private readonly BatchReader _files;
        private readonly TaskArena _arena;
        private readonly ColumnBatch _batch;
        private readonly int[] _sources;

        public Reader(BatchReader files, ValueList<Expressions.Literal> values, ValueList<int> fields, int fileColumns, TaskArena arena)
        {
            _files = files;
            _arena = arena;
            var next = 0;
            _sources = [.. fields.Select(field => field < fileColumns ? next++ : -1)];
            _batch = new ColumnBatch([.. fields.Select(field => field < fileColumns ? null! : ConstantColumn.Vector(arena, values[field - fileColumns]))]);
        }

        public override bool TryNext(out ColumnBatch batch)
        {
            batch = _batch;
            if (!_files.TryNext(out var rows)) return false;
            for (var i = 0; i < _sources.Length; i++)
            {
                if (_sources[i] >= 0) _batch.Columns[i] = rows.Columns[_sources[i]];
                else _batch.Columns[i].Length = rows.Rows;
            }
            _batch.Set(rows.Rows, rows.Mask);
            return true;
        }

        public override void Dispose()
        {
            _files.Dispose();
            _arena.Dispose();
            base.Dispose();
        }
    }
}
