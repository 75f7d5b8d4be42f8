using Dataflow.MLlib.Numerics;

namespace Dataflow.MLlib.Evaluation;

/// <summary>Goes over scores from the largest to the smallest, partition by partition at once: first each partition says what it holds, then each goes on from what
/// lies before it.</summary>
internal static class ThresholdSweep
{
    /// <summary>Areas and points.</summary>
    /// <param name="rows">Scores, with weights that are negative for class 0.</param>
    /// <param name="weighted">Whether weights are not all 1.</param>
    /// <param name="mostPoints">About how many points are kept; 0 for all.</param>
    /// <param name="logLoss">What is passed on.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public static async Task<BinaryMetrics> MeasureAsync(Rdd<(double Key, double Value)> rows, bool weighted, int mostPoints, double logLoss, CancellationToken cancellationToken)
    {
        // Equal scores are placed by their value, so they lie in one partition.
        var sorted = rows.SortByKey(descending: true);
        var parts = await sorted.MapPartitions(items => Total(items, weighted)).CollectAsync(cancellationToken).ConfigureAwait(false);
        var befores = new SweepTotals[parts.Length];
        var (positives, negatives, scores) = (new RunningTotal(weighted), new RunningTotal(weighted), 0L);
        for (var i = 0; i < parts.Length; i++)
        {
            befores[i] = new SweepTotals(positives.State(), negatives.State(), scores);
            positives.Add(parts[i].Positives);
            negatives.Add(parts[i].Negatives);
            scores += parts[i].Scores;
        }
        var all = new SweepTotals(positives.State(), negatives.State(), scores);
        var step = mostPoints == 0 ? 1 : Math.Max(1, (scores + mostPoints - 1) / mostPoints);
        var swept = await sorted.MapPartitionsWithIndex((index, items) => Sweep(items, befores[index], all, weighted, step)).CollectAsync(cancellationToken).ConfigureAwait(false);
        var sums = ExactSums.Merge(3, swept.Select(part => part.Areas));
        var (p, n) = (positives.Value, negatives.Value);
        return new BinaryMetrics
        {
            AreaUnderRoc = p > 0 && n > 0 ? sums[0].Value / p / n / 2 : double.NaN,
            AreaUnderPrecisionRecall = p > 0 ? sums[1].Value / p / 2 : double.NaN,
            AveragePrecision = p > 0 ? sums[2].Value / p : double.NaN,
            LogLoss = logLoss,
            Positives = p,
            Negatives = n,
            Points = [.. swept.SelectMany(part => part.Points)],
        };
    }

    private static IEnumerable<SweepTotals> Total(IEnumerable<(double Key, double Value)> rows, bool weighted)
    {
        var (positives, negatives) = (new RunningTotal(weighted), new RunningTotal(weighted));
        var (scores, last) = (0L, double.NaN);
        foreach (var (score, weight) in rows)
        {
            if (score != last) scores++;
            last = score;
            if (weight > 0) positives.Add(weight);
            else negatives.Add(-weight);
        }
        yield return new SweepTotals(positives.State(), negatives.State(), scores);
    }

    private static IEnumerable<SweptPart> Sweep(IEnumerable<(double Key, double Value)> rows, SweepTotals before, SweepTotals all, bool weighted, long step)
    {
        var (positives, negatives) = (new RunningTotal(weighted), new RunningTotal(weighted));
        positives.Add(before.Positives);
        negatives.Add(before.Negatives);
        var areas = ExactSums.New(3);
        var points = new List<ThresholdPoint>();
        var (tp, fp, scores) = (positives.Value, negatives.Value, before.Scores);
        var any = false;
        var current = 0.0;
        foreach (var (score, weight) in rows)
        {
            if (any && score != current) Close();
            (any, current) = (true, score);
            if (weight > 0) positives.Add(weight);
            else negatives.Add(-weight);
        }
        if (any) Close();
        yield return new SweptPart(ExactSums.StatesOf(areas), [.. points]);

        // All rows of one score are there: a step of both curves.
        void Close()
        {
            var (nextTp, nextFp) = (positives.Value, negatives.Value);
            var precision = nextTp / (nextTp + nextFp);
            var lastPrecision = tp + fp > 0 ? tp / (tp + fp) : precision;
            areas[0].AddProduct(nextFp - fp, tp);
            areas[0].AddProduct(nextFp - fp, nextTp);
            areas[1].AddProduct(nextTp - tp, precision + lastPrecision);
            areas[2].AddProduct(nextTp - tp, precision);
            scores++;
            if (scores % step == 0 || scores == all.Scores) points.Add(new ThresholdPoint(current, nextTp, nextFp));
            (tp, fp) = (nextTp, nextFp);
        }
    }

    /// <summary>What lies in some rows: states of both sums, and how many scores differ.</summary>
    private sealed record SweepTotals(long[] Positives, long[] Negatives, long Scores);

    private sealed record SweptPart(long[] Areas, ThresholdPoint[] Points);
}
