using Dataflow.Hashing;

namespace Dataflow.Engine.Tests.Hashing;

public sealed class DistinctTableTests
{
    [Fact]
    public void Each_key_is_kept_once_in_the_order_in_which_they_came()
    {
        Check(random => random.Next(2000));
        Check(random => random.Next(9) == 0 ? null : "text " + random.Next(2000));
        Check(random => (random.Next(40), random.Next(40).ToString()));
        Check(random => new Visit(random.Next(40), random.Next(40).ToString(), default));

        static void Check<TKey>(Func<Random, TKey> make)
        {
            const int seed = 99;
            var random = new Random(seed);
            var keys = Enumerable.Range(0, 9000).Select(_ => make(random)).ToArray();
            var table = new DistinctTable<TKey>();
            foreach (var chunk in keys.Chunk(1000)) Assert.Equal(chunk.Length, table.Add(chunk));
            Assert.True(keys.Distinct().SequenceEqual(table.Keys.ToArray()), $"{typeof(TKey)}, seed {seed}");
            Assert.Equal(table.Keys.ToArray().Select(StableHash<TKey>.Of), table.Hashes.ToArray());
            Assert.True(table.Contains(keys[0]));
            table.Clear();
            Assert.False(table.Contains(keys[0]));
            Assert.Equal(0, table.Count);
        }
    }

    [Fact]
    public void A_full_table_takes_keys_up_to_the_first_new_one()
    {
        var table = new DistinctTable<int>(limit: 2);
        Assert.Equal(4, table.Add([7, 7, 8, 7, 9, 7]));
        Assert.Equal([7, 8], table.Keys.ToArray());
        Assert.Equal(0, table.Add([9]));
    }
}
