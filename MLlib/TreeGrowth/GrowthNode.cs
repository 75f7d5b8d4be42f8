using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.TreeGrowth;

/// <summary>A node of the tree that grows. It is expanded when its rows are parted and its children know their best splits, which may be before it is
/// its turn to be split.</summary>
internal sealed class GrowthNode
{
    /// <summary>Where its rows begin in the shard's list.</summary>
    public int Start;

    /// <summary>Rows in this shard.</summary>
    public int Rows;

    public int Depth;

    public NodeSums Sums;

    /// <summary>Its histogram's slot, or -1.</summary>
    public int Slot = -1;

    /// <summary>Which features it may ask; null if all.</summary>
    public bool[]? Allowed;

    /// <summary>The features asked above it; kept only where features may not meet all others.</summary>
    public int[] Path = [];

    /// <summary>The turns from the root to it, hashed.</summary>
    public ulong Id = 1;

    /// <summary>L2 of its value besides that of the rules.</summary>
    public double ExtraL2;

    public SplitCandidate Split = SplitCandidate.None;

    public GrowthNode? Left;

    public GrowthNode? Right;

    /// <summary>Place among internal nodes, or ~ place among leaves.</summary>
    public int Place;

    /// <summary>Once it is expanded: the children whose histograms are made from rows, the one with fewer rows first.</summary>
    public GrowthNode[] Made = [];

    public bool IsExpanded => Left is not null;
}

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
