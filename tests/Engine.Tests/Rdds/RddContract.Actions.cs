namespace Dataflow.Engine.Tests.Rdds;

// Actions that bring elements, or something made of them, to the driver.
public abstract partial class RddContract
{
    [Fact]
    public void Collect_keeps_partition_order()
    {
        Assert.Equal(Enumerable.Range(0, 10_000), Context.Parallelize(Enumerable.Range(0, 10_000), 7).Collect());
        Assert.Equal([4, 16, 36], Context.Parallelize([1, 2, 3, 4, 5, 6], 3).Collect(static i => i % 2 == 0, static i => i * i));
    }

    [Fact]
    public void What_Collect_gave_is_the_callers_own()
    {
        int[] items = [1, 2, 3];
        var rdd = Context.Parallelize(items, 1);
        rdd.Collect()[0] = 9;
        Assert.Equal([1, 2, 3], rdd.Collect());
        rdd.Cache();
        rdd.Collect()[0] = 9;
        rdd.Collect()[0] = 9;
        Assert.Equal([1, 2, 3], rdd.Collect());
        rdd.Glom().Collect()[0][0] = 9;
        Assert.Equal([1, 2, 3], rdd.Collect());
        var sorted = Context.Parallelize(["b", "a"], 1).SortBy(static text => text);
        sorted.Collect()[0] = "z";
        Assert.Equal(["a", "b"], sorted.Collect());
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(11)]
    [InlineData(99)]
    [InlineData(100)]
    [InlineData(int.MaxValue)]
    public void Take_gives_the_first_elements_in_partition_order(int count)
    {
        Assert.Equal(Enumerable.Range(0, 100).Take(count), Context.Parallelize(Enumerable.Range(0, 100), 10).Take(count));
        Assert.Equal(Enumerable.Range(50, 50).Take(count), Context.Parallelize(Enumerable.Range(0, 100), 10).Filter(static i => i >= 50).Take(count));
        Assert.Equal(Enumerable.Range(0, 3).Take(count), Context.Parallelize(Enumerable.Range(0, 3), 20).Take(count));
    }

    [Fact]
    public void Take_reads_one_partition_and_then_four_times_as_many_each_time()
    {
        var computed = Context.Counter("computed");
        var rdd = Context.Parallelize(Enumerable.Range(0, 200), 100).MapPartitions(items =>
        {
            computed.Add(1);
            return items;
        });
        Assert.Equal([0, 1], rdd.Take(2));
        Assert.Equal(1, computed.Value);
        computed.Reset();
        Assert.Equal(3, rdd.Take(3).Length);
        Assert.Equal(1 + 4, computed.Value);
        computed.Reset();
        Assert.Equal(40, rdd.Take(40).Length);
        Assert.Equal(1 + 4 + 16, computed.Value);
        computed.Reset();
        Assert.Equal(0, rdd.First());
        Assert.False(rdd.IsEmpty());
        Assert.Equal(2, computed.Value);
    }

    [Fact]
    public void First_and_IsEmpty_look_past_empty_partitions()
    {
        var rdd = Context.Parallelize([7], 30);
        Assert.Equal(7, rdd.First());
        Assert.False(rdd.IsEmpty());
        Assert.True(rdd.Filter(static i => i > 7).IsEmpty());
        Assert.Null(Context.Parallelize<string?>([null, "a"], 1).First());
    }

    [Fact]
    public void Count_counts() => Assert.Equal(12_345, Context.Range(0, 12_345, partitions: 6).Count());

    [Fact]
    public void Reduce_merges_in_partition_order()
    {
        Assert.Equal("abcdefg", Context.Parallelize("abcdefg".Select(c => $"{c}"), 4).Reduce(static (a, b) => a + b));
        Assert.Equal("x", Context.Parallelize(["x"], 4).Reduce(static (a, b) => a + b));
        Assert.Equal(499_500, Context.Range(0, 1000, partitions: 3).Reduce(static (a, b) => a + b));
        Assert.Null(Context.Parallelize<string?>([null, null], 2).Reduce(static (a, _) => a));
    }

