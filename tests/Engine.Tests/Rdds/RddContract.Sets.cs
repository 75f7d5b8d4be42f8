namespace Dataflow.Engine.Tests.Rdds;

// Verbs that put Rdds together, compare their elements, or number them.
public abstract partial class RddContract
{
    [Fact]
    public void Union_appends_partitions_and_keeps_duplicates()
    {
        var left = Context.Parallelize([1, 2, 2], 2);
        var right = Context.Parallelize([2, 3], 3);
        Assert.Equal([[1], [2, 2], [], [2], [3]], Parts(left.Union(right)));
        Assert.Equal([1, 2, 2, 1, 2, 2, 2, 3], Context.Union(left, left, Context.Empty<int>(), right).Collect());
        Assert.Empty(Context.Union<int>().Collect());
        Assert.Equal([1, 2, 2], Context.Union(left).Collect());
    }

    [Fact]
    public void Union_of_equally_placed_pairs_keeps_the_partitioner()
    {
        var left = Sevens(20).PartitionBy(new HashPartitioner<int>(3));
        var right = Sevens(10).PartitionBy(new HashPartitioner<int>(3));
        var union = left.Union(right);
        Assert.Equal(new HashPartitioner<int>(3), union.Partitioner);
        Assert.Equal(3, union.PartitionCount);
        Assert.Equal(Parts(left).Zip(Parts(right), (a, b) => a.Concat(b)), Parts(union));
        Assert.Equal(2, Shuffles(union.ReduceByKey(static (a, b) => a + b)));
        Bag.AssertEqual(
            Sevens(20).Collect().Concat(Sevens(10).Collect()).GroupBy(pair => pair.Key, pair => pair.Value, (key, values) => (key, values.Sum())),
            union.ReduceByKey(static (a, b) => a + b).Collect());

        var differs = left.Union(right.PartitionBy(new HashPartitioner<int>(4)));
        Assert.Null(differs.Partitioner);
        Assert.Equal(7, differs.PartitionCount);
        Assert.Null(left.Union(Sevens(10)).Partitioner);
    }

