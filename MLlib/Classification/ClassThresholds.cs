namespace Dataflow.MLlib.Classification;

/// <summary>Thresholds that classes are chosen by: the largest probability / threshold wins, the first of equal ones.</summary>
internal static class ClassThresholds
{
    public static ValueList<double> Checked(ValueList<double> thresholds)
    {
        ArgumentNullException.ThrowIfNull(thresholds, "Thresholds");
        if (thresholds.Any(threshold => !(threshold >= 0) || double.IsInfinity(threshold)) || thresholds.Count(threshold => threshold == 0) > 1)
            throw new ArgumentOutOfRangeException("Thresholds", thresholds.ToString(), "Thresholds must be numbers of 0 or more, and at most one of them 0.");
        return thresholds;
    }

    public static void CheckCount(ValueList<double> thresholds, int classes)
    {
        if (thresholds.Count > 0 && thresholds.Count != classes)
            throw new ArgumentException($"There are {thresholds.Count} thresholds for {classes} classes. Give one for each class, or none.");
    }

    /// <summary>The class that is predicted.</summary>
    public static int Choose(ReadOnlySpan<double> probabilities, ReadOnlySpan<double> thresholds)
    {
        var best = 0;
        for (var k = 1; k < probabilities.Length; k++)
        {
            if (Share(probabilities, thresholds, k) > Share(probabilities, thresholds, best)) best = k;
        }
        return best;
    }

    private static double Share(ReadOnlySpan<double> probabilities, ReadOnlySpan<double> thresholds, int k) =>
        thresholds.Length == 0 ? probabilities[k] : thresholds[k] > 0 ? probabilities[k] / thresholds[k] : probabilities[k] > 0 ? double.PositiveInfinity : 0;
}
