namespace Dataflow.Engine.Tests.Rdds;

// Verbs that stay within a partition.
public abstract partial class RddContract
{
    [Fact]
    public void Map_filter_and_flatMap_keep_partitions_and_order()
    {
        var rdd = Context.Parallelize(Enumerable.Range(0, 20), 4)
            .Map(static i => i * 3).Filter(static i => i % 2 == 0).FlatMap(static i => Enumerable.Repeat(i, i % 4));
        var expected = Parts(Context.Parallelize(Enumerable.Range(0, 20), 4))
            .Select(part => part.Select(i => i * 3).Where(i => i % 2 == 0).SelectMany(i => Enumerable.Repeat(i, i % 4)).ToArray());
        Assert.Equal(expected, Parts(rdd));
    }

    [Fact]
    public void Filter_leaves_partitions_that_become_empty() =>
        Assert.Equal([[], [5], []], Parts(Context.Parallelize(Enumerable.Range(0, 9), 3).Filter(static i => i == 5)));

    [Fact]
    public void Null_elements_pass_through()
    {
        string?[] words = ["a", null, "", null, "b"];
        var rdd = Context.Parallelize(words, 2);
        Assert.Equal(words, rdd.Map(static word => word).Collect());
        Assert.Equal(new string?[] { null, null }, rdd.Filter(static word => word is null).Collect());
        Assert.Equal(words.Concat(words), rdd.Union(rdd).Collect());
        Bag.AssertEqual(words, rdd.Repartition(3).Collect());
        Assert.Equal([0, 1, 2, 3, 4], rdd.ZipWithIndex().Collect().Select(pair => (int)pair.Index));
    }

    [Fact]
    public void LINQ_names_and_query_syntax_mean_the_same()
    {
        var words = Context.Parallelize(["to be", "", "or not"], 2);
        var query = from line in words
                    where line != ""
                    from word in line.Split(' ')
                    select word.Length;
        Assert.Equal([2, 2, 2, 3], query.Collect());
        Assert.Equal(["to be!", "!", "or not!", "to be!", "!", "or not!"], words.Concat(words).Select(static line => line + "!").Collect());
        Assert.Equal(["t", "o"], words.SelectMany(static line => line.Split(' ')).Where(static word => word is "to" or "or").Select(static word => word[..1]).Collect());
    }

    [Fact]
    public void A_query_may_group_a_part_of_what_it_reads()
    {
        var query = from line in Context.Parallelize(["to be", "or", "not to be"], 2)
                    let words = line.Split(' ')
                    from word in words
                    group line.Length by word into lengths
                    select (lengths.Key, Sum: lengths.Value.Sum());
        Bag.AssertEqual([("to", 14), ("be", 14), ("or", 2), ("not", 9)], query.Collect());

        var written = 0;
        Assert.Throws<ClosureException>(() => Context.Range(0, 9).GroupBy(static i => i % 2, i => written += (int)i));
        Assert.Equal(0, written);
    }

    [Fact]
    public void MapPartitions_runs_once_for_each_partition_also_for_empty_ones()
    {
        var calls = Context.Counter("calls");
        var sums = Context.Parallelize([1, 2, 3], 5).MapPartitions(items =>
        {
            calls.Add(1);
            return new[] { items.Sum() };
        });
        Assert.Equal([0, 1, 0, 2, 3], sums.Collect());
        Assert.Equal(5, calls.Value);
    }

    [Fact]
    public void MapPartitions_streams()
    {
        var read = Context.Counter("read");
        var rdd = Context.Range(0, 10_000_000, partitions: 1).Map(i =>
        {
            read.Add(1);
            return i;
        }).MapPartitions(static items => items.Select(static i => -i));
        Assert.Equal([0L, -1, -2], rdd.Take(3));
        Assert.InRange(read.Value, 3, 10_000);
    }

    [Fact]
    public void An_endless_expansion_is_read_as_far_as_needed() =>
        Assert.Equal([1, 1, 1], Context.Parallelize([1, 2], 1).FlatMap(static i => Forever(i)).Take(3));

