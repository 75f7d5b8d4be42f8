namespace Dataflow.Engine.Tests.Rdds;

// Merging functions that change their first argument instead of making a new value.
public abstract partial class RddContract
{
    private static readonly string[] Expected = ["0: 0,3,6,9,12,15,18", "1: 1,4,7,10,13,16,19", "2: 2,5,8,11,14,17"];

    [Fact]
    public void A_merge_in_place_gives_the_same_answer_each_time_a_shuffle_is_read()
    {
        var merged = Lists().ReduceByKey(AddTo);
        for (var i = 0; i < 3; i++) Assert.Equal(Expected, Shown(merged));
    }

    [Fact]
    public void A_merge_in_place_leaves_cached_elements_as_they_were()
    {
        var lists = Lists().Cache();
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(Expected, Shown(lists.ReduceByKey(AddTo)));
            Assert.Equal(20, lists.Values().Reduce(AddTo).Count);
            Assert.Equal(20, lists.Values().TreeReduce(AddTo, depth: 3).Count);
        }
        Assert.All(lists.Collect(), pair => Assert.Single(pair.Value));
    }

    [Fact]
    public void A_merge_in_place_leaves_pairs_that_are_placed_already_as_they_were()
    {
        var placed = Lists().PartitionBy(new HashPartitioner<int>(3));
        for (var i = 0; i < 2; i++) Assert.Equal(Expected, Shown(placed.ReduceByKey(AddTo)));
    }

    [Fact]
    public void A_merge_in_place_leaves_the_programs_own_objects_as_they_were()
    {
        (int Key, List<int> Value)[] own = [.. Enumerable.Range(0, 20).Select(i => (i % 3, new List<int> { i }))];
        for (var i = 0; i < 2; i++) Assert.Equal(Expected, Shown(Context.Parallelize(own, 4).ReduceByKey(AddTo)));
        Assert.All(own, pair => Assert.Single(pair.Value));
    }

    private Rdd<(int Key, List<int> Value)> Lists() =>
        Context.Parallelize(Enumerable.Range(0, 20), 4).Map(static i => (Key: i % 3, Value: new List<int> { i }));

    private static List<int> AddTo(List<int> list, List<int> more)
    {
        list.AddRange(more);
        return list;
    }

    private static string[] Shown(Rdd<(int Key, List<int> Value)> lists) =>
        [.. lists.Collect().OrderBy(pair => pair.Key).Select(pair => $"{pair.Key}: {string.Join(",", pair.Value.Order())}")];
}
