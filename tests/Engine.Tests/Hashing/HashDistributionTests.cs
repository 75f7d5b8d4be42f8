using Dataflow.Hashing;

namespace Dataflow.Engine.Tests.Hashing;

/// <summary>Regular keys must fall like random ones into the bits that slots, spilled runs and partitions are taken from.</summary>
public sealed class HashDistributionTests
{
    private const int Keys = 1 << 16;

    [Fact]
    public void Sequential_numbers()
    {
        Spread("int", i => i);
        Spread("negative int", i => -i);
        Spread("long", i => (long)i);
        Spread("long from a billion", i => 1_000_000_000L + i);
        Spread("uint", i => (uint)i);
        Spread("ulong", i => (ulong)i);
        Spread("enum", i => (Colour)i);
        Spread("short pairs", i => ((short)(i >> 8), (short)(i & 255)));
        Spread("date", i => DateOnly.FromDayNumber(i));
        Spread("time", i => new DateTime(2024, 1, 1).AddSeconds(i));
        Spread("decimal", i => (decimal)i / 100);
        Spread("guid", i => new Guid(i, 0, 0, new byte[8]));
    }

    [Fact]
    public void Strides_of_powers_of_two()
    {
        for (var shift = 1; shift < 48; shift += 3)
        {
            var by = shift;
            Spread($"long << {by}", i => (long)i << by);
            Spread($"int << {by & 15}", i => i << (by & 15));
            Spread($"(long << {by}, 1)", i => ((long)i << by, 1));
        }
        Spread("int * 1000", i => i * 1000);
        Spread("two bits in eight", i => Enumerable.Range(0, 16).Aggregate(0L, (bits, bit) => bits | ((long)i >> bit & 1) << (4 * bit)));
        Spread("high and low", i => (long)(i >> 8) << 56 | (long)i & 255);
    }

    [Fact]
    public void Floating_point_numbers_of_small_integers()
    {
        Spread("double", i => (double)i);
        Spread("float", i => (float)i);
        Spread("halves", i => i * 0.5);
        Spread("cents", i => i / 100.0);
        Spread("powers", i => Math.ScaleB(1 + (i & 255) / 256.0, i >> 8));
    }

    [Fact]
    public void Short_texts()
    {
        Spread("digits", i => i.ToString());
        Spread("hex", i => i.ToString("x8"));
        Spread("user", i => "user-" + i.ToString("x8"));
        Spread("two units", i => $"{(char)(i >> 8)}{(char)(i & 255)}");
        Spread("one unit", i => ((char)i).ToString());
        Spread("path", i => $"/articles/2024/{i}/index.html");
        Spread("long", i => new string('x', 200) + i);
    }

    [Fact]
    public void Tuples_and_records_of_small_numbers()
    {
        Spread("grid", i => (i >> 8, i & 255));
        Spread("grid of long", i => ((long)i >> 8, (long)i & 255));
        Spread("cube", i => (i >> 11, i >> 5 & 63, i & 31));
        Spread("four", i => (i >> 12, i >> 8 & 15, i >> 4 & 15, i & 15));
        Spread("text and number", i => ((i >> 8).ToString(), i & 255));
        Spread("record", i => new Visit(i >> 8, (i & 255).ToString(), default));
        Spread("points", i => new Place(i >> 8, i & 255, null));
    }

    [Fact]
    public void The_keys_of_one_partition_still_differ_in_all_bits()
    {
        foreach (var partitions in new[] { 2, 7, 8, 16, 64, 200, 256 })
        {
            var shares = new List<uint>[partitions];
            for (var i = 0; i < partitions; i++) shares[i] = [];
            for (var i = 0; i < Keys * 4; i++)
            {
                var hash = StableHash<int>.Of(i);
                shares[StableHash.PartitionOf(hash, partitions)].Add(hash);
            }
            Uniform($"{partitions} partitions", shares.Select(share => share.Count).ToArray());
            foreach (var share in new[] { shares[0], shares[partitions / 2], shares[^1] })
            {
                Uniform($"runs in one of {partitions} partitions", Count(share, 16, hash => hash >> 28));
                Uniform($"inner runs in one of {partitions} partitions", Count(share, 16, hash => hash >> 24 & 15));
                Uniform($"slots in one of {partitions} partitions", Count(share, 64, hash => hash & 63));
            }
        }
    }

    [Fact]
    public void Few_keys_collide_in_all_32_bits()
    {
        // 2^18 keys make 8 pairs by chance; 30 are beyond one case in a billion.
        Assert.InRange((1 << 18) - Enumerable.Range(0, 1 << 18).Select(i => StableHash<string>.Of("key" + i)).Distinct().Count(), 0, 30);
        Assert.InRange((1 << 18) - Enumerable.Range(0, 1 << 18).Select(i => StableHash<(int, int)>.Of((i >> 9, i & 511))).Distinct().Count(), 0, 30);
        Assert.InRange((1 << 18) - Enumerable.Range(0, 1 << 18).Select(i => StableHash<double>.Of(i)).Distinct().Count(), 0, 30);
        Assert.InRange((1 << 18) - Enumerable.Range(0, 1 << 18).Select(i => StableHash<long>.Of(i)).Distinct().Count(), 0, 30);
    }

    private static void Spread<TKey>(string name, Func<int, TKey> key)
    {
        var hashes = new uint[Keys];
        for (var i = 0; i < Keys; i++) hashes[i] = StableHash<TKey>.Of(key(i));
        foreach (var bits in new[] { 4, 8, 12 })
        {
            Uniform($"{name}: low {bits} bits", Count(hashes, 1 << bits, hash => hash & ((1u << bits) - 1)));
            Uniform($"{name}: top {bits} bits", Count(hashes, 1 << bits, hash => hash >> (32 - bits)));
        }
        Uniform($"{name}: middle 8 bits", Count(hashes, 256, hash => hash >> 12 & 255));
        Uniform($"{name}: 200 partitions", Count(hashes, 200, hash => (uint)StableHash.PartitionOf(hash, 200)));
    }

    private static int[] Count(IReadOnlyCollection<uint> hashes, int bins, Func<uint, uint> bin)
    {
        var counts = new int[bins];
        foreach (var hash in hashes) counts[bin(hash)]++;
        return counts;
    }

    // Chi-square, as a distance from its mean in standard deviations: random hashes exceed 6 once in millions. Being too even is no fault.
    private static void Uniform(string name, int[] counts)
    {
        var expected = counts.Sum() / (double)counts.Length;
        var chi = counts.Sum(count => (count - expected) * (count - expected) / expected);
        var deviation = (chi - (counts.Length - 1)) / Math.Sqrt(2.0 * (counts.Length - 1));
        Assert.True(deviation < 6, $"{name}: {deviation:F1} standard deviations from even over {counts.Length} bins");
    }
}
