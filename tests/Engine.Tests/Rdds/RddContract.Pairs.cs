namespace Dataflow.Engine.Tests.Rdds;

// Verbs and actions that combine the values of each key.
public abstract partial class RddContract
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(20)]
    public void ReduceByKey_merges_the_values_of_each_key(int partitions)
    {
        var expected = Enumerable.Range(0, 50).GroupBy(i => i % 7).Select(group => (group.Key, group.Sum()));
        var reduced = Sevens().ReduceByKey(static (a, b) => a + b, partitions);
        Bag.AssertEqual(expected, reduced.Collect());
        Assert.Equal(partitions == 0 ? 4 : partitions, reduced.PartitionCount);
    }

    [Fact]
    public void Equal_keys_meet_however_they_are_written()
    {
        (double, int)[] doubles = [(0.0, 1), (-0.0, 2), (double.NaN, 4), (-double.NaN, 8), (1, 16)];
        Bag.AssertEqual([(0.0, 3), (double.NaN, 12), (1, 16)], Context.Parallelize(doubles, 3).ReduceByKey(static (a, b) => a + b).Collect());

        (decimal, int)[] decimals = [(1.0m, 1), (1.00m, 2), (2m, 4)];
        Bag.AssertEqual([(1m, 3), (2m, 4)], Context.Parallelize(decimals, 3).ReduceByKey(static (a, b) => a + b).Collect());

        (string?, int)[] texts = [(null, 1), ("", 2), (null, 4), ("a", 8)];
        Bag.AssertEqual([(null, 5), ("", 2), ("a", 8)], Context.Parallelize(texts, 3).ReduceByKey(static (a, b) => a + b).Collect());

        (int?, int)[] optional = [(null, 1), (0, 2), (null, 4), (0, 8)];
        Bag.AssertEqual([(null, 5), (0, 10)], Context.Parallelize(optional, 3).ReduceByKey(static (a, b) => a + b).Collect());

        (Point?, int)[] records = [(new(1, "a"), 1), (new(1, "a"), 2), (null, 4), (new(1, null), 8), (null, 16)];
        Bag.AssertEqual([(new Point(1, "a"), 3), (null, 20), (new Point(1, null), 8)], Context.Parallelize(records, 3).ReduceByKey(static (a, b) => a + b).Collect());

        ((int, string?), int)[] tuples = [((1, "a"), 1), ((1, "a"), 2), ((1, null), 4)];
        Bag.AssertEqual([((1, "a"), 3), ((1, null), 4)], Context.Parallelize(tuples, 3).ReduceByKey(static (a, b) => a + b).Collect());
    }

    [Fact]
    public void Null_values_are_values() =>
        Bag.AssertEqual(
            [(1, "null a null"), (2, "null")],
            Context.Parallelize(new (int Key, string? Value)[] { (1, null), (2, null), (1, "a"), (1, null) }, 1)
                .GroupByKey().MapValues(static values => string.Join(" ", values.Select(value => value ?? "null"))).Collect());

    [Fact]
    public void Values_merge_in_partition_order_so_the_digits_are_the_same_every_run()
    {
        var random = new Random(5);
        var numbers = Enumerable.Range(0, 2000).Select(i => (Key: i % 3, Value: random.NextDouble() * Math.Pow(10, random.Next(-8, 8)))).ToArray();
        var first = Context.Parallelize(numbers, 7).ReduceByKey(static (a, b) => a + b, 2).Collect();
        for (var run = 0; run < 3; run++)
            Assert.Equal(first, Context.Parallelize(numbers, 7).ReduceByKey(static (a, b) => a + b, 2).Collect());
        Assert.Equal("abcdefghij", Context.Parallelize("abcdefghij".Select(c => (0, $"{c}")), 4).ReduceByKey(static (a, b) => a + b).Values().First());
    }

    [Fact]
    public void FoldByKey_starts_from_zero()
    {
        Bag.AssertEqual(
            Enumerable.Range(0, 50).GroupBy(i => i % 7).Select(group => (group.Key, group.Max())),
            Sevens().FoldByKey(int.MinValue, static (a, b) => Math.Max(a, b)).Collect());
        Assert.Equal(3, Sevens().FoldByKey(0, static (a, b) => a + b, 3).PartitionCount);
        Assert.Equal(new Ends(2), Sevens().FoldByKey(0, static (a, b) => a + b, new Ends(2)).Partitioner);
    }

    [Fact]
    public void AggregateByKey_copies_a_mutable_seed_for_each_key()
    {
        var seed = new List<int>();
        var lists = Sevens().AggregateByKey(
            seed,
            static (list, value) =>
            {
                list.Add(value);
                return list;
            },
            static (a, b) =>
            {
                a.AddRange(b);
                return a;
            });
        var expected = Enumerable.Range(0, 50).GroupBy(i => i % 7).Select(group => (group.Key, Show(group))).ToArray();

        // Merging in place must not show in what a second job reads of the same shuffle.
        for (var run = 0; run < 3; run++)
            Bag.AssertEqual(expected, lists.Collect().Select(pair => (pair.Key, Show(pair.Value))));
        Assert.Empty(seed);
        Assert.Equal(new Ends(2), Sevens().AggregateByKey(0L, static (a, b) => a + b, static (a, b) => a + b, new Ends(2)).Partitioner);
    }

    [Fact]
    public void Accumulators_merged_in_place_are_right_however_many_verbs_read_them()
    {
        var lists = Sevens().CombineByKey(
            static value => new List<int> { value },
            static (list, value) =>
            {
                list.Add(value);
                return list;
            },
            static (a, b) =>
            {
                a.AddRange(b);
                return a;
            },
            mapSideCombine: false);
        Assert.Equal(50, lists.Map(static pair => pair.Value.Count).Sum());
        Assert.Equal(50, lists.Filter(static _ => true).Map(static pair => pair.Value.Count).Sum());
        Assert.Equal(100, lists.Union(lists).Map(static pair => pair.Value.Count).Sum());
        Assert.Equal(8 * 8 + 6 * 7 * 7, lists.Join(lists.FlatMapValues(static list => list)).Map(static pair => pair.Value.Left.Count).Sum());
    }

    [Fact]
    public void A_task_that_is_tried_again_does_not_see_what_its_first_attempt_merged()
    {
        var lists = Sevens().AggregateByKey(new List<int>(), static (list, value) => Added(list, [value]), static (a, b) => Added(a, b));
        var texts = lists.MapPartitions(static items =>
        {
            var all = items.Select(pair => (pair.Key, Show(pair.Value))).ToArray();
            return Tasks.TaskContext.Current!.Attempt == 0 ? throw new TimeoutException("read, merged, and then lost") : all;
        });
        Bag.AssertEqual(Enumerable.Range(0, 50).GroupBy(i => i % 7).Select(group => (group.Key, Show(group))), texts.Collect());

        var tree = Sevens(100, 30).TreeAggregate(
            new List<int>(),
            static (list, pair) => Added(list, [pair.Value]),
            static (a, b) =>
            {
                Added(a, b);
                return Tasks.TaskContext.Current is { Attempt: 0 } && a.Count > 12 ? throw new TimeoutException("half merged") : a;
            },
            depth: 3);
        Assert.Equal(Enumerable.Range(0, 100), tree);

        static List<int> Added(List<int> list, IEnumerable<int> values)
        {
            list.AddRange(values);
            return list;
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void CombineByKey_creates_merges_and_combines(bool mapSideCombine)
    {
        var means = Sevens().CombineByKey(
            static value => (Sum: (long)value, Count: 1),
            static (a, value) => (a.Sum + value, a.Count + 1),
            static (a, b) => (a.Sum + b.Sum, a.Count + b.Count),
            new HashPartitioner<int>(2),
            mapSideCombine);
        Bag.AssertEqual(Enumerable.Range(0, 50).GroupBy(i => i % 7).Select(group => (group.Key, (group.Sum(i => (long)i), group.Count()))), means.Collect());
        Assert.Equal(new HashPartitioner<int>(2), means.Partitioner);
    }

    [Fact]
    public void GroupByKey_gathers_values_in_the_order_of_the_input()
    {
        Bag.AssertEqual(
            Enumerable.Range(0, 50).GroupBy(i => i % 7).Select(group => (group.Key, Show(group))),
            Sevens().GroupByKey(5).Collect().Select(pair => (pair.Key, Show(pair.Value))));
        Assert.Equal(5, Sevens().GroupByKey(5).PartitionCount);
        Assert.Equal(new Ends(2), Sevens().GroupByKey(new Ends(2)).Partitioner);
    }

    [Fact]
    public void Groups_can_be_shuffled_sorted_and_kept()
    {
        var groups = Sevens().GroupByKey(3);
        var expected = Enumerable.Range(0, 50).GroupBy(i => i % 7).Select(group => (group.Key, Show(group))).ToArray();
        Bag.AssertEqual(expected, groups.Repartition(2).Collect().Select(pair => (pair.Key, Show(pair.Value))));
        Assert.Equal(expected, groups.SortByKey().Collect().Select(pair => (pair.Key, Show(pair.Value))));
        Bag.AssertEqual(expected, groups.Persist(StorageLevel.MemoryAndDiskSerialized).Collect().Select(pair => (pair.Key, Show(pair.Value))));
        Bag.AssertEqual(expected, groups.Collect().Select(pair => (pair.Key, Show(pair.Value))));
    }

    [Fact]
    public void Many_keys_of_few_values_and_few_keys_of_many_are_all_found()
    {
        var unique = Context.Range(0, 20_000, partitions: 3).Map(static i => (Key: i * 7919 % 20_011, Value: 1));
        Assert.Equal(20_000, unique.ReduceByKey(static (a, b) => a + b, 4).Map(static pair => pair.Value == 1 ? 1 : 1000).Sum());
        var one = Context.Range(0, 20_000, partitions: 3).Map(static i => (Key: "all", Value: i));
        Assert.Equal([("all", 19_999L * 10_000)], one.ReduceByKey(static (a, b) => a + b, 4).Collect());
        Assert.Equal(20_000, one.GroupByKey(2).Collect().Single().Value.Count);
    }

    [Fact]
    public void Combining_of_more_keys_than_a_table_takes_is_right()
    {
        // More distinct keys in a map task than its table holds, and more than half of them unique: combining turns itself off.
        const int count = 150_000;
        var reduced = Context.Range(0, count, partitions: 1).Map(static i => (Key: (int)(i * 7919 % 100_003), Value: 1L)).ReduceByKey(static (a, b) => a + b, 2);
        var expected = Enumerable.Range(0, count).GroupBy(i => (int)(i * 7919L % 100_003)).ToDictionary(group => group.Key, group => (long)group.Count());
        var actual = reduced.Collect();
        Assert.Equal(expected.Count, actual.Length);
        Assert.All(actual, pair => Assert.Equal(expected[pair.Key], pair.Value));
    }

    [Fact]
    public void CountByKey_and_CountByValue_count()
    {
        Bag.AssertEqual(Enumerable.Range(0, 50).GroupBy(i => i % 7).Select(group => (group.Key, (long)group.Count())), Sevens().CountByKey().Select(pair => (pair.Key, pair.Value)));
        Bag.AssertEqual(Enumerable.Range(0, 50).GroupBy(i => i % 7).Select(group => (group.Key, (long)group.Count())), Sevens().Keys().CountByValue().Select(pair => (pair.Key, pair.Value)));
        var zeros = Context.Parallelize([0.0, -0.0, double.NaN, double.NaN], 2).CountByValue();
        Assert.Equal(2, zeros[0.0]);
        Assert.Equal(2, zeros[double.NaN]);
    }

    [Fact]
    public void Of_duplicate_keys_CollectAsMap_keeps_the_last()
    {
        var map = Context.Parallelize([(1, "a"), (2, "b"), (1, "c"), (1, "d"), (3, "e")], 3).CollectAsMap();
        Assert.Equal(3, map.Count);
        Assert.Equal("d", map[1]);
    }

    [Fact]
    public void ReduceByKeyLocally_brings_one_value_a_key()
    {
        var sums = Sevens().ReduceByKeyLocally(static (a, b) => a + b);
        Assert.Equal(7, sums.Count);
        Assert.Equal(Enumerable.Range(0, 50).Where(i => i % 7 == 3).Sum(), sums[3]);
    }

    [Fact]
    public void A_null_key_can_not_be_in_a_dictionary_and_the_error_says_so()
    {
        var rdd = Context.Parallelize(new (string? Key, int Value)[] { ("a", 1), (null, 2) }, 2);
        Assert.Contains("null", Assert.Throws<InvalidOperationException>(() => rdd.CollectAsMap()).Message);
        Assert.Contains("null", Assert.Throws<InvalidOperationException>(() => rdd.CountByKey()).Message);
        Assert.Contains("null", Assert.Throws<InvalidOperationException>(() => rdd.ReduceByKeyLocally(static (a, b) => a + b)).Message);
        Assert.Contains("null", Assert.Throws<InvalidOperationException>(() => rdd.Keys().CountByValue()).Message);
        Assert.Contains("null", Assert.Throws<InvalidOperationException>(() => rdd.Keys().CountByValueApprox(TimeSpan.FromSeconds(30))).Message);
    }

    [Fact]
    public void Lookup_finds_all_values_of_a_key_in_order()
    {
        var pairs = Sevens();
        Assert.Equal(Enumerable.Range(0, 50).Where(i => i % 7 == 3), pairs.Lookup(3));
        Assert.Empty(pairs.Lookup(8));
        var nulls = Context.Parallelize(new (string? Key, int Value)[] { ("a", 1), (null, 2), (null, 3) }, 2);
        Assert.Equal([2, 3], nulls.Lookup(null));
        Assert.Equal([2, 3], nulls.PartitionBy(new HashPartitioner<string?>(3)).Lookup(null));
    }

    [Fact]
    public void Lookup_reads_one_partition_if_it_knows_which()
    {
        var computed = Context.Counter("computed");
        var placed = Sevens().PartitionBy(new HashPartitioner<int>(5)).MapPartitions(
            items =>
            {
                computed.Add(1);
                return items;
            },
            keepsPartitioner: true);
        Assert.Equal(Enumerable.Range(0, 50).Where(i => i % 7 == 3), placed.Lookup(3));
        Assert.Equal(1, computed.Value);

        Assert.Equal(Enumerable.Range(0, 50).Where(i => i % 7 == 3), placed.MapValues(static value => value).Filter(static _ => true).Lookup(3));
        Assert.Equal(2, computed.Value);

        Assert.Equal(8, placed.Map(static pair => pair).Lookup(0).Count);
        Assert.Equal(7, computed.Value);

        var sorted = Sevens().SortByKey(partitions: 4).MapPartitions(
            items =>
            {
                computed.Add(1);
                return items;
            },
            keepsPartitioner: true);
        Assert.Equal(8, sorted.Lookup(0).Count);
        Assert.Equal(8, computed.Value);
    }

    [Fact]
    public void SampleByKey_takes_a_share_of_each_key()
    {
        var pairs = Context.Range(0, 30_000, partitions: 3).Map(static i => (Key: (int)(i % 3), Value: i));
        var sample = pairs.SampleByKey(false, new Dictionary<int, double> { [0] = 0.1, [1] = 1 }, 5);
        var counts = sample.CountByKey();
        Assert.InRange(counts[0], 800, 1200);
        Assert.Equal(10_000, counts[1]);
        Assert.False(counts.ContainsKey(2));
        Assert.Equal(sample.Collect(), pairs.SampleByKey(false, new Dictionary<int, double> { [0] = 0.1, [1] = 1 }, 5).Collect());
        Assert.InRange(pairs.SampleByKey(true, new Dictionary<int, double> { [0] = 2 }, 5).Count(), 19_000, 21_000);
        Assert.Throws<ArgumentOutOfRangeException>(() => pairs.SampleByKey(false, new Dictionary<int, double> { [0] = 1.5 }, 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => pairs.SampleByKey(true, new Dictionary<int, double> { [0] = -1 }, 5));
        Assert.Throws<ArgumentNullException>(() => pairs.SampleByKey(true, null!, 5));
    }

    [Fact]
    public void SampleByKeyExact_takes_the_exact_share_rounded_up()
    {
        var pairs = Context.Range(0, 300, partitions: 4).Map(static i => (Key: i % 10 == 0 ? "few" : "many", Value: i));
        var fractions = new Dictionary<string, double> { ["few"] = 0.25, ["many"] = 0.1 };
        var sample = pairs.SampleByKeyExact(false, fractions, 9).Collect();
        Assert.Equal(8, sample.Count(pair => pair.Key == "few"));
        Assert.Equal(27, sample.Count(pair => pair.Key == "many"));
        Assert.Equal(35, sample.Distinct().Count());
        Bag.AssertEqual(sample, pairs.SampleByKeyExact(false, fractions, 9).Collect());
        Assert.Throws<ArgumentOutOfRangeException>(() => pairs.SampleByKeyExact(false, new Dictionary<string, double> { ["few"] = 1.5 }, 9));
    }

    [Fact]
    public void SampleByKeyExact_with_replacement_may_pick_more_than_there_are()
    {
        var pairs = Context.Range(0, 40, partitions: 3).Map(static i => (Key: (string?)(i % 2 == 0 ? "even" : "odd"), Value: i));
        var sample = pairs.SampleByKeyExact(true, Fractions(("even", 3.01), ("odd", 0)), 4).Collect();
        Assert.Equal(61, sample.Length);
        Assert.All(sample, pair => Assert.Equal("even", pair.Key));
        Assert.InRange(sample.Distinct().Count(), 10, 20);
        Bag.AssertEqual(sample, pairs.SampleByKeyExact(true, Fractions(("even", 3.01), ("odd", 0)), 4).Collect());
        Assert.Throws<ArgumentOutOfRangeException>(() => pairs.SampleByKeyExact(true, Fractions(("odd", -1))));
    }

    [Fact]
    public void CombineByKey_takes_a_number_of_partitions()
    {
        var combined = Sevens().CombineByKey(static value => $"{value}", static (text, value) => $"{text} {value}", static (a, b) => $"{a} {b}", 3);
        Assert.Equal(3, combined.PartitionCount);
        Bag.AssertEqual(
            Enumerable.Range(0, 50).GroupBy(i => i % 7).Select(group => (group.Key, string.Join(' ', group))), combined.Collect());
    }

    [Fact]
    public void SampleByKeyExact_meets_keys_that_are_null_or_left_out()
    {
        var pairs = Context.Parallelize(new (string? Key, int Value)[] { ("a", 1), (null, 2), ("b", 3), ("a", 4) }, 2);
        Bag.AssertEqual([("a", 1), ("a", 4)], pairs.SampleByKeyExact(false, Fractions(("a", 1)), 1).Collect());
        Bag.AssertEqual([("a", 1), ("a", 4)], pairs.SampleByKey(false, Fractions(("a", 1)), 1).Collect());
    }

    [Fact]
    public void Keys_that_would_not_meet_in_another_process_are_refused_when_the_plan_is_built()
    {
        var arrays = Context.Parallelize([(Key: new[] { 1 }, Value: 1)], 1);
        Assert.Throws<KeyException>(() => arrays.ReduceByKey(static (a, b) => a + b));
        Assert.Throws<KeyException>(() => arrays.GroupByKey());
        Assert.Throws<KeyException>(() => arrays.Join(arrays));
        Assert.Throws<KeyException>(() => arrays.CoGroup(arrays));
        Assert.Throws<KeyException>(() => arrays.SubtractByKey(arrays));
        Assert.Throws<KeyException>(() => arrays.CountApproxDistinctByKey());
        Assert.Throws<KeyException>(() => arrays.Keys().Distinct());
        Assert.Throws<KeyException>(() => arrays.Keys().Intersection(arrays.Keys()));
        Assert.Throws<KeyException>(() => arrays.Keys().Subtract(arrays.Keys()));
        Assert.Throws<KeyException>(() => arrays.Keys().CountByValue());
        Assert.Throws<KeyException>(() => arrays.Keys().CountApproxDistinct());
        Assert.Throws<KeyException>(() => arrays.CountByKey());
        Assert.Throws<KeyException>(() => new HashPartitioner<int[]>(2));

        // A placement of one's own does not help where equal keys must be found.
        var placement = new ByLength();
        Assert.Throws<KeyException>(() => arrays.ReduceByKey(static (a, b) => a + b, placement));
        Assert.Throws<KeyException>(() => arrays.GroupByKey(placement));
        Assert.Throws<KeyException>(() => arrays.Join(arrays, placement));

        // Moving pairs about needs no equality.
        Assert.Equal([1], arrays.PartitionBy(placement).Values().Collect());
        Assert.Equal([1], arrays.RepartitionAndSortWithinPartitions(placement, comparer: Comparer<int[]>.Create((a, b) => a.Length - b.Length)).Values().Collect());
    }

#pragma warning disable CS8714 // A key that may be null in the Rdd is not null in the dictionary.
    private static Dictionary<string?, double> Fractions(params (string Key, double Fraction)[] fractions) =>
        new(fractions.Select(pair => KeyValuePair.Create<string?, double>(pair.Key, pair.Fraction)));
#pragma warning restore CS8714

    public sealed record Point(int X, string? Y);

    private sealed class ByLength : Partitioner<int[]>
    {
        public override int PartitionCount => 3;

        public override int PartitionOf(int[] key) => key.Length % 3;

        public override bool Equals(object? obj) => obj is ByLength;

        public override int GetHashCode() => 3;
    }

    /// <summary>Even keys at one end, odd ones at the other.</summary>
    protected sealed class Ends(int partitions) : Partitioner<int>
    {
        public override int PartitionCount { get; } = partitions;

        public override int PartitionOf(int key) => key % 2 == 0 ? 0 : PartitionCount - 1;

        public override bool Equals(object? obj) => obj is Ends other && other.PartitionCount == PartitionCount;

        public override int GetHashCode() => PartitionCount;
    }

    [Fact]
    public void A_loop_of_unions_and_wide_verbs_keeps_its_number_of_partitions()
    {
        var labels = Context.Parallelize([(1, 1), (2, 2), (3, 3)], 3);
        var most = Math.Max(3, Context.DefaultParallelism);
        for (var round = 0; round < 6; round++)
        {
            labels = labels.Union(labels.MapValues(value => value + 1)).ReduceByKey(Math.Min);
            Assert.InRange(labels.PartitionCount, 1, most);
        }
        Assert.Equal([(1, 1), (2, 2), (3, 3)], labels.Collect().Order());

        // Many small inputs still keep all slots busy, and a number that is named holds.
        var small = Enumerable.Range(0, 50).Select(i => Context.Parallelize([(i, 1)], 1)).ToArray();
        Assert.Equal(Context.DefaultParallelism, Context.Union(small).ReduceByKey((a, b) => a + b).PartitionCount);
        Assert.Equal(7, Context.Union(small).ReduceByKey((a, b) => a + b, partitions: 7).PartitionCount);
    }
}
