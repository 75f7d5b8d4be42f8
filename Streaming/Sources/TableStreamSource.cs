using Dataflow.Files;
using Dataflow.Sql.Sources;
using Dataflow.Streaming.Execution;

namespace Dataflow.Streaming.Sources;

/// <summary>
/// A table that lasts (<see cref="Warehouse"/>) as a stream: its files, each read once, as those of a <see cref="FileStreamSource"/>. What is inserted, and each batch of a stream, appears whole and never
/// changes, so a file that was found is there for as long as the table is. The first file says which table it is: one that was replaced has another.
/// </summary>
/// <remarks>Files are remembered by their paths in the table's folder, all of them, whatever their age: the warehouse may be moved, and what is added late is read.</remarks>
internal sealed class TableStreamSource : IStreamSource
{
    private readonly string _table;
    private readonly FirstFile _first;
    private readonly FileSourceOptions _options;

    /// <param name="table">Its name.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="options">How many files at once.</param>
    /// <exception cref="QueryException">The folder has no files.</exception>
    public TableStreamSource(string table, string folder, FileSourceOptions options)
    {
        if (options.AfterReading != AfterReading.Keep)
            throw new ArgumentException($"The files of the table '{table}' are its rows, and can't be done away with when they were read: leave AfterReading out.", nameof(options));
        (_table, Folder, _options) = (table, folder, options with { MaxFileAge = TimeSpan.MaxValue });
        FileEntry[] files = [.. Warehouse.FilesOf(folder)];
        var first = Array.Find(files, file => FilePath.ParentOf(file.Path) == folder) ?? files.FirstOrDefault() ?? throw Warehouse.NoFiles(table, folder);
        _first = FirstFile.Of(Relative(first));
        Schema = FileStreamFormat.Nullable(ParquetTable.Open(table, [first]).Schema);
    }

    public string Name => $"table '{_table}'";

    public Schema Schema { get; }

    /// <summary>Where the table is.</summary>
    public string Folder { get; }

    public IStreamReader Open(string checkpoint)
    {
        CheckTable();
        var log = new DurableLog(FilePath.Combine(checkpoint, "table"));
        if (log.Numbers().Length == 0) log.Write(0, _first);
        else if (log.Read<FirstFile>(0) != _first) throw Replaced("is another one than the one that the query was begun with");
        var format = new FileStreamFormat("Parquet", Schema, (name, files) =>
        {
            CheckTable();
            return ParquetTable.Open(name, Schema, files.Select(file => file with { Path = FilePath.Combine(Folder, file.Path) }));
        });
        var known = new Dictionary<string, FileEntry[]>(StringComparer.Ordinal);
        return new FileStreamReader(Name, Folder, format, _options, new DurableLog(checkpoint)) { Look = () => Look(known), BelongTogether = (one, next) => InsertOf(one) is { Length: > 0 } insert && insert == InsertOf(next) };
    }

    // Looked at before and after: what was found is all of one table.
    private FileEntry[] Look(Dictionary<string, FileEntry[]> known)
    {
        CheckTable();
        FileEntry[] files;
        try
        {
            // All of an insert are as old as the newest, so that they stand side by side.
            files = [.. Warehouse.FilesOf(Folder, known).Select(Relative).GroupBy(InsertOf, StringComparer.Ordinal).SelectMany(insert => insert.Key.Length == 0 ? insert : insert.Select(file => file with { Modified = insert.Max(each => each.Modified) }))];
        }
        catch (DirectoryNotFoundException)
        {
            throw Dropped();
        }
        CheckTable();
        return files;
    }

    private void CheckTable()
    {
        var system = FileSystems.For(Folder);
        if (system.Find(Folder) is null) throw Dropped();
        if (system.Find(FilePath.Combine(Folder, _first.Path)) is not { } there || FirstFile.Of(Relative(there)) != _first) throw Replaced("was made anew, or overwritten, since the stream was opened");
    }

    // The folder of an insert, or of a batch of a stream; an empty text for the first rows.
    private static string InsertOf(FileEntry file) => FilePath.ParentOf(file.Path) ?? "";

    private FileEntry Relative(FileEntry file) => file with { Path = file.Path[(Folder.Length + 1)..] };

    private StreamingException Dropped() => new("STREAM_TABLE_DROPPED",
        $"The table '{_table}' in '{Folder}' was dropped, or is being replaced, so there are no rows to go on with. {Advice}");

    private StreamingException Replaced(string what) => new("STREAM_TABLE_REPLACED",
        $"The table '{_table}' in '{Folder}' {what}: its first file is not the one of then ('{_first.Path}', {_first.Length:N0} bytes, written {_first.Modified.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC), so which of its rows were read can't be said. "
        + $"Add to tables that streams read (INSERT INTO, SaveMode.Append, ToTable), and don't overwrite them. {Advice}");

    private const string Advice = "Bring the table back as it was; or begin anew: open the stream again, with another checkpoint, which reads all rows that the table has.";

    /// <summary>The file by which a table is known.</summary>
    private sealed record FirstFile(string Path, long Length, DateTimeOffset Modified)
    {
        public static FirstFile Of(FileEntry file) => new(file.Path, file.Length, file.Modified);
    }
}
