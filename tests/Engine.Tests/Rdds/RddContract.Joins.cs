namespace Dataflow.Engine.Tests.Rdds;

// Verbs that bring the pairs of two and more Rdds together.
public abstract partial class RddContract
{
    private static readonly (string? Key, int Value)[] LeftPairs = [("a", 1), ("b", 2), ("a", 3), (null, 4), ("only left", 5), ("a", 1), (null, 6)];

    private static readonly (string? Key, string? Value)[] RightPairs = [("a", "x"), ("a", null), ("b", "y"), (null, "n"), ("only right", "z"), ("b", "y")];

    public static TheoryData<int> PartitionCounts => [0, 1, 3, 11];

    [Theory, MemberData(nameof(PartitionCounts))]
    public void Join_gives_a_row_for_each_combination_of_equal_keys(int partitions)
    {
        var expected = from l in LeftPairs from r in RightPairs where l.Key == r.Key select (l.Key, (l.Value, r.Value));
        Bag.AssertEqual(expected, Left().Join(Right(), partitions).Collect());
        Assert.Equal(partitions == 0 ? 3 : partitions, Left().Join(Right(), partitions).PartitionCount);
    }

    [Theory, MemberData(nameof(PartitionCounts))]
    public void Join_makes_one_value_of_the_two_of_a_row(int partitions)
    {
        var expected = from l in LeftPairs from r in RightPairs where l.Key == r.Key select (l.Key, $"{l.Value}-{r.Value}");
        Bag.AssertEqual(expected, Left().Join(Right(), static (left, right) => $"{left}-{right}", partitions).Collect());
        var placed = new HashPartitioner<string?>(5);
        var joined = Left().Join(Right(), static (left, right) => $"{left}-{right}", placed);
        Assert.Equal(placed, joined.Partitioner);
        Bag.AssertEqual(expected, joined.Collect());
    }

    [Fact]
    public void CoGroups_of_three_and_four_take_a_partitioner()
    {
        var placed = new HashPartitioner<string?>(5);
        var three = Left().CoGroup(Right(), Left(), placed);
        Assert.Equal(placed, three.Partitioner);
        Assert.Equal(["[5]|[]|[5]"], three.Filter(static pair => pair.Key == "only left").Collect()
            .Select(pair => $"{Show(pair.Value.First)}|{Show(pair.Value.Second)}|{Show(pair.Value.Third)}"));
        var four = Left().CoGroup(Right(), Left(), Right(), placed);
        Assert.Equal(placed, four.Partitioner);
        Assert.Equal(["[]|[z]|[]|[z]"], four.Filter(static pair => pair.Key == "only right").Collect()
            .Select(pair => $"{Show(pair.Value.First)}|{Show(pair.Value.Second)}|{Show(pair.Value.Third)}|{Show(pair.Value.Fourth)}"));
    }

    [Theory, MemberData(nameof(PartitionCounts))]
    public void LeftOuterJoin_keeps_rows_without_a_match_on_the_right(int partitions)
    {
        var expected = LeftPairs.SelectMany(l => Matches(RightPairs, l.Key).DefaultIfEmpty().Select(r => (l.Key, (l.Value, r))));
        Bag.AssertEqual(expected, Left().LeftOuterJoin(Right(), partitions).Collect());
    }

    [Theory, MemberData(nameof(PartitionCounts))]
    public void RightOuterJoin_keeps_rows_without_a_match_on_the_left(int partitions)
    {
        var expected = RightPairs.SelectMany(r => Matches(LeftPairs, r.Key).DefaultIfEmpty().Select(l => (r.Key, (l, r.Value))));
        Bag.AssertEqual(expected, Left().RightOuterJoin(Right(), partitions).Collect());
    }

    [Theory, MemberData(nameof(PartitionCounts))]
    public void FullOuterJoin_keeps_all_rows(int partitions)
    {
        var expected = LeftPairs.SelectMany(l => Matches(RightPairs, l.Key).DefaultIfEmpty().Select(r => (l.Key, (new Optional<int>(true, l.Value), r))))
            .Concat(RightPairs.Where(r => LeftPairs.All(l => l.Key != r.Key)).Select(r => (r.Key, (Optional<int>.None, new Optional<string?>(true, r.Value)))));
        Bag.AssertEqual(expected, Left().FullOuterJoin(Right(), partitions).Collect());
    }

