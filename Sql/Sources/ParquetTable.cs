using Dataflow.Files;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parquet;
using Dataflow.Sql.ParquetMetadata;

namespace Dataflow.Sql.Sources;

/// <summary>Parquet files of one schema as a table.</summary>
/// <remarks>
/// <para>The schema is that of the first file. Other files may lack columns, which are null there, may have more, which are not seen, and may store
/// narrower types. Nested columns are in the schema; reading them is an error that names them.</para>
/// <para>A task reads one row group, or a part of one that has more than a quarter of a million rows. Row groups whose statistics show that no row is wanted are not read.</para>
/// </remarks>
public sealed class ParquetTable : ITable
{
    private const long SplitRows = 131_072;

    private readonly TableFile[] _files;

    private ParquetTable(string name, Schema schema, TableFile[] files)
    {
        Name = name;
        Schema = schema;
        _files = files;
        Statistics = FileStatistics.Of(schema, files);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public Schema Schema { get; }

    /// <inheritdoc/>
    public TableStatistics Statistics { get; }

    /// <summary>Opens files: finds them and reads their footers.</summary>
    /// <remarks>Runs in the driver: two small reads a file.</remarks>
    /// <param name="path">A file, a folder (the files directly in it; all below it if folders in it are named <c>column=value</c>), a pattern, or several with
    /// commas between them.</param>
    /// <param name="timeZone">The zone of times in names of folders.</param>
    /// <exception cref="InputException">Nothing is there, or it may not be read. The message names similar paths.</exception>
    /// <exception cref="CorruptDataException">A file is no Parquet file, or a damaged one.</exception>
    /// <exception cref="QueryException">Files have columns of one name and different types.</exception>
    public static ParquetTable Open(string path, string timeZone = "UTC")
    {
        var (folders, found) = PartitionedFiles.Find(path, timeZone);
        if (found.Count == 0) throw new InputException($"There are no files in '{path}', so there is no schema to read. Files whose names begin with '_' or '.' are passed over.", path);
        return Of(path, found, folders);
    }

    /// <summary>Opens files that were found before, one or more, as one table.</summary>
    internal static ParquetTable Open(string name, IReadOnlyList<FileEntry> files) => Of(name, [.. files.Select(file => (file, ValueList<Literal>.Empty))], []);

    private static ParquetTable Of(string name, IReadOnlyList<(FileEntry Entry, ValueList<Literal> Values)> found, ValueList<Field> folders)
    {
        var files = Footers(found);
        return new ParquetTable(name, FileMerge.Schema(files, folders), files);
    }

    private static TableFile[] Footers(IReadOnlyList<(FileEntry Entry, ValueList<Literal> Values)> found)
    {
        var files = new TableFile[found.Count];

        // Reading a footer is waiting, mostly, where files are not on this machine.
        if (files.Length < 8)
        {
            for (var i = 0; i < files.Length; i++) files[i] = TableFile.Read(found[i].Entry, found[i].Values);
        }
        else
        {
            try
            {
                Parallel.For(0, files.Length, new ParallelOptions { MaxDegreeOfParallelism = 16 }, i => files[i] = TableFile.Read(found[i].Entry, found[i].Values));
            }
            catch (AggregateException errors)
            {
                throw errors.InnerExceptions[0];
            }
        }
        return files;
    }

    /// <summary>Opens files that were found before, as a table of a schema that is known: columns that a file lacks are null there.</summary>
    /// <exception cref="CorruptDataException">A file is no Parquet file, or a damaged one.</exception>
    /// <exception cref="QueryException">A file stores a column as another type.</exception>
    internal static ParquetTable Open(string name, Schema schema, IEnumerable<FileEntry> entries)
    {
        TableFile[] files = [.. entries.Select(entry => TableFile.Read(entry, []))];
        foreach (var file in files)
        {
            foreach (var field in schema)
            {
                if (file.IndexOf(field.Name) is >= 0 and var at && file.Fields[at].Field.Type != field.Type)
                    throw new QueryException("DATATYPE_MISMATCH", $"Column '{field.Name}' of '{file.Entry.Path}' is {file.Fields[at].Field.Type.SqlName}, and the stream's schema says {field.Type.SqlName}. Write the file anew, or begin a stream of its own for such files.");
            }
        }
        return new ParquetTable(name, schema, files);
    }

    /// <inheritdoc/>
    /// <exception cref="QueryException">A wanted column can't be read; says which and why.</exception>
    public ITableScan Scan(ScanRequest request)
    {
        foreach (var field in request.Fields)
        {
            if (_files[0].IndexOf(Schema[field].Name) is >= 0 and var at && field < Schema.Count - _files[0].Folders.Count && _files[0].Fields[at] is { Column: null } nested)
                throw new QueryException("UNSUPPORTED_FEATURE.PARQUET_COLUMN", $"Column '{nested.Field.Name}' of '{_files[0].Entry.Path}' can't be read: {nested.Problem}. Leave it out of the query.");
        }
        var splits = new List<ParquetSplit>();
        var left = request is { Limit: { } limit, Filters.Count: 0 } ? limit : long.MaxValue;
        foreach (var file in _files)
        {
            var blocks = FileSystems.For(file.Entry.Path).BlocksOf(file.Entry);
            var columns = FileMerge.Columns(Schema, file, request.Fields);
            var filterColumns = FileMerge.Columns(Schema, file, request.Filters.ConvertAll(filter => filter.Field));
            foreach (var group in file.Metadata.RowGroups)
            {
                if (left == 0) break;
                if (group.Rows == 0 || IsRejected(request.Filters, filterColumns, group)) continue;
                var chunks = columns.ConvertAll(column => column with { Chunk = column.Source is null ? null : group.Chunks[column.Source.Leaf] });
                var filters = FiltersOf(request.Filters, filterColumns, group);
                var hosts = HostsOf(blocks, group);

                // Row groups of a million rows, as some programs write them, would leave most threads without work at the end.
                var pieces = Math.Max(1, group.Rows / SplitRows);
                for (var piece = 0L; piece < pieces && left > 0; piece++)
                {
                    var start = group.Rows * piece / pieces;
                    var rows = Math.Min(left, (group.Rows * (piece + 1) / pieces) - start);
                    left -= rows;
                    splits.Add(new ParquetSplit(file.Entry.Path, file.Entry.Length, group.Ordinal, group.Rows, start, rows, chunks, filters, hosts));
                }
            }
        }
        return new ParquetScan([.. splits]);
    }

    private static bool IsRejected(ValueList<ScanFilter> filters, ValueList<SplitColumn> columns, RowGroup group)
    {
        for (var i = 0; i < filters.Count; i++)
        {
            if (columns[i].Source is not { } source)
            {
                if (ConstantColumn.Rejects(filters[i], columns[i].Constant)) return true;
                continue;
            }
            if (RowGroupPruning.Rejects(filters[i], source, group.Chunks[source.Leaf].Statistics, group.Rows)) return true;
        }
        return false;
    }

    private static ValueList<SplitFilter> FiltersOf(ValueList<ScanFilter> filters, ValueList<SplitColumn> columns, RowGroup group)
    {
        var found = new List<SplitFilter>();
        for (var i = 0; i < filters.Count; i++)
        {
            if (columns[i].Source is { } source) found.Add(new SplitFilter(filters[i], source, group.Chunks[source.Leaf]));
        }
        return [.. found];
    }

    private static ValueList<string> HostsOf(IReadOnlyList<BlockLocation> blocks, RowGroup group)
    {
        if (blocks.Count == 0 || group.Chunks.Length == 0) return [];
        var start = group.Chunks.Min(chunk => chunk.Offset);
        foreach (var block in blocks)
        {
            if (start >= block.Offset && start < block.Offset + block.Length) return [.. block.Hosts];
        }
        return [];
    }
}
