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
                    if (!expected.ContainsKey(key)) throw new InvalidOperationException();
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