    [Theory, MemberData(nameof(PartitionCounts))]
    public void SubtractByKey_keeps_left_duplicates(int partitions)
    {
        Bag.AssertEqual([("only left", 5)], Left().SubtractByKey(Right(), partitions).Collect());
        var some = Context.Parallelize(new (string?, bool)[] { ("b", true), ("b", false), ("none", true) }, 2);
        Bag.AssertEqual(LeftPairs.Where(pair => pair.Key != "b"), Left().SubtractByKey(some, partitions).Collect());
    }

    [Fact]
    public void A_side_without_rows_joins_as_LINQ_would()
    {
        var empty = Context.Parallelize(Array.Empty<(string? Key, string? Value)>(), 2);
        Assert.Empty(Left().Join(empty).Collect());
        Assert.Empty(empty.Join(Left()).Collect());
        Bag.AssertEqual(LeftPairs.Select(l => (l.Key, (l.Value, Optional<string?>.None))), Left().LeftOuterJoin(empty).Collect());
        Assert.Empty(Left().RightOuterJoin(empty).Collect());
        Bag.AssertEqual(LeftPairs.Select(l => (l.Key, (new Optional<int>(true, l.Value), Optional<string?>.None))), Left().FullOuterJoin(empty).Collect());
        Bag.AssertEqual(LeftPairs, Left().SubtractByKey(empty).Collect());
        Assert.Empty(empty.SubtractByKey(Left()).Collect());
        Bag.AssertEqual(
            LeftPairs.GroupBy(l => l.Key, l => l.Value).Select(group => (group.Key, Show(group), "[]")),
            Left().CoGroup(empty).Collect().Select(row => (row.Key, Show(row.Value.Left), Show(row.Value.Right))));
    }

    [Fact]
    public void A_missing_side_is_not_a_null_value()
    {
        var left = Context.Parallelize(new (int, string?)[] { (1, null), (2, "b") }, 1);
        var right = Context.Parallelize(new (int, string?)[] { (1, null) }, 1);
        var rows = left.LeftOuterJoin(right).CollectAsMap();
        Assert.True(rows[1].Right.HasValue);
        Assert.Null(rows[1].Right.Value);
        Assert.False(rows[2].Right.HasValue);
        Assert.Equal("other", rows[2].Right.Or("other"));
        Assert.Equal("none", rows[2].Right.ToString());
        Assert.Equal("null", rows[1].Right.ToString());
    }

    [Fact]
    public void Joins_take_a_placement_of_ones_own()
    {
        var ends = new Ends(4);
        var left = Sevens(30);
        var right = Sevens(20).MapValues(static value => $"{value}");
        var pairs = (from l in left.Collect() from r in right.Collect() where l.Key == r.Key select (l.Key, (l.Value, r.Value))).ToArray();
        Bag.AssertEqual(pairs, left.Join(right, ends).Collect());
        Assert.Equal(ends, left.Join(right, ends).Partitioner);
        Assert.Equal(ends, left.LeftOuterJoin(right, ends).Partitioner);
        Assert.Equal(pairs.Length, left.LeftOuterJoin(right, ends).Count());
        Assert.Equal(pairs.Length, left.RightOuterJoin(right, ends).Count());
        Assert.Equal(pairs.Length, left.FullOuterJoin(right, ends).Count());
        Assert.Equal(0, left.SubtractByKey(right, ends).Count());
        Assert.Equal(7, left.CoGroup(right, ends).Count());
        Assert.Equal(ends, left.CoGroup(right, ends).Partitioner);
    }

    [Fact]
    public void Large_joins_match_whichever_side_is_smaller()
    {
        var large = Context.Range(0, 60_000, partitions: 3).Map(static i => (Key: (int)(i * 31 % 5003), Value: i));
        var small = Context.Range(0, 3000, partitions: 2).Map(static i => (Key: (int)i * 2, Value: -i));
        long expected = large.Keys().Collect().Where(key => key % 2 == 0).Count(key => key < 6000);
        Assert.Equal(expected, large.Join(small).Count());
        Assert.Equal(expected, small.Join(large).Count());
        Assert.Equal(60_000, large.LeftOuterJoin(small).Count());
        Assert.Equal(60_000, small.RightOuterJoin(large).Count());
        Assert.Equal(60_000 - expected, large.SubtractByKey(small).Count());
        var unmatched = small.Keys().Collect().Except(large.Keys().Collect()).Count();
        Assert.Equal(60_000 + unmatched, large.FullOuterJoin(small).Count());
        Assert.Equal(expected + unmatched, small.LeftOuterJoin(large).Count());
        Assert.Equal(0, large.Join(small).Filter(static row => row.Key != -row.Value.Right * 2 || row.Key != row.Value.Left * 31 % 5003).Count());
    }

