namespace Dataflow.Sql.ParquetMetadata;

/// <summary>Ranges of rows, in order and apart.</summary>
internal sealed class RowRanges
{
    private readonly List<(long Start, long End)> _ranges = [];

    /// <summary>The ranges: first row, and the one behind the last.</summary>
    public IReadOnlyList<(long Start, long End)> Ranges => _ranges;

    /// <summary>One range.</summary>
    public static RowRanges Of(long start, long end)
    {
        var one = new RowRanges();
        one.Add(start, end);
        return one;
    }

    /// <summary>Adds rows behind those that are in it.</summary>
    public void Add(long start, long end)
    {
        if (start >= end) return;
        if (_ranges.Count > 0 && _ranges[^1].End == start) _ranges[^1] = (_ranges[^1].Start, end);
        else _ranges.Add((start, end));
    }

    /// <summary>The rows that are in both.</summary>
    public RowRanges And(RowRanges other)
    {
        var both = new RowRanges();
        var (mine, theirs) = (0, 0);
        while (mine < _ranges.Count && theirs < other._ranges.Count)
        {
            var (left, right) = (_ranges[mine], other._ranges[theirs]);
            both.Add(Math.Max(left.Start, right.Start), Math.Min(left.End, right.End));
            if (left.End < right.End) mine++;
            else theirs++;
        }
        return both;
    }
}
