using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.NeighborIndexes;

/// <summary>
/// Balls within balls (Omohundro 1989): rows are halved at the middle of the feature that spreads most, down to leaves; a ball around all rows of each half says how near any of
/// them can be. Exact: balls are left out only if they are farther than the worst neighbour by more than any rounding.
/// </summary>
internal sealed unsafe class BallTreeIndex : NeighborIndex
{
    private const int LeafRows = 32;
    private readonly int _depth;
    private readonly int[] _order;
    private readonly AlignedFloats _leaves;
    private readonly AlignedFloats _centers;
    private readonly double[] _radii;
    private readonly double _error;

    public BallTreeIndex(RowSet rows, Metric metric)
        : base(rows, metric)
    {
        while ((rows.Count >> _depth) + 1 > LeafRows) _depth++;
        _order = new int[rows.Count];
        for (var i = 0; i < _order.Length; i++) _order[i] = i;
        _leaves = new AlignedFloats((long)LeafRows * rows.Features << _depth);
        _centers = new AlignedFloats(((2L << _depth) - 1) * rows.Features);
        _radii = new double[(2 << _depth) - 1];
        _error = metric.Kind == DistanceMetric.Minkowski ? 1e-8 : 1e-13 * (rows.Features + 16);
        if (rows.Count > 0) Build(0, 0, rows.Count, 0);
    }

    public override NeighborAlgorithm Algorithm => NeighborAlgorithm.BallTree;

    public override NeighborLists Search(ReadOnlySpan<float> queries, in SearchOptions options)
    {
        var count = queries.Length / Rows.Features;
        var lists = new NeighborLists(count, Math.Min(options.K, Rows.Count), options.Bound);
        if (Rows.Count == 0) return lists;
        var filter = options.Filter;
        fixed (float* start = queries)
        {
            var pointer = start;
            if (options.Threads == 1 || count < 64)
            {
                for (var q = 0; q < count; q++) Answer(pointer + ((long)q * Rows.Features), q, filter, lists);
            }
            else
            {
                SharedWork.Run((count + 31) / 32, options.Threads, part =>
                {
                    for (var q = part * 32; q < Math.Min(count, (part + 1) * 32); q++) Answer(pointer + ((long)q * Rows.Features), q, filter, lists);
                });
            }
        }
        return lists;
    }

    private void Answer(float* query, int number, Func<long, bool>? filter, NeighborLists lists)
    {
        // Nodes that are still to be looked at, with the least distance of any of their rows.
        var nodes = stackalloc int[64];
        var starts = stackalloc int[64];
        var ends = stackalloc int[64];
        var least = stackalloc double[64];
        var passed = stackalloc int[LeafRows];
        var sums = stackalloc float[LeafRows];
        var waiting = 1;
        (nodes[0], starts[0], ends[0], least[0]) = (0, 0, Rows.Count, double.NegativeInfinity);
        while (waiting > 0)
        {
            waiting--;
            var (node, start, end) = (nodes[waiting], starts[waiting], ends[waiting]);
            if (least[waiting] > Reach(lists.Bound(number))) continue;
            if (node >= (1 << _depth) - 1)
            {
                Leaf(query, number, node - ((1 << _depth) - 1), start, end, filter, lists, sums, passed);
                continue;
            }
            var middle = (start + end) / 2;
            var (left, right) = ((2 * node) + 1, (2 * node) + 2);
            var (toLeft, toRight) = (Nearest(query, left), Nearest(query, right));
            var isLeftNearer = toLeft <= toRight;
            (nodes[waiting], starts[waiting], ends[waiting], least[waiting]) = isLeftNearer ? (right, middle, end, toRight) : (left, start, middle, toLeft);
            waiting++;
            (nodes[waiting], starts[waiting], ends[waiting], least[waiting]) = isLeftNearer ? (left, start, middle, toLeft) : (right, middle, end, toRight);
            waiting++;
        }
    }

    private void Leaf(float* query, int number, int leaf, int start, int end, Func<long, bool>? filter, NeighborLists lists, float* sums, int* passed)
    {
        var count = end - start;
        var bound = lists.Bound(number);
        if (bound == double.PositiveInfinity || !LeafKernels.Has(Metric.Kind))
        {
            for (var i = 0; i < count; i++) passed[i] = i;
        }
        else
        {
            LeafKernels.Run(Metric.Kind, query, _leaves.Pointer + ((long)leaf * LeafRows * Rows.Features), Rows.Features, sums);
            count = ScanKernels.AtMost(sums, count, 1, FloatBounds.Above(bound, Rows.Features), null, 0, passed);
        }
        for (var i = 0; i < count; i++)
        {
            var position = _order[start + passed[i]];
            if (filter is not null && !filter(Rows.Ids[position])) continue;
            lists.Offer(number, Keys.Of(query, 0, Rows.Pointer + ((long)position * Rows.Features), 0), position);
        }
    }

    /// <summary>The largest distance that matters, with room for rounding.</summary>
    private double Reach(double key) => key == double.PositiveInfinity ? key : Distance(key) * (1 + _error);

    private double Nearest(float* query, int node)
    {
        var distance = Distance(Keys.Of(query, 0, _centers.Pointer + ((long)node * Rows.Features), 0));
        return distance - _radii[node] - ((distance + _radii[node]) * _error);
    }

    private double Distance(double key) => Metric.Kind == DistanceMetric.SquaredEuclidean ? Math.Sqrt(key) : Keys.ToDistance(key);

    private void Build(int node, int start, int end, int depth)
    {
        var features = Rows.Features;
        var center = _centers.Pointer + ((long)node * features);
        var (widest, spread) = (0, -1.0);
        for (var i = 0; i < features; i++)
        {
            var (least, most) = (float.PositiveInfinity, float.NegativeInfinity);
            for (var r = start; r < end; r++)
            {
                var value = Rows.Pointer[((long)_order[r] * features) + i];
                least = Math.Min(least, value);
                most = Math.Max(most, value);
            }
            center[i] = (least / 2) + (most / 2);
            if ((double)most - least > spread) (widest, spread) = (i, (double)most - least);
        }
        double radius = 0;
        for (var r = start; r < end; r++) radius = Math.Max(radius, Distance(Keys.Of(center, 0, Rows.Pointer + ((long)_order[r] * features), 0)));
        _radii[node] = radius;

        if (depth == _depth)
        {
            var leaf = _leaves.Pointer + ((long)(node - ((1 << _depth) - 1)) * LeafRows * features);
            for (var r = start; r < end; r++)
            {
                for (var i = 0; i < features; i++) leaf[(i * LeafRows) + r - start] = Rows.Pointer[((long)_order[r] * features) + i];
            }
            return;
        }
        var values = new float[end - start];
        for (var r = start; r < end; r++) values[r - start] = Rows.Pointer[((long)_order[r] * features) + widest];
        var part = _order.AsSpan(start, end - start);
        values.AsSpan().Sort(part);
        var middle = (start + end) / 2;
        Build((2 * node) + 1, start, middle, depth + 1);
        Build((2 * node) + 2, middle, end, depth + 1);
    }
}
