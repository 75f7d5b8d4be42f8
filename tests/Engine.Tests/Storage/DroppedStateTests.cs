using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Engine.Tests.Storage;

/// <summary>Objects that a program lets go of.</summary>
public sealed class DroppedStateTests
{
    [Fact]
    public void Objects_of_a_name_go_and_those_of_others_stay()
    {
        using var context = DataflowContext.Local(2);
        Assert.Equal(4, Keep(context, "mine").Sum());
        Assert.Equal(4, Keep(context, "mine too").Sum());
        Assert.Equal(8, context.Services.State.Objects.Count);
        context.DropState("mine");

        // A job goes through the same mailbox: what was told before it is done.
        context.Range(0, 1).Count();
        Assert.True(SpinWait.SpinUntil(() => context.Services.State.Objects.Count == 4, TimeSpan.FromSeconds(30)), $"{context.Services.State.Objects.Count} objects");
        Assert.All(context.Services.State.Objects, each => Assert.Contains("mine too/", each.Key, StringComparison.Ordinal));
        Assert.Equal(4, Keep(context, "mine").Sum());
        Assert.Throws<ArgumentException>(() => context.DropState(" "));
    }

    private static Rdd<int> Keep(DataflowContext context, string name) => context.Range(0, 4, partitions: 4).MapPartitionsWithIndex<int>((partition, items) =>
    {
        var task = TaskContext.Current!;
        return [task.Services.State.GetOrCreate(ExecutorState.KeyOf(name, partition), 0, items.Count, LossRule.Rebuild, context: task).Value];
    });
}
