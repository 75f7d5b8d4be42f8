namespace Dataflow.MLlib.NeighborKernels;

/// <summary>
/// Queries one by one against rows as they lie: the way of metrics that are no inner product, and of few queries, where packing would cost more than it gains. A float
/// sum with its error bound tells which rows get an exact distance.
/// </summary>
internal sealed unsafe class ScanSearch
{
    private const int BlockBytes = 128 * 1024;

    private readonly RowSet _rows;
    private readonly RankKeys _keys;
    private readonly Func<long, bool>? _filter;
    private readonly double[] _norms;
    private readonly AlignedFloats? _lengths;
    private readonly double _error;
    private readonly int[]? _positions;

    /// <param name="lengths">Of <see cref="LengthsOf"/>, for cosine and inner product.</param>
    /// <param name="positions">Under which positions rows are offered; null for their own.</param>
    public ScanSearch(RowSet rows, RankKeys keys, AlignedFloats? lengths, Func<long, bool>? filter, int[]? positions = null)
    {
        _positions = positions;
        _rows = rows;
        _keys = keys;
        _filter = filter;
        _lengths = lengths;
        _norms = keys.Kind == DistanceMetric.Cosine ? rows.Norms : [];
        _error = FloatBounds.ErrorOf(rows.Features);
        BlockRows = Math.Clamp(BlockBytes / (rows.Features * sizeof(float)), 16, 4096);
    }

    /// <summary>Rows that are taken at once: they stay in the second-level cache for the queries that follow.</summary>
    public int BlockRows { get; }

    /// <summary>Lengths of rows in single precision; NaN, which always passes, where that has no room for their squares.</summary>
    public static AlignedFloats LengthsOf(RowSet rows)
    {
        var lengths = new AlignedFloats(rows.Count);
        for (var i = 0; i < rows.Count; i++)
        {
            var length = Math.Sqrt(rows.Norms[i]);
            lengths.Span[i] = IsUsual(length) || length == 0 ? (float)length : float.NaN;
        }
        return lengths;
    }

    /// <summary>Offers all rows of a range that may be among the best of each query.</summary>
    public void Run(float* queries, int first, int count, int firstRow, int endRow, NeighborLists lists)
    {
        var features = _rows.Features;
        var sums = new AlignedFloats(BlockRows);
        var passed = stackalloc int[BlockRows];
        var norms = new double[count];
        for (var q = 0; q < count; q++) norms[q] = ExactDistances.Dot(queries + ((long)q * features), queries + ((long)q * features), features);
        for (var row = firstRow; row < endRow; row += BlockRows)
        {
            var rows = Math.Min(BlockRows, endRow - row);
            var start = _rows.Pointer + ((long)row * features);
            for (var q = 0; q < count; q++)
            {
                var query = queries + ((long)q * features);
                // Until a list is full, everything passes: a few rows first, then the filter has something to compare with.
                var done = 0;
                while (done < rows)
                {
                    var bound = lists.Bound(first + q);
                    var part = bound == double.PositiveInfinity ? Math.Min(rows - done, Math.Max(16, lists.K - lists.Count(first + q))) : rows - done;
                    var found = Filter(query, norms[q], start + ((long)done * features), row + done, part, bound, sums.Pointer, passed);
                    for (var i = 0; i < found; i++)
                    {
                        var position = row + done + passed[i];
                        if (_filter is not null && !_filter(_rows.Ids[position])) continue;
                        var key = _keys.Of(query, norms[q], _rows.Pointer + ((long)position * features), _norms.Length == 0 ? 0 : _norms[position]);
                        lists.Offer(first + q, key, _positions is null ? position : _positions[position]);
                    }
                    done += part;
                }
            }
        }
        GC.KeepAlive(sums);
        GC.KeepAlive(_rows);
        GC.KeepAlive(_lengths);
    }

    private int Filter(float* query, double norm, float* rows, int firstRow, int count, double bound, float* sums, int* passed)
    {
        var features = _rows.Features;
        if (bound == double.PositiveInfinity)
        {
            for (var i = 0; i < count; i++) passed[i] = i;
            return count;
        }
        switch (_keys.Kind)
        {
            case DistanceMetric.Euclidean or DistanceMetric.SquaredEuclidean:
                ScanKernels.Squared(query, rows, count, features, sums);
                return ScanKernels.AtMost(sums, count, 1, FloatBounds.Above(bound, features), null, 0, passed);
            case DistanceMetric.Manhattan:
                ScanKernels.Manhattan(query, rows, count, features, sums);
                return ScanKernels.AtMost(sums, count, 1, FloatBounds.Above(bound, features), null, 0, passed);
            case DistanceMetric.Chebyshev:
                ScanKernels.Chebyshev(query, rows, count, features, sums);
                return ScanKernels.AtMost(sums, count, 1, FloatBounds.Above(bound, features), null, 0, passed);
            case DistanceMetric.Minkowski:
                return PowerKernels.AtMost(query, rows, count, features, _keys.Power, bound, sums, passed);
            case DistanceMetric.Jaccard:
                ScanKernels.Jaccard(query, rows, count, features, sums);
                return ScanKernels.AtMost(sums, count, 1, FloatBounds.Up(bound * (1 + 1e-6), features), null, 0, passed);
            case DistanceMetric.Hamming:
                ScanKernels.Unequal(query, rows, count, features, sums);
                return ScanKernels.AtMost(sums, count, 1, FloatBounds.Up(bound, features), null, 0, passed);
            case DistanceMetric.InnerProduct:
                // -dot of the floats is at most bound + error |q| |r|.
                ScanKernels.Dot(query, rows, count, features, sums);
                return ScanKernels.AtMost(sums, count, -1, FloatBounds.Up(bound + (Math.Abs(bound) * 1e-10), features), _lengths!.Pointer + firstRow, PerLength(_error, norm), passed);
            default:
                // -dot of the floats is at most (bound - 1 + error) |q| |r|.
                ScanKernels.Dot(query, rows, count, features, sums);
                return ScanKernels.AtMost(sums, count, -1, float.Epsilon * 4096, _lengths!.Pointer + firstRow, PerLength(bound - 1 + _error, norm), passed);
        }
    }

    private static bool IsUsual(double length) => length is > 1e-15 and < 1e15;

    private static float PerLength(double factor, double norm)
    {
        var length = Math.Sqrt(norm);
        return IsUsual(length) ? MathF.BitIncrement((float)(factor * length)) : float.NaN;
    }
}
