using Dataflow.Sql.Kernels;
using Dataflow.Sql.Records;
using Dataflow.Sql.Rows;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Groups;

/// <summary>Goes through rows that come ordered by key, group by group. A row becomes an object when it is asked for: few live at a time, which spares the garbage collector.</summary>
internal sealed unsafe class GroupCursor<TKey, TRow> : IDisposable
{
    private readonly BatchReader _input;
    private readonly TaskContext _context;
    private readonly TaskArena _arena;
    private readonly RecordMapper<TKey> _keyMapper;
    private readonly RecordMapper<TRow> _rowMapper;
    private readonly ColumnBatch _keyColumns;
    private readonly ColumnBatch _rowColumns;
    private readonly ulong[] _mask = GC.AllocateArray<ulong>(ColumnBatch.MaxRows / 64, pinned: true);
    private readonly int[] _numbers = new int[ColumnBatch.MaxRows];
    private readonly bool[] _isFirst = new bool[ColumnBatch.MaxRows];
    private readonly int[] _found = new int[ColumnBatch.MaxRows + 1];
    private KeyTable _table;
    private KeyTable _tableBefore;
    private int _numberBefore = -1;
    private readonly ushort[] _rows = new ushort[ColumnBatch.MaxRows];
    private int _count;
    private TKey[] _keys = [];
    private int _next;
    private int _start = -1;
    private int _group;

    public GroupCursor(BatchReader input, Schema rows, TaskContext context)
    {
        (_input, _context) = (input, context);
        var keys = RecordShape<TKey>.Find().Schema;
        _arena = new TaskArena(context, "groups");
        _keyMapper = RecordMapper<TKey>.For(keys);
        _rowMapper = RecordMapper<TRow>.For(rows);
        DataType[] types = [.. keys.Select(field => field.Type)];
        (_table, _tableBefore) = (KeyTable.For(_arena, types), KeyTable.For(_arena, types));
        _keyColumns = new ColumnBatch([.. types.Select(type => new ColumnVector(type))]);
        _rowColumns = new ColumnBatch([.. rows.Select(field => new ColumnVector(field.Type))]);
    }

    /// <summary>Where groups are looked up; null for nowhere.</summary>
    public GroupTable? State { get; set; }

    /// <summary>What went wrong while rows were read: no fault of who asked for them.</summary>
    public Exception? Error { get; private set; }

    /// <summary>How many groups there were up to now.</summary>
    public long Groups { get; private set; }

    /// <summary>The key of the group.</summary>
    public TKey Key => _keys[_group];

    /// <summary>Its newest row in the state; -1 for none.</summary>
    public int Found => _found[_group];

    /// <summary>Goes on to the next group; rows that were not asked for are passed over.</summary>
    public bool NextGroup()
    {
        Groups++;
        if (_next == _start) _next++;
        while (true)
        {
            while (_next < _count && !_isFirst[_next]) _next++;
            if (_next < _count) break;
            if (!Load()) return false;
        }
        (_start, _group) = (_next, _group + 1);
        return true;
    }

    /// <summary>The next row of the group.</summary>
    public bool TryRow(out TRow row)
    {
        row = default!;
        if (_next == _count && !LoadMore()) return false;
        if (_isFirst[_next] && _next != _start) return false;
        try
        {
            row = _rowMapper.At(_rowColumns.Columns, _rows[_next++]);
            return true;
        }
        catch (Exception error)
        {
            Error = error;
            throw;
        }
    }

    public void Dispose()
    {
        _input.Dispose();
        _arena.Dispose();
    }

    // What belongs to the group goes on in the next batch, whose first group is another, or has none of its own.
    private bool LoadMore()
    {
        var (key, found) = (Key, Found);
        if (!Load()) return false;
        _keys = [key, .. _keys];
        _found.AsSpan(0, _keys.Length - 1).CopyTo(_found.AsSpan(1));
        (_found[0], _group) = (found, 0);
        return true;
    }

    private bool Load()
    {
        try
        {
            _context.ThrowIfCancelled();
            (_next, _start, _group) = (0, -1, -1);
            _count = 0;
            if (!_input.TryNext(out var batch)) return false;
            for (var i = 0; i < _keyColumns.Columns.Length; i++) _keyColumns.Columns[i].Share(batch.Columns[i]);
            for (var i = 0; i < _rowColumns.Columns.Length; i++) _rowColumns.Columns[i].Share(batch.Columns[_keyColumns.Columns.Length + i]);
            _rowColumns.Set(batch.Rows, batch.Mask);
            Cut(_rowColumns.Selection);
            _keys = _keyMapper.Map(_keyColumns);
            _found.AsSpan().Fill(-1);
            if (_keys.Length > 0) State?.Find(_keyColumns.Columns, _keyColumns.Selection, _found);
            var rows = _rowColumns.Selection;
            rows.CopyTo(_rows);
            _count = rows.Length;
            return true;
        }
        catch (Exception error)
        {
            Error = error;
            throw;
        }
    }

    // Finds where groups begin.
    private void Cut(ReadOnlySpan<ushort> rows)
    {
        ReadOnlySpan<ColumnVector> keys = _keyColumns.Columns;
        (_table, _tableBefore) = (_tableBefore, _table);
        _table.Clear();
        _table.FindOrAdd(keys, rows, _numbers);
        var before = -1;
        if (_numberBefore >= 0) _tableBefore.Find(keys, rows[..1], new Span<int>(ref before));
        fixed (ulong* mask = _mask)
        {
            Bits.Zero(mask, _rowColumns.Rows);
            for (var i = 0; i < rows.Length; i++)
            {
                _isFirst[i] = i == 0 ? before < 0 || before != _numberBefore : _numbers[i] != _numbers[i - 1];
                if (_isFirst[i]) Bits.Set(mask, rows[i]);
            }

            // The array is pinned.
            _keyColumns.Set(_rowColumns.Rows, mask);
        }
        _numberBefore = _numbers[rows.Length - 1];
    }
}
