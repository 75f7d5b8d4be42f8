using Dataflow.Hashing;

namespace Dataflow.Engine.Tests.Hashing;

public sealed class AggregationTableTests
{
    private const int Seed = 4711;

    [Fact]
    public void Sums_equal_a_dictionary_s_for_many_key_types()
    {
        Compare<int>(random => random.Next(3000) - 1500);
        Compare<long>(random => (long)random.Next(3000) << 40);
        Compare<string>(random => "key " + random.Next(3000));
        Compare<string?>(random => random.Next(10) == 0 ? null : random.Next(500).ToString());
        Compare<int?>(random => random.Next(10) == 0 ? null : random.Next(500));
        Compare<(int, string?)>(random => (random.Next(50), random.Next(10) == 0 ? null : random.Next(50).ToString()));
        Compare<Guid>(random => new Guid(random.Next(3000), 0, 0, new byte[8]));
        Compare<decimal>(random => random.Next(3000) * (random.Next(2) == 0 ? 1m : 1.00m));
        Compare<double>(random => random.Next(5) switch { 0 => double.NaN, 1 => -0.0, 2 => 0.0, _ => random.Next(1000) });
        Compare<Visit?>(random => random.Next(10) == 0 ? null : new Visit(random.Next(50), random.Next(50).ToString(), default));
        Compare<Shape>(random => random.Next(2) == 0 ? new Shape(random.Next(99).ToString()) : new Circle(random.Next(99).ToString(), random.Next(2)));
        Compare<Plain>(random => new Plain(random.Next(50), random.Next(50).ToString(), random.Next(2)));
        Compare<Money>(random => new Money(random.Next(900), random.Next(2) == 0 ? "eur" : "EUR"));
        Compare<Colour>(random => (Colour)random.Next(3));
    }

    [Fact]
    public void Keys_come_out_in_the_order_in_which_they_came()
    {
        var table = new AggregationTable<string, int>();
        table.Combine([("b", 1), ("a", 1), ("b", 1), ("c", 1), ("a", 1)], (x, y) => x + y);
        Assert.Equal(["b", "a", "c"], table.Keys.ToArray());
        Assert.Equal([2, 2, 1], table.Values.ToArray());
        Assert.Equal(table.Keys.ToArray().Select(StableHash<string>.Of), table.Hashes.ToArray());
    }

    [Fact]
    public void Keys_whose_hashes_collide_are_told_apart()
    {
        // All hashes the same, few different ones, and ones that differ only in the bits that choose no slot.
        foreach (var hash in new Func<int, uint>[] { _ => 0, _ => uint.MaxValue, key => (uint)key & 3, key => (uint)key << 28, key => (uint)key % 7 * 0x01000000 })
        {
            var random = new Random(Seed);
            var table = new AggregationTable<int, long>();
            var expected = new Dictionary<int, long>();
            for (var chunk = 0; chunk < 8; chunk++)
            {
                var pairs = Enumerable.Range(0, 700).Select(_ => (Key: random.Next(900), Value: random.NextInt64(99))).ToArray();
                foreach (var (key, value) in pairs) expected[key] = expected.GetValueOrDefault(key) + value;
                table.Combine(pairs, pairs.Select(pair => hash(pair.Key)).ToArray(), (x, y) => x + y);
            }
            Assert.Equal(expected.OrderBy(pair => pair.Key), table.Keys.ToArray().Zip(table.Values.ToArray(), KeyValuePair.Create).OrderBy(pair => pair.Key));
            Assert.Equal(table.Keys.ToArray().Select(hash), table.Hashes.ToArray());
        }
    }

