namespace Dataflow.Engine.Tests.Rdds;

// Verbs and actions that need an order.
public abstract partial class RddContract
{
    public static TheoryData<int, int> SortShapes => new() { { 0, 3 }, { 1, 4 }, { 3, 8 }, { 2000, 1 }, { 2000, 5 }, { 20_000, 3 } };

    [Theory, MemberData(nameof(SortShapes))]
    public void SortBy_sorts_across_partitions_and_keeps_the_order_of_equal_keys(int count, int partitions)
    {
        var random = new Random(count + partitions);
        var rows = Enumerable.Range(0, count).Select(i => (Key: random.Next(-50, 50), Position: i)).ToArray();
        var rdd = Context.Parallelize(rows, 4);
        Assert.Equal(rows.OrderBy(row => row.Key), rdd.SortBy(static row => row.Key, partitions: partitions).Collect());
        Assert.Equal(rows.OrderByDescending(row => row.Key), rdd.SortBy(static row => row.Key, descending: true, partitions: partitions).Collect());
        Assert.Equal(rows.OrderBy(row => row.Key), rdd.SortByKey(partitions: partitions).Collect());
        Assert.Equal(rows.OrderByDescending(row => row.Key), rdd.SortByKey(descending: true, partitions).Collect());
        Assert.Equal(rows.OrderBy(row => -row.Key), rdd.SortByKey(partitions: partitions, comparer: Comparer<int>.Create(static (a, b) => b.CompareTo(a))).Collect());
        Assert.Equal(partitions, rdd.SortByKey(partitions: partitions).PartitionCount);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_kind_of_key_sorts_as_its_type_says(bool descending)
    {
        var random = new Random(11);
        Check(i => random.Next(2) == 0);
        Check(_ => (byte)random.Next(256));
        Check(_ => (sbyte)random.Next(-128, 128));
        Check(_ => (char)random.Next(60_000));
        Check(_ => (short)random.Next(short.MinValue, short.MaxValue));
        Check(_ => (ushort)random.Next(ushort.MaxValue));
        Check(_ => random.Next(int.MinValue, int.MaxValue));
        Check(_ => (uint)random.Next(int.MinValue, int.MaxValue));
        Check(_ => random.NextInt64(long.MinValue, long.MaxValue));
        Check(_ => (ulong)random.NextInt64(long.MinValue, long.MaxValue));
        Check(i => i % 11 == 0 ? float.NaN : (float)(random.NextDouble() - 0.5) * 1e30f);
        Check(i => i % 11 == 0 ? double.NaN : i % 13 == 0 ? double.NegativeInfinity : (random.NextDouble() - 0.5) * 1e300);
        Check(i => (decimal)random.NextDouble() - 0.5m);
        Check(_ => new DateTime(random.NextInt64(DateTime.MaxValue.Ticks)));
        Check(_ => new DateTimeOffset(random.NextInt64(1L << 60), TimeSpan.FromHours(random.Next(-10, 10))));
        Check(_ => TimeSpan.FromTicks(random.NextInt64(long.MinValue, long.MaxValue)));
        Check(_ => DateOnly.FromDayNumber(random.Next(3_000_000)));
        Check(_ => new TimeOnly(random.NextInt64(TimeOnly.MaxValue.Ticks)));
        Check(_ => new Guid(random.Next(), (short)random.Next(), (short)random.Next(), new byte[8]));
        Check(_ => (DayOfWeek)random.Next(7));
        Check(i => i % 7 == 0 ? null : (int?)random.Next(-9, 9));
        Check(_ => (random.Next(4), random.Next(4)));
        Check(_ => Int128.MaxValue / random.Next(1, 1000) * random.Next(-1, 2));

        void Check<TKey>(Func<int, TKey> make)
        {
            var rows = Enumerable.Range(0, 400).Select(i => (Key: make(i), Position: i)).ToArray();
            var expected = descending ? rows.OrderByDescending(row => row.Key) : rows.OrderBy(row => row.Key);
            Assert.Equal(expected, Context.Parallelize(rows, 3).SortByKey(descending, 3).Collect());
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Texts_sort_by_their_characters_and_null_comes_first(bool descending)
    {
        string?[] words =
        [
            "b", "B", "a", "A", "", null, "ä", "z", "aa", "ab", "abc", "abcd", "abcde", "abcdf", "abcd\0", "\0", "\0\0", "\uffff", "\ud83d\ude00", "Z", "_", "1", "10", "9", null, "a b", "a-b",
        ];
        var rows = Enumerable.Range(0, 20).SelectMany(_ => words).Select((word, i) => (Key: word, Position: i)).ToArray();
        var expected = descending ? rows.OrderByDescending(row => row.Key, StringComparer.Ordinal) : rows.OrderBy(row => row.Key, StringComparer.Ordinal);
        Assert.Equal(expected, Context.Parallelize(rows, 3).SortByKey(descending, 4).Collect());
        Assert.Equal(expected, Context.Parallelize(rows, 3).SortBy(static row => row.Key, descending, 4).Collect());

        // Within tuples as well.
        var tuples = rows.Select(row => ((row.Key, row.Position % 3), row.Position)).ToArray();
        var ordinal = Comparer<(string? Text, int Number)>.Create((a, b) => string.CompareOrdinal(a.Text, b.Text) is not 0 and var c ? c : a.Number - b.Number);
        Assert.Equal(
            descending ? tuples.OrderByDescending(row => row.Item1, ordinal) : tuples.OrderBy(row => row.Item1, ordinal),
            Context.Parallelize(tuples, 3).SortByKey(descending, 4).Collect());
    }

    [Fact]
    public void NaN_sorts_first_and_the_zeros_are_equal()
    {
        double[] keys = [1, double.NaN, 0.0, double.PositiveInfinity, -0.0, -1, double.NaN, 0.0, double.NegativeInfinity, double.Epsilon, -double.Epsilon];
        var rows = keys.Select((key, i) => (Key: key, Position: i)).ToArray();
        Assert.Equal([1, 6, 8, 5, 10, 2, 4, 7, 9, 0, 3], Context.Parallelize(rows, 3).SortByKey(partitions: 2).Values().Collect());
        Assert.Equal([3, 0, 9, 2, 4, 7, 10, 5, 8, 1, 6], Context.Parallelize(rows, 3).SortByKey(descending: true, 2).Values().Collect());
    }

    [Fact]
    public void A_key_without_an_order_is_refused_when_the_plan_is_built()
    {
        var rdd = Context.Parallelize([new Point(1, "a")], 1);
        Assert.Contains("IComparable", Assert.Throws<NotSupportedException>(() => rdd.SortBy(static point => point)).Message);
        Assert.Throws<NotSupportedException>(() => rdd.Top(1));
        Assert.Throws<NotSupportedException>(() => rdd.Max());
        Assert.Equal(1, rdd.SortBy(static point => point, comparer: Comparer<Point>.Create(static (a, b) => a.X - b.X)).Count());
    }

    [Fact]
    public void One_key_only_sorts_into_one_partition()
    {
        var sorted = Context.Range(0, 5000, partitions: 4).Map(static i => (Key: "same", Value: i)).SortByKey(partitions: 3);
        Assert.Equal(Enumerable.Range(0, 5000).Select(i => (long)i), sorted.Values().Collect());
    }

    [Fact]
    public void Sorted_ranges_are_about_equally_large()
    {
        var random = new Random(3);
        var rdd = Context.Parallelize(Enumerable.Range(0, 30_000).Select(_ => random.Next()), 4).SortBy(static i => i, partitions: 6);
        Assert.All(Parts(rdd), part => Assert.InRange(part.Length, 3500, 6500));
    }

    [Fact]
    public void RepartitionAndSortWithinPartitions_places_and_sorts()
    {
        var random = new Random(4);
        var rows = Enumerable.Range(0, 2000).Select(i => (Key: random.Next(100), Value: i)).ToArray();
        var parts = Parts(Context.Parallelize(rows, 3).RepartitionAndSortWithinPartitions(new Ends(3)));
        Assert.Equal(rows.Where(row => row.Key % 2 == 0).OrderBy(row => row.Key), parts[0]);
        Assert.Empty(parts[1]);
        Assert.Equal(rows.Where(row => row.Key % 2 == 1).OrderBy(row => row.Key), parts[2]);
        var descending = Parts(Context.Parallelize(rows, 3).RepartitionAndSortWithinPartitions(new Ends(2), descending: true));
        Assert.Equal(rows.Where(row => row.Key % 2 == 0).OrderByDescending(row => row.Key), descending[0]);
        Assert.Equal(new Ends(3), Context.Parallelize(rows, 3).RepartitionAndSortWithinPartitions(new Ends(3)).Partitioner);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FilterByRange_reads_only_partitions_that_can_hold_the_keys(bool descending)
    {
        var computed = Context.Counter("computed");
        var sorted = Context.Parallelize(Enumerable.Range(0, 1000).Select(i => (Key: i * 7 % 1000, Value: i)), 3).SortByKey(descending, 10).MapPartitions(
            items =>
            {
                computed.Add(1);
                return items;
            },
            keepsPartitioner: true);
        var kept = sorted.FilterByRange(200, 249).Keys().Collect();
        Assert.Equal(descending ? Enumerable.Range(200, 50).Reverse() : Enumerable.Range(200, 50), kept);
        Assert.InRange(computed.Value, 1, 3);
        Assert.Empty(sorted.FilterByRange(2000, 3000).Collect());
        Assert.Empty(sorted.FilterByRange(249, 200).Collect());
        Assert.Equal([5], sorted.FilterByRange(5, 5).Keys().Collect());
        Assert.Equal(1000, sorted.FilterByRange(-5, 5000).Count());
    }

    [Fact]
    public void FilterByRange_of_pairs_anywhere_filters() =>
        Assert.Equal(Sevens().Collect().Where(pair => pair.Key is >= 2 and <= 4), Sevens().FilterByRange(2, 4).Collect());

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100)]
    [InlineData(1000)]
    public void Top_and_TakeOrdered_give_the_first_of_the_whole_order(int count)
    {
        var random = new Random(6);
        var rows = Enumerable.Range(0, 100).Select(i => (Key: random.Next(20), Position: i)).ToArray();
        var rdd = Context.Parallelize(rows, 6);
        Assert.Equal(rows.OrderByDescending(row => row.Key).Take(count), rdd.Top(count, static row => row.Key));
        Assert.Equal(rows.OrderBy(row => row.Key).Take(count), rdd.TakeOrdered(count, static row => row.Key));
        Assert.Equal(rows.OrderDescending().Take(count), rdd.Top(count));
        Assert.Equal(rows.Order().Take(count), rdd.TakeOrdered(count));
        Assert.Equal(
            rows.OrderBy(row => row.Key % 5).Take(count), rdd.TakeOrdered(count, static row => row.Key, Comparer<int>.Create(static (a, b) => a % 5 - b % 5)));
    }

    [Fact]
    public void Max_and_min_know_null_NaN_and_ordinal_texts()
    {
        Assert.Equal(9, Context.Parallelize([3, 9, 1], 2).Max());
        Assert.Equal(1, Context.Parallelize([3, 9, 1], 5).Min());
        Assert.Equal("a", Context.Parallelize(["B", "a", "Z"], 2).Max());
        Assert.Equal("B", Context.Parallelize(["B", "a", "Z"], 2).Min());
        Assert.Null(Context.Parallelize(["B", null], 2).Min());
        Assert.Equal(double.NaN, Context.Parallelize([1, double.NaN, -1], 2).Min());
        Assert.Equal(1, Context.Parallelize([1, double.NaN, -1], 2).Max());
        Assert.Equal(-3, Context.Parallelize([1, 2, -3], 2).Max(Comparer<int>.Create(static (a, b) => Math.Abs(a) - Math.Abs(b))));
        Assert.Equal(1, Context.Parallelize([1, 2, -3], 2).Min(Comparer<int>.Create(static (a, b) => Math.Abs(a) - Math.Abs(b))));
    }

    [Fact]
    public void A_key_that_throws_fails_the_sort_with_what_it_threw() =>
        Threw<FormatException>(Failure(() => Context.Parallelize(["1", "x"], 2).SortBy(static text => int.Parse(text)).Collect()));
}
