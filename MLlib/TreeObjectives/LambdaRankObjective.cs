using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeObjectives;

/// <summary>
/// Pairs of a query's rows that stand in the wrong order, weighted by what swapping them would change of the NDCG (Burges 2010, "From RankNet to LambdaRank to
/// LambdaMART", section 4). Pairs with one of the first rows count, and sums of a query are normalised, as in LightGBM.
/// </summary>
/// <param name="truncation">How many of a query's first rows count.</param>
internal sealed unsafe class LambdaRankObjective(int truncation) : TreeObjective
{
    private const int MostLabel = 30;

    private double[] _gradients = [];
    private double[] _hessians = [];

    public override string Text => "lambdarank";

    public override string Metric => "ndcg";

    public override bool NeedsQueries => true;

    public override string? Fault(float label) => label >= 0 && label <= MostLabel && label == MathF.Floor(label) ? null : $"labels of ranking are grades: whole numbers from 0 to {MostLabel}";

    public override void Begin(double* scores, TreeShard shard, ThreadTeam team)
    {
        var queries = shard.Queries ?? throw new ArgumentException("Ranking needs to know which rows belong to one query. Name the column of queries.", nameof(shard));
        if (_gradients.Length != shard.Labels.Length) (_gradients, _hessians) = (new double[shard.Labels.Length], new double[shard.Labels.Length]);
        team.Share(queries.Length - 1, (query, _) =>
        {
            var first = queries[query];
            Query(new ReadOnlySpan<double>(scores + first, queries[query + 1] - first), shard.Labels.AsSpan(first), _gradients.AsSpan(first), _hessians.AsSpan(first));
        });
    }

    public override void Compute(in ObjectiveRows rows)
    {
        _gradients.AsSpan(rows.First, rows.Count).CopyTo(new Span<double>(rows.Gradients, rows.Count));
        _hessians.AsSpan(rows.First, rows.Count).CopyTo(new Span<double>(rows.Hessians, rows.Count));
        rows.Weigh();
    }

    // Gradients of one query's rows.
    private void Query(ReadOnlySpan<double> scores, ReadOnlySpan<float> labels, Span<double> gradients, Span<double> hessians)
    {
        var count = scores.Length;
        gradients[..count].Clear();
        hessians[..count].Clear();
        var ideal = IdealGain(labels[..count], truncation);
        if (count < 2 || ideal == 0) return;
        var order = new int[count];
        var keys = new (double Score, int Row)[count];
        for (var i = 0; i < count; i++) (order[i], keys[i]) = (i, (-scores[i], i));
        Array.Sort(keys, order);
        var isFlat = scores[order[0]] == scores[order[^1]];
        double sum = 0;
        for (var i = 0; i < Math.Min(truncation, count - 1); i++)
        {
            for (var j = i + 1; j < count; j++)
            {
                var (first, second) = (order[i], order[j]);
                if (labels[first] == labels[second]) continue;
                var (high, low) = labels[first] > labels[second] ? (first, second) : (second, first);
                var difference = scores[high] - scores[low];
                var change = (Gain(labels[high]) - Gain(labels[low])) * Math.Abs(Discount(i) - Discount(j)) / ideal;
                if (!isFlat) change /= 0.01 + Math.Abs(difference);
                var p = 1 / (1 + Elementary.Exp(difference));
                gradients[high] -= change * p;
                gradients[low] += change * p;
                hessians[high] += change * p * (1 - p);
                hessians[low] += change * p * (1 - p);
                sum += 2 * change * p;
            }
        }
        if (sum <= 0) return;
        var norm = Elementary.Log(1 + sum) / Ln2 / sum;
        for (var i = 0; i < count; i++)
        {
            gradients[i] *= norm;
            hessians[i] *= norm;
        }
    }

    /// <summary>The greatest sum of discounted gains that rows of these labels can have at the first places.</summary>
    public static double IdealGain(ReadOnlySpan<float> labels, int places)
    {
        var sorted = labels.ToArray();
        Array.Sort(sorted);
        double ideal = 0;
        for (var i = 0; i < Math.Min(places, sorted.Length); i++) ideal += Gain(sorted[^(i + 1)]) * Discount(i);
        return ideal;
    }

    private const double Ln2 = 0.69314718055994530942;

    /// <summary>What a row of a grade is worth at the first place.</summary>
    public static double Gain(float label) => (1L << (int)label) - 1;

    /// <summary>What is left of it at a place, from 0.</summary>
    public static double Discount(int place) => Ln2 / Elementary.Log(place + 2);
}
