namespace Dataflow.MLlib.Optimization;

/// <summary>
/// Minimises smooth functions of many numbers by L-BFGS (Liu and Nocedal 1989), and such with a penalty on absolute values by OWL-QN (Andrew and Gao 2007). Knows
/// nothing of what is minimised.
/// </summary>
/// <remarks>Memory: about 2 x <see cref="Memory"/> x length of the point. An iteration asks for the function once or twice. Operations have a fixed order, so equal
/// functions give equal bits.</remarks>
public sealed record Lbfgs
{
    /// <summary>Most iterations.</summary>
    public int MaxIterations { get; init => field = Check.AtLeast(value, 0); } = 100;

    /// <summary>Ends when an iteration lowers the value by this share of it or less. 0 goes on as long as 64 bits allow.</summary>
    public double Tolerance { get; init => field = Check.AtLeast(value, 0); } = 1e-6;

    /// <summary>How many steps the curvature is estimated from.</summary>
    public int Memory { get; init => field = Check.Between(value, 1, 100); } = 10;

    // Where a few rows rule the value and can't be helped (outliers of a robust loss), gains are compared with this at most.
    internal double LargestValue { get; init; } = double.PositiveInfinity;

    /// <summary>Finds a minimum; of a convex function, the minimum.</summary>
    /// <param name="objective">The function.</param>
    /// <param name="start">Where to begin; not changed.</param>
    /// <param name="absolutePenalties">What is added to the value for each number: this times its absolute value. Null for none.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="ArithmeticException">The function is not finite at the start.</exception>
    public Task<Minimum> MinimizeAsync(Objective objective, double[] start, double[]? absolutePenalties = null, CancellationToken cancellationToken = default) =>
        MinimizeAsync(objective, start, absolutePenalties, null, cancellationToken);

    /// <summary>The same inside of a box; not together with penalties.</summary>
    internal async Task<Minimum> MinimizeAsync(Objective objective, double[] start, double[]? absolutePenalties, Box? box, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(objective);
        ArgumentNullException.ThrowIfNull(start);
        if (absolutePenalties is not null && absolutePenalties.Length != start.Length)
            throw new ArgumentException($"There are {absolutePenalties.Length} penalties for {start.Length} numbers.", nameof(absolutePenalties));
        var penalties = absolutePenalties is not null && absolutePenalties.Any(penalty => penalty > 0) ? new OrthantPenalty(absolutePenalties) : null;
        if (box is not null) start = box.Clamp(start);
        var gradient = new double[start.Length];
        var smooth = await objective([.. start], gradient, cancellationToken).ConfigureAwait(false);
        var at = new LinePoint([.. start], gradient, smooth, smooth + (penalties?.Of(start) ?? 0));
        if (!double.IsFinite(at.Value)) throw new ArithmeticException($"The function to be minimised is {at.Value} at the start. Scale its inputs, or begin elsewhere.");

        var history = new List<double> { at.Value };
        var curvature = new Curvature(Memory);
        var reason = StopReason.Iterations;
        while (history.Count <= MaxIterations)
        {
            var slope = box?.Slope(at) ?? penalties?.Gradient(at) ?? at.Gradient;
            if (Array.TrueForAll(slope, value => value == 0))
            {
                reason = StopReason.Converged;
                break;
            }
            var next = await StepAsync(objective, at, slope, penalties, box, curvature, cancellationToken).ConfigureAwait(false);
            if (next is null && curvature.Count > 0)
            {
                // What was learned of the curvature misleads: once more, straight down.
                curvature.Clear();
                next = await StepAsync(objective, at, slope, penalties, box, curvature, cancellationToken).ConfigureAwait(false);
            }
            if (next is null)
            {
                reason = StopReason.NoProgress;
                break;
            }

            // A first step is as long as it is for want of knowledge: its gain says nothing of what is left.
            var isGuess = curvature.Count == 0 && Dot(slope, slope) > 1;
            curvature.Add(at, next);
            var gain = at.Value - next.Value;
            at = next;
            history.Add(at.Value);
            if (gain > Tolerance * Math.Min(LargestValue, Math.Max(Math.Abs(at.Value), Math.Abs(at.Value + gain))) || (isGuess && gain > 0)) continue;

            // Where 64 bits can't tell the values apart any more, slopes still can.
            if (Tolerance == 0 && Flattens(slope, box?.Slope(at) ?? penalties?.Gradient(at) ?? at.Gradient)) continue;
            reason = StopReason.Converged;
            break;
        }
        return new Minimum(at.Point, at.Value, [.. history], reason);
    }

    private static Task<LinePoint?> StepAsync(
        Objective objective, LinePoint at, double[] slope, OrthantPenalty? penalties, Box? box, Curvature curvature, CancellationToken cancellationToken)
    {
        var direction = box is null ? curvature.Direction(slope) : curvature.FreeDirection(slope);
        penalties?.Align(direction, slope);
        var descent = Dot(direction, slope);
        if (!(descent < 0)) return Task.FromResult<LinePoint?>(null);

        // The first step has no curvature to go by: one of length 1 at most.
        var step = curvature.Count > 0 ? 1 : Math.Min(1, 1 / Math.Sqrt(Dot(slope, slope)));
        if (box is not null) return box.FindAsync(objective, at, direction, slope, step, cancellationToken);
        return penalties is null
            ? new StrongWolfeSearch(objective, at, direction).FindAsync(step, cancellationToken)
            : penalties.FindAsync(objective, at, direction, slope, step, cancellationToken);
    }

    private static bool Flattens(double[] before, double[] now) => Dot(now, now) < Dot(before, before);

    internal static double Dot(double[] left, double[] right)
    {
        double sum = 0;
        for (var i = 0; i < left.Length; i++) sum += left[i] * right[i];
        return sum;
    }
}
