using Dataflow.Hashing;

namespace Dataflow.Engine.Tests.Hashing;

public sealed class GroupTableTests
{
    private const int Seed = 31;

    [Fact]
    public void Groups_and_their_values_come_in_the_order_in_which_they_came()
    {
        Check(700, random => random.Next(500));
        Check(9000, random => random.Next(500));
        Check(9000, random => random.Next(9) == 0 ? null : "key " + random.Next(3000));
        Check(3000, random => (random.Next(30), (decimal)random.Next(30)));
        Check(3000, random => new Plain(random.Next(30), null, random.Next(30)));
        Check(1, _ => 1);
        Check(0, _ => 1);

        static void Check<TKey>(int count, Func<Random, TKey> make)
        {
            var random = new Random(Seed);
            var rows = Enumerable.Range(0, count).Select(i => (Key: make(random), Value: i)).ToArray();
            using var table = new GroupTable<TKey, int>();
            foreach (var chunk in rows.Chunk(700)) table.Add(chunk);
            table.Complete();
            table.Complete();

            var name = $"{typeof(TKey)}, seed {Seed}";
            var expected = rows.GroupBy(row => row.Key, row => row.Value, KeyEquality<TKey>.Comparer).ToArray();
            Assert.True(expected.Length == table.Count, name);
            Assert.Equal(count, table.ValueCount);
            for (var group = 0; group < table.Count; group++)
            {
                Assert.True(KeyEquality<TKey>.AreEqual(expected[group].Key, table.KeyOf(group)), name);
                Assert.True(expected[group].SequenceEqual(table.ValuesOf(group).ToArray()), name);
            }

            var wanted = Enumerable.Range(0, 1500).Select(_ => make(random)).ToArray();
            var (found, foundOfPairs) = (new int[wanted.Length], new int[wanted.Length]);
            table.FindMany(wanted, found);
            table.FindMany<string>(wanted.Select(key => (key, "other")).ToArray(), foundOfPairs);
            Assert.Equal(found, foundOfPairs);
            for (var i = 0; i < wanted.Length; i++)
            {
                var group = Array.FindIndex(expected, group => KeyEquality<TKey>.AreEqual(group.Key, wanted[i]));
                Assert.True(group == found[i] && group == table.Find(wanted[i]), name);
            }
        }
    }

    [Fact]
    public void Keys_that_come_once_need_no_sorting()
    {
        using var table = new GroupTable<int, string>();
        table.Add([(5, "a"), (3, "b"), (9, "c")]);
        table.Complete();
        Assert.Equal([5, 3, 9], table.Keys.ToArray());
        Assert.Equal(["b"], table.ValuesOf(table.Find(3)).ToArray());
        Assert.Equal(-1, table.Find(4));
    }

    [Fact]
    public void Values_are_read_after_completion_and_added_before_it()
    {
        var table = new GroupTable<int, int>();
        table.Add([(1, 1)]);
        Assert.Throws<InvalidOperationException>(() => table.ValuesOf(0).Length);
        table.Complete();
        Assert.Throws<InvalidOperationException>(() => table.Add([(1, 2)]));
        Assert.True(table.EstimatedBytes > 0);
        table.Dispose();
        Assert.Equal(0, table.Count);
        Assert.Equal(-1, table.Find(1));
    }
}