    [Fact]
    public void MapPartitionsWithIndex_knows_which_partition_it_reads() =>
        Assert.Equal(
            ["0:1,2", "1:3,4"],
            Context.Parallelize([1, 2, 3, 4], 2).MapPartitionsWithIndex(static (index, items) => new[] { $"{index}:{string.Join(",", items)}" }).Collect());

    [Fact]
    public void Each_partition_gets_an_evaluator_of_its_own()
    {
        var numbered = Context.Parallelize(["a", "b", "c", "d"], 2).MapPartitionsWithEvaluator(static () => new Numbering());
        Assert.Equal(["0.0 a", "0.1 b", "1.0 c", "1.1 d"], numbered.Collect());
        Assert.Equal(["0.0 a", "0.1 b", "1.0 c", "1.1 d"], numbered.Collect());
    }

    [Fact]
    public void A_partition_can_be_iterated_once_only()
    {
        var twice = Context.Parallelize([1, 2], 1).MapPartitions(static items => new[] { items.Sum() + items.Sum() });
        Assert.Contains("iterated once", Failure(() => twice.Collect()).Message);
    }

    [Fact]
    public void A_lambda_that_gives_no_sequence_is_named()
    {
        var rdd = Context.Parallelize([1, 2], 1);
        Assert.Contains("FlatMap", Failure(() => rdd.FlatMap(static _ => (int[])null!).Collect()).InnerException!.Message);
        Assert.Contains("MapPartitions", Failure(() => rdd.MapPartitions(static _ => (int[])null!).Collect()).InnerException!.Message);
    }

    [Fact]
    public void Glom_makes_an_array_of_each_partition() =>
        Assert.Equal([[], [1], [], [2]], Context.Parallelize([1, 2], 4).Glom().Collect());

    [Fact]
    public void KeyBy_pairs_each_element_with_its_key() =>
        Assert.Equal([(1, "a"), (2, "bb")], Context.Parallelize(["a", "bb"], 2).KeyBy(static word => word.Length).Collect());

    [Fact]
    public void Keys_and_values_keep_order_and_values_map_in_place()
    {
        var pairs = Context.Parallelize([(1, "a"), (2, "b"), (1, "c")], 2);
        Assert.Equal([1, 2, 1], pairs.Keys().Collect());
        Assert.Equal(["a", "b", "c"], pairs.Values().Collect());
        Assert.Equal([(1, 'a'), (2, 'b'), (1, 'c')], pairs.MapValues(static text => text[0]).Collect());
        Assert.Equal([(1, 'a'), (1, '!'), (2, 'b'), (2, '!'), (1, 'c'), (1, '!')], pairs.FlatMapValues(static text => text + "!").Collect());
    }

    [Fact]
    public void Verbs_are_lazy()
    {
        var touched = Context.Counter("touched");
        var rdd = Context.Parallelize([3, 1, 2], 2).Map(i =>
        {
            touched.Add(1);
            return (Key: i, Value: i);
        });
        _ = rdd.ReduceByKey(static (a, b) => a + b).Join(rdd.SortByKey()).CoGroup(rdd).MapPartitions(static items => items);
        Assert.Equal(0, touched.Value);
    }

    [Fact]
    public void A_sample_of_nothing_is_empty_and_one_of_everything_is_whole()
    {
        var rdd = Context.Range(0, 1000, partitions: 3);
        Assert.Empty(rdd.Sample(false, 0, 1).Collect());
        Assert.Empty(rdd.Sample(true, 0, 1).Collect());
        Assert.Equal(rdd.Collect(), rdd.Sample(false, 1, 1).Collect());
    }

