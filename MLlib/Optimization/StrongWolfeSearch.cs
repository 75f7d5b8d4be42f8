namespace Dataflow.MLlib.Optimization;

/// <summary>
/// Finds how far to go along a direction: far enough that the slope has flattened, and not so far that the value does not fall enough (the strong Wolfe
/// conditions; Nocedal and Wright 2006, algorithms 3.5 and 3.6, cubic interpolation by equation 3.59).
/// </summary>
internal sealed class StrongWolfeSearch(Objective objective, LinePoint from, double[] direction)
{
    private const double Sufficient = 1e-4;
    private const double Flatter = 0.9;
    private const int MaxTrials = 30;

    // Close to the minimum values differ by rounding only: a step that flattens the slope is good there, even if the value does not fall (Hager and Zhang
    // 2005, section 2).
    private readonly double _rounding = 4e-16 * Math.Abs(from.Value);
    private readonly double _slope = Lbfgs.Dot(from.Gradient, direction);

    private sealed record Trial(double Step, double Value, double Slope, LinePoint Point);

    /// <summary>The point that was found; null if no step lowers the value.</summary>
    public async Task<LinePoint?> FindAsync(double step, CancellationToken cancellationToken)
    {
        var before = new Trial(0, from.Value, _slope, from);
        for (var trial = 0; trial < MaxTrials; trial++)
        {
            var now = await TryAsync(step, cancellationToken).ConfigureAwait(false);
            if (!double.IsFinite(now.Value) || !double.IsFinite(now.Slope))
            {
                // Outside of where the function is defined: half way back.
                step = before.Step + ((step - before.Step) / 2);
                continue;
            }
            if (IsTooHigh(now) || (trial > 0 && before.Step > 0 && now.Value > before.Value + _rounding))
                return await ZoomAsync(before, now, cancellationToken).ConfigureAwait(false);
            if (IsFlat(now)) return Better(now.Point);
            if (now.Slope >= 0) return await ZoomAsync(now, before, cancellationToken).ConfigureAwait(false);
            before = now;
            step *= 2;
        }
        return Better(before.Point);
    }

    private async Task<LinePoint?> ZoomAsync(Trial low, Trial high, CancellationToken cancellationToken)
    {
        for (var trial = 0; trial < MaxTrials && low.Step != high.Step; trial++)
        {
            var now = await TryAsync(Between(low, high), cancellationToken).ConfigureAwait(false);
            if (!double.IsFinite(now.Value) || IsTooHigh(now) || now.Value > low.Value + _rounding)
            {
                high = now;
                continue;
            }
            if (IsFlat(now)) return Better(now.Point);
            if (now.Slope * (high.Step - low.Step) >= 0) high = low;
            low = now;
        }
        return Better(low.Point);
    }

    private bool IsTooHigh(Trial now) => now.Value > from.Value + (Sufficient * now.Step * _slope) + _rounding;

    private bool IsFlat(Trial now) => Math.Abs(now.Slope) <= -Flatter * _slope;

    private LinePoint? Better(LinePoint found) => !ReferenceEquals(found, from) && found.Value <= from.Value + _rounding ? found : null;

    // Where the cubic through both values and slopes is lowest, but not too close to either end.
    private static double Between(Trial low, Trial high)
    {
        var width = high.Step - low.Step;
        var middle = low.Step + (width / 2);
        if (!double.IsFinite(high.Value) || !double.IsFinite(high.Slope)) return middle;
        var d1 = low.Slope + high.Slope - (3 * (low.Value - high.Value) / (low.Step - high.Step));
        var inside = (d1 * d1) - (low.Slope * high.Slope);
        if (!(inside >= 0)) return middle;
        var d2 = Math.Sign(width) * Math.Sqrt(inside);
        var step = high.Step - (width * (high.Slope + d2 - d1) / (high.Slope - low.Slope + (2 * d2)));
        var share = (step - low.Step) / width;
        return share is >= 0.05 and <= 0.95 ? step : middle;
    }

    private async Task<Trial> TryAsync(double step, CancellationToken cancellationToken)
    {
        var point = new double[direction.Length];
        for (var i = 0; i < point.Length; i++) point[i] = from.Point[i] + (step * direction[i]);
        var gradient = new double[point.Length];
        var value = await objective(point, gradient, cancellationToken).ConfigureAwait(false);
        return new Trial(step, value, Lbfgs.Dot(gradient, direction), new LinePoint(point, gradient, value, value));
    }
}
