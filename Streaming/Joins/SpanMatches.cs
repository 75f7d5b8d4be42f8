using Dataflow.Sql.Rows;
using Dataflow.Streaming.State;

namespace Dataflow.Streaming.Joins;

/// <summary>
/// Pairs of rows of a batch and rows that wait, of the same key: found through the index of these; or, where they have none and are asked for so little that it is not
/// worth one, by a look at all of them.
/// </summary>
internal sealed class SpanMatches(ValueList<DataType> keyTypes, TaskArena arena)
{
    private readonly int[] _found = new int[ColumnBatch.MaxRows];
    private readonly ColumnVector[] _shown = [.. keyTypes.Select(type => new ColumnVector(type))];
    private ColumnVector[] _keys = [];
    private ReadOnlyMemory<ushort> _rows;
    private StateSpan _span = null!;
    private bool _isScan;
    private int _next;
    private int _chain;

    // Of a look at all: the batch's keys, the first row of each, and the next row of the same key.
    private KeyTable? _ofBatch;
    private bool _isPrepared;
    private int[] _numbers = [];
    private int[] _firsts = [];
    private int[] _nexts = [];
    private int _chunk;
    private int _chunkRows;

    /// <summary>Begins with rows of a batch.</summary>
    /// <param name="keys">Its key columns.</param>
    /// <param name="rows">Which of its rows.</param>
    public void Begin(ColumnVector[] keys, ReadOnlyMemory<ushort> rows) => (_keys, _rows, _isPrepared) = (keys, rows, false);

    /// <summary>Goes on to rows that wait.</summary>
    public void GoTo(StateSpan span)
    {
        _span = span;
        _isScan = span.TryScan(_rows.Length);
        _next = -1;
        _chain = -1;
        if (!_isScan)
        {
            span.Find(_keys, _rows.Span, _found);
            return;
        }
        Prepare();
        (_chunk, _chunkRows) = (0, 0);
    }

    /// <summary>The next pairs; 0 if there are no more.</summary>
    /// <param name="ofBatch">Gets rows of the batch.</param>
    /// <param name="ofSpan">Gets the numbers of the rows that wait.</param>
    public int Next(Span<ushort> ofBatch, Span<int> ofSpan) => _isScan ? Scan(ofBatch, ofSpan) : Follow(ofBatch, ofSpan);

    // Row by row of the batch, from the newest row that waits to the oldest.
    private int Follow(Span<ushort> ofBatch, Span<int> ofSpan)
    {
        var rows = _rows.Span;
        var count = 0;
        while (count < ofBatch.Length)
        {
            if (_chain < 0)
            {
                if (++_next >= rows.Length)
                {
                    _next = rows.Length;
                    break;
                }
                _chain = _found[_next];
                continue;
            }
            ofBatch[count] = rows[_next];
            ofSpan[count++] = _chain;
            _chain = _span.Next(_chain);
        }
        return count;
    }

    // Row by row of those that wait.
    private int Scan(Span<ushort> ofBatch, Span<int> ofSpan)
    {
        var rows = _rows.Span;
        var count = 0;
        while (count < ofBatch.Length)
        {
            if (_chain >= 0)
            {
                ofBatch[count] = rows[_chain];
                ofSpan[count++] = _chunk + _next;
                _chain = _nexts[_chain];
                continue;
            }
            while (++_next < _chunkRows && (_found[_next] < 0 || !_span.Has(_chunk + _next))) { }
            if (_next < _chunkRows)
            {
                _chain = _firsts[_found[_next]];
                continue;
            }
            if (!NextChunk()) break;
        }
        return count;
    }

    private bool NextChunk()
    {
        _chunk += _chunkRows;
        _chunkRows = Math.Min(ColumnBatch.MaxRows, _span.Numbers - _chunk);
        _next = -1;
        if (_chunkRows <= 0)
        {
            _chunkRows = 0;
            return false;
        }
        _span.ShowKeys(_chunk, _chunkRows, _shown);
        _ofBatch!.Find(_shown, AllRows.AsSpan(0, _chunkRows), _found);
        return true;
    }

    private void Prepare()
    {
        if (_isPrepared) return;
        _isPrepared = true;
        var rows = _rows.Span;
        if (_ofBatch is null)
        {
            _ofBatch = KeyTable.For(arena, keyTypes);
            (_numbers, _firsts, _nexts) = (new int[ColumnBatch.MaxRows], new int[ColumnBatch.MaxRows], new int[ColumnBatch.MaxRows]);
        }
        _ofBatch.Clear();
        _ofBatch.FindOrAdd(_keys, rows, _numbers);
        _firsts.AsSpan(0, _ofBatch.Count).Fill(-1);
        for (var i = rows.Length - 1; i >= 0; i--)
        {
            _nexts[i] = _firsts[_numbers[i]];
            _firsts[_numbers[i]] = i;
        }
    }

    private static readonly ushort[] AllRows = [.. Enumerable.Range(0, ColumnBatch.MaxRows).Select(row => (ushort)row)];
}
