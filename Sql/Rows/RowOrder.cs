using System.Runtime.InteropServices;
using Dataflow.Sorting;
using Dataflow.Sql.Columns;
using Dataflow.Storage;

namespace Dataflow.Sql.Rows;

/// <summary>Orders rows of a store, stably: by their prefixes with a radix sort, and by all keys where those are equal.</summary>
internal sealed unsafe class RowOrder : IDisposable
{
    private readonly TaskArena _arena;
    private readonly RowStore _store;
    private readonly SortPrefix _prefix;
    private readonly ColumnVector[] _all;
    private NativeBuffer? _entries;
    private NativeBuffer? _scratch;
    private bool _isInScratch;

    /// <param name="arena">Memory.</param>
    /// <param name="store">The rows.</param>
    /// <param name="prefix">The order, over the store's columns.</param>
    public RowOrder(TaskArena arena, RowStore store, SortPrefix prefix)
    {
        _arena = arena;
        _store = store;
        _prefix = prefix;
        _all = [.. Enumerable.Range(0, store.ColumnCount).Select(i => new ColumnVector(store[i].Type))];
    }

    /// <summary>Bytes that ordering takes for each row beside the row.</summary>
    public const int BytesPerRow = 32;

    /// <summary>The rows in order. Valid until the next call.</summary>
    public ReadOnlySpan<RowSorter.Entry> Sort()
    {
        var count = _store.Count;
        Return();
        if (count == 0) return default;
        _entries = _arena.Rent(checked(count * sizeof(RowSorter.Entry)));
        _scratch = _arena.Rent(checked(count * sizeof(RowSorter.Entry)));
        var entries = new Span<RowSorter.Entry>(_entries.Pointer, count);
        var prefixes = (ulong*)_scratch.Pointer;
        for (var start = 0; start < count; start += ColumnBatch.MaxRows)
        {
            var rows = Math.Min(ColumnBatch.MaxRows, count - start);
            Show(start, rows);
            _prefix.Of(_all, rows, prefixes);
            for (var i = 0; i < rows; i++) entries[start + i] = new RowSorter.Entry { Prefix = prefixes[i], Row = start + i };
        }
        var sorted = RowSorter.SortByPrefix(entries, new Span<RowSorter.Entry>(_scratch.Pointer, count));
        fixed (RowSorter.Entry* first = sorted) _isInScratch = first == _scratch.Pointer;
        if (_prefix.IsExact) return sorted;
        Show(0, count);
        RowSorter.SortTies(sorted, new ByKeys(_prefix, _all));
        return sorted;
    }

    /// <summary>A place of the order that <see cref="Sort"/> gave last.</summary>
    public RowSorter.Entry Of(int place) => new Span<RowSorter.Entry>((_isInScratch ? _scratch : _entries)!.Pointer, _store.Count)[place];

    /// <summary>Gives the memory back.</summary>
    public void Return()
    {
        if (_entries is not null) _arena.Return(_entries);
        if (_scratch is not null) _arena.Return(_scratch);
        (_entries, _scratch) = (null, null);
    }

    public void Dispose() => Return();

    private void Show(int start, int rows)
    {
        for (var i = 0; i < _all.Length; i++) _store[i].Show(start, rows, _all[i]);
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly struct ByKeys(SortPrefix prefix, ColumnVector[] rows) : IComparer<RowSorter.Entry>
    {
        public int Compare(RowSorter.Entry left, RowSorter.Entry right) => prefix.Compare(rows, (int)left.Row, rows, (int)right.Row);
    }
}

/// <summary>Compares rows of a store.</summary>
internal sealed class RowComparer(RowStore store, RowOrderKey[] keys)
{
    private readonly SortPrefix _prefix = new(keys, [.. Enumerable.Range(0, store.ColumnCount).Select(i => store[i].Type)]);
    private ColumnVector[] _rows = store.Show();

    /// <summary>Looks where rows lie. Called after rows were added or dropped.</summary>
    public void Refresh() => _rows = store.Show();

    public int Compare(int left, int right) => _prefix.Compare(_rows, left, _rows, right);
}
