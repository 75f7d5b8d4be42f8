namespace Dataflow.Engine.Tests.Rdds;

// What is known of where keys are, and what that saves.
public abstract partial class RddContract
{
    [Fact]
    public void Placed_pairs_are_where_their_partitioner_says()
    {
        var partitioner = new HashPartitioner<int>(5);
        var parts = Parts(Sevens(500).PartitionBy(partitioner));
        for (var i = 0; i < parts.Length; i++) Assert.All(parts[i], pair => Assert.Equal(i, partitioner.PartitionOf(pair.Key)));
        Bag.AssertEqual(Sevens(500).Collect(), parts.SelectMany(part => part));
        Assert.All(parts, part => Assert.All(part.GroupBy(pair => pair.Key), group => Assert.Equal(group.OrderBy(pair => pair.Value), group)));
    }

    [Fact]
    public void PartitionBy_what_is_placed_already_gives_the_Rdd_itself()
    {
        var placed = Sevens().PartitionBy(new HashPartitioner<int>(5));
        Assert.Same(placed, placed.PartitionBy(new HashPartitioner<int>(5)));
        Assert.NotSame(placed, placed.PartitionBy(new HashPartitioner<int>(4)));
    }

    [Fact]
    public void The_partitioner_outlives_verbs_that_leave_keys_alone_and_no_others()
    {
        var placed = Sevens().PartitionBy(new HashPartitioner<int>(5));
        var partitioner = placed.Partitioner;
        Assert.NotNull(partitioner);
        Assert.Equal(partitioner, placed.Filter(static _ => true).Partitioner);
        Assert.Equal(partitioner, placed.MapValues(static value => -value).Partitioner);
        Assert.Equal(partitioner, placed.FlatMapValues(static value => new[] { value }).Partitioner);
        Assert.Equal(partitioner, placed.MapValues(static value => -value).Filter(static _ => true).FlatMapValues(static value => new[] { value }).Partitioner);
        Assert.Equal(partitioner, placed.Sample(false, 0.5, 1).Partitioner);
        Assert.Equal(partitioner, placed.RandomSplit([1, 1], 1)[0].Partitioner);
        Assert.Equal(partitioner, placed.SampleByKey(false, new Dictionary<int, double> { [1] = 0.5 }, 1).Partitioner);
        Assert.Equal(partitioner, placed.MapPartitions(static items => items, keepsPartitioner: true).Partitioner);
        Assert.Equal(partitioner, placed.MapPartitionsWithIndex(static (_, items) => items, keepsPartitioner: true).Partitioner);
        Assert.Equal(partitioner, placed.ReduceByKey(static (a, b) => a + b).Partitioner);
        Assert.Equal(partitioner, placed.GroupByKey().Partitioner);
        Assert.Equal(partitioner, placed.SubtractByKey(Sevens()).Partitioner);
        Assert.Equal(partitioner, placed.Join(Sevens()).Partitioner);

        Assert.Null(placed.Map(static pair => pair).Partitioner);
        Assert.Null(placed.FlatMap(static pair => new[] { pair }).Partitioner);
        Assert.Null(placed.MapPartitions(static items => items).Partitioner);
        Assert.Null(placed.Keys().Partitioner);
        Assert.Null(placed.Values().Partitioner);
        Assert.Null(placed.Coalesce(2).Partitioner);
        Assert.Null(placed.Repartition(2).Partitioner);
        Assert.Null(placed.ZipWithIndex().Partitioner);
        Assert.Null(placed.Glom().Partitioner);
        Assert.Null(placed.SortBy(static pair => pair.Value).Partitioner);
    }

