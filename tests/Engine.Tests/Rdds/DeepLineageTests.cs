namespace Dataflow.Engine.Tests.Rdds;

/// <summary>A loop may chain ten thousand verbs: nothing that walks a lineage or reads through it runs out of stack.</summary>
public sealed class DeepLineageTests : IDisposable
{
    private const int Deep = 10_000;

    private readonly DataflowContext _context = DataflowContext.Local(2);
    private readonly DataflowContext _unfused = DataflowContext.Local(DataflowOptions.Default with { Threads = 2, Fusion = false });

    public static TheoryData<bool> Modes => [true, false];

    public void Dispose()
    {
        _context.Dispose();
        _unfused.Dispose();
    }

    [Theory, MemberData(nameof(Modes))]
    public void Maps(bool fusion) => Check(Chain(Ints(fusion), static rdd => rdd.Map(static i => i + 1)), Enumerable.Range(Deep, 50));

    [Theory, MemberData(nameof(Modes))]
    public void Filters(bool fusion) => Check(Chain(Ints(fusion), static rdd => rdd.Filter(static i => i % 5 != 0)), Enumerable.Range(0, 50).Where(i => i % 5 != 0));

    [Theory, MemberData(nameof(Modes))]
    public void Expansions(bool fusion) => Check(Chain(Ints(fusion), static rdd => rdd.FlatMap(static i => new[] { i })), Enumerable.Range(0, 50));

    [Fact]
    public void Iterators_over_partitions() =>
        Check(Chain(Ints(true), static rdd => rdd.MapPartitions(static items => items.Select(static i => i + 1))), Enumerable.Range(Deep, 50));

    [Fact]
    public void Iterators_that_are_passed_on() => Check(Chain(Ints(true), static rdd => rdd.MapPartitions(static items => items)), Enumerable.Range(0, 50));

    [Fact]
    public void Unions_with_nothing() => Check(Chain(Ints(true), rdd => rdd.Union(_context.Empty<int>())), Enumerable.Range(0, 50));

    [Fact]
    public void Unions_that_grow()
    {
        var one = _context.Parallelize([1], 1);
        var rdd = Chain(_context.Parallelize([0], 1), rdd => rdd.Union(one), 1000);
        Assert.Equal(1001, rdd.PartitionCount);
        Assert.Equal(1000, rdd.Sum());
        Bounded(rdd);
    }

    [Fact]
    public void Unions_of_equally_placed_pairs()
    {
        var pairs = _context.Parallelize(Enumerable.Range(0, 50), 2).KeyBy(static i => i % 7).PartitionBy(new HashPartitioner<int>(2));
        var none = pairs.Filter(static _ => false);
        Check(Chain(pairs, rdd => rdd.Union(none)), pairs.Collect());
    }

    [Fact]
    public void Partitions_read_together_and_sampled() =>
        Check(Chain(Ints(true), static rdd => rdd.Coalesce(2).Sample(false, 1, 1), Deep / 2), Enumerable.Range(0, 50));

    [Fact]
    public void Verbs_of_all_kinds_in_turn() =>
        Check(
            Chain(
                Ints(true),
                rdd => rdd.Map(static i => i + 1).Filter(static i => i >= 0).FlatMap(static i => new[] { i }).MapPartitions(static items => items.Select(static i => i - 1))
                    .Union(_context.Empty<int>()).Coalesce(2),
                Deep / 6),
            Enumerable.Range(0, 50));

    [Fact]
    public void Shuffles()
    {
        var pairs = _context.Parallelize(Enumerable.Range(0, 60), 2).KeyBy(static i => i % 6);
        var rdd = Chain(pairs, static rdd => rdd.Map(static pair => ((pair.Key + 1) % 6, pair.Value)).ReduceByKey(static (a, b) => a + b, 2), 300);
        Bag.AssertEqual(Enumerable.Range(0, 60).GroupBy(i => i % 6).Select(group => (group.Key, group.Sum())), rdd.Collect());
        Bounded(rdd);
    }

    [Fact]
    public void Kept_Rdds()
    {
        var rdd = Chain(Ints(true), static rdd => rdd.Map(static i => i + 1).Cache(), 1000);
        Assert.Equal(Enumerable.Range(1000, 50), rdd.Collect());
        Assert.Equal(Enumerable.Range(1000, 50), rdd.Collect());
    }

    private Rdd<int> Ints(bool fusion) => (fusion ? _context : _unfused).Parallelize(Enumerable.Range(0, 50), 2);

    private static Rdd<T> Chain<T>(Rdd<T> rdd, Func<Rdd<T>, Rdd<T>> step, int count = Deep)
    {
        for (var i = 0; i < count; i++) rdd = step(rdd);
        return rdd;
    }

    private static void Check<T>(Rdd<T> rdd, IEnumerable<T> expected)
    {
        var items = expected.ToArray();
        Assert.Equal(items, rdd.Collect());
        Assert.Equal(items.Length, rdd.Count());
        Assert.Equal(items[0], rdd.First());
        _ = rdd.Partitioner;
        _ = rdd.Determinacy;
        Bounded(rdd);
    }

    private static void Bounded<T>(Rdd<T> rdd) => Assert.InRange(rdd.ToDebugString().Length, 1000, 100_000);
}
