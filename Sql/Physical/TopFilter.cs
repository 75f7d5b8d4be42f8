using Dataflow.Sorting;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Rows;
using Dataflow.Storage;

namespace Dataflow.Sql.Physical;

/// <summary>Leaves out rows that can't come among the first n, once n better ones are known.</summary>
internal sealed unsafe class TopFilter
{
    private readonly SortPrefix _prefix;
    private readonly (int Column, Flattener Flattener)[] _keys;
    private readonly NativeBuffer _prefixes;
    private readonly ushort[] _rows = new ushort[ColumnBatch.MaxRows];
    private readonly RowOrderKey _first;
    private readonly TopBound? _bound;
    private ColumnVector[] _flat = [];
    private ulong _last = ulong.MaxValue;
    private bool _isKnown;

    public TopFilter(TaskArena arena, SortPrefix prefix, RowOrderKey[] keys, TopBound? bound)
    {
        _first = keys[0];
        _bound = bound;
        _prefix = prefix;
        _keys = [.. keys.Select(key => key.Column).Distinct().Select(column => (column, new Flattener(arena)))];
        _prefixes = arena.Rent(ColumnBatch.MaxRows * sizeof(ulong));
    }

    /// <summary>Learns the last row that is good enough, of rows that came before all others.</summary>
    /// <param name="last">Its prefix.</param>
    /// <param name="kept">The rows that are good enough; it is the last of them.</param>
    public void Learn(RowSorter.Entry last, RowStore kept)
    {
        _last = last.Prefix;
        _isKnown = true;
        if (_bound is null || kept[_first.Column].IsNull(kept.Count - 1)) return;
        _bound.Learn(new WideOperand(kept.Show()[_first.Column])[kept.Count - 1], _first.Descending);
    }

    /// <summary>The rows of a batch that may be good enough.</summary>
    public ReadOnlySpan<ushort> Of(ColumnVector[] columns, ColumnBatch batch)
    {
        var selection = batch.Selection;
        if (!_isKnown) return selection;
        if (_flat.Length == 0) _flat = new ColumnVector[columns.Length];
        foreach (var (column, flattener) in _keys) _flat[column] = flattener.Flat(columns[column]);
        var prefixes = (ulong*)_prefixes.Pointer;
        _prefix.Of(_flat, batch.Rows, prefixes);

        // Of equal rows those that came first are taken.
        if (_prefix.IsExact && _last == 0) return default;
        var most = _prefix.IsExact ? _last - 1 : _last;
        var count = 0;
        foreach (var row in selection)
        {
            _rows[count] = row;
            count += prefixes[row] <= most ? 1 : 0;
        }
        return _rows.AsSpan(0, count);
    }
}
