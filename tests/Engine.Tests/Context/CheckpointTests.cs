using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Context;

/// <summary>Cutting lineage.</summary>
public sealed class CheckpointTests
{
    [Fact]
    public void A_checkpointed_Rdd_is_read_from_its_folder_and_its_lineage_ends()
    {
        using var folder = new TempDirectory();
        using var context = DataflowContext.Local(2);
        context.CheckpointFolder = folder.Path;
        var computed = context.Counter("computed");
        var source = context.Range(0, 100, 1, 4).Map(x =>
        {
            computed.Add(1);
            return $"item {x}";
        });
        var rdd = source.Checkpoint();
        var child = rdd.Map(text => text.Length);
        Assert.False(rdd.IsCheckpointed);

        var expected = child.Collect();
        Assert.True(rdd.IsCheckpointed);
        var before = computed.Value;
        Assert.Equal(expected, child.Collect());
        Assert.Equal(Enumerable.Range(0, 100).Select(x => $"item {x}"), rdd.Collect());
        Assert.Equal(before, computed.Value);
        Assert.DoesNotContain("Range", rdd.ToDebugString());
    }

    [Fact]
    public void A_local_checkpoint_that_cannot_be_kept_leaves_the_lineage()
    {
        using var folder = new TempDirectory();
        var file = Path.Combine(folder.Path, "no folder");
        File.WriteAllText(file, "");
        using var context = DataflowContext.Local(DataflowOptions.Default with { Threads = 2, EngineMemoryBytes = 300_000, TempFolder = file });
        var rdd = context.Range(0, 200_000, 1, 8).Map(x => x * 7).LocalCheckpoint();
        Assert.Equal(200_000, rdd.Count());
        Assert.False(rdd.IsCheckpointed);
        Assert.Equal(7 * 199_999L * 100_000, rdd.Sum());
    }

    [Fact]
    public void A_local_checkpoint_is_read_from_where_it_is_kept()
    {
        using var context = DataflowContext.Local(2);
        var computed = context.Counter("computed");
        var rdd = context.Range(0, 100, 1, 4).Map(x =>
        {
            computed.Add(1);
            return x;
        }).LocalCheckpoint();
        Assert.Single(rdd.Take(1));
        Assert.True(rdd.IsCheckpointed);
        Assert.Equal(4950, rdd.Sum());
        Assert.Equal(100, computed.Value);
    }

    [Fact]
    public void Without_a_folder_the_message_says_what_to_set()
    {
        using var context = DataflowContext.Local(1);
        var error = Assert.Throws<InvalidOperationException>(() => context.Range(0, 1).Checkpoint());
        Assert.Contains("context.CheckpointFolder", error.Message);
    }

    [Fact]
    public void A_loop_with_checkpoints_keeps_its_lineage_short()
    {
        using var folder = new TempDirectory();
        using var context = DataflowContext.Local(2);
        context.CheckpointFolder = folder.Path;
        var rdd = context.Range(0, 10, 1, 2);
        for (var round = 0; round < 6; round++)
        {
            rdd = rdd.Map(x => x + 1).MapPartitions(items => items);
            if (round % 2 == 1) rdd.Checkpoint().Count();
        }
        Assert.Equal(Enumerable.Range(6, 10).Select(x => (long)x), rdd.Collect());
        Assert.True(rdd.ToDebugString().Split('\n').Length < 6, rdd.ToDebugString());
    }
}
