using Dataflow.MLlib.Data;
using Dataflow.MLlib.TreeFitting;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.Tests.TreeFitting;

/// <summary>Which partitions are trained on together.</summary>
public sealed class TreeShardsTests
{
    [Fact]
    public void Executors_that_loaded_far_more_rows_than_others_give_some_away()
    {
        // All wait for the one with the most rows.
        Assert.Equal([[1, 2], [3, 0]], Groups(Partition(0, 100, "a"), Partition(1, 100, "a"), Partition(2, 100, "a"), Partition(3, 100, "b")));
        Assert.Equal([[0], [1], [2]], Groups(Partition(0, 100, "a"), Partition(1, 104, "b"), Partition(2, 98, "c")));
        Assert.Equal([[0, 1, 2]], Groups(Partition(0, 100, "a"), Partition(1, 5, "a"), Partition(2, 98, "a")));
    }

    [Fact]
    public async Task A_few_rows_are_not_given_to_and_fro_for_ever()
    {
        await Task.Run(() =>
        {
            Assert.Equal([[0, 1], [2]], Groups(Partition(0, 1, "a"), Partition(1, 1, "a"), Partition(2, 1, "b")));
            Assert.Equal([[1], [2, 0]], Groups(Partition(0, 1, "a"), Partition(1, 2, "a"), Partition(2, 1, "b")));
            var random = new Random(1);
            for (var i = 0; i < 500; i++) Groups([.. Enumerable.Range(0, 7).Select(partition => Partition(partition, 1 + random.Next(4), $"{random.Next(3)}"))]);
        }).WaitAsync(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void Partitions_without_rows_to_learn_from_follow_the_first_shard()
    {
        Assert.Equal([[1, 0, 3], [2]], Groups(Partition(0, 0, "b"), Partition(1, 50, "a"), Partition(2, 50, "b"), Partition(3, 0, "c")));
    }

    [Fact]
    public void A_query_that_goes_on_in_the_next_partition_stays_in_one_shard()
    {
        var groups = Groups(
            Partition(0, 50, "a") with { Queries = new(1, 1, 1, 5) },
            Partition(1, 50, "b") with { Queries = new(1, 5, 1, 5) },
            Partition(2, 0, "a"),
            Partition(3, 50, "a") with { Queries = new(1, 5, 2, 2) },
            Partition(4, 140, "b") with { Queries = new(3, 1, 4, 2), ValidationQueries = new(8, 8, 9, 9) },
            Partition(5, 10, "a") with { ValidationQueries = new(9, 9, 9, 9), Queries = new(5, 5, 6, 6) });
        Assert.Equal([[0, 1, 2, 3], [4, 5]], groups.Select(group => group.Order().ToArray()));
    }

    private static LoadedPartition Partition(int index, long rows, string executor) => new(index, rows, 0, [1], 1, executor, 1);

    private static int[][] Groups(params LoadedPartition[] partitions)
    {
        using var context = DataflowContext.Local(1);
        var features = FeatureColumns.Of(context.FromRecords(new[] { new { X = 1.0 } }), ["X"], "Test");
        return TreeShards.Of(partitions, 0, new TreeFitPlan("Test", features, new TreeTrainingOptions())).Groups;
    }
}