    [Fact]
    public void Equally_placed_inputs_meet_without_a_shuffle()
    {
        var left = Sevens(40).PartitionBy(new HashPartitioner<int>(5));
        var right = Sevens(30).ReduceByKey(static (a, b) => a + b, 5);
        Assert.Equal(2, Shuffles(left.Join(right)));
        Assert.Equal(2, Shuffles(left.CoGroup(right)));
        Assert.Equal(2, Shuffles(left.FullOuterJoin(right)));
        Assert.Equal(2, Shuffles(left.SubtractByKey(right)));
        Assert.Equal(1, Shuffles(left.GroupByKey()));
        Assert.Equal(1, Shuffles(left.ReduceByKey(static (a, b) => a + b)));
        Assert.Equal(1, Shuffles(left.AggregateByKey(0, static (a, b) => a + b, static (a, b) => a + b)));
        Assert.Equal(1, Shuffles(left.MapValues(static value => -value).Filter(static _ => true).ReduceByKey(static (a, b) => a + b)));
        Assert.Equal(2, Shuffles(left.ReduceByKey(static (a, b) => a + b, 3)));

        var unplaced = Sevens(40).MapValues(static value => value);
        Bag.AssertEqual(unplaced.Join(Sevens(30).ReduceByKey(static (a, b) => a + b, 2)).Collect(), left.Join(right).Collect());
        Bag.AssertEqual(
            unplaced.CoGroup(Sevens(30).ReduceByKey(static (a, b) => a + b, 2)).Collect().Select(row => (row.Key, Show(row.Value.Left), Show(row.Value.Right))),
            left.CoGroup(right).Collect().Select(row => (row.Key, Show(row.Value.Left), Show(row.Value.Right))));
        Bag.AssertEqual(unplaced.ReduceByKey(static (a, b) => a + b, 2).Collect(), left.ReduceByKey(static (a, b) => a + b).Collect());
        Bag.AssertEqual(unplaced.GroupByKey(2).Collect().Select(row => (row.Key, Show(row.Value))), left.GroupByKey().Collect().Select(row => (row.Key, Show(row.Value))));
    }

    [Fact]
    public void A_wide_verb_reuses_a_large_enough_partitioner_of_its_inputs()
    {
        var few = Sevens(40, 30).PartitionBy(new HashPartitioner<int>(3));
        var many = Sevens(40, 30);
        Assert.Equal(3, few.Join(many).PartitionCount);
        Assert.Equal(1, Shuffles(few.Join(many)) - 1);

        // Less than a tenth of the largest input: one task would get too much.
        var two = Sevens(40, 30).PartitionBy(new HashPartitioner<int>(2));
        Assert.Equal(30, two.Join(many).PartitionCount);
        Assert.Equal(30, many.Join(two).PartitionCount);

        // Of several, the one with the most partitions; what the program names wins.
        var five = Sevens(40, 30).PartitionBy(new HashPartitioner<int>(5));
        Assert.Equal(5, few.Join(five).PartitionCount);
        Assert.Equal(8, few.Join(five, 8).PartitionCount);
        Assert.Equal(new Ends(3), Sevens(10).PartitionBy(new Ends(3)).Join(many).Partitioner);
    }

    [Fact]
    public void A_set_default_parallelism_is_what_wide_verbs_take()
    {
        using var context = DataflowContext.Local(Context.Options with { DefaultParallelism = 6 });
        var pairs = context.Parallelize([(1, 1), (2, 2)], 3);
        Assert.Equal(6, pairs.ReduceByKey(static (a, b) => a + b).PartitionCount);
        Assert.Equal(6, pairs.SortByKey().PartitionCount);
        Assert.Equal(6, context.Parallelize([1]).PartitionCount);
        Assert.Equal(8, pairs.PartitionBy(new HashPartitioner<int>(8)).Join(pairs).PartitionCount);
    }

