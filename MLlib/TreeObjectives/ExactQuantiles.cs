using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeObjectives;

/// <summary>Weighted quantiles over the rows of all shards, exactly: digit by digit of the values' bits, with counts that are summed over shards.</summary>
internal static unsafe class ExactQuantiles
{
    private const int Bits = 11;
    private const int Buckets = 1 << Bits;

    /// <summary>Gives the value of the k-th row of a group, and its weight as a whole number.</summary>
    public delegate (double Value, long Weight) RowOf(int group, int k);

    /// <summary>The quantile of the labels.</summary>
    public static double OfLabels(TreeShard shard, ITreeGroup group, double quantile)
    {
        var scale = WeightScale(shard, group);
        return Find([shard.Rows.Rows], (_, k) => (shard.Labels[k], WeightOf(shard, k, scale)), quantile, null, group)[0];
    }

    /// <summary>What weights are multiplied with to become whole numbers.</summary>
    public static double WeightScale(TreeShard shard, ITreeGroup group)
    {
        var greatest = new[] { shard.Weights is { Length: > 0 } weights ? weights.Max() : 0.0 };
        group.AllReduceMax(greatest);
        return TreeGrowth.Gradients.ScaleFor(greatest[0]);
    }

    /// <summary>A row's weight as a whole number.</summary>
    public static long WeightOf(TreeShard shard, int row, double scale) => shard.Weights is { } weights ? (long)Math.Round(weights[row] * scale) : 1;

    /// <summary>For each group the least value with at least the wanted share of the weight at or below it; 0 for groups of no weight.</summary>
    /// <param name="counts">Rows of each group in this shard.</param>
    /// <param name="rowOf">The rows.</param>
    /// <param name="quantile">From 0 to 1.</param>
    /// <param name="team">Shares groups out; null does without.</param>
    public static double[] Find(int[] counts, RowOf rowOf, double quantile, ThreadTeam? team, ITreeGroup group)
    {
        var groups = counts.Length;
        var prefixes = new ulong[groups];
        var targets = new long[groups];
        var cells = new long[(long)groups * Buckets];
        for (var shift = 55; shift >= 0; shift -= Bits)
        {
            Array.Clear(cells);
            var at = shift;
            void Count(int g, int member)
            {
                for (var k = 0; k < counts[g]; k++)
                {
                    var (value, weight) = rowOf(g, k);
                    var key = KeyOf(value);
                    if (at == 55 || key >> (at + Bits) == prefixes[g]) cells[(g * (long)Buckets) + (long)((key >> at) & (Buckets - 1))] += weight;
                }
            }
            if (team is null)
            {
                for (var g = 0; g < groups; g++) Count(g, 0);
            }
            else
            {
                team.Share(groups, Count);
            }
            group.AllReduceSum(cells);
            for (var g = 0; g < groups; g++)
            {
                var own = cells.AsSpan(g * Buckets, Buckets);
                if (shift == 55)
                {
                    long total = 0;
                    foreach (var cell in own) total += cell;
                    targets[g] = Math.Clamp((long)Math.Ceiling(total * quantile), Math.Min(1, total), total);
                }
                var bucket = 0;
                while (bucket < Buckets - 1 && targets[g] > own[bucket]) targets[g] -= own[bucket++];
                prefixes[g] = (prefixes[g] << Bits) | (uint)bucket;
                if (targets[g] == 0) prefixes[g] = 0;
            }
        }
        var values = new double[groups];
        for (var g = 0; g < groups; g++) values[g] = targets[g] == 0 ? 0 : ValueOf(prefixes[g]);
        return values;
    }

    private static ulong KeyOf(double value)
    {
        var bits = BitConverter.DoubleToUInt64Bits(value + 0.0);
        return (bits & (1UL << 63)) != 0 ? ~bits : bits | (1UL << 63);
    }

    private static double ValueOf(ulong key) => BitConverter.UInt64BitsToDouble((key & (1UL << 63)) != 0 ? key & ~(1UL << 63) : ~key);
}
