using Dataflow.Shuffle;
using Dataflow.Sorting;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Rows;

namespace Dataflow.Sql.Physical;

/// <summary>Gathers rows up to a part of the budget, and writes them in order as a run of frames.</summary>
internal sealed class RunCollector
{
    // A frame of each run is in memory while runs are merged.
    private const int FrameBytes = 64 << 10;
    private const int LeastRows = 64;
    private const int MostRows = 4096;

    private readonly TaskArena _arena;
    private readonly DataType[] _types;
    private readonly SortPrefix _prefix;
    private readonly long _mostBytes;
    private readonly int _width;
    private readonly int[] _rows = new int[ColumnBatch.MaxRows];
    private RowGatherer? _gatherer;

    /// <param name="arena">Memory.</param>
    /// <param name="types">The types of the columns, computed keys behind them.</param>
    /// <param name="prefix">The order.</param>
    public RunCollector(TaskArena arena, DataType[] types, SortPrefix prefix)
    {
        _arena = arena;
        _types = types;
        _prefix = prefix;
        _mostBytes = arena.ShareOfBudget(parts: 8, least: 512 << 10, most: 64 << 20);
        _width = types.Sum(type => Math.Max(1, type.ByteWidth)) + RowOrder.BytesPerRow;
        Rows = new RowStore(arena, types);
        Order = new RowOrder(arena, Rows, prefix);
    }

    /// <summary>What was gathered since the last run.</summary>
    public RowStore Rows { get; private set; }

    /// <summary>Its order.</summary>
    public RowOrder Order { get; private set; }

    /// <summary>Whether it is time to write a run.</summary>
    public bool IsFull => ((long)Rows.Count * _width) + Rows.TextBytes > _mostBytes;

    /// <summary>Writes the rows in order, and forgets them.</summary>
    /// <param name="output">Takes the frames.</param>
    /// <param name="run">The run, or reduce partition, of the output.</param>
    /// <param name="sampleTag">The tag of a frame that comes first and holds the first row of each of the others, which have 0; null for none.</param>
    public void Write(MapOutputWriter output, int run, int? sampleTag = null)
    {
        if (Rows.Count == 0) return;
        var sorted = Order.Sort();
        var rowBytes = (_width - RowOrder.BytesPerRow) + (Rows.TextBytes / Rows.Count);
        var frameRows = (int)Math.Clamp(FrameBytes / rowBytes, LeastRows, MostRows);
        if (sampleTag is { } tag)
        {
            // Of very many frames not each has a row.
            var step = frameRows;
            while ((sorted.Length + step - 1) / step > MostRows) step += frameRows;
            var count = 0;
            for (var first = 0; first < sorted.Length; first += step) _rows[count++] = (int)sorted[first].Row;
            Write(output, run, tag, count);
        }
        for (var first = 0; first < sorted.Length; first += frameRows)
        {
            var count = Math.Min(frameRows, sorted.Length - first);
            for (var i = 0; i < count; i++) _rows[i] = (int)sorted[first + i].Row;
            Write(output, run, 0, count);
        }
        Order.Return();
        Rows.Clear();
    }

    /// <summary>Keeps the first rows of the order, and gives the last of them.</summary>
    public RowSorter.Entry KeepFirst(int count)
    {
        var best = Order.Sort();
        if (best.Length > count) best = best[..count];
        var kept = new RowStore(_arena, _types);
        _gatherer ??= new RowGatherer(_arena, _types);
        for (var first = 0; first < best.Length; first += ColumnBatch.MaxRows) kept.Append(Gather(_gatherer, best[first..Math.Min(best.Length, first + ColumnBatch.MaxRows)]));
        var last = best[^1];
        Order.Return();
        Rows.Return();
        Rows = kept;
        Order = new RowOrder(_arena, Rows, _prefix);
        return last;
    }

    /// <summary>Gives places of the order that was worked out last as a batch.</summary>
    public void Gather(RowGatherer gatherer, int first, int count)
    {
        for (var i = 0; i < count; i++) _rows[i] = (int)Order.Of(first + i).Row;
        gatherer.Gather(Rows, _rows.AsSpan(0, count));
    }

    private ColumnBatch Gather(RowGatherer gatherer, ReadOnlySpan<RowSorter.Entry> rows)
    {
        for (var i = 0; i < rows.Length; i++) _rows[i] = (int)rows[i].Row;
        return gatherer.Gather(Rows, _rows.AsSpan(0, rows.Length));
    }

    private unsafe void Write(MapOutputWriter output, int run, int tag, int count)
    {
        _gatherer ??= new RowGatherer(_arena, _types);
        var batch = _gatherer.Gather(Rows, _rows.AsSpan(0, count));
        var size = Frame.SizeOf(batch.Columns, count);
        var buffer = output.Pool.Rent(size + TaskArena.Slack);
        Frame.Write(batch.Columns, count, buffer.Pointer);
        output.Add(run, tag, buffer, size, count);
    }
}
