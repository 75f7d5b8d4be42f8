using Dataflow.Tasks;

namespace Dataflow.Shuffle;

/// <summary>
/// Brings the pairs of two inputs together, one hash range at a time. A range too large for a table is cut by further bits of the hash
/// into runs (Graefe 1993, section 5.2: recursive partitioning), so it ends in any budget; only the values of one key must fit memory.
/// </summary>
internal abstract class RangePairReader<TKey, TLeft, TRight, TRow> : ChunkReader<TRow>
{
    /// <summary>Rows of a range that a table may hold. Counted, not measured: the same in any budget.</summary>
    protected const long TableRows = 1 << 20;

    private const int Runs = 16;

    private readonly record struct Range(IReadOnlyList<InputSegment> Left, IReadOnlyList<InputSegment> Right, int Depth);

    private readonly IReadOnlyList<InputSegment>[] _left;
    private readonly IReadOnlyList<InputSegment>[] _right;
    private readonly TaskContext _context;
    private readonly Stack<Range> _runs = new();
    private ChunkReader<TRow>? _current;
    private int _next;

    protected RangePairReader(IReadOnlyList<InputSegment>[] left, IReadOnlyList<InputSegment>[] right, TaskContext context)
    {
        _left = left;
        _right = right;
        _context = context;
        if (Rows(left) + Rows(right) > HashAggregation.SmallRows) return;

        // Little data: one table for all ranges.
        _left = [[.. left.SelectMany(range => range)]];
        _right = [[.. right.SelectMany(range => range)]];
    }

    /// <summary>Rows that the table of a range would hold.</summary>
    protected abstract long RowsOfTable(long left, long right);

    /// <summary>Reads one range.</summary>
    protected abstract ChunkReader<TRow> Open(IReadOnlyList<InputSegment> left, IReadOnlyList<InputSegment> right, TaskContext context);

    public override bool TryRead(out ReadOnlySpan<TRow> chunk)
    {
        while (true)
        {
            _context.ThrowIfCancelled();
            if (_current is not null)
            {
                if (_current.TryRead(out chunk)) return true;
                _current.Dispose();
                _current = null;
            }
            if (!_runs.TryPop(out var range))
            {
                if (_next == _left.Length)
                {
                    chunk = default;
                    return false;
                }
                range = new Range(_left[_next], _right[_next], 0);
                _next++;
            }
            if (range.Left.Count == 0 && range.Right.Count == 0) continue;
            if (RowsOfTable(Rows([range.Left]), Rows([range.Right])) > TableRows && range.Depth < HashRanges.MaxDepth) Cut(range);
            else _current = Open(range.Left, range.Right, _context);
        }
    }

    protected override void Dispose(bool disposing)
    {
        _current?.Dispose();
        _current = null;
        _runs.Clear();
        _next = _left.Length;
    }

    protected static long Rows(ReadOnlySpan<IReadOnlyList<InputSegment>> ranges)
    {
        var rows = 0L;
        foreach (var range in ranges)
        {
            foreach (var segment in range) rows += segment.Rows;
        }
        return rows;
    }

    private void Cut(Range range)
    {
        var left = Scatter<TLeft>(range.Left, range.Depth);
        var right = Scatter<TRight>(range.Right, range.Depth);
        for (var i = Runs - 1; i >= 0; i--) _runs.Push(new Range(left.Run(i), right.Run(i), range.Depth + 1));
    }

    private MapOutputWriter Scatter<TValue>(IReadOnlyList<InputSegment> segments, int depth)
    {
        var runs = MapOutputWriter.ForRuns(_context, Runs);
        using var buckets = RowBuckets<(TKey Key, TValue Value)>.Make(runs, 1);
        using var reader = new SegmentReader<(TKey Key, TValue Value)>(segments);
        while (reader.TryRead(out var chunk))
        {
            _context.ThrowIfCancelled();
            HashRanges.Scatter(chunk, buckets, Runs, depth);
        }
        buckets.Finish();
        return runs;
    }
}
