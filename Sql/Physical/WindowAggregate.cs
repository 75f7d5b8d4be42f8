using Dataflow.Sql.Builtins;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Rows;

namespace Dataflow.Sql.Physical;

/// <summary>
/// An aggregate over frames. A frame that only grows at its end is added to; one that slides is added up anew, of its rows if they are few, and else of
/// blocks of rows that were added up before.
/// </summary>
internal sealed unsafe class WindowAggregate
{
    // Rows of a frame from which on blocks are worth it.
    private const int FewRows = 256;

    private readonly AggregateKernel _kernel;
    private readonly RowStore _arguments;
    private readonly ColumnVector[] _shown;
    private readonly ColumnVector? _filter;
    private readonly FlatVector _value;
    private readonly TextHeap _heap;
    private readonly FrameTree _tree;
    private readonly ushort[] _rows = new ushort[ColumnBatch.MaxRows];
    private readonly int[] _groups = new int[ColumnBatch.MaxRows];

    /// <param name="call">The aggregate.</param>
    /// <param name="arguments">Its arguments, and its filter behind them.</param>
    /// <param name="arena">Memory.</param>
    public WindowAggregate(AggregateCall call, RowStore arguments, TaskArena arena)
    {
        if (call.IsDistinct) throw new QueryException("DISTINCT_WINDOW_FUNCTION_UNSUPPORTED", $"{call} can't stand over a window: leave DISTINCT out.");
        _kernel = call.Function.Compile(call);
        _arguments = arguments;
        _shown = [.. call.Arguments.Select(argument => new ColumnVector(argument.Type))];
        _filter = call.Filter is null ? null : new ColumnVector(DataType.Boolean);
        _value = new FlatVector(arena, call.Type);
        _heap = new TextHeap(arena);
        _tree = new FrameTree(call, this, arena);
    }

    /// <summary>Computes the values of a partition's rows.</summary>
    /// <param name="frame">Their frames.</param>
    /// <param name="start">First row.</param>
    /// <param name="end">The row after the last.</param>
    /// <param name="results">Takes the values.</param>
    /// <param name="continues">Whether rows of the partition, which all frames hold, were added before.</param>
    public void Compute(FrameBounds frame, int start, int end, ResultWriter results, bool continues)
    {
        var (from, to) = (start, start);
        var (isFresh, hasBlocks) = (false, false);
        if (!continues) Reset();
        for (var row = start; row < end; row++)
        {
            var (first, last) = frame.Of(row);
            if (first != from || last < to)
            {
                Reset();
                (from, to, isFresh) = (first, first, false);
            }
            if (!isFresh || last > to)
            {
                if (row > start && last - to > FewRows)
                {
                    if (!hasBlocks) _tree.Build(start, end);
                    hasBlocks = true;
                    _tree.Add(_kernel, to, last);
                }
                else
                {
                    Add(_kernel, to, last, 0, 0);
                }
                to = last;
                isFresh = true;

                // Views of results before may point at what is cleared now.
                results.Flush();
                _heap.Clear();
                _kernel.WriteResults(0, 1, _value, _heap);
            }
            results.AddFrom(_value);
        }
        if (hasBlocks) _tree.Clear();
    }

    /// <summary>Adds rows to a kernel: to its only group, or to one for each block of rows.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="first">First row.</param>
    /// <param name="end">The row after the last.</param>
    /// <param name="shift">Bits of a row's number that are left out in a block's; 0 for one group of all.</param>
    /// <param name="block">The number of the first block.</param>
    public void Add(AggregateKernel kernel, int first, int end, int shift, int block)
    {
        while (first < end)
        {
            var shownFrom = first & ~63;
            var count = Math.Min(end, shownFrom + ColumnBatch.MaxRows) - shownFrom;
            for (var i = 0; i < _shown.Length; i++) _arguments[i].Show(shownFrom, count, _shown[i]);
            if (_filter is not null) _arguments[_shown.Length].Show(shownFrom, count, _filter);
            var taken = 0;
            for (var row = first - shownFrom; row < count; row++)
            {
                if (_filter is not null && (_filter.IsNull(row) || !_filter.Bit(row))) continue;
                _groups[taken] = shift == 0 ? 0 : ((shownFrom + row) >> shift) - block;
                _rows[taken++] = (ushort)row;
            }
            if (taken > 0) kernel.Update(_shown, _rows.AsSpan(0, taken), _groups.AsSpan(0, taken));
            first = shownFrom + count;
        }
    }

    private void Reset()
    {
        _kernel.Clear();
        _kernel.Grow(1);
    }
}