    [Fact]
    public void One_hot_key_on_both_sides_gives_all_its_combinations()
    {
        var left = Context.Range(0, 500, partitions: 3).Map(static i => (Key: "hot", Value: i));
        var right = Context.Range(0, 300, partitions: 2).Map(static i => (Key: "hot", Value: i));
        var rows = left.Join(right).Map(static row => row.Value.Left * 300 + row.Value.Right).Collect();
        Assert.Equal(Enumerable.Range(0, 150_000).Select(i => (long)i), rows.Order());
    }

    [Fact]
    public void CoGroup_gathers_two_three_and_four_inputs()
    {
        var a = Context.Parallelize(new (string? Key, int Value)[] { ("x", 1), ("y", 2), ("x", 3) }, 2);
        var b = Context.Parallelize(new (string? Key, string? Value)[] { ("y", "b"), (null, null), ("y", "c") }, 3);
        var c = Context.Parallelize(new (string? Key, double Value)[] { ("x", 0.5), ("z", 1.5) }, 1);
        var d = Context.Parallelize(new (string? Key, bool Value)[] { ("w", true), (null, false) }, 2);
        foreach (var partitions in new[] { 0, 1, 4 })
        {
            Bag.AssertEqual(
                [("x", "[1,3]", "[]"), ("y", "[2]", "[b,c]"), (null, "[]", "[null]")],
                a.CoGroup(b, partitions).Collect().Select(row => (row.Key, Show(row.Value.Left), Show(row.Value.Right))));
            Bag.AssertEqual(
                [("x", "[1,3]", "[]", "[0.5]"), ("y", "[2]", "[b,c]", "[]"), (null, "[]", "[null]", "[]"), ("z", "[]", "[]", "[1.5]")],
                a.CoGroup(b, c, partitions).Collect().Select(row => (row.Key, Show(row.Value.First), Show(row.Value.Second), Show(row.Value.Third))));
            Bag.AssertEqual(
                [
                    ("x", "[1,3] [] [0.5] []"), ("y", "[2] [b,c] [] []"), (null, "[] [null] [] [False]"), ("z", "[] [] [1.5] []"), ("w", "[] [] [] [True]"),
                ],
                a.CoGroup(b, c, d, partitions).Collect().Select(row =>
                    (row.Key, $"{Show(row.Value.First)} {Show(row.Value.Second)} {Show(row.Value.Third)} {Show(row.Value.Fourth)}")));
        }
        Assert.Equal(4, Shuffles(a.CoGroup(b, c, d, 3)));
        Assert.Equal(new HashPartitioner<string?>(3), a.CoGroup(b, c, d, 3).Partitioner);
    }

    [Fact]
    public void Values_of_a_cogroup_keep_the_order_of_their_input()
    {
        var rows = Sevens(70, 5).CoGroup(Sevens(70, 3), 2).Collect();
        Assert.Equal(7, rows.Length);
        Assert.All(rows, row =>
        {
            Assert.Equal(Enumerable.Range(0, 70).Where(i => i % 7 == row.Key), row.Value.Left);
            Assert.Equal(Enumerable.Range(0, 70).Where(i => i % 7 == row.Key), row.Value.Right);
        });
    }

    [Fact]
    public void Rdds_of_two_contexts_are_not_combined()
    {
        using var other = DataflowContext.Local(1);
        var foreign = other.Parallelize([(1, 1)], 1);
        var own = Context.Parallelize([(1, 1)], 1);
        Func<object>[] verbs =
        [
            () => own.Union(foreign), () => own.Join(foreign), () => own.LeftOuterJoin(foreign), () => own.RightOuterJoin(foreign), () => own.FullOuterJoin(foreign),
            () => own.CoGroup(foreign), () => own.CoGroup(own, foreign), () => own.CoGroup(own, own, foreign), () => own.SubtractByKey(foreign),
            () => own.Subtract(foreign), () => own.Intersection(foreign), () => own.Cartesian(foreign), () => own.Zip(foreign),
            () => own.ZipPartitions(foreign, static (a, b) => a.Concat(b)), () => Context.Union(own, foreign),
        ];
        foreach (var verb in verbs) Assert.Contains("another context", Assert.Throws<ArgumentException>(verb).Message);
    }

    private Rdd<(string? Key, int Value)> Left() => Context.Parallelize(LeftPairs, 3);

    private Rdd<(string? Key, string? Value)> Right() => Context.Parallelize(RightPairs, 2);

    private static IEnumerable<Optional<T>> Matches<T>((string? Key, T Value)[] pairs, string? key) =>
        pairs.Where(pair => pair.Key == key).Select(pair => new Optional<T>(true, pair.Value));
}