    [Fact]
    public void A_list_of_Rdds_that_changes_after_union_changes_nothing()
    {
        var one = Sevens(5).PartitionBy(new HashPartitioner<int>(2));
        var inputs = new List<Rdd<(int Key, int Value)>> { one, one };
        var union = Context.Union(inputs);
        inputs.Clear();
        Assert.Equal(10, union.Count());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5)]
    public void Distinct_gives_each_element_once(int partitions)
    {
        string?[] words = ["b", null, "a", "", "b", null, "", "a", "c"];
        Bag.AssertEqual(words.Distinct(), Context.Parallelize(words, 4).Distinct(partitions).Collect());

        double[] numbers = [double.NaN, 0.0, -0.0, 1, double.NaN, -double.NaN, 1, double.NegativeInfinity];
        Bag.AssertEqual(numbers.Distinct(), Context.Parallelize(numbers, 3).Distinct(partitions).Collect());

        decimal[] prices = [1.0m, 1.00m, 1m, 2.5m, 0m, -0m];
        Bag.AssertEqual(prices.Distinct(), Context.Parallelize(prices, 3).Distinct(partitions).Collect());

        Assert.Empty(Context.Parallelize<int>([], 3).Distinct(partitions).Collect());
    }

    [Fact]
    public void Distinct_of_placed_pairs_shuffles_nothing_and_keeps_the_placement()
    {
        var placed = Sevens(60).Map(static pair => (pair.Key, Value: pair.Value % 2)).PartitionBy(new HashPartitioner<int>(3));
        var distinct = placed.Distinct();
        Assert.Equal(1, Shuffles(distinct));
        Assert.Equal(placed.Partitioner, distinct.Partitioner);
        Assert.Equal(1, Shuffles(placed.Distinct(3)));
        Assert.Equal(2, Shuffles(placed.Distinct(4)));
        Assert.Equal(14, distinct.Count());
        Bag.AssertEqual(placed.Collect().Distinct(), distinct.Collect());
    }

    [Fact]
    public void Intersection_gives_common_elements_once()
    {
        var left = Context.Parallelize(new[] { "a", "b", "b", null, "c", null }, 3);
        var right = Context.Parallelize(new[] { null, "b", "d", "b", "c" }, 2);
        Bag.AssertEqual(["b", "c", null], left.Intersection(right).Collect());
        Bag.AssertEqual(["b", "c", null], left.Intersection(right, 5).Collect());
        Bag.AssertEqual(["b", "c", null], left.Intersection(right, new HashPartitioner<string?>(2)).Collect());
        Assert.Equal(5, left.Intersection(right, 5).PartitionCount);
        Assert.Empty(left.Intersection(Context.Empty<string?>()).Collect());
    }

    [Fact]
    public void Subtract_keeps_duplicates_of_the_left()
    {
        var left = Context.Parallelize(new[] { "a", "b", "a", null, "c", null, "a" }, 3);
        var right = Context.Parallelize(new string?[] { "b", "b", "x" }, 2);
        Bag.AssertEqual(["a", "a", "a", null, null, "c"], left.Subtract(right).Collect());
        Bag.AssertEqual(["a", "a", "a", null, null, "c"], left.Subtract(right, 4).Collect());
        Bag.AssertEqual(["b", "c"], left.Subtract(Context.Parallelize(new[] { "a", null }, 1)).Collect());
        Bag.AssertEqual(left.Collect(), left.Subtract(Context.Empty<string?>()).Collect());
    }

    [Fact]
    public void Cartesian_gives_all_pairs_in_the_product_of_partitions()
    {
        var left = Context.Parallelize([1, 2, 3], 2);
        var right = Context.Parallelize(["a", "b", "c"], 3);
        var pairs = left.Cartesian(right);
        Assert.Equal(6, pairs.PartitionCount);
        Assert.Equal([(1, "a")], Parts(pairs)[0]);
        Assert.Equal([(2, "c"), (3, "c")], Parts(pairs)[5]);
        Bag.AssertEqual(from l in left.Collect() from r in right.Collect() select (l, r), pairs.Collect());
        Assert.Empty(left.Cartesian(Context.Parallelize<int>([], 2)).Collect());
        Assert.Empty(Context.Parallelize<int>([], 2).Cartesian(left).Collect());
    }

    [Fact]
    public void Cartesian_of_several_chunks_misses_no_pair()
    {
        var left = Context.Range(0, 3000, partitions: 1);
        var right = Context.Range(0, 2500, partitions: 1);
        Assert.Equal(3000L * 2500, left.Cartesian(right).Map(static pair => pair.Left * 2500 + pair.Right).Count());
        var sum = left.Cartesian(right).Map(static pair => pair.Left * 2500 + pair.Right).Sum();
        Assert.Equal((3000L * 2500 - 1) * 3000 * 2500 / 2, sum);
    }

    [Fact]
    public void Zip_pairs_by_position()
    {
        var left = Context.Range(0, 5000, partitions: 3);
        Assert.Equal(Enumerable.Range(0, 5000).Select(i => ((long)i, -i)), left.Zip(left.Map(static i => (int)-i)).Collect());
    }

    [Fact]
    public void Zip_of_uneven_partitions_fails_and_says_which()
    {
        var three = Context.Parallelize([1, 2, 3], 1);
        var two = Context.Parallelize([1, 2], 1);
        Assert.Contains("the second ended after 2 elements", Failure(() => three.Zip(two).Collect()).InnerException!.Message);
        Assert.Contains("the first ended after 2 elements", Failure(() => two.Zip(three).Collect()).InnerException!.Message);
        Assert.Contains("partition 0", Failure(() => two.Zip(three).Count()).InnerException!.Message);
    }

    [Fact]
    public void Zip_of_different_partition_counts_says_both()
    {
        var error = Assert.Throws<InvalidOperationException>(() => Context.Parallelize([1, 2], 2).Zip(Context.Parallelize([1, 2], 1)).Collect());
        Assert.Contains("equally many partitions", error.Message);
        Assert.Contains("has 2", error.Message);
        Assert.Contains("has 1", error.Message);
    }

    [Fact]
    public void ZipPartitions_gives_iterators_side_by_side()
    {
        var a = Context.Parallelize([1, 2, 3, 4], 2);
        var b = Context.Parallelize(["x"], 2);
        var c = Context.Parallelize([0.5, 1.5], 2);
        var d = Context.Parallelize([true, false, true], 2);
        Assert.Equal(["1,2|", "3,4|x"], a.ZipPartitions(b, static (x, y) => new[] { $"{string.Join(",", x)}|{string.Join(",", y)}" }).Collect());
        Assert.Equal(["2 0 1", "2 1 1"], a.ZipPartitions(b, c, static (x, y, z) => new[] { $"{x.Count()} {y.Count()} {z.Count()}" }).Collect());
        Assert.Equal(
            ["2 0 1 1", "2 1 1 2"], a.ZipPartitions(b, c, d, static (x, y, z, w) => new[] { $"{x.Count()} {y.Count()} {z.Count()} {w.Count()}" }).Collect());

        // The shorter one may be left alone.
        Assert.Equal([1, 3, 4], a.ZipPartitions(b, static (x, y) => x.Take(1 + y.Count())).Collect());
    }

    [Fact]
    public void ZipPartitions_makes_an_evaluator_for_each_partition()
    {
        var a = Context.Parallelize([1, 2, 3, 4], 2);
        var b = Context.Parallelize([10, 20, 30, 40], 2);
        Assert.Equal([(0, 11), (0, 22), (1, 33), (1, 44)], a.ZipPartitionsWithEvaluator(b, static () => new Adding()).Collect());
    }

    [Fact]
    public void ZipPartitions_keeps_the_partitioner_if_told_so()
    {
        var left = Sevens(20).PartitionBy(new HashPartitioner<int>(3));
        Assert.Equal(left.Partitioner, left.ZipPartitions(left, static (a, b) => a.Concat(b), keepsPartitioner: true).Partitioner);
        Assert.Null(left.ZipPartitions(left, static (a, b) => a.Concat(b)).Partitioner);
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(1, 1)]
    [InlineData(3, 8)]
    [InlineData(5000, 7)]
    public void ZipWithIndex_counts_in_partition_order(int count, int partitions)
    {
        var rdd = Context.Parallelize(Enumerable.Range(100, count), partitions);
        Assert.Equal(Enumerable.Range(0, count).Select(i => (i + 100, (long)i)), rdd.ZipWithIndex().Collect());
        var filtered = rdd.Filter(static i => i % 3 == 0);
        Assert.Equal(filtered.Collect().Select((item, i) => (item, (long)i)), filtered.ZipWithIndex().Collect());
    }

    [Fact]
    public void ZipWithIndex_of_one_partition_runs_no_job()
    {
        var touched = Context.Counter("touched");
        var rdd = Context.Parallelize([1, 2], 1).Map(i =>
        {
            touched.Add(1);
            return i;
        });
        _ = rdd.ZipWithIndex();
        Assert.Equal(0, touched.Value);
    }

    [Fact]
    public void Element_k_of_partition_i_of_n_gets_the_id_k_times_n_plus_i()
    {
        var touched = Context.Counter("touched");
        var rdd = Context.Parallelize(["a", "b", "c", "d", "e"], 3).Map(word =>
        {
            touched.Add(1);
            return word;
        });
        var numbered = rdd.ZipWithUniqueId();
        Assert.Equal(0, touched.Value);
        Assert.Equal([("a", 0L), ("b", 1L), ("c", 4L), ("d", 2L), ("e", 5L)], numbered.Collect());
    }

    [Fact]
    public void Coalesce_reads_neighbours_together_and_never_makes_more()
    {
        var rdd = Context.Parallelize(Enumerable.Range(0, 10), 5);
        Assert.Equal([[0, 1, 2, 3], [4, 5, 6, 7, 8, 9]], Parts(rdd.Coalesce(2)));
        Assert.Equal([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]], Parts(rdd.Coalesce(1)));
        Assert.Equal(Parts(rdd), Parts(rdd.Coalesce(5)));
        Assert.Equal(Parts(rdd), Parts(rdd.Coalesce(50)));
        Assert.Equal(0, Shuffles(rdd.Coalesce(2)));
        Assert.Throws<ArgumentOutOfRangeException>(() => rdd.Coalesce(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => rdd.Coalesce(-1));
    }

    [Fact]
    public void Coalesce_with_a_shuffle_may_make_more_partitions_and_packs_them_as_told()
    {
        var rdd = Context.Parallelize(Enumerable.Range(0, 20), 2);
        var more = rdd.Coalesce(5, shuffle: true);
        Assert.Equal((5, 1), (more.PartitionCount, Shuffles(more)));
        Bag.AssertEqual(rdd.Collect(), more.Collect());
        Assert.All(Parts(more), part => Assert.InRange(part.Length, 3, 5));
        var packed = rdd.Coalesce(3, static (_, _) => [[2], [0, 1]], shuffle: true);
        Assert.Equal(2, packed.PartitionCount);
        Bag.AssertEqual(rdd.Collect(), packed.Collect());
    }

    [Fact]
    public void Subtract_and_GroupBy_take_a_partitioner()
    {
        var rdd = Context.Parallelize(Enumerable.Range(0, 20), 3);
        var rest = rdd.Subtract(Context.Range(0, 15).Map(static i => (int)i), new HashPartitioner<int>(4));
        Assert.Equal(4, rest.PartitionCount);
        Bag.AssertEqual([15, 16, 17, 18, 19], rest.Collect());
        var placed = new HashPartitioner<int>(2);
        var groups = rdd.GroupBy(static i => i % 3, placed);
        Assert.Equal(placed, groups.Partitioner);
        Bag.AssertEqual([(0, 7), (1, 7), (2, 6)], groups.MapValues(static group => group.Count).Collect());
    }

    [Fact]
    public void A_coalescer_of_ones_own_decides_what_is_read_together()
    {
        var rdd = Context.Parallelize(Enumerable.Range(0, 6), 3);
        Assert.Equal([[4, 5, 0, 1], [2, 3]], Parts(rdd.Coalesce(2, static (_, _) => [[2, 0], [1]])));
        Assert.Contains("left out partition 1", Assert.Throws<InvalidOperationException>(() => rdd.Coalesce(2, static (_, _) => [[0], [2]]).Collect()).Message);
        Assert.Contains("partition 0", Assert.Throws<InvalidOperationException>(() => rdd.Coalesce(2, static (_, _) => [[0, 1], [2, 0]]).Collect()).Message);
        Assert.Contains("partition 3", Assert.Throws<InvalidOperationException>(() => rdd.Coalesce(2, static (_, _) => [[0, 1], [2, 3]]).Collect()).Message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(9)]
    public void Repartition_spreads_elements_evenly_and_in_the_same_way_each_time(int partitions)
    {
        var rdd = Context.Parallelize(Enumerable.Range(0, 3000).Select(i => $"{i}"), 3).Filter(static text => text != "7").Repartition(partitions);
        var parts = Parts(rdd);
        Assert.Equal(partitions, parts.Length);
        Bag.AssertEqual(Enumerable.Range(0, 3000).Where(i => i != 7).Select(i => $"{i}"), parts.SelectMany(part => part));
        Assert.All(parts, part => Assert.InRange(part.Length, 2999 / partitions - 3, 2999 / partitions + 3));
        Assert.Equal(parts, Parts(Context.Parallelize(Enumerable.Range(0, 3000).Select(i => $"{i}"), 3).Filter(static text => text != "7").Repartition(partitions)));
        Assert.Throws<ArgumentOutOfRangeException>(() => rdd.Repartition(0));
    }

    [Fact]
    public void GroupBy_gathers_the_elements_of_each_key_in_order()
    {
        var groups = Context.Parallelize(Enumerable.Range(0, 30), 4).GroupBy(static i => i % 4, 3);
        Assert.Equal(3, groups.PartitionCount);
        Bag.AssertEqual(
            Enumerable.Range(0, 30).GroupBy(i => i % 4).Select(group => (group.Key, Show(group))),
            groups.Collect().Select(pair => (pair.Key, Show(pair.Value))));
    }

    private sealed class Adding : IZippedEvaluator<int, int, (int, int)>
    {
        public IEnumerable<(int, int)> Evaluate(int partition, IEnumerable<int> first, IEnumerable<int> second) =>
            first.Zip(second, (a, b) => (partition, a + b));
    }
}
