namespace Dataflow.MLlib.Optimization;

/// <summary>
/// Bounds on the numbers of a point. Numbers that are at a bound and are pulled beyond it stand still; the others move by the curvature among themselves, and what would
/// leave the box stops at its side (Bertsekas 1982; with L-BFGS: Kim, Sra and Dhillon 2010, algorithm 1).
/// </summary>
/// <param name="lower">Minus infinity where there is none.</param>
/// <param name="upper">Infinity where there is none.</param>
internal sealed class Box(double[] lower, double[] upper)
{
    private const double Sufficient = 1e-4;
    private const int MaxTrials = 60;

    /// <summary>The bounds of some of the numbers.</summary>
    public Box Select(int[] numbers) => new(Array.ConvertAll(numbers, i => lower[i]), Array.ConvertAll(numbers, i => upper[i]));

    /// <summary>The same box in other units.</summary>
    public Box In(double[] units) => new([.. lower.Select((bound, i) => bound / units[i])], [.. upper.Select((bound, i) => bound / units[i])]);

    /// <summary>The point of the box that is nearest to a point.</summary>
    public double[] Clamp(double[] point) => [.. point.Select((value, i) => Math.Clamp(value, lower[i], upper[i]))];

    /// <summary>The slope, 0 where the point is at a bound and pulled beyond it.</summary>
    public double[] Slope(LinePoint at)
    {
        var slope = new double[at.Point.Length];
        for (var i = 0; i < slope.Length; i++)
        {
            var (x, g) = (at.Point[i], at.Gradient[i]);
            slope[i] = (x <= lower[i] && g > 0) || (x >= upper[i] && g < 0) ? 0 : g;
        }
        return slope;
    }

    /// <summary>Halves the step until the value falls enough.</summary>
    public async Task<LinePoint?> FindAsync(Objective objective, LinePoint from, double[] direction, double[] slope, double step, CancellationToken cancellationToken)
    {
        for (var trial = 0; trial < MaxTrials; trial++, step /= 2)
        {
            var point = new double[direction.Length];
            var moved = false;
            double descent = 0;
            for (var i = 0; i < point.Length; i++)
            {
                point[i] = Math.Clamp(from.Point[i] + (step * direction[i]), lower[i], upper[i]);
                moved |= point[i] != from.Point[i];
                descent += slope[i] * (point[i] - from.Point[i]);
            }
            if (!moved) return null;
            var gradient = new double[point.Length];
            var value = await objective(point, gradient, cancellationToken).ConfigureAwait(false);
            if (value <= from.Value + (Sufficient * Math.Min(0, descent)) && value < from.Value) return new LinePoint(point, gradient, value, value);
        }
        return null;
    }
}
