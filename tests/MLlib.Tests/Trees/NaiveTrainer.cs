using Dataflow.MLlib.TreeBins;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.Tests.Trees;

/// <summary>Leaf-wise boosting of the squared error written down as plainly as can be: sums of doubles over row lists, every threshold tried on raw values.</summary>
internal static class NaiveTrainer
{
    public sealed record Split(int Feature, double Threshold, bool MissingLeft, double Gain, int LeftRows);

    private sealed record Leaf(int[] Rows, Split? Best);

    /// <summary>The splits of one tree in the order in which they are made.</summary>
    public static List<Split> Grow(TreeData data, BinMapper[] mappers, double[] gradients, int leaves, int minRows, double l2)
    {
        var open = new List<Leaf> { Of(Enumerable.Range(0, data.Rows).ToArray()) };
        var splits = new List<Split>();
        while (open.Count < leaves)
        {
            var next = open.Where(leaf => leaf.Best is not null).MaxBy(leaf => leaf.Best!.Gain);
            if (next is null) break;
            splits.Add(next.Best!);
            var left = next.Rows.Where(row => GoesLeft(row, next.Best!)).ToArray();
            open[open.IndexOf(next)] = Of(left);
            open.Add(Of(next.Rows.Except(left).ToArray()));
        }
        return splits;

        Leaf Of(int[] rows) => new(rows, Best(rows));

        bool GoesLeft(int row, Split split)
        {
            var value = data.Values[(row * data.Features) + split.Feature];
            return float.IsNaN(value) ? split.MissingLeft : value <= split.Threshold;
        }

        Split? Best(int[] rows)
        {
            Split? best = null;
            var total = rows.Sum(row => gradients[row]);
            for (var feature = 0; feature < data.Features; feature++)
            {
                var anyMissing = rows.Any(row => float.IsNaN(data.Values[(row * data.Features) + feature]));
                foreach (var threshold in mappers[feature].Bounds.Append(double.PositiveInfinity))
                {
                    foreach (var missingLeft in anyMissing ? new[] { false, true } : [false])
                    {
                        var split = new Split(feature, threshold, missingLeft, 0, 0);
                        var left = rows.Where(row => GoesLeft(row, split)).ToArray();
                        if (left.Length < minRows || rows.Length - left.Length < minRows) continue;
                        var sum = left.Sum(row => gradients[row]);
                        var gain = (sum * sum / (left.Length + l2)) + ((total - sum) * (total - sum) / (rows.Length - left.Length + l2)) - (total * total / (rows.Length + l2));
                        if (gain > 1e-9 && (best is null || gain > best.Gain + 1e-9)) best = split with { Gain = gain, LeftRows = left.Length };
                    }
                }
            }
            return best;
        }
    }
}
