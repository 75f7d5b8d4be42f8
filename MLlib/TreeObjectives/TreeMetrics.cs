using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeObjectives;

/// <summary>Metrics over the rows of all shards from exact sums: the same bits for any partitions. Names are LightGBM's.</summary>
internal static unsafe class TreeMetrics
{
    private const int ChunkRows = 8192;
    private static readonly string[] Names =
        ["rmse", "l2", "l1", "huber", "quantile", "poisson", "gamma", "tweedie", "binary_logloss", "binary_error", "auc", "multi_logloss", "multi_error", "ndcg"];

    /// <summary>Whether a greater value is better.</summary>
    public static bool IsHigherBetter(string metric) => metric is "auc" || metric.StartsWith("ndcg", StringComparison.Ordinal);

    /// <summary>Refuses what there is no such metric of.</summary>
    public static void CheckName(string metric)
    {
        var name = metric.Split('@')[0];
        if (!Names.Contains(name) || (metric.Length > name.Length && (name != "ndcg" || !int.TryParse(metric.AsSpan(name.Length + 1), out var places) || places < 1)))
            throw new ArgumentException($"There is no metric '{metric}'. There are: {string.Join(", ", Names)}, and ndcg@k for k places.");
    }

    /// <summary>Refuses what there is no such metric of, or what does not go with the objective.</summary>
    public static void Check(string metric, TreeObjective objective)
    {
        CheckName(metric);
        var name = metric.Split('@')[0];
        var needs = name.StartsWith("multi", StringComparison.Ordinal) ? objective.Scores > 1 : objective.Scores == 1;
        if (!needs || (name == "ndcg" && !objective.NeedsQueries))
            throw new ArgumentException($"The metric '{metric}' does not go with the objective '{objective.Text}', which has {objective.Scores} scores a row.", nameof(metric));
    }

    /// <summary>The metric of some rows and those of other shards.</summary>
    /// <param name="scores">All rows of the first score first.</param>
    /// <param name="factor">What scores are multiplied with before.</param>
    public static double Measure(string metric, TreeObjective objective, TreeShard shard, double* scores, double factor, ThreadTeam team, ITreeGroup group)
    {
        if (metric == "auc") return AreaUnderCurve.Of(shard, scores, group);
        if (metric.StartsWith("ndcg", StringComparison.Ordinal)) return Ndcg(shard, scores, metric.Length > 5 ? int.Parse(metric.AsSpan(5), System.Globalization.CultureInfo.InvariantCulture) : 5, group);
        var sum = new ExactSum();
        var weights = new ExactSum();
        var rows = shard.Rows.Rows;
        team.Share((rows + ChunkRows - 1) / ChunkRows, (chunk, _) =>
        {
            var part = new ExactSum();
            var partWeights = new ExactSum();
            var end = Math.Min(rows, (chunk + 1) * ChunkRows);
            for (var row = chunk * ChunkRows; row < end; row++)
            {
                var weight = shard.Weights is { } given ? given[row] : 1.0;
                part.AddProduct(Loss(metric, objective, scores + row, rows, factor, shard.Labels[row]), weight);
                partWeights.Add(weight);
            }
            lock (sum)
            {
                sum.Merge(part);
                weights.Merge(partWeights);
            }
        });
        var (total, totalWeight) = LabelSums.Reduce(group, sum, weights);
        var mean = totalWeight > 0 ? total / totalWeight : double.NaN;
        return metric == "rmse" ? Math.Sqrt(mean) : mean;
    }

    private static double Loss(string metric, TreeObjective objective, double* scores, long stride, double factor, double label)
    {
        var score = scores[0] * factor;
        var difference = score - label;
        switch (metric)
        {
            case "rmse" or "l2":
                return difference * difference;
            case "l1":
                return Math.Abs(difference);
            case "huber":
                var bend = objective is HuberObjective huber ? huber.Bound : 0.9;
                return Math.Abs(difference) <= bend ? 0.5 * difference * difference : bend * (Math.Abs(difference) - (0.5 * bend));
            case "quantile":
                var alpha = objective is QuantileObjective quantile ? quantile.Alpha : 0.5;
                return difference < 0 ? -alpha * difference : (1 - alpha) * difference;
            case "poisson":
                return Elementary.Exp(score) - (label * score);
            case "gamma":
                return (label * Elementary.Exp(-score)) + score;
            case "tweedie":
                var power = objective is DevianceObjective { Power: > 1 and < 2 } deviance ? deviance.Power : 1.5;
                return (-label * Elementary.Exp((1 - power) * score) / (1 - power)) + (Elementary.Exp((2 - power) * score) / (2 - power));
            case "binary_logloss":
                return Elementary.Softplus(label > 0 ? -score : score);
            case "binary_error":
                return score > 0 == label > 0 ? 0 : 1;
            case "multi_logloss":
                return MultiLogLoss(scores, stride, objective.Scores, factor, (int)label);
            default:
                return MultiError(scores, stride, objective.Scores, (int)label);
        }
    }

    private static double MultiLogLoss(double* scores, long stride, int classes, double factor, int label)
    {
        var most = double.NegativeInfinity;
        for (var c = 0; c < classes; c++) most = Math.Max(most, scores[c * stride] * factor);
        double sum = 0;
        for (var c = 0; c < classes; c++) sum += Elementary.Exp((scores[c * stride] * factor) - most);
        return Elementary.Log(sum) - ((scores[label * stride] * factor) - most);
    }

    private static double MultiError(double* scores, long stride, int classes, int label)
    {
        for (var c = 0; c < classes; c++)
        {
            if (scores[c * stride] > scores[label * stride] || (c < label && scores[c * stride] == scores[label * stride])) return 1;
        }
        return 0;
    }

    /// <summary>The mean over queries of the discounted gains of the first places, as a share of the best possible; 1 for queries without a gain.</summary>
    private static double Ndcg(TreeShard shard, double* scores, int places, ITreeGroup group)
    {
        var sum = new ExactSum();
        var count = new ExactSum();
        var queries = shard.Queries!;
        for (var query = 0; query + 1 < queries.Length; query++)
        {
            var (first, end) = (queries[query], queries[query + 1]);
            if (first == end) continue;
            var labels = shard.Labels.AsSpan(first, end - first);
            var best = LambdaRankObjective.IdealGain(labels, places);
            count.Add(1);
            if (!(best > 0))
            {
                sum.Add(1);
                continue;
            }
            var keys = new ReadOnlySpan<double>(scores + first, end - first).ToArray();
            var order = Enumerable.Range(0, keys.Length).OrderByDescending(i => keys[i]).ThenBy(i => i).Take(places).ToArray();
            double gain = 0;
            for (var i = 0; i < order.Length; i++) gain += LambdaRankObjective.Gain(labels[order[i]]) * LambdaRankObjective.Discount(i);
            sum.Add(gain / best);
        }
        var (total, all) = LabelSums.Reduce(group, sum, count);
        return all > 0 ? total / all : double.NaN;
    }
}
