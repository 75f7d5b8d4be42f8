using Dataflow.Files;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Sources;
using Dataflow.Sql.Warehousing;
using Dataflow.Sql.Writing;

namespace Dataflow.Sql;

/// <summary>Tables that last: <c>context.Warehouse</c> is a folder with a folder of Parquet files for each. Whoever opens the folder later, or in another process, has them again.</summary>
/// <remarks>
/// <para>The first rows of a table are files in its folder; what is inserted later is a folder in it, and so is each batch of a stream. Each of these appears whole, so readers see whole inserts and whole
/// batches. A frame reads the files that were there when it was made: ask <c>context.Table(name)</c> again for what has come since.</para>
/// <para>Names are letters, digits and <c>_</c>, compared without regard to case. There are no indexes, no partitions and no updates of single rows.</para>
/// </remarks>
public sealed class Warehouse
{
    private readonly SqlSession _session;
    private string? _folder;

    internal Warehouse(SqlSession session) => _session = session;

    /// <summary>Where tables are: a folder <c>warehouse</c> in the working folder if nothing else is said, in SQL <c>SET spark.sql.warehouse.dir = path</c>. It need not exist: the first table makes it.</summary>
    /// <remarks>In a cluster it lies where all machines see it.</remarks>
    public string Folder
    {
        get => _folder ??= FileSystems.Resolve("warehouse");
        set
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(value);
            _folder = FileSystems.Resolve(value);
        }
    }

    /// <summary>The names of all tables.</summary>
    public IReadOnlyList<string> Names => [.. Tables().Select(folder => FilePath.NameOf(folder.Path)).Order(StringComparer.OrdinalIgnoreCase)];

    /// <summary>Whether there is such a table.</summary>
    /// <param name="name">Its name.</param>
    public bool Contains(string name) => Find(name) is not null;

    /// <summary>Deletes a table with all its rows.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>False if there is none.</returns>
    public bool Drop(string name)
    {
        if (Find(name) is not { } folder) return false;
        FileSystems.For(folder).Delete(folder);
        return true;
    }

    /// <summary>The folder of a table; null if there is none.</summary>
    internal string? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!IsName(name)) return null;
        var folder = FilePath.Combine(Folder, name);
        return FileSystems.For(Folder).Find(folder) is { IsFolder: true } ? folder : Tables().FirstOrDefault(table => FilePath.NameOf(table.Path).Equals(name, StringComparison.OrdinalIgnoreCase))?.Path;
    }

    /// <summary>The table of a name, with the files that it has now; null if there is none.</summary>
    /// <exception cref="QueryException">Its folder has no files.</exception>
    internal ParquetTable? Open(string name)
    {
        if (Find(name) is not { } folder) return null;
        FileEntry[] files = [.. FilesOf(folder)];
        return files.Length > 0 ? ParquetTable.Open(name, files) : throw NoFiles(name, folder);
    }

    /// <summary>The error of a table whose folder has no files.</summary>
    internal static QueryException NoFiles(string name, string folder) => new("TABLE_WITHOUT_FILES",
        $"The table '{name}' has no files: '{folder}' is empty, or was not made as a table. Write the table anew, or remove the folder.");

    /// <summary>Makes a table of a frame's rows. It appears whole.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="options">How they are cut into files; <see cref="WriteOptions.Mode"/> says what becomes of a table of that name.</param>
    /// <param name="cancellation">Ends the work.</param>
    internal async Task WriteAsync(string name, DataFrame rows, WriteOptions options, CancellationToken cancellation)
    {
        CheckName(name);
        if (options.PartitionColumns.Count > 0)
            throw new QueryException("UNSUPPORTED_FEATURE.PARTITIONED_TABLE", $"The table '{name}' can't have folders of the columns ({options.PartitionColumns}): tables have no partitions. Leave PartitionBy out, or write to a path with Parquet(path).");
        var folder = Find(name);
        switch (folder is null ? SaveMode.ErrorIfExists : options.Mode)
        {
            case SaveMode.Ignore:
                return;
            case SaveMode.Append:
                await InsertAsync(folder!, TableColumns.ByName(rows, Open(name)!.Schema, name), options, cancellation).ConfigureAwait(false);
                return;
            case SaveMode.ErrorIfExists when folder is not null:
                throw new QueryException("TABLE_OR_VIEW_ALREADY_EXISTS", $"There is a table '{name}' already, in '{folder}'. Take another name, add to it (SaveMode.Append, INSERT INTO), replace it (SaveMode.Overwrite, CREATE OR REPLACE TABLE), or drop it first.");
            case SaveMode.Overwrite when FileSystems.For(folder!).Find(FilePath.Combine(folder!, "_query")) is not null:
                throw new QueryException("TABLE_OF_STREAM", $"The table '{name}' has the batches of a stream, which would go on behind those that are replaced, and give one of them again. Stop the stream and drop the table first (DROP TABLE {name}).");
        }

        // What is replaced goes when the new files are complete: the rows may come from the table itself. A table that another program made meanwhile stays.
        var mode = folder is null ? SaveMode.ErrorIfExists : SaveMode.Overwrite;
        await FrameWriter.WriteAsync(rows, folder ?? FilePath.Combine(Folder, name), new ParquetFormat(null), options with { Mode = mode, IsDurable = true }, cancellation).ConfigureAwait(false);
    }

    /// <summary>Makes a table without rows.</summary>
    internal Task CreateAsync(string name, Schema schema, CancellationToken cancellation)
    {
        ValueList<ColumnReference> columns = [.. schema.Select(field => new ColumnReference(field.Name, field.Type, field.Nullable))];
        return WriteAsync(name, new DataFrame(_session, new Values([], columns), null), new WriteOptions(SaveMode.ErrorIfExists, []), cancellation);
    }

    /// <summary>Adds rows by the places of their columns, or puts them in the place of those that are there.</summary>
    internal Task InsertAsync(string name, DataFrame rows, ValueList<string> columns, bool overwrites)
    {
        var fitting = TableColumns.ByPlace(rows, Open(name)!.Schema, name, columns);
        var options = new WriteOptions(SaveMode.Overwrite, []);
        return overwrites ? WriteAsync(name, fitting, options, CancellationToken.None) : InsertAsync(Find(name)!, fitting, options, CancellationToken.None);
    }

    // They appear all at once.
    private static Task InsertAsync(string folder, DataFrame rows, WriteOptions options, CancellationToken cancellation) => FrameWriter.WriteAsync(
        rows, FilePath.Combine(folder, $"insert-{Guid.NewGuid():N}"), new ParquetFormat(null), options with { Mode = SaveMode.ErrorIfExists, IsDurable = true, LeavesOutEmpty = true }, cancellation);

    private static void CheckName(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (!IsName(name)) throw new QueryException("INVALID_SCHEMA_OR_RELATION_NAME", $"'{name}' can't be the name of a table: names are letters, digits and '_'.");
    }

    private static bool IsName(string name) => name.Length > 0 && name.All(letter => char.IsLetterOrDigit(letter) || letter == '_');

    private IEnumerable<FileEntry> Tables() => FileSystems.For(Folder) is var system && system.Find(Folder) is { IsFolder: true }
        ? system.List(Folder).Where(entry => entry.IsFolder && IsName(FilePath.NameOf(entry.Path)))
        : [];

    /// <summary>The files of a table: those of its first rows lie directly in its folder.</summary>
    /// <param name="folder">Its folder.</param>
    /// <param name="known">Inserts and batches that were looked into before, by their folders: they don't change.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    internal static IEnumerable<FileEntry> FilesOf(string folder, Dictionary<string, FileEntry[]>? known = null)
    {
        var system = FileSystems.For(folder);
        foreach (var entry in system.List(folder))
        {
            if (FilePath.IsHidden(FilePath.NameOf(entry.Path))) continue;
            if (!entry.IsFolder)
            {
                yield return entry;
                continue;
            }
            if (known is null || !known.TryGetValue(entry.Path, out var files))
            {
                files = Inside(system, entry.Path);
                if (files.Length > 0) known?.Add(entry.Path, files);
            }
            foreach (var file in files) yield return file;
        }
    }

    // The table may be dropped meanwhile.
    private static FileEntry[] Inside(IFileSystem system, string folder)
    {
        try
        {
            return [.. system.List(folder).Where(file => !file.IsFolder && !FilePath.IsHidden(FilePath.NameOf(file.Path)))];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }
}
