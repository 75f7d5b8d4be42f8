using Dataflow.Compression;
using Dataflow.Files;
using Dataflow.Formats;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Csv;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Sql.Json;

/// <summary>A part of a file whose records are lines.</summary>
/// <param name="Slice">The part.</param>
/// <param name="Hosts">Machines that have it.</param>
internal sealed record LineSplit(FileSlice Slice, ValueList<string> Hosts) : TableSplit(-1, Hosts);

/// <summary>Files whose records are lines, ready to be read in parts.</summary>
/// <param name="splits">The parts.</param>
/// <param name="parser">Makes rows of lines.</param>
internal sealed class LineScan(LineSplit[] splits, LineParser parser) : ITableScan
{
    public IReadOnlyList<TableSplit> Splits => splits;

    public BatchReader Open(TableSplit split, TaskContext context, IReadOnlyList<IDynamicFilter> dynamic) => new LineBatches(((LineSplit)split).Slice, parser, context);

    /// <summary>Cuts files into parts.</summary>
    public static LineSplit[] Cut(FileEntry[] files, long splitBytes) =>
    [
        .. files.SelectMany(file =>
        {
            var offsets = TextFiles.Cut(file, splitBytes);
            var isCompressed = CompressedStreams.IsCompressed(file.Path);
            return offsets.Select((offset, i) => new LineSplit(
                new FileSlice(file.Path, offset, (i + 1 < offsets.Length ? offsets[i + 1] : file.Length) - offset, file.Length, isCompressed), TextFiles.HostsOf(file, offset)));
        }),
    ];
}

/// <summary>Makes rows of lines. It travels to tasks.</summary>
internal abstract class LineParser
{
    /// <summary>Begins to make rows in a task.</summary>
    public abstract LineRows Open(TaskArena arena, FileSlice file);
}

/// <summary>Rows that are made of lines, in one task.</summary>
internal abstract class LineRows
{
    /// <summary>The columns that are filled.</summary>
    public abstract ColumnVector[] Columns { get; }

    /// <summary>Forgets all rows.</summary>
    public abstract void Clear();

    /// <summary>Makes a row.</summary>
    /// <returns>False if the line is none.</returns>
    public abstract bool Add(ReadOnlySpan<byte> line, long offset, int row);

    /// <summary>Says how many rows there are.</summary>
    public abstract void End(int rows);
}

/// <summary>Reads lines as batches.</summary>
internal sealed class LineBatches : BatchReader
{
    private readonly TaskContext _context;
    private readonly LineReader _lines;
    private readonly TaskArena _arena;
    private readonly LineRows _rows;
    private readonly ColumnBatch _batch;
    private long _counted;

    public LineBatches(FileSlice slice, LineParser parser, TaskContext context)
    {
        _context = context;
        _lines = new LineReader(slice);
        _arena = new TaskArena(context, "line scan");
        _rows = parser.Open(_arena, slice);
        _batch = new ColumnBatch(_rows.Columns);
    }

    public override bool TryNext(out ColumnBatch batch)
    {
        _context.CancellationToken.ThrowIfCancellationRequested();
        batch = _batch;
        _rows.Clear();
        var rows = 0;
        while (rows < ColumnBatch.MaxRows)
        {
            var offset = _lines.Offset;
            if (!_lines.TryRead(out var line)) break;
            if (_rows.Add(line, offset, rows)) rows++;
        }
        _context.Metrics.InputBytes += _lines.BytesRead - _counted;
        _counted = _lines.BytesRead;
        _rows.End(rows);
        _batch.Set(rows);
        return rows > 0;
    }

    public override void Dispose()
    {
        _lines.Dispose();
        _arena.Dispose();
        base.Dispose();
    }
}
