using Dataflow.MLlib.Numerics;

namespace Dataflow.MLlib.Evaluation;

/// <summary>Metrics of the order of one group, each the mean over all orders of rows that have one score (McSherry and Najork 2008).</summary>
internal static class RankedGroup
{
    /// <summary>Computes a metric.</summary>
    /// <param name="rows">Relevances and scores; at least one relevance is above 0.</param>
    /// <param name="metric">Which.</param>
    /// <param name="k">How many rows count, from the first.</param>
    public static double Measure(IReadOnlyList<(double Label, double Score)> rows, RankingMetric metric, int k)
    {
        // By label within one score, so that sums have one order.
        var sorted = rows.OrderByDescending(row => row.Score).ThenByDescending(row => row.Label).ToArray();
        return metric switch
        {
            RankingMetric.Ndcg => Gain(sorted, k) / Gain([.. rows.OrderByDescending(row => row.Label).Select((row, i) => (row.Label, (double)-i))], k),
            RankingMetric.MeanAveragePrecision => Precisions(sorted, k) / Math.Min(k, Relevant(rows)),
            RankingMetric.Precision => Hits(sorted, k) / k,
            _ => Hits(sorted, k) / Relevant(rows),
        };
    }

    private static int Relevant(IReadOnlyList<(double Label, double Score)> rows) => rows.Count(row => row.Label > 0);

    // Blocks of rows with one score.
    private static IEnumerable<(int Start, int End)> Ties((double Label, double Score)[] rows, int k)
    {
        for (var start = 0; start < rows.Length && start < k;)
        {
            var end = start + 1;
            while (end < rows.Length && rows[end].Score == rows[start].Score) end++;
            yield return (start, end);
            start = end;
        }
    }

    private static double Gain((double Label, double Score)[] rows, int k)
    {
        double all = 0;
        foreach (var (start, end) in Ties(rows, k))
        {
            double gains = 0, discounts = 0;
            for (var i = start; i < end; i++) gains += Elementary.Exp(rows[i].Label * Elementary.Log(2)) - 1;
            for (var i = start; i < Math.Min(end, k); i++) discounts += Elementary.Log(2) / Elementary.Log(i + 2);
            all += gains / (end - start) * discounts;
        }
        return all;
    }

    private static double Hits((double Label, double Score)[] rows, int k)
    {
        double hits = 0;
        foreach (var (start, end) in Ties(rows, k)) hits += (double)RelevantOf(rows, start, end) / (end - start) * (Math.Min(end, k) - start);
        return hits;
    }

    // Of a tied row at place i of its block: the chance that it is relevant, times how many relevant rows then stand up to it on average.
    private static double Precisions((double Label, double Score)[] rows, int k)
    {
        double all = 0;
        var before = 0;
        foreach (var (start, end) in Ties(rows, k))
        {
            var (count, relevant) = (end - start, RelevantOf(rows, start, end));
            for (var i = 0; relevant > 0 && start + i < Math.Min(end, k); i++)
            {
                var others = count > 1 ? i * (relevant - 1.0) / (count - 1) : 0;
                all += (double)relevant / count * (before + 1 + others) / (start + i + 1);
            }
            before += relevant;
        }
        return all;
    }

    private static int RelevantOf((double Label, double Score)[] rows, int start, int end)
    {
        var relevant = 0;
        for (var i = start; i < end; i++) relevant += rows[i].Label > 0 ? 1 : 0;
        return relevant;
    }
}
