namespace Dataflow.MLlib.Optimization;

/// <summary>
/// A function in units in which its numbers are near 1, so that neither the length of a first step nor the rounding of values depends on the units of the data.
/// What is minimised stays the same function.
/// </summary>
/// <param name="objective">The function, as users know it.</param>
/// <param name="valueUnit">What values are divided by.</param>
/// <param name="pointUnits">What the numbers of a point are divided by.</param>
internal sealed class ScaledObjective(Objective objective, double valueUnit, double[] pointUnits)
{
    /// <summary>A power of two near a size, by which numbers are multiplied and divided without rounding; 1 where there is no size.</summary>
    /// <remarks>Sizes are often powers of two but for rounding, which depends on partitions; 1.37 times them are not.</remarks>
    public static double Unit(double size) => size > 0 && double.IsFinite(size) ? Math.ScaleB(1, Math.Clamp(Math.ILogB(1.37 * size), -400, 400)) : 1;

    /// <summary>Minimises in these units; start, penalties and result are in the users' units.</summary>
    public async Task<Minimum> MinimizeAsync(Lbfgs optimizer, double[] start, double[] absolutePenalties, Box? box, CancellationToken cancellationToken)
    {
        var first = new double[start.Length];
        var penalties = new double[start.Length];
        for (var i = 0; i < first.Length; i++)
        {
            first[i] = start[i] / pointUnits[i];
            penalties[i] = absolutePenalties[i] / valueUnit * pointUnits[i];
        }
        var end = await optimizer.MinimizeAsync(EvaluateAsync, first, penalties, box?.In(pointUnits), cancellationToken).ConfigureAwait(false);
        return new Minimum(Whole(end.Point), end.Value * valueUnit, [.. end.History.Select(value => value * valueUnit)], end.Reason);
    }

    private async Task<double> EvaluateAsync(double[] point, double[] gradient, CancellationToken cancellationToken)
    {
        var value = await objective(Whole(point), gradient, cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < gradient.Length; i++) gradient[i] = gradient[i] / valueUnit * pointUnits[i];
        return value / valueUnit;
    }

    private double[] Whole(double[] point)
    {
        var whole = new double[point.Length];
        for (var i = 0; i < whole.Length; i++) whole[i] = point[i] * pointUnits[i];
        return whole;
    }
}
