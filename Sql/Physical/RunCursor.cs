using Dataflow.Shuffle;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Rows;
using Dataflow.Storage;

namespace Dataflow.Sql.Physical;

/// <summary>Where a merge is in one sorted run: at a row of one of its frames.</summary>
internal sealed unsafe class RunCursor : IDisposable
{
    private readonly IReadOnlyList<InputSegment> _segments;
    private readonly DataType[] _types;
    private readonly SortPrefix _prefix;
    private readonly TaskArena _arena;
    private readonly SortBound? _end;
    private readonly List<SegmentView> _retired = [];
    private SortBound? _from;
    private FrameReader? _frames;
    private NativeBuffer? _prefixes;
    private SegmentView _view;
    private bool _isOpen;
    private int _next;

    public RunCursor(int index, IReadOnlyList<InputSegment> segments, DataType[] types, SortPrefix prefix, TaskArena arena, SortBound? from, SortBound? end)
    {
        Index = index;
        _segments = segments;
        _types = types;
        _prefix = prefix;
        _arena = arena;
        _from = from;
        _end = end;
    }

    /// <summary>Which run.</summary>
    public int Index { get; }

    /// <summary>The columns of the frame; empty before the first.</summary>
    public ColumnVector[] Columns { get; private set; } = [];

    /// <summary>The row it is at.</summary>
    public int Row { get; set; }

    /// <summary>How many rows of the frame are wanted.</summary>
    public int Rows { get; private set; }

    /// <summary>The prefixes of the frame's rows.</summary>
    public ulong* Prefixes => (ulong*)_prefixes!.Pointer;

    /// <summary>Goes to the first wanted row of the next frame; false at the end.</summary>
    public bool Advance()
    {
        while (_next < _segments.Count)
        {
            Retire();
            var most = _segments.Max(segment => segment.Rows);
            _frames ??= new FrameReader(_arena, _types, most);
            _prefixes ??= _arena.Rent(most * sizeof(ulong));
            _view = _segments[_next++].Open();
            _isOpen = true;
            var batch = _frames.Read(_view.Bytes);
            Columns = batch.Columns;
            _prefix.Of(Columns, batch.Rows, Prefixes);
            Row = _from is null ? 0 : FirstNotBefore(_from, batch.Rows);
            Rows = batch.Rows;
            if (Row == Rows) continue;
            _from = null;
            if (_end is null) return true;
            Rows = FirstNotBefore(_end, Rows);
            if (Rows < batch.Rows) _next = _segments.Count;
            return Row < Rows;
        }
        return false;
    }

    /// <summary>Gives back frames that were left.</summary>
    public void ReleaseRetired()
    {
        foreach (var view in _retired) view.Dispose();
        _retired.Clear();
    }

    public void Dispose()
    {
        Retire();
        ReleaseRetired();
    }

    private void Retire()
    {
        if (_isOpen) _retired.Add(_view);
        _isOpen = false;
    }

    private int FirstNotBefore(SortBound bound, int rows)
    {
        var (low, high) = (0, rows);
        while (low < high)
        {
            var middle = (low + high) / 2;
            var prefix = Prefixes[middle];
            var isBefore = prefix != bound.Prefix ? prefix < bound.Prefix : !_prefix.IsExact && _prefix.Compare(Columns, middle, bound.Columns, bound.Row) < 0;
            if (isBefore) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
