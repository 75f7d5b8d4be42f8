using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.TreeGrowth;

/// <summary>How far a tree grows, and what its splits keep to.</summary>
internal sealed record GrowthOptions
{
    public int Leaves { get; init; } = 31;

    /// <summary>Splits from the root to a leaf at most; 0 is no limit.</summary>
    public int MaxDepth { get; init; }

    /// <summary>Whether all leaves of a level are split before any of the next.</summary>
    public bool LevelWise { get; init; }

    public SplitRules Rules { get; init; } = new();

    /// <summary>Share of the features that a tree may ask.</summary>
    public double FeaturesByTree { get; init; } = 1;

    /// <summary>Share of the tree's features that a node may ask.</summary>
    public double FeaturesByNode { get; init; } = 1;

    /// <summary>How many of the features a node may ask, besides.</summary>
    public FeatureSubset Subset { get; init; }

    /// <summary>Voting: how many columns a shard names for a node; 0 adds up all columns.</summary>
    public int VotingColumns { get; init; }

    public ulong Seed { get; init; }

    /// <summary>Bytes that histograms of one tree may take.</summary>
    public long HistogramBytes { get; init; } = 256L << 20;
}
