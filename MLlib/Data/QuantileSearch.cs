using System.Numerics;

namespace Dataflow.MLlib.Data;

/// <summary>Which keys are still sought: ranks of each feature, each within the keys of a prefix.</summary>
internal sealed class QuantileSearch
{
    private readonly List<Rank>[] _ranks;
    private IReadOnlyList<double> _shares = [];
    private long[] _values = [];

    public QuantileSearch(int width, int depth)
    {
        Depth = depth;
        Results = new double[width][];
        Prefixes = new ulong[width][];
        _ranks = new List<Rank>[width];
    }

    /// <summary>Bits of the prefixes.</summary>
    public int Depth { get; private set; }

    /// <summary>By feature, ascending.</summary>
    public ulong[][] Prefixes { get; private set; }

    /// <summary>Keys that have one of the prefixes.</summary>
    public long Candidates { get; private set; }

    /// <summary>features x shares.</summary>
    public double[][] Results { get; }

    /// <summary>Bits of the first pass: all exponents, unless there are very many features.</summary>
    public static int FirstBits(int width) => Math.Clamp(20 - BitOperations.Log2((uint)Math.Max(1, width)), 4, 12);

    /// <summary>Bits of the next pass, so that there are not too many counters.</summary>
    public int NextBits(int mostCounters) => Math.Min(64 - Depth, Math.Clamp(BitOperations.Log2((uint)mostCounters) - BitOperations.Log2((uint)Prefixes.Sum(each => each.Length)) - 1, 4, 12));

    /// <summary>Takes the counts of the first bits.</summary>
    public void Begin(QuantileCounts counts, IReadOnlyList<double> shares)
    {
        _shares = shares;
        _values = new long[Results.Length];
        for (var i = 0; i < Results.Length; i++)
        {
            var all = 0L;
            foreach (var count in counts.Of(i, 0)) all += count;
            _values[i] = all;
            _ranks[i] = [.. RanksOf(all, shares).Select(rank => new Rank(rank, 0, rank))];
            Prefixes[i] = [0];
        }
        var bits = Depth;
        Depth = 0;
        Narrow(counts, bits);
    }

    /// <summary>Finds the next bits of each key sought.</summary>
    public void Narrow(QuantileCounts counts, int bits)
    {
        Depth += bits;
        Candidates = 0;
        for (var i = 0; i < Results.Length; i++)
        {
            var candidates = new SortedDictionary<ulong, long>();
            for (var j = 0; j < _ranks[i].Count; j++)
            {
                var rank = _ranks[i][j];
                var behind = counts.Of(i, Array.BinarySearch(Prefixes[i], rank.Prefix));
                var (digit, before) = (0, 0L);
                while (before + behind[digit] <= rank.Within) before += behind[digit++];
                var prefix = (rank.Prefix << bits) | (uint)digit;
                _ranks[i][j] = rank with { Prefix = prefix, Within = rank.Within - before };
                candidates[prefix] = behind[digit];
            }
            Prefixes[i] = Depth < 64 ? [.. candidates.Keys] : [];
            Candidates += candidates.Values.Sum();
            if (Depth == 64) Set(i, _ranks[i].ToDictionary(rank => rank.Of, rank => rank.Prefix));
            else if (candidates.Count == 0) Set(i, []);
        }
    }

    /// <summary>Takes the keys that have the prefixes of a feature.</summary>
    public void FinishCandidates(int feature, ulong[] keys)
    {
        Array.Sort(keys);
        var found = new Dictionary<long, ulong>();
        foreach (var rank in _ranks[feature])
        {
            var first = Array.BinarySearch(keys, rank.Prefix << (64 - Depth));
            if (first < 0) first = ~first;
            while (first > 0 && keys[first - 1] >> (64 - Depth) == rank.Prefix) first--;
            found[rank.Of] = keys[first + rank.Within];
        }
        Set(feature, found);
    }

    /// <summary>Takes all keys of a feature.</summary>
    public void Finish(int feature, ulong[] keys, IReadOnlyList<double> shares)
    {
        _shares = shares;
        if (_values.Length == 0) _values = new long[Results.Length];
        _values[feature] = keys.Length;
        Array.Sort(keys);
        Set(feature, RanksOf(keys.Length, shares).ToDictionary(rank => rank, rank => keys[rank]));
    }

    private static IEnumerable<long> RanksOf(long count, IReadOnlyList<double> shares) => count == 0 ? [] :
        shares.SelectMany(share => new[] { (long)Math.Floor(share * (count - 1)), (long)Math.Ceiling(share * (count - 1)) }).Distinct();

    private void Set(int feature, Dictionary<long, ulong> found) => Results[feature] = [.. _shares.Select(share =>
    {
        if (_values[feature] == 0) return double.NaN;
        var place = share * (_values[feature] - 1);
        var (low, high) = (Quantiles.ValueOf(found[(long)Math.Floor(place)]), Quantiles.ValueOf(found[(long)Math.Ceiling(place)]));
        return low == high ? low : low + ((place - Math.Floor(place)) * (high - low));
    })];

    // Of: which value is sought, counted from 0 in order. Within: the same among keys of the prefix.
    private readonly record struct Rank(long Of, ulong Prefix, long Within);
}
