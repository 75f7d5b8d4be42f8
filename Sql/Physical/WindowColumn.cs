using Dataflow.Sql.Builtins;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Rows;

namespace Dataflow.Sql.Physical;

/// <summary>One window function over the rows of a task, partition after partition.</summary>
internal sealed class WindowColumn
{
    private readonly WindowExpression _window;
    private readonly Evaluator[] _evaluators;
    private readonly ColumnVector[] _evaluated;
    private readonly RowStore _arguments;
    private readonly WindowAggregate? _aggregate;
    private readonly ResultWriter _results;
    private (long Start, long Last) _session;

    public WindowColumn(WindowExpression window, ValueList<ColumnReference> columns, TaskArena arena, EvaluatorContext context)
    {
        _window = window;
        var arguments = window.Function is AggregateCall aggregate ? aggregate.Children : ((WindowCall)window.Function).Arguments;
        _evaluators = [.. arguments.Select(argument => ExpressionCompiler.Compile(argument, columns, context))];
        _evaluated = new ColumnVector[_evaluators.Length];
        _arguments = new RowStore(arena, arguments.Select(argument => argument.Type));
        _results = new ResultWriter(arena, window.Type);
        if (window.Function is AggregateCall call) _aggregate = new WindowAggregate(call, _arguments, arena);
    }

    /// <summary>A value for each row.</summary>
    public ColumnStore Results => _results.Store;

    /// <summary>Takes the arguments of rows.</summary>
    public void Add(ColumnBatch batch)
    {
        for (var i = 0; i < _evaluators.Length; i++) _evaluated[i] = _evaluators[i].Evaluate(batch);
        _arguments.Append(_evaluated, batch.Selection);
    }

    /// <summary>Whether the rows of a partition may be computed piece by piece, each of whole groups of peers.</summary>
    public bool CanStream => _window.Function is WindowCall call
        ? call.Function.Name is "row_number" or "rank" or "dense_rank" or "first_of_session"
        : _window.Frame is { Start: null, End: { } end } && FrameBounds.IsRowItself(end);

    /// <summary>Bytes of text that it keeps.</summary>
    public long TextBytes => _arguments.TextBytes + Results.TextBytes;

    /// <summary>Bytes of fixed width that it keeps of each row.</summary>
    public int BytesPerRow => Math.Max(1, _window.Type.ByteWidth) + Enumerable.Range(0, _arguments.ColumnCount).Sum(i => Math.Max(1, _arguments[i].Type.ByteWidth));

    /// <summary>Forgets the first rows, and all values.</summary>
    public void DropFirst(int rows)
    {
        _arguments.DropFirst(rows);
        Results.Clear();
    }

    /// <summary>Computes the values of a partition's rows.</summary>
    /// <param name="start">First row.</param>
    /// <param name="end">The row after the last.</param>
    /// <param name="peers">Their peers.</param>
    /// <param name="rows">All rows.</param>
    /// <param name="orders">The order.</param>
    /// <param name="before">How many rows, and how many groups of peers, of the partition were computed before.</param>
    public void Compute(int start, int end, PeerGroups peers, RowStore rows, RowOrderKey[] orders, (long Rows, long Peers) before)
    {
        var frame = new FrameBounds(_window.Frame, start, end, peers, rows, orders);
        if (_aggregate is not null) _aggregate.Compute(frame, start, end, _results, continues: before.Rows > 0);
        else Rank(((WindowCall)_window.Function).Function.Name, frame, start, end, peers, before);
    }

    /// <summary>Writes what is left.</summary>
    public void Finish() => _results.Flush();

    private void Rank(string name, FrameBounds frame, int start, int end, PeerGroups peers, (long Rows, long Peers) before)
    {
        var count = end - start;
        for (var row = start; row < end; row++)
        {
            switch (name)
            {
                case "row_number": _results.Add(checked((int)(before.Rows + row - start + 1))); break;
                case "rank": _results.Add(checked((int)(before.Rows + peers.FirstOf(row) - start + 1))); break;
                case "dense_rank": _results.Add(checked((int)(before.Peers + peers.NumberOf(row) + 1))); break;
                case "percent_rank": _results.Add(count == 1 ? 0.0 : (double)(peers.FirstOf(row) - start) / (count - 1)); break;
                case "cume_dist": _results.Add((double)(peers.EndOf(row) - start) / count); break;
                case "ntile": _results.Add(Tile(row - start, count, Number(0, row))); break;
                case "lag": Shift(row, row - Distance(row), start, end); break;
                case "lead": Shift(row, row + Distance(row), start, end); break;
                case "first_of_session":
                    var time = Number(0, row);
                    var isFirst = before.Rows + row == start || (Int128)time - _session.Last >= Number(1, row);
                    _session = (isFirst ? time : _session.Start, time);
                    _results.Add(_session.Start);
                    break;
                case "nth_value":
                    var (first, last) = frame.Of(row);
                    var nth = Number(1, row);
                    if (nth < 1) throw new QueryException("INVALID_PARAMETER_VALUE", $"nth_value counts rows from 1, and was given {nth}.");
                    _results.AddFrom(_arguments[0], nth <= last - first ? (int)(first + nth - 1) : -1);
                    break;
                default: throw new QueryException("UNSUPPORTED_FEATURE", $"The window function {name} can't be computed yet.");
            }
        }
    }

