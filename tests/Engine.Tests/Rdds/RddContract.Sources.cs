namespace Dataflow.Engine.Tests.Rdds;

// Where elements come from.
public abstract partial class RddContract
{
    [Theory]
    [InlineData(10, 1)]
    [InlineData(10, 3)]
    [InlineData(10, 10)]
    [InlineData(3, 8)]
    [InlineData(1, 1)]
    [InlineData(0, 5)]
    [InlineData(100_000, 7)]
    public void Slice_i_of_n_holds_the_positions_between_i_and_i_plus_one_nths(int length, int partitions)
    {
        var items = Enumerable.Range(0, length).ToArray();
        var expected = Enumerable.Range(0, partitions)
            .Select(i => items[(int)((long)i * length / partitions)..(int)((i + 1L) * length / partitions)]).ToArray();

        Assert.Equal(expected, Parts(Context.Parallelize(items, partitions)));
        Assert.Equal(expected.Select(part => part.Select(i => (long)i)), Parts(Context.Range(0, length, partitions: partitions)));
    }

    [Fact]
    public void Any_sequence_can_be_cut_into_partitions()
    {
        Assert.Equal([1, 2, 3], Context.Parallelize(new List<int> { 1, 2, 3 }, 2).Collect());
        Assert.Equal([1, 2, 3], Context.Parallelize(new HashSet<int> { 1, 2, 3 }, 2).Collect());
        Assert.Equal(new[] { "a", null }, Context.Parallelize(new[] { "a", null }, 2).Collect());

        // An array of strings is an array of objects too.
        Assert.Equal(["a", "b"], Context.Parallelize<object>(new[] { "a", "b" }, 1).Map(static item => item).Collect());
    }

    [Fact]
    public void A_list_that_changes_later_changes_nothing()
    {
        var list = new List<int> { 1, 2, 3 };
        var rdd = Context.Parallelize(list, 2);
        list[0] = 9;
        list.Add(4);
        Assert.Equal([1, 2, 3], rdd.Collect());
    }

    [Fact]
    public void Without_a_number_there_are_as_many_partitions_as_the_default_parallelism() =>
        Assert.Equal(Context.DefaultParallelism, Context.Parallelize([1, 2, 3]).PartitionCount);

    [Fact]
    public void A_negative_number_of_partitions_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Context.Parallelize([1], -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Context.Range(0, 1, partitions: -1));
        Assert.Throws<ArgumentNullException>(() => Context.Parallelize<int>(null!));
    }

    [Theory]
    [InlineData(0, 10, 3, new long[] { 0, 3, 6, 9 })]
    [InlineData(0, 9, 3, new long[] { 0, 3, 6 })]
    [InlineData(10, 0, -4, new long[] { 10, 6, 2 })]
    [InlineData(0, 10, -1, new long[0])]
    [InlineData(10, 0, 1, new long[0])]
    [InlineData(5, 5, 1, new long[0])]
    [InlineData(long.MaxValue - 2, long.MaxValue, 1, new[] { long.MaxValue - 2, long.MaxValue - 1 })]
    [InlineData(long.MinValue, long.MaxValue, long.MaxValue, new[] { long.MinValue, -1, long.MaxValue - 1 })]
    public void A_range_stops_before_its_end(long start, long end, long step, long[] expected)
    {
        Assert.Equal(expected, Context.Range(start, end, step, 2).Collect());
        Assert.Equal(expected, Context.Range(start, end, step, 7).Collect());
    }

    [Fact]
    public void A_range_is_never_materialised()
    {
        var all = Context.Range(0, long.MaxValue, partitions: 3);
        Assert.Equal([0L, 1, 2], all.Take(3));
        Assert.Equal(0, all.First());
        Assert.False(all.IsEmpty());
    }

    [Fact]
    public void A_range_without_step_or_with_too_many_numbers_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Context.Range(0, 1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Context.Range(long.MinValue, long.MaxValue));
    }

    [Fact]
    public void An_empty_Rdd_has_no_partitions_and_every_verb_takes_it()
    {
        var empty = Context.Empty<(int Key, int Value)>();
        Assert.Equal(0, empty.PartitionCount);
        Assert.Empty(empty.Collect());
        Assert.Equal(0, empty.Count());
        Assert.True(empty.IsEmpty());
        Assert.Empty(empty.Take(3));
        Assert.Empty(empty.Top(3));
        Assert.Empty(empty.Map(static pair => pair.Key).Filter(static key => key > 0).Distinct().Collect());
        Assert.Empty(empty.Glom().Collect());
        Assert.Empty(empty.ReduceByKey(static (a, b) => a + b).Collect());
        Assert.Empty(empty.GroupByKey().Collect());
        Assert.Empty(empty.SortByKey().Collect());
        Assert.Empty(empty.Join(empty).Collect());
        Assert.Empty(empty.FullOuterJoin(empty, 3).Collect());
        Assert.Empty(empty.SubtractByKey(empty).Collect());
        Assert.Empty(empty.CoGroup(empty, empty, empty).Collect());
        Assert.Empty(empty.Repartition(3).Collect());
        Assert.Empty(empty.Coalesce(3).Collect());
        Assert.Empty(empty.Cartesian(empty).Collect());
        Assert.Empty(empty.Zip(empty).Collect());
        Assert.Empty(empty.ZipWithIndex().Collect());
        Assert.Empty(empty.ZipWithUniqueId().Collect());
        Assert.Empty(empty.Sample(true, 2, 1).Collect());
        Assert.Empty(empty.CountByKey());
        Assert.Empty(empty.CollectAsMap());
        Assert.Empty(empty.Lookup(1));
        Assert.Empty(empty.TakeSample(false, 3, 1));
        Assert.Empty(empty.ToEnumerable());
        Assert.Equal(7, empty.Keys().Fold(7, static (a, b) => a + b));
        Assert.Equal(0, empty.Keys().Sum());
        Assert.Equal(0, empty.CountApproxDistinct());
        Assert.Equal([1], Context.Parallelize([1], 1).Union(Context.Empty<int>()).Collect());
    }

    [Fact]
    public void What_needs_an_element_says_which_Rdd_has_none()
    {
        var empty = Context.Parallelize<int>([], 3).SetName("readings");
        Func<object>[] actions =
        [
            () => empty.First(), () => empty.Reduce(static (a, b) => a + b), () => empty.TreeReduce(static (a, b) => a + b),
            () => empty.Max(), () => empty.Min(), () => empty.Histogram(3),
        ];
        foreach (var action in actions)
        {
            var error = Assert.Throws<InvalidOperationException>(action);
            Assert.Contains("at least one element", error.Message);
            Assert.Contains("readings", error.Message);
        }
    }
}