    [Theory]
    [InlineData(false, 0.1)]
    [InlineData(false, 0.9)]
    [InlineData(true, 0.5)]
    [InlineData(true, 3)]
    public void A_sample_has_about_the_expected_size_and_is_the_same_for_the_same_seed(bool withReplacement, double fraction)
    {
        const int count = 20_000;
        var rdd = Context.Range(0, count, partitions: 4);
        var sample = rdd.Sample(withReplacement, fraction, 42).Collect();
        Assert.Equal(sample, rdd.Sample(withReplacement, fraction, 42).Collect());
        Assert.NotEqual(sample, rdd.Sample(withReplacement, fraction, 43).Collect());
        Assert.Equal(sample.Order(), sample);

        // Six standard deviations: Bernoulli and Poisson.
        var deviation = Math.Sqrt(count * fraction * (withReplacement ? 1 : 1 - fraction));
        Assert.InRange(sample.Length, count * fraction - 6 * deviation, count * fraction + 6 * deviation);
        if (!withReplacement) Assert.Equal(sample.Length, sample.Distinct().Count());
        else Assert.Contains(sample.GroupBy(i => i), group => group.Count() > 1);
    }

    [Fact]
    public void A_fraction_out_of_range_is_refused()
    {
        var rdd = Context.Range(0, 10);
        foreach (var fraction in new[] { -0.1, 1.1, double.NaN, double.PositiveInfinity })
            Assert.Throws<ArgumentOutOfRangeException>(() => rdd.Sample(false, fraction, 1));
        foreach (var fraction in new[] { -0.1, double.NaN, double.PositiveInfinity })
            Assert.Throws<ArgumentOutOfRangeException>(() => rdd.Sample(true, fraction, 1));
    }

    [Fact]
    public void Without_a_seed_each_call_picks_others_and_each_run_of_a_program_the_same()
    {
        using var again = DataflowContext.Local(Context.Options);
        using var other = DataflowContext.Local(Context.Options with { Seed = 7 });
        Assert.Equal(Picks(Context), Picks(again));
        Assert.NotEqual(Picks(Context), Picks(Context));
        Assert.NotEqual(Picks(again), Picks(other));

        static long[][] Picks(DataflowContext context)
        {
            var numbers = context.Range(0, 1000, partitions: 3);
            var fractions = new Dictionary<long, double> { [0] = 0.5 };
            long[][] picks =
            [
                numbers.Sample(false, 0.1).Collect(), numbers.Sample(false, 0.1).Collect(), numbers.RandomSplit([1, 1])[0].Collect(), numbers.TakeSample(false, 20),
                numbers.KeyBy(static i => i % 2).SampleByKey(false, fractions).Values().Collect(),
                [.. numbers.KeyBy(static i => i % 2).SampleByKeyExact(false, fractions).Values().Collect().Order()],
            ];
            Assert.NotEqual(picks[0], picks[1]);
            return picks;
        }
    }

    [Fact]
    public void A_random_split_is_disjoint_and_covers_everything()
    {
        var rdd = Context.Range(0, 10_000, partitions: 5);
        var parts = rdd.RandomSplit([1, 0, 2, 7], 3);
        Assert.Equal(4, parts.Count);
        Assert.Equal(rdd.Collect(), parts.SelectMany(part => part.Collect()).Order());
        Assert.Empty(parts[1].Collect());
        Assert.InRange(parts[0].Count(), 800, 1200);
        Assert.InRange(parts[3].Count(), 6700, 7300);
        Assert.Equal(parts[2].Collect(), rdd.RandomSplit([1, 0, 2, 7], 3)[2].Collect());
        Assert.Equal(rdd.Collect(), rdd.RandomSplit([5], 3).Single().Collect());
    }

    [Fact]
    public void Weights_that_say_nothing_are_refused()
    {
        var rdd = Context.Range(0, 10);
        foreach (var weights in new double[][] { [], [0, 0], [1, -1], [double.NaN], [double.PositiveInfinity, 1] })
            Assert.Throws<ArgumentException>(() => rdd.RandomSplit(weights, 1));
    }

    private static IEnumerable<int> Forever(int value)
    {
        while (true) yield return value;
    }

    private sealed class Numbering : IPartitionEvaluator<string, string>
    {
        private int _next;

        public IEnumerable<string> Evaluate(int partition, IEnumerable<string> items) => items.Select(item => $"{partition}.{_next++} {item}");
    }
}
