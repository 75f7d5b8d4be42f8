using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Fusion;

public class NarrowVerbTests
{
    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void Map_filter_and_flatMap_give_what_LINQ_gives(Mode mode)
    {
        var items = Enumerable.Range(0, 5000).ToArray();
        var rdd = new SourceRdd<int>(items)
            .Map(x => x * 3)
            .Filter(x => x % 2 == 0)
            .FlatMap(x => new[] { x, -x })
            .FlatMap(x => Enumerable.Repeat(x.ToString(), Math.Abs(x) % 3))
            .Filter(x => x.Length > 2);

        var expected = items.Select(x => x * 3).Where(x => x % 2 == 0).SelectMany(x => new[] { x, -x })
            .SelectMany(x => Enumerable.Repeat(x.ToString(), Math.Abs(x) % 3)).Where(x => x.Length > 2);
        Assert.Equal(expected, NarrowRun.Collect(rdd, mode));
    }

    [Fact]
    public void Ten_thousand_chained_operators_overflow_no_stack()
    {
        Rdd<int> rdd = new SourceRdd<int>([1, 2, 3], length: 2);
        for (var i = 0; i < 5000; i++) rdd = rdd.Map(x => x + 1).Filter(x => x > 0);
        Assert.Null(rdd.Partitioner);

        foreach (var (mode, stackBytes) in new[] { (Mode.Plain, 64 << 20), (Mode.Fused, 1 << 20), (Mode.Adaptive, 1 << 20) })
        {
            List<int>? result = null;
            var thread = new Thread(() => result = NarrowRun.Collect(rdd, mode), stackBytes);
            thread.Start();
            thread.Join();
            Assert.Equal([5001, 5002, 5003], result);
        }
    }

    [Fact]
    public void Filter_keeps_the_partitioner_and_map_drops_it()
    {
        var source = new PlacedRdd();
        Rdd<int> filtered = source;
        for (var i = 0; i < 1000; i++) filtered = filtered.Filter(x => x > i);
        Assert.Same(source.Partitioner, filtered.Partitioner);
        Assert.Null(filtered.Map(x => x).Partitioner);
        Assert.Null(filtered.Map(x => x).Filter(x => x > 0).Partitioner);
        Assert.Null(filtered.FlatMap(x => new[] { x }).Partitioner);
    }

    [Fact]
    public void A_null_lambda_is_refused_when_the_plan_is_built()
    {
        var source = new SourceRdd<int>([1]);
        Assert.Throws<ArgumentNullException>("selector", () => source.Map((Func<int, int>)null!));
        Assert.Throws<ArgumentNullException>("predicate", () => source.Filter(null!));
        Assert.Throws<ArgumentNullException>("selector", () => source.FlatMap((Func<int, int[]>)null!));
    }

    [Fact]
    public void A_lambda_that_writes_what_it_captured_is_refused_when_the_plan_is_built()
    {
        var count = 0;
        var error = Assert.Throws<ClosureException>(() => new SourceRdd<int>([1]).Map(x => count += x));
        Assert.Contains("Map at NarrowVerbTests.cs", error.Message);
    }

    private sealed class PlacedRdd() : Rdd<int>(TestRdds.Context, "Placed")
    {
        private readonly Placement _placement = new();

        public override IReadOnlyList<Dependency> Dependencies => [];

        public override Partitioner Partitioner => _placement;

        protected internal override Partition[] GetPartitions() => [new IndexPartition(0)];

        protected internal override ChunkReader<int> Compute(Partition partition, Tasks.TaskContext context) => ChunkReader<int>.Empty;

        private sealed class Placement : Partitioner<int>
        {
            public override int PartitionCount => 1;

            public override int PartitionOf(int key) => 0;

            public override bool Equals(object? obj) => ReferenceEquals(this, obj);

            public override int GetHashCode() => 0;
        }
    }
}
