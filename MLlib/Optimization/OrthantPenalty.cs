namespace Dataflow.MLlib.Optimization;

/// <summary>Penalties on absolute values, and steps that never cross a sign (Andrew and Gao 2007, sections 3.2 and 3.3).</summary>
internal sealed class OrthantPenalty(double[] penalties)
{
    private const double Sufficient = 1e-4;
    private const int MaxTrials = 40;

    /// <summary>What is added to the value at a point.</summary>
    public double Of(double[] point)
    {
        double sum = 0;
        for (var i = 0; i < point.Length; i++) sum += penalties[i] * Math.Abs(point[i]);
        return sum;
    }

    /// <summary>The pseudo-gradient: the slope of steepest descent, 0 where neither direction leads down.</summary>
    public double[] Gradient(LinePoint at)
    {
        var slope = new double[at.Point.Length];
        for (var i = 0; i < slope.Length; i++)
        {
            var (x, g, penalty) = (at.Point[i], at.Gradient[i], penalties[i]);
            slope[i] = x > 0 ? g + penalty : x < 0 ? g - penalty : g + penalty < 0 ? g + penalty : g - penalty > 0 ? g - penalty : 0;
        }
        return slope;
    }

    /// <summary>Keeps of a direction only what leads down.</summary>
    public void Align(double[] direction, double[] slope)
    {
        for (var i = 0; i < direction.Length; i++)
        {
            if (penalties[i] > 0 && direction[i] * slope[i] >= 0) direction[i] = 0;
        }
    }

    /// <summary>Halves the step until the value falls enough. Numbers that would change their sign become 0.</summary>
    public async Task<LinePoint?> FindAsync(Objective objective, LinePoint from, double[] direction, double[] slope, double step, CancellationToken cancellationToken)
    {
        for (var trial = 0; trial < MaxTrials; trial++, step /= 2)
        {
            var point = new double[direction.Length];
            var moved = false;
            double descent = 0;
            for (var i = 0; i < point.Length; i++)
            {
                var x = from.Point[i] + (step * direction[i]);
                if (penalties[i] > 0)
                {
                    var side = from.Point[i] != 0 ? from.Point[i] : -slope[i];
                    if (x * side <= 0) x = 0;
                }
                point[i] = x;
                moved |= x != from.Point[i];
                descent += slope[i] * (x - from.Point[i]);
            }
            if (!moved) return null;
            var gradient = new double[point.Length];
            var smooth = await objective(point, gradient, cancellationToken).ConfigureAwait(false);
            var value = smooth + Of(point);
            if (value <= from.Value + (Sufficient * descent) && value < from.Value) return new LinePoint(point, gradient, smooth, value);
        }
        return null;
    }
}
