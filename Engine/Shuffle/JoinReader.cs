using Dataflow.Hashing;
using Dataflow.Tasks;

namespace Dataflow.Shuffle;

/// <summary>What a join makes of matches and of rows without one. A null function drops such rows.</summary>
internal sealed record JoinRows<TKey, TLeft, TRight, TRow>(
    Func<TKey, TLeft, TRight, TRow>? Both, Func<TKey, TLeft, TRow>? LeftOnly, Func<TKey, TRight, TRow>? RightOnly);

/// <summary>Joins two inputs by hash: the table holds the smaller side of an inner join, the right side of others.</summary>
internal sealed class JoinReader<TKey, TLeft, TRight, TRow>(
    IReadOnlyList<InputSegment>[] left,
    IReadOnlyList<InputSegment>[] right,
    JoinRows<TKey, TLeft, TRight, TRow> rows,
    TaskContext context) : RangePairReader<TKey, TLeft, TRight, TRow>(left, right, context)
{
    private readonly bool _inner = rows.LeftOnly is null && rows.RightOnly is null;

    protected override long RowsOfTable(long left, long right) => _inner ? Math.Min(left, right) : right;

    protected override ChunkReader<TRow> Open(IReadOnlyList<InputSegment> left, IReadOnlyList<InputSegment> right, TaskContext context)
    {
        if (_inner && (left.Count == 0 || right.Count == 0)) return Empty;
        return _inner && Rows([left]) < Rows([right])
            ? new ProbeReader<TKey, TLeft, TRight, TRow>(left, right, (key, r, l) => rows.Both!(key, l, r), null, null, context)
            : new ProbeReader<TKey, TRight, TLeft, TRow>(right, left, rows.Both, rows.LeftOnly, rows.RightOnly, context);
    }
}

/// <summary>Puts one side into a table and streams the other past it.</summary>
internal sealed class ProbeReader<TKey, TBuild, TProbe, TRow>(
    IReadOnlyList<InputSegment> build,
    IReadOnlyList<InputSegment> probe,
    Func<TKey, TProbe, TBuild, TRow>? both,
    Func<TKey, TProbe, TRow>? probeOnly,
    Func<TKey, TBuild, TRow>? buildOnly,
    TaskContext context) : ChunkReader<TRow>
{
    private readonly GroupTable<TKey, TBuild> _table = GroupTables.Build<TKey, TBuild>(build);
    private readonly SegmentReader<(TKey Key, TProbe Value)> _probe = new(probe);
    private readonly TRow[] _output = new TRow[DefaultLength];
    private readonly int[] _groups = new int[DefaultLength];
    private readonly TKey[] _keys = new TKey[DefaultLength];
    private readonly TProbe[] _values = new TProbe[DefaultLength];
    private (TKey Key, TProbe Value)[] _chunk = [];
    private int _chunkNext;
    private int _chunkCount;
    private bool[]? _matched;
    private int _count;
    private int _row;
    private int _value;
    private int _group = -1;

    public override bool TryRead(out ReadOnlySpan<TRow> chunk)
    {
        context.ThrowIfCancelled();
        if (buildOnly is not null) _matched ??= new bool[_table.Count];
        var filled = 0;
        while (filled < _output.Length)
        {
            if (_group >= 0)
            {
                if (!Unmatched(ref filled)) break;
                continue;
            }
            if (_row == _count && !Fetch())
            {
                if (buildOnly is null) break;
                _group = 0;
                continue;
            }
            filled = Match(filled);
        }
        chunk = _output.AsSpan(0, filled);
        return filled > 0;
    }

    protected override void Dispose(bool disposing)
    {
        _table.Dispose();
        _probe.Dispose();
    }

    private bool Fetch()
    {
        if (_chunkNext == _chunkCount)
        {
            if (!_probe.TryRead(out var chunk)) return false;
            if (_chunk.Length < chunk.Length) _chunk = new (TKey Key, TProbe Value)[chunk.Length];
            chunk.CopyTo(_chunk);
            _chunkCount = chunk.Length;
            _chunkNext = 0;
        }
        _count = Math.Min(DefaultLength, _chunkCount - _chunkNext);
        for (var i = 0; i < _count; i++) (_keys[i], _values[i]) = _chunk[_chunkNext + i];
        _chunkNext += _count;
        _table.FindMany(_keys.AsSpan(0, _count), _groups);
        _row = 0;
        _value = 0;
        return true;
    }

    private int Match(int filled)
    {
        for (; _row < _count; _row++)
        {
            if (filled == _output.Length) return filled;
            var group = _groups[_row];
            if (group < 0)
            {
                if (probeOnly is not null) _output[filled++] = probeOnly(_keys[_row], _values[_row]);
                continue;
            }
            if (_matched is not null) _matched[group] = true;
            if (both is null) continue;
            var values = _table.ValuesOf(group);
            while (_value < values.Length)
            {
                if (filled == _output.Length) return filled;
                _output[filled++] = both(_keys[_row], _values[_row], values[_value++]);
            }
            _value = 0;
        }
        return filled;
    }

    private bool Unmatched(ref int filled)
    {
        for (; _group < _table.Count; _group++)
        {
            if (_matched![_group]) continue;
            var values = _table.ValuesOf(_group);
            while (_value < values.Length)
            {
                if (filled == _output.Length) return true;
                _output[filled++] = buildOnly!(_table.KeyOf(_group), values[_value++]);
            }
            _value = 0;
        }
        return false;
    }
}
