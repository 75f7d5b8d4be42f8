namespace Dataflow.MLlib.Optimization;

/// <summary>The last steps and how gradients changed along them: an estimate of the inverse of the second derivatives (Liu and Nocedal 1989, algorithm
/// 2.1).</summary>
internal sealed class Curvature(int memory)
{
    private readonly List<(double[] Step, double[] Change, double Product)> _pairs = [];

    public int Count => _pairs.Count;

    public void Clear() => _pairs.Clear();

    public void Add(LinePoint from, LinePoint to)
    {
        Add(Difference(to.Point, from.Point), Difference(to.Gradient, from.Gradient));
    }

    private void Add(double[] step, double[] change)
    {
        var product = Lbfgs.Dot(step, change);

        // Without positive curvature the estimate would not be positive definite, and would point uphill.
        if (!(product > 1e-14 * Lbfgs.Dot(change, change)) || !double.IsFinite(1 / product)) return;
        if (_pairs.Count == memory) _pairs.RemoveAt(0);
        _pairs.Add((step, change, product));
    }

    /// <summary>Where to go from a point with this slope, if only those numbers may move whose slope is not 0: by the curvature among these.</summary>
    public double[] FreeDirection(double[] slope)
    {
        var free = new Curvature(memory);
        foreach (var (step, change, _) in _pairs) free.Add([.. step.Select((value, i) => slope[i] == 0 ? 0 : value)], [.. change.Select((value, i) => slope[i] == 0 ? 0 : value)]);
        return free.Direction(slope);
    }

    /// <summary>Where to go from a point with this slope: downhill.</summary>
    public double[] Direction(double[] slope)
    {
        var direction = Array.ConvertAll(slope, value => -value);
        if (_pairs.Count == 0) return direction;
        var shares = new double[_pairs.Count];
        for (var i = _pairs.Count - 1; i >= 0; i--)
        {
            var (step, change, product) = _pairs[i];
            shares[i] = Lbfgs.Dot(step, direction) / product;
            AddTo(direction, -shares[i], change);
        }
        var last = _pairs[^1];
        var scale = last.Product / Lbfgs.Dot(last.Change, last.Change);
        for (var i = 0; i < direction.Length; i++) direction[i] *= scale;
        for (var i = 0; i < _pairs.Count; i++)
        {
            var (step, change, product) = _pairs[i];
            AddTo(direction, shares[i] - (Lbfgs.Dot(change, direction) / product), step);
        }
        return direction;
    }

    private static double[] Difference(double[] left, double[] right)
    {
        var difference = new double[left.Length];
        for (var i = 0; i < difference.Length; i++) difference[i] = left[i] - right[i];
        return difference;
    }

    private static void AddTo(double[] sum, double factor, double[] values)
    {
        for (var i = 0; i < sum.Length; i++) sum[i] += factor * values[i];
    }
}
