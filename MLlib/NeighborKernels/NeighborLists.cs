namespace Dataflow.MLlib.NeighborKernels;

/// <summary>
/// The best rows of several queries so far: the k least by (key, position), or all up to a bound. Positions are in order of ids, so equal keys are told apart by id. What is
/// kept does not depend on the order in which rows are offered. One thread a query at a time.
/// </summary>
internal sealed class NeighborLists
{
    private readonly int _k;
    private readonly double _bound;
    private readonly double[][] _keys;
    private readonly int[][] _positions;
    private readonly int[] _counts;

    /// <summary>At most <paramref name="k"/> rows a query, none with a key above <paramref name="bound"/>.</summary>
    public NeighborLists(int queries, int k, double bound = double.PositiveInfinity)
    {
        _k = k;
        _bound = bound;
        _keys = new double[queries][];
        _positions = new int[queries][];
        _counts = new int[queries];
        var capacity = Math.Min(k, 32);
        for (var q = 0; q < queries; q++)
        {
            _keys[q] = new double[capacity];
            _positions[q] = new int[capacity];
        }
    }

    public int Queries => _counts.Length;

    public int K => _k;

    public int Count(int query) => _counts[query];

    public ReadOnlySpan<double> Keys(int query) => _keys[query].AsSpan(0, _counts[query]);

    public ReadOnlySpan<int> Positions(int query) => _positions[query].AsSpan(0, _counts[query]);

    /// <summary>The largest key that may still enter: rows at most this far are worth an offer.</summary>
    public double Bound(int query) => _counts[query] < _k ? _bound : _keys[query][0];

    public void Offer(int query, double key, int position)
    {
        var count = _counts[query];
        var keys = _keys[query];
        var positions = _positions[query];
        if (count < _k)
        {
            if (key > _bound) return;
            if (count == keys.Length)
            {
                var capacity = (int)Math.Min(_k, count * 2L);
                Array.Resize(ref keys, capacity);
                Array.Resize(ref positions, capacity);
                (_keys[query], _positions[query]) = (keys, positions);
            }

            // A heap with the worst on top: behind its parents.
            var child = count;
            while (child > 0)
            {
                var parent = (child - 1) >> 1;
                if (!IsWorse(key, position, keys[parent], positions[parent])) break;
                (keys[child], positions[child]) = (keys[parent], positions[parent]);
                child = parent;
            }
            (keys[child], positions[child]) = (key, position);
            _counts[query] = count + 1;
        }
        else if (IsWorse(keys[0], positions[0], key, position))
        {
            Sink(keys, positions, count, key, position);
        }
    }

    /// <summary>Lists of the same rules with nothing in them.</summary>
    public NeighborLists EmptyCopy() => new(Queries, _k, _bound);

    /// <summary>Takes all that another part of the rows gave.</summary>
    public void Merge(NeighborLists other)
    {
        for (var q = 0; q < Queries; q++)
        {
            for (var i = 0; i < other._counts[q]; i++) Offer(q, other._keys[q][i], other._positions[q][i]);
        }
    }

    /// <summary>Nearest first. Nothing may be offered afterwards.</summary>
    public void Sort(int query)
    {
        var (keys, positions) = (_keys[query], _positions[query]);
        for (var count = _counts[query] - 1; count > 0; count--)
        {
            var (key, position) = (keys[count], positions[count]);
            (keys[count], positions[count]) = (keys[0], positions[0]);
            Sink(keys, positions, count, key, position);
        }
    }

    private static void Sink(double[] keys, int[] positions, int count, double key, int position)
    {
        var parent = 0;
        while (true)
        {
            var child = (2 * parent) + 1;
            if (child >= count) break;
            if (child + 1 < count && IsWorse(keys[child + 1], positions[child + 1], keys[child], positions[child])) child++;
            if (!IsWorse(keys[child], positions[child], key, position)) break;
            (keys[parent], positions[parent]) = (keys[child], positions[child]);
            parent = child;
        }
        (keys[parent], positions[parent]) = (key, position);
    }

    private static bool IsWorse(double key, int position, double otherKey, int otherPosition) =>
        key > otherKey || (key == otherKey && position > otherPosition);
}