    // The first tiles have one row more, if they can't be equal.
    private static int Tile(int place, int count, long tiles)
    {
        if (tiles < 1) throw new QueryException("INVALID_PARAMETER_VALUE", $"ntile needs at least one tile, and was given {tiles}.");
        var (size, more) = Math.DivRem(count, tiles);
        var inLarger = more * (size + 1);
        return (int)(place < inLarger ? place / (size + 1) : more + ((place - inLarger) / Math.Max(1, size))) + 1;
    }

    private long Distance(int row) => _arguments.ColumnCount > 1 ? Number(1, row) : 1;

    private void Shift(int row, long target, int start, int end)
    {
        if (target >= start && target < end) _results.AddFrom(_arguments[0], (int)target);
        else if (_arguments.ColumnCount > 2) _results.AddFrom(_arguments[2], row);
        else _results.AddFrom(_arguments[0], -1);
    }

    private unsafe long Number(int argument, int row)
    {
        var column = _arguments[argument];
        return column.Type.Physical switch
        {
            PhysicalType.Int8 => ((sbyte*)column.Data)[row],
            PhysicalType.Int16 => ((short*)column.Data)[row],
            PhysicalType.Int32 => ((int*)column.Data)[row],
            _ => ((long*)column.Data)[row],
        };
    }
}

/// <summary>Gathers results row by row.</summary>
internal sealed unsafe class ResultWriter
{
    private readonly FlatVector _values;
    private readonly ushort[] _all = [.. Enumerable.Range(0, ColumnBatch.MaxRows).Select(row => (ushort)row)];
    private int _count;

    public ResultWriter(TaskArena arena, DataType type)
    {
        Store = new ColumnStore(arena, type);
        _values = new FlatVector(arena, type);
    }

    /// <summary>What was flushed.</summary>
    public ColumnStore Store { get; }

    public void Add(int value)
    {
        if (Store.Type.Physical == PhysicalType.Int64) ((long*)_values.Data)[_count] = value;
        else ((int*)_values.Data)[_count] = value;
        Took(true);
    }

    public void Add(long value)
    {
        ((long*)_values.Data)[_count] = value;
        Took(true);
    }

    public void Add(double value)
    {
        ((double*)_values.Data)[_count] = value;
        Took(true);
    }

    /// <summary>Adds the value of a row of a kept column of the same type; null for -1.</summary>
    public void AddFrom(ColumnStore column, int row)
    {
        var isThere = row >= 0 && !column.IsNull(row);
        if (Store.Type.Physical == PhysicalType.Bit)
        {
            SetBit((ulong*)_values.Data, _count, isThere && (((ulong*)column.Data)[row >> 6] >> (row & 63) & 1) != 0);
        }
        else
        {
            var width = Store.Type.ByteWidth;
            var target = new Span<byte>(_values.Data + ((nint)_count * width), width);
            if (isThere) new ReadOnlySpan<byte>(column.Data + ((nint)row * width), width).CopyTo(target);
            else target.Clear();
        }
        Took(isThere);
    }

    /// <summary>Adds the first value of a vector. Text must stay until the next flush.</summary>
    public void AddFrom(FlatVector vector)
    {
        var isThere = !vector.Vector.IsNull(0);
        if (Store.Type.Physical == PhysicalType.Bit) SetBit((ulong*)_values.Data, _count, vector.Vector.Bit(0));
        else new ReadOnlySpan<byte>(vector.Data, Store.Type.ByteWidth).CopyTo(new Span<byte>(_values.Data + ((nint)_count * Store.Type.ByteWidth), Store.Type.ByteWidth));
        Took(isThere);
    }

    /// <summary>Moves what was gathered into the store.</summary>
    public void Flush()
    {
        if (_count == 0) return;
        Store.Append(_values.Set(_count, hasNulls: true), _all.AsSpan(0, _count));
        _count = 0;
    }

    /// <summary>Whether the next value flushes those before it.</summary>
    public bool IsFull => _count == ColumnBatch.MaxRows;

    private void Took(bool isThere)
    {
        SetBit(_values.Validity, _count++, isThere);
        if (IsFull) Flush();
    }

    private static void SetBit(ulong* words, int index, bool value)
    {
        var bit = 1UL << (index & 63);
        if (value) words[index >> 6] |= bit;
        else words[index >> 6] &= ~bit;
    }
}
