namespace Dataflow.MLlib.Optimization;

/// <summary>Bounds on coefficients and intercepts of a linear model, as users give them.</summary>
/// <param name="Lower">One a coefficient, or one for all; empty for none.</param>
/// <param name="Upper">As <paramref name="Lower"/>.</param>
/// <param name="LowerIntercepts">One an intercept, or one for all; empty for none.</param>
/// <param name="UpperIntercepts">As <paramref name="LowerIntercepts"/>.</param>
internal sealed record CoefficientBounds(ValueList<double> Lower, ValueList<double> Upper, ValueList<double> LowerIntercepts, ValueList<double> UpperIntercepts)
{
    /// <summary>Whether there are any.</summary>
    public bool Any => Binds(Lower) || Binds(Upper) || OnIntercepts;

    /// <summary>Whether there are some on intercepts.</summary>
    public bool OnIntercepts => Binds(LowerIntercepts) || Binds(UpperIntercepts);

    /// <summary>A list of bounds, checked.</summary>
    /// <exception cref="ArgumentException">One is NaN.</exception>
    public static ValueList<double> Checked(ValueList<double> bounds, [System.Runtime.CompilerServices.CallerMemberName] string parameter = "")
    {
        ArgumentNullException.ThrowIfNull(bounds, parameter);
        return !bounds.Any(double.IsNaN) ? bounds : throw new ArgumentException($"{parameter} holds NaN. Give numbers, or infinities where there is no bound.", parameter);
    }

    /// <summary>Refuses what bounds do not go with.</summary>
    /// <exception cref="ArgumentException">Absolute values are penalised, or intercepts that are not there are bounded.</exception>
    public void CheckWith(Penalty penalty, bool hasIntercept, string user)
    {
        if (Any && penalty.Regularization * penalty.Mix > 0)
            throw new ArgumentException($"{user} takes bounds with a squared penalty or none, and ElasticNet is {penalty.Mix}. Set it to 0, or leave the bounds out.");
        if (OnIntercepts && !hasIntercept) throw new ArgumentException($"{user} has bounds on intercepts, and FitIntercept is off. Set it, or leave them out.");
    }

    /// <summary>The bounds of a point: coefficients of features divided by scales, intercepts, and other numbers that have none.</summary>
    /// <param name="scales">By feature; 0 for features without coefficient.</param>
    /// <param name="margins">How many vectors of coefficients there are.</param>
    /// <param name="length">Numbers of a point.</param>
    /// <param name="user">Whose they are, for errors.</param>
    /// <exception cref="ArgumentException">There are too many or too few, or lower ones above upper ones.</exception>
    public Box Of(ReadOnlySpan<double> scales, int margins, int length, string user)
    {
        var (lower, upper) = (new double[length], new double[length]);
        Array.Fill(lower, double.NegativeInfinity);
        Array.Fill(upper, double.PositiveInfinity);
        var coefficients = margins * scales.Length;
        for (var i = 0; i < coefficients; i++)
        {
            var (least, most) = Between(Lower, Upper, i, coefficients, user, "coefficients");
            var scale = scales[i % scales.Length];
            if (scale == 0 && (least > 0 || most < 0))
                throw new QueryException("CONSTANT_FEATURE",
                    $"Feature {i % scales.Length} is constant, so that its coefficient is 0 next to an intercept, and its bounds are {least} and {most}. Leave the feature out, or let its bounds contain 0.");
            if (scale > 0) (lower[i], upper[i]) = (least * scale, most * scale);
        }
        for (var k = 0; k < margins && OnIntercepts; k++)
            (lower[coefficients + k], upper[coefficients + k]) = Between(LowerIntercepts, UpperIntercepts, k, margins, user, "intercepts");
        return new Box(lower, upper);
    }

    private static bool Binds(ValueList<double> bounds) => bounds.Any(double.IsFinite);

    private static (double Least, double Most) Between(ValueList<double> lower, ValueList<double> upper, int at, int count, string user, string what)
    {
        var (least, most) = (One(lower, double.NegativeInfinity), One(upper, double.PositiveInfinity));
        return least <= most && least < double.PositiveInfinity && most > double.NegativeInfinity ? (least, most)
            : throw new ArgumentException($"{user} has a lower bound of {least} and an upper one of {most} for number {at} of its {what}. Lower ones must not be above.");

        double One(ValueList<double> bounds, double none) => bounds.Count == 0 ? none : bounds.Count == 1 ? bounds[0] : bounds.Count == count ? bounds[at]
            : throw new ArgumentException($"{user} has {count} {what}, and {bounds.Count} bounds for them. Give one for each, or one for all.");
    }
}
