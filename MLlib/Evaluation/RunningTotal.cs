using Dataflow.MLlib.Numerics;

namespace Dataflow.MLlib.Evaluation;

/// <summary>A sum of weights, exact: counts are, as doubles, up to 2^53; other weights are added as an <see cref="ExactSum"/>.</summary>
/// <param name="weighted">Whether weights are not all 1.</param>
internal sealed class RunningTotal(bool weighted)
{
    private readonly ExactSum? _exact = weighted ? new ExactSum() : null;
    private double _plain;

    public double Value => _exact?.Value ?? _plain;

    public void Add(double weight)
    {
        if (_exact is null) _plain += weight;
        else _exact.Add(weight);
    }

    public void Add(long[] state)
    {
        if (_exact is null) _plain += state[0];
        else _exact.Merge(ExactSum.Load(state));
    }

    /// <summary>What it is, to travel.</summary>
    public long[] State()
    {
        if (_exact is null) return [(long)_plain];
        var state = new long[ExactSum.StateLength];
        _exact.Save(state);
        return state;
    }
}
