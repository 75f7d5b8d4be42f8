using Dataflow.MLlib.TreeBins;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeGrowth;

/// <summary>A tree as it was grown: its nodes with their rows in this shard, leaves still without values.</summary>
internal sealed class GrownTree(List<GrowthNode> splits, List<GrowthNode> leaves, Gradients gradients)
{
    /// <summary>Internal nodes in the order they were split.</summary>
    public List<GrowthNode> Splits { get; } = splits;

    /// <summary>Leaves by their numbers.</summary>
    public List<GrowthNode> Leaves { get; } = leaves;

    /// <summary>What the sums of the nodes are in units of.</summary>
    public Gradients Gradients { get; } = gradients;
}
