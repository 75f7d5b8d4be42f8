using System.Collections.Immutable;
using Dataflow.Serialization;
using Dataflow.Shuffle;
using Dataflow.Tasks;

namespace Dataflow.Engine.Tests.Shuffle;

/// <summary>Checksums of map outputs, by which a stage that does not give the same rows each time is found out.</summary>
public sealed class ChecksumTests : IDisposable
{
    // Read by tasks: what a careless program would read from a clock or a file that changes.
    private static int _version;

    private readonly DataflowContext _context = DataflowContext.Local(DataflowOptions.Default with { Threads = 2, ResubmitDelay = TimeSpan.Zero });

    public void Dispose() => _context.Dispose();

    [Fact]
    public void That_of_pairs_knows_keys_and_values_and_not_their_order()
    {
        var rows = Enumerable.Range(0, 3000).Select(i => (Key: i * 31 % 1009, Value: (long)i)).ToArray();
        var sum = Of(rows);
        Assert.NotEqual(0UL, sum);
        Assert.Equal(sum, Of([.. rows.Reverse()]));
        Assert.Equal(sum, Of([.. rows.OrderBy(row => row.Value % 7)]));
        Assert.NotEqual(sum, Of(rows[1..]));
        Assert.NotEqual(sum, Of([.. rows, rows[0]]));
        Assert.NotEqual(sum, Of([.. rows.Select(row => (row.Key == 5 ? 6 : row.Key, row.Value))]));
        Assert.NotEqual(sum, Of([.. rows.Select(row => (row.Key, row.Value == 5 ? 6 : row.Value))]));

        ulong Of((int, long)[] pairs) => Checksum(_context.Parallelize(pairs, 1).PartitionBy(new HashPartitioner<int>(8)));
    }

    [Fact]
    public void That_of_pairs_placed_by_hand_or_with_text_keys_knows_values_too()
    {
        Assert.NotEqual(ByHand(1), ByHand(2));
        Assert.NotEqual(ByText(1), ByText(2));

        ulong ByHand(int value) => Checksum(_context.Parallelize([(1, 5), (3, value)], 1).PartitionBy(new Halves()));
        ulong ByText(int value) => Checksum(_context.Parallelize([("a", 5), ("b", value)], 1).PartitionBy(new HashPartitioner<string>(3)));
    }

    [Fact]
    public void That_of_combined_pairs_knows_combined_values()
    {
        Assert.Equal(Summed(1, 4), Summed(2, 3));
        Assert.NotEqual(Summed(1, 4), Summed(2, 4));
        Assert.NotEqual(Gathered(1, 4), Gathered(2, 4));
        Assert.NotEqual(Gathered(1, 4), Gathered(4, 1));
        Assert.Equal(Gathered(1, 4), Gathered(1, 4));

        ulong Summed(int first, int second) => Checksum(Pairs(first, second).ReduceByKey(static (a, b) => a + b, 3));
        ulong Gathered(int first, int second) => Checksum(Pairs(first, second).CombineByKey(
            static value => new List<int> { value }, static (list, value) => [.. list, value], static (a, b) => [.. a, .. b], 3));
        Rdd<(int Key, int Value)> Pairs(int first, int second) => _context.Parallelize([(7, first), (9, 0), (7, second)], 1);
    }

    [Fact]
    public void That_of_sorted_rows_knows_all_of_them()
    {
        Assert.NotEqual(Sorted(1), Sorted(2));
        ulong Sorted(long value) => Checksum(_context.Parallelize([(3, 1L), (1, value), (2, 1L)], 1).SortByKey(partitions: 2));
    }

    [Theory]
    [InlineData(typeof(List<int>), true)]
    [InlineData(typeof((string, Dictionary<string, double[]>)), true)]
    [InlineData(typeof(HashSet<string>), true)]
    [InlineData(typeof(ImmutableHashSet<string>), false)]
    [InlineData(typeof(List<ImmutableDictionary<string, int>>), false)]
    [InlineData(typeof((int, IReadOnlyList<int>)), false)]
    public void Bytes_count_where_equal_values_have_the_same_in_every_process(Type type, bool counts)
    {
        var codec = typeof(Codec<>).MakeGenericType(type).GetProperty("Default")!.GetValue(null)!;
        var property = codec.GetType().GetProperty("IsRepeatable", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic)!;
        Assert.Equal(counts, property.GetValue(codec));
    }

    [Fact]
    public void A_map_that_gives_other_values_when_it_runs_again_is_found_out_and_its_rows_never_mix()
    {
        _version = 1;
        var pairs = _context.Range(0, 1000, partitions: 4).Map(static i => (Key: (int)i % 10, Value: _version)).PartitionBy(new HashPartitioner<int>(3));
        Assert.Equal([1], pairs.Values().Distinct().Collect());
        _version = 2;
        var shuffle = ((ShuffleDependency)pairs.Dependencies[0]).ShuffleId;
        Assert.True(_context.Services.Shuffles.Remove(shuffle, 2));
        Assert.Equal([2], pairs.Values().Collect().Distinct());
    }

    private ulong Checksum(Rdd shuffled)
    {
        var shuffle = (ShuffleDependency)shuffled.Dependencies[0];
        _context.RunMapStageAsync(shuffle).GetAwaiter().GetResult();
        var checksum = _context.Services.Shuffles.Find(shuffle.ShuffleId, 0)!.Checksum;
        GC.KeepAlive(shuffled);
        return checksum;
    }

    private sealed class Halves : Partitioner<int>
    {
        public override int PartitionCount => 2;

        public override int PartitionOf(int key) => key > 2 ? 1 : 0;

        public override bool Equals(object? other) => other is Halves;

        public override int GetHashCode() => 2;
    }
}
