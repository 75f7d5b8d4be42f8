namespace Dataflow.MLlib.Data;

/// <summary>What one partition says in the first pass: its keys as long as they are few, else counts of their first bits.</summary>
/// <param name="Width">Features.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Keys">By feature.</param>
/// <param name="Counts">Counts of the first bits.</param>
internal sealed record QuantilePart(int Width, long Rows, ulong[][]? Keys, QuantileCounts? Counts);

/// <summary>How often each combination of the next bits comes behind each prefix of each feature.</summary>
internal sealed class QuantileCounts(int[] prefixes, int depth, int bits)
{
    private readonly int[] _starts = StartsOf(prefixes);
    private readonly long[] _counts = new long[(long)prefixes.Sum() << bits];

    /// <summary>Counts of the first bits of keys.</summary>
    public static QuantileCounts Of(ulong[][] keys, int bits)
    {
        var counts = new QuantileCounts([.. keys.Select(_ => 1)], 0, bits);
        for (var i = 0; i < keys.Length; i++)
        {
            foreach (var key in keys[i]) counts.Add(i, 0, key);
        }
        return counts;
    }

    /// <summary>Adds all up.</summary>
    public static QuantileCounts Sum(IEnumerable<QuantileCounts> parts)
    {
        QuantileCounts? all = null;
        foreach (var part in parts)
        {
            if (all is null) all = part;
            else for (var i = 0; i < all._counts.Length; i++) all._counts[i] += part._counts[i];
        }
        return all!;
    }

    /// <summary>Counts a key behind a prefix of a feature.</summary>
    public void Add(int feature, int prefix, ulong key) => _counts[((long)(_starts[feature] + prefix) << bits) + (long)(key << depth >> (64 - bits))]++;

    /// <summary>The counts behind a prefix.</summary>
    public ReadOnlySpan<long> Of(int feature, int prefix) => _counts.AsSpan((_starts[feature] + prefix) << bits, 1 << bits);

    private static int[] StartsOf(int[] lengths)
    {
        var starts = new int[lengths.Length];
        for (var i = 1; i < starts.Length; i++) starts[i] = starts[i - 1] + lengths[i - 1];
        return starts;
    }
}
