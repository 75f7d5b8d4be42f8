using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.TreeBins;
using Dataflow.MLlib.Trees;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.TreeGrowth;

/// <summary>How the rows of a tree are drawn.</summary>
internal sealed record SamplingOptions
{
    /// <summary>Share of the rows that a tree is grown on.</summary>
    public double Fraction { get; init; } = 1;

    /// <summary>Iterations that keep the same rows; at least 1.</summary>
    public int Frequency { get; init; } = 1;

    /// <summary>GOSS: share of the rows with the greatest gradients, all of which are kept; 0 draws by <see cref="Fraction"/>.</summary>
    public double TopShare { get; init; }

    /// <summary>GOSS: share of all rows that are drawn from the others, and count for all of those.</summary>
    public double OtherShare { get; init; } = 0.1;

    /// <summary>GOSS: iterations that use all rows first.</summary>
    public int WarmUp { get; init; }

    public ulong Seed { get; init; }

    /// <summary>Whether rows are drawn with replacement, about as many as there are, and count as often as they are drawn: a bootstrap. Nothing else is drawn then.</summary>
    public bool WithReplacement { get; init; }

    public bool IsGoss => TopShare > 0;

    /// <summary>Whether any iteration leaves rows out.</summary>
    public bool DrawsSome => Fraction < 1 || IsGoss || WithReplacement;

    /// <summary>Whether rows that are drawn count for more than themselves in some iteration.</summary>
    public bool Multiplies(int iteration) => WithReplacement || (IsGoss && iteration >= WarmUp);

    /// <summary>The most that rows which were drawn are multiplied with.</summary>
    public double Amplifier => WithReplacement ? RowSampling.MostDraws : IsGoss ? (1 - TopShare) / OtherShare : 1;
}

/// <summary>Draws the rows of an iteration by a hash of their numbers, the same rows however they are shared out.</summary>
internal static unsafe class RowSampling
{
    /// <summary>No row is drawn more often; of 10^14 rows one would be.</summary>
    public const int MostDraws = 16;

    private const int Keys = 1 << 16;
    private const double OneOverE = 0.36787944117144233;

    // The probabilities of being drawn at most 0, 1, 2 ... times.
    private static readonly double[] DrawnAtMost = PoissonOfOne();

    /// <summary>Fills the lists: rows that take part first, the others behind them.</summary>
    /// <returns>How many of this shard take part.</returns>
    public static int Draw(SamplingOptions options, int iteration, RowLists lists, BinnedRows rows, Gradients[] gradients, ThreadTeam team, ITreeGroup group)
    {
        if (options.WithReplacement) return Bootstrap(options, iteration, lists, rows, gradients);
        if (options.IsGoss && iteration >= options.WarmUp) return Goss(options, iteration, lists, rows, gradients, team, group);
        if (options.IsGoss || options.Fraction >= 1)
        {
            lists.Reset(rows.Rows);
            return rows.Rows;
        }
        var key = RowHash.Key(options.Seed, 0xBA6 + ((ulong)(iteration / options.Frequency) << 16));
        return lists.Reset(rows.Rows, row => RowHash.Uniform(key, rows.Numbers[row]) < options.Fraction);
    }

    /// <summary>Each row is drawn so often as Poisson's law of mean 1 says, which is what drawing n of n rows with replacement tends to, and needs to know of no other row
    /// (Oza and Russell 2001; Chamandy et al. 2012).</summary>
    private static int Bootstrap(SamplingOptions options, int iteration, RowLists lists, BinnedRows rows, Gradients[] gradients)
    {
        var key = RowHash.Key(options.Seed, 0xB007 + ((ulong)iteration << 16));
        return lists.Reset(rows.Rows, row =>
        {
            var draw = RowHash.Uniform(key, rows.Numbers[row]);
            var times = 0;
            while (times < MostDraws && draw >= DrawnAtMost[times]) times++;
            if (times == 0) return false;
            if (times == 1) return true;
            foreach (var values in gradients) values.Multiply(row, times);
            return true;
        });
    }

    private static double[] PoissonOfOne()
    {
        var sums = new double[MostDraws];
        double sum = 0, term = OneOverE;
        for (var times = 0; times < sums.Length; times++)
        {
            sum += term;
            term /= times + 1;
            sums[times] = sum;
        }
        return sums;
    }

    private static int Goss(SamplingOptions options, int iteration, RowLists lists, BinnedRows rows, Gradients[] gradients, ThreadTeam team, ITreeGroup group)
    {
        // The key of the row at which the top share ends: counts of 65,536 ranges of |g h|, by its leading bits.
        var counts = new long[Keys + 1];
        for (var row = 0; row < rows.Rows; row++) counts[KeyOf(gradients, row)]++;
        counts[Keys] = rows.Rows;
        group.AllReduceSum(counts);
        var wanted = (long)(counts[Keys] * options.TopShare);
        var least = Keys - 1;
        for (var above = counts[least]; least > 0 && above + counts[least - 1] <= wanted; above += counts[--least]) { }
        var key = RowHash.Key(options.Seed, 0x6055 + ((ulong)iteration << 16));
        var share = options.OtherShare / (1 - options.TopShare);
        var amplifier = options.Amplifier;
        return lists.Reset(rows.Rows, row =>
        {
            if (KeyOf(gradients, row) >= least) return true;
            if (RowHash.Uniform(key, rows.Numbers[row]) >= share) return false;
            foreach (var values in gradients) values.Multiply(row, amplifier);
            return true;
        });
    }

    private static int KeyOf(Gradients[] gradients, int row)
    {
        double sum = 0;
        foreach (var values in gradients)
        {
            var value = values.Values[row];
            sum += Math.Abs((double)(value >> 32)) * (uint)value;
        }
        return (int)(BitConverter.SingleToUInt32Bits((float)sum) >> 16);
    }
}