    [Fact]
    public void Fold_uses_zero_for_each_partition_and_once_more_for_the_merge()
    {
        Assert.Equal("|" + "|ab" + "|cd" + "|", Context.Parallelize("abcd".Select(c => $"{c}"), 2).Union(Context.Parallelize<string>([], 1)).Fold("|", static (a, b) => a + b));
        Assert.Equal(6, Context.Parallelize([1, 2, 3], 2).Fold(0, static (a, b) => a + b));
    }

    [Fact]
    public void Aggregate_copies_a_mutable_seed_for_each_partition()
    {
        var seed = new List<int>();
        var list = Context.Parallelize(Enumerable.Range(0, 100), 6).Aggregate(
            seed,
            static (list, i) =>
            {
                list.Add(i);
                return list;
            },
            static (a, b) =>
            {
                a.AddRange(b);
                return a;
            });
        Assert.Equal(Enumerable.Range(0, 100), list);
        Assert.Empty(seed);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 40)]
    [InlineData(2, 3)]
    [InlineData(2, 40)]
    [InlineData(3, 40)]
    [InlineData(9, 40)]
    public void Tree_actions_merge_in_partition_order_at_any_depth(int depth, int partitions)
    {
        var letters = Context.Parallelize(Enumerable.Range(0, 60).Select(i => $"{(char)('A' + i)}"), partitions);
        var all = string.Concat(Enumerable.Range(0, 60).Select(i => (char)('A' + i)));
        Assert.Equal(all, letters.TreeReduce(static (a, b) => a + b, depth));
        Assert.Equal(all, letters.TreeAggregate("", static (a, b) => a + b, static (a, b) => a + b, depth));
        Assert.Equal(all, letters.TreeAggregate("", static (a, b) => a + b, static (a, b) => a + b, depth, finalOnExecutor: true));
        Assert.Equal(
            Enumerable.Range(0, 60).Select(i => $"{(char)('A' + i)}"),
            letters.TreeAggregate(
                new List<string>(),
                static (list, letter) =>
                {
                    list.Add(letter);
                    return list;
                },
                static (a, b) =>
                {
                    a.AddRange(b);
                    return a;
                },
                depth));
        Assert.Throws<ArgumentOutOfRangeException>(() => letters.TreeReduce(static (a, b) => a + b, 0));
    }

    [Fact]
    public void Tree_actions_skip_empty_partitions()
    {
        var few = Context.Parallelize([3, 4], 50);
        Assert.Equal(7, few.TreeReduce(static (a, b) => a + b, 3));
        Assert.Equal(7, few.TreeAggregate(0, static (a, b) => a + b, static (a, b) => a + b, 3));
        Assert.Equal(0, Context.Parallelize<int>([], 50).TreeAggregate(0, static (a, b) => a + b, static (a, b) => a + b));
    }

    [Fact]
    public void ForEach_and_ForEachPartition_run_on_every_element_and_partition()
    {
        var sum = Context.Counter("sum");
        var partitions = Context.Counter("partitions");
        var rdd = Context.Parallelize(Enumerable.Range(0, 100), 7).Filter(static i => i >= 50);
        rdd.ForEach(i => sum.Add(i));
        Assert.Equal(Enumerable.Range(50, 50).Sum(), sum.Value);
        rdd.ForEachPartition(items =>
        {
            partitions.Add(1);
            sum.Add(-items.Sum());
        });
        Assert.Equal(7, partitions.Value);
        Assert.Equal(0, sum.Value);
    }

    [Fact]
    public async Task ToEnumerable_brings_one_partition_after_the_other()
    {
        var computed = Context.Counter("computed");
        var rdd = Context.Parallelize(Enumerable.Range(0, 100), 10).MapPartitions(items =>
        {
            computed.Add(1);
            return items;
        });
        Assert.Equal(Enumerable.Range(0, 100), rdd.ToEnumerable());
        Assert.Equal(10, computed.Value);
        computed.Reset();
        Assert.Equal(Enumerable.Range(0, 15), rdd.ToEnumerable().Take(15));
        Assert.InRange(computed.Value, 2, 3);

        var items = new List<int>();
        await foreach (var item in rdd.ToAsyncEnumerable()) items.Add(item);
        Assert.Equal(Enumerable.Range(0, 100), items);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(999)]
    [InlineData(1000)]
    [InlineData(5000)]
    public void TakeSample_has_the_exact_size(int count)
    {
        var rdd = Context.Range(0, 1000, partitions: 4);
        var sample = rdd.TakeSample(false, count, 5);
        Assert.Equal(Math.Min(count, 1000), sample.Length);
        Assert.Equal(sample.Length, sample.Distinct().Count());
        Assert.All(sample, item => Assert.InRange(item, 0, 999));
        Assert.Equal(sample, rdd.TakeSample(false, count, 5));
        var replaced = rdd.TakeSample(true, count, 5);
        Assert.Equal(count, replaced.Length);
        Assert.Equal(replaced, rdd.TakeSample(true, count, 5));
        if (count >= 999) Assert.NotEqual(replaced.Length, replaced.Distinct().Count());
        Assert.Throws<ArgumentOutOfRangeException>(() => rdd.TakeSample(false, -1, 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => rdd.TakeSample(true, int.MaxValue - 10, 5));
    }

    [Fact]
    public void TakeSample_takes_every_element_with_the_same_chance()
    {
        // 300 samples of 5 of 20: each element 75 times, give or take six deviations.
        var rdd = Context.Range(0, 20, partitions: 3);
        var counts = new int[20];
        for (var seed = 0; seed < 300; seed++)
        {
            foreach (var item in rdd.TakeSample(false, 5, seed)) counts[item]++;
        }
        Assert.All(counts, count => Assert.InRange(count, 75 - 45, 75 + 45));
    }

    [Fact]
    public void A_second_action_gives_the_same_and_skips_written_shuffles()
    {
        var mapped = Context.Counter("mapped");
        var reduced = Sevens().Map(pair =>
        {
            mapped.Add(1);
            return pair;
        }).ReduceByKey(static (a, b) => a + b, 3);
        var first = reduced.Collect();
        Assert.Equal(first, reduced.Collect());
        Assert.Equal(first, reduced.MapValues(static value => value).Collect());
        Assert.Equal(50, mapped.Value);
    }

    [Fact]
    public void A_kept_Rdd_is_computed_once()
    {
        foreach (var level in new[]
        {
            StorageLevel.MemoryOnly, StorageLevel.MemoryAndDisk, StorageLevel.MemoryAndDiskSerialized, StorageLevel.DiskOnly, StorageLevel.OffHeap,
        })
        {
            var computed = Context.Counter("computed");
            var rdd = Context.Parallelize(Enumerable.Range(0, 100).Select(i => $"{i}"), 3).Map(text =>
            {
                computed.Add(1);
                return text + "!";
            }).Persist(level);
            for (var run = 0; run < 3; run++) Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{i}!"), rdd.Collect());
            Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{i}!?"), rdd.Map(static text => text + "?").Collect());
            if (level.UseDisk) Assert.Equal(100, computed.Value);
            else Assert.InRange(computed.Value, 100, 400);
            Assert.Throws<InvalidOperationException>(() => rdd.Persist(level == StorageLevel.DiskOnly ? StorageLevel.MemoryOnly : StorageLevel.DiskOnly));
        }
    }

    [Fact]
    public void The_lineage_prints_names_places_and_shuffles()
    {
        var text = Sevens().SetName("sevens").Filter(static _ => true).ReduceByKey(static (a, b) => a + b, 3).Cache().SortByKey(partitions: 2).ToDebugString();
        Assert.Contains("sevens", text);
        Assert.Contains("ReduceByKey at RddContract.Actions.cs", text);
        Assert.Contains("SortByKey at", text);
        Assert.Contains("(2)", text);
        Assert.Contains("(3)", text);
        Assert.Equal(5, text.TrimEnd().Split('\n').Length);
    }
}