    [Fact]
    public void A_placement_of_ones_own_is_used()
    {
        var parts = Parts(Sevens().PartitionBy(new Ends(3)));
        Assert.All(parts[0], pair => Assert.Equal(0, pair.Key % 2));
        Assert.Empty(parts[1]);
        Assert.All(parts[2], pair => Assert.Equal(1, pair.Key % 2));
        Assert.Equal([2, 9, 16, 23, 30, 37, 44], Sevens().PartitionBy(new Ends(3)).Lookup(2));
        Assert.Equal(1, Shuffles(Sevens().PartitionBy(new Ends(3)).ReduceByKey(static (a, b) => a + b, new Ends(3))));
        Bag.AssertEqual(Sevens().ReduceByKey(static (a, b) => a + b).Collect(), Sevens().ReduceByKey(static (a, b) => a + b, new Ends(3)).Collect());
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    [InlineData(int.MaxValue)]
    public void A_partitioner_that_places_keys_nowhere_is_named(int partition)
    {
        var error = Failure(() => Sevens().PartitionBy(new Nowhere(partition)).Collect());
        Assert.Contains("Nowhere placed the key '", error.InnerException!.Message);
        Assert.Contains($"in partition {partition}, but it has 3", error.InnerException!.Message);
        Failure(() => Sevens().ReduceByKey(static (a, b) => a + b, new Nowhere(partition)).Count());
        Failure(() => Sevens().Join(Sevens(), new Nowhere(partition)).Count());
        Failure(() => Sevens().RepartitionAndSortWithinPartitions(new Nowhere(partition)).Count());
    }

    [Fact]
    public void A_partitioner_that_throws_fails_the_job_with_what_it_threw()
    {
        var error = Failure(() => Sevens().PartitionBy(new Throwing()).Collect());
        Assert.StartsWith("no place for ", Threw<FormatException>(error));
        Threw<FormatException>(Failure(() => Sevens().ReduceByKey(static (a, b) => a + b, new Throwing()).Collect()));
    }

    [Fact]
    public void The_ranges_of_a_sorted_Rdd_place_another_one()
    {
        // Nothing has asked for the ranges yet when the other Rdd's map tasks need them.
        var sorted = Sevens(70).SortByKey(partitions: 3);
        var other = Sevens(30).PartitionBy((Partitioner<int>)sorted.Partitioner!);
        Bag.AssertEqual(Sevens(30).Collect(), other.Collect());
        var again = Sevens(70).SortByKey(partitions: 3);
        Bag.AssertEqual(Sevens(70).Join(Sevens(30), 2).Collect(), Sevens(30).Join(Sevens(70), (Partitioner<int>)again.Partitioner!).Map(static row => (row.Key, (row.Value.Right, row.Value.Left))).Collect());
        Assert.Equal(2, Shuffles(sorted.Join(other)));
        Assert.Equal(Sevens(70).Join(Sevens(30), 2).Count(), sorted.Join(other).Count());
        Bag.AssertEqual(Sevens(70).ReduceByKey(static (a, b) => a + b).Collect(), Sevens(70).ReduceByKey(static (a, b) => a + b, (Partitioner<int>)Sevens(70).SortByKey().Partitioner!).Collect());
    }

    [Fact]
    public void Ranges_of_ones_own_place_keys()
    {
        var partitioner = new RangePartitioner<int>([2, 5]);
        Assert.Equal([0, 0, 1, 1, 1, 2, 2], Enumerable.Range(0, 7).Select(partitioner.PartitionOf));
        Assert.Equal([2, 5], partitioner.Bounds);
        var parts = Parts(Sevens().PartitionBy(partitioner));
        Assert.Equal([[0, 1], [2, 3, 4], [5, 6]], parts.Select(part => part.Select(pair => pair.Key).Distinct().Order().ToArray()));
        Assert.Equal(new RangePartitioner<int>([2, 5]), partitioner);
        Assert.NotEqual(new RangePartitioner<int>([2, 6]), partitioner);
        Assert.NotEqual(new RangePartitioner<int>([5, 2], descending: true), partitioner);
        Assert.Equal([2, 1, 1, 0, 0], new[] { 1, 2, 4, 5, 9 }.Select(new RangePartitioner<int>([4, 1], descending: true).PartitionOf));
        Assert.Throws<ArgumentException>(() => new RangePartitioner<int>([5, 2]));
        Assert.Throws<ArgumentException>(() => new RangePartitioner<int>([2, 2]));
        Assert.Throws<ArgumentException>(() => new RangePartitioner<int>([2, 5], descending: true));
    }

    private sealed class Nowhere(int partition) : Partitioner<int>
    {
        public override int PartitionCount => 3;

        public override int PartitionOf(int key) => partition;

        public override bool Equals(object? obj) => ReferenceEquals(this, obj);

        public override int GetHashCode() => partition;
    }

    private sealed class Throwing : Partitioner<int>
    {
        public override int PartitionCount => 3;

        public override int PartitionOf(int key) => throw new FormatException($"no place for {key}");

        public override bool Equals(object? obj) => ReferenceEquals(this, obj);

        public override int GetHashCode() => 1;
    }
}
