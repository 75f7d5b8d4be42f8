using Dataflow.Files;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Csv;
using Dataflow.Sql.Json;

namespace Dataflow.Sql.Sources;

/// <summary>The lines of files of text as a table of one column, <c>value</c>, and those that names of folders give.</summary>
public sealed class TextTable : ITable
{
    private const long SplitBytes = 32L << 20;

    private readonly FolderColumns _folders;

    private TextTable(string name, FolderColumns folders)
    {
        Name = name;
        _folders = folders;
        Schema = folders.After(new Schema(new Field("value", DataType.String, Nullable: false)));
        Statistics = new TableStatistics(-1, folders.Files.Sum(file => file.Length));
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public Schema Schema { get; }

    /// <inheritdoc/>
    public TableStatistics Statistics { get; }

    /// <summary>Finds files.</summary>
    /// <param name="path">A file, a folder (the files directly in it), a pattern, or several with commas between them.</param>
    /// <exception cref="InputException">Nothing is there, or it may not be read.</exception>
    public static TextTable Open(string path) => Open(path, FolderColumns.Find(path));

    /// <summary>Opens files that were found before.</summary>
    internal static TextTable Open(string path, FolderColumns folders) => new(path, folders);

    /// <inheritdoc/>
    public ITableScan Scan(ScanRequest request) => _folders.Scan(request, 1, (files, fields) => new LineScan(LineScan.Cut(files, SplitBytes), new Parser(fields.Count)));

    private sealed class Parser(int columns) : LineParser
    {
        public override LineRows Open(TaskArena arena, FileSlice file) => new Rows(arena, columns);
    }

    private sealed unsafe class Rows(TaskArena arena, int columns) : LineRows
    {
        private readonly FlatVector _vector = new(arena, DataType.String);
        private readonly TextHeap _heap = new(arena);

        public override ColumnVector[] Columns => [.. Enumerable.Repeat(_vector.Vector, columns)];

        public override void Clear() => _heap.Clear();

        public override bool Add(ReadOnlySpan<byte> line, long offset, int row)
        {
            if (columns > 0) ((StringView*)_vector.Data)[row] = _heap.Add(TextRepair.Right(line));
            return true;
        }

        public override void End(int rows) => _vector.Set(rows, hasNulls: false);
    }
}