    [Fact]
    public void Slots_wrap_around_the_end_of_the_array()
    {
        // Every key's home is the last slot or one of the three before it, whatever the size: most lie at the beginning.
        var table = new AggregationTable<int, int>();
        var keys = Enumerable.Range(0, 2000).ToArray();
        var hashes = keys.Select(key => uint.MaxValue - (uint)(key & 3)).ToArray();
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < keys.Length; i += 100)
                table.Combine(keys[i..(i + 100)].Select(key => (key, 1)).ToArray(), hashes.AsSpan(i, 100), (x, y) => x + y);
        }
        Assert.Equal(keys, table.Keys.ToArray());
        Assert.All(table.Values.ToArray(), count => Assert.Equal(2, count));
    }

    [Fact]
    public void Values_may_become_part_of_another_type()
    {
        var random = new Random(Seed);
        var pairs = Enumerable.Range(0, 5000).Select(_ => (Key: random.Next(300).ToString(), Value: random.Next())).ToArray();
        var table = new AggregationTable<string, List<int>>();
        Func<int, List<int>> create = value => [value];
        Func<List<int>, int, List<int>> add = (list, value) =>
        {
            list.Add(value);
            return list;
        };
        table.Combine(pairs.AsSpan(0, 2000), create, add);
        var hashes = new uint[3000];
        StableHash<string>.OfMany(pairs.Skip(2000).Select(pair => pair.Key).ToArray(), hashes);
        table.Combine(pairs.AsSpan(2000), hashes, create, add);

        var groups = pairs.GroupBy(pair => pair.Key, pair => pair.Value).ToArray();
        Assert.Equal(groups.Select(group => group.Key), table.Keys.ToArray());
        Assert.Equal(groups.Select(group => group.ToList()), table.Values.ToArray());
    }

    [Fact]
    public void A_full_table_takes_pairs_of_its_keys_up_to_the_first_new_one()
    {
        var table = new AggregationTable<int, int>(limit: 3);
        Assert.Equal(6, table.Combine([(1, 1), (2, 1), (1, 1), (3, 1), (3, 1), (2, 1), (4, 1), (1, 1)], (x, y) => x + y));
        Assert.Equal(2, table.Combine([(1, 1), (2, 1), (5, 1)], (x, y) => x + y));
        Assert.Equal(0, table.Combine([(5, 1), (1, 1)], (x, y) => x + y));
        Assert.Equal([1, 2, 3], table.Keys.ToArray());
        Assert.Equal([3, 3, 2], table.Values.ToArray());
        Assert.Equal(3, table.Count);
        table.Clear();
        Assert.Equal(2, table.Combine([(5, 1), (1, 1)], (x, y) => x + y));
    }

    [Fact]
    public void What_comes_out_does_not_depend_on_how_pairs_were_cut_into_chunks()
    {
        var random = new Random(Seed);
        var pairs = Enumerable.Range(0, 6000).Select(_ => (Key: random.Next(2500), Value: random.NextDouble())).ToArray();
        var expected = Run(pairs.Length);
        foreach (var length in new[] { 1, 7, 255, 256, 257, 1000 })
            Assert.Equal(expected, Run(length));

        List<(int, double)> Run(int length)
        {
            var handedOver = new List<(int, double)>();
            var table = new AggregationTable<int, double>(limit: 700);
            foreach (var chunk in pairs.Chunk(length))
            {
                for (var rest = chunk; rest.Length > 0;)
                {
                    rest = rest[table.Combine(rest, (x, y) => x + y)..];
                    if (rest.Length > 0) HandOver();
                }
            }
            HandOver();
            return handedOver;

            void HandOver()
            {
                for (var i = 0; i < table.Count; i++) handedOver.Add((table.Keys[i], table.Values[i]));
                table.Clear();
            }
        }
    }

    [Fact]
    public void A_function_that_throws_leaves_a_table_that_can_be_cleared()
    {
        var table = new AggregationTable<int, string>();
        table.Combine([(1, "a"), (2, "b")], string.Concat);
        (int, string)[] pairs = [(1, "c"), (3, "d"), (2, "!"), (4, "e")];
        Assert.Throws<FormatException>(() => table.Combine(pairs, (x, y) => y == "!" ? throw new FormatException() : x + y));
        Assert.Equal("ac", table.TryGet(1, out var value) ? value : null);
        Assert.Throws<FormatException>(() => table.Combine<int>([(9, 1)], _ => throw new FormatException(), (x, _) => x));
        table.Clear();
        Assert.Equal(0, table.Count);
        table.Combine([(3, "x"), (3, "y")], string.Concat);
        Assert.Equal(["xy"], table.Values.ToArray());
    }

    [Fact]
    public void Memory_is_counted_and_kept_when_cleared()
    {
        var table = new AggregationTable<long, long>();
        table.Combine(Enumerable.Range(0, 100_000).Select(i => ((long)i, 1L)).ToArray(), (x, y) => x + y);

        // Key, value and hash of 20 bytes and one slot and a half of 4, with room to grow by half.
        Assert.InRange(table.EstimatedBytes, 100_000 * 26, 100_000 * 26 * 2);
        var before = table.EstimatedBytes;
        table.Clear();
        Assert.Equal(before, table.EstimatedBytes);
    }

    [Fact]
    public void A_cleared_table_keeps_no_object_alive()
    {
        var table = new AggregationTable<string, object>();
        var (key, value) = Fill(table);
        table.Clear();
        GC.Collect();
        Assert.False(key.IsAlive);
        Assert.False(value.IsAlive);
        GC.KeepAlive(table);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static (WeakReference, WeakReference) Fill(AggregationTable<string, object> table)
        {
            var (key, value) = (new string('k', 9), new object());
            table.Combine([(key, value)], (x, _) => x);
            return (new WeakReference(key), new WeakReference(value));
        }
    }

    private static void Compare<TKey>(Func<Random, TKey> make)
    {
        var random = new Random(Seed);
        var table = new AggregationTable<TKey, long>();
        for (var round = 0; round < 3; round++)
        {
            var expected = new Dictionary<ValueTuple<TKey>, long>();
            var order = new List<TKey>();
            for (var chunk = 0; chunk < 12; chunk++)
            {
                var pairs = new (TKey, long)[random.Next(1, 1500)];
                foreach (ref var pair in pairs.AsSpan())
                {
                    pair = (make(random), random.Next());
                    var key = ValueTuple.Create(pair.Item1);
                    if (!expected.TryGetValue(key, out var sum)) order.Add(pair.Item1);
                    expected[key] = sum * 31 + pair.Item2;
                }
                Assert.Equal(pairs.Length, table.Combine(pairs, (x, y) => x * 31 + y));
            }
            var name = $"{typeof(TKey)}, round {round}, seed {Seed}";
            Assert.True(expected.Count == table.Count, $"{name}: {table.Count} keys instead of {expected.Count}");
            for (var i = 0; i < order.Count; i++)
            {
                Assert.True(KeyEquality<TKey>.AreEqual(order[i], table.Keys[i]), $"{name}: key {i}");
                Assert.True(expected[new(order[i])] == table.Values[i], $"{name}: value {i}");
                Assert.True(table.TryGet(order[i], out var found) && found == table.Values[i], $"{name}: look-up {i}");
            }
            table.Clear();
            Assert.Equal(0, table.Count);
            Assert.False(table.TryGet(order[0], out _));
        }
    }
}
