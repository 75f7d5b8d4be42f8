using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.TreeGrowth;

/// <summary>Which features a node may ask: a sample drawn for the tree, one drawn for the node, and those that may meet the features on its path.</summary>
internal sealed class FeatureChoice(int features, double byTree, double byNode, int[][]? interactions, ulong seed)
{
    private bool[]? ofTree;
    private ulong treeSeed;

    /// <summary>Draws the features of a tree.</summary>
    public void Begin(long tree)
    {
        treeSeed = RowHash.Bits(seed, tree, 0xFEA7);
        ofTree = byTree < 1 ? Draw(byTree, treeSeed, null) : null;
    }

    /// <summary>By feature: whether the node may ask it; null if it may ask all.</summary>
    /// <param name="path">The features asked above it.</param>
    /// <param name="id">Made of the turns from the root to it, so that the order in which nodes are looked at does not matter.</param>
    public bool[]? Of(IReadOnlyCollection<int> path, ulong id)
    {
        var allowed = byNode < 1 ? Draw(byNode, treeSeed ^ RowHash.Bits(id, 1), ofTree) : ofTree;
        if (interactions is null) return allowed;
        var together = new bool[features];
        foreach (var set in interactions)
        {
            if (!path.All(set.Contains)) continue;
            foreach (var feature in set) together[feature] = allowed is null || allowed[feature];
        }
        return together;
    }

    private bool[] Draw(double share, ulong key, bool[]? among)
    {
        var candidates = Enumerable.Range(0, features).Where(feature => among is null || among[feature]).ToArray();
        var wanted = Math.Max(1, (int)Math.Round(candidates.Length * share));
        var drawn = new bool[features];
        foreach (var feature in candidates.OrderBy(feature => RowHash.Bits(key, feature)).Take(wanted)) drawn[feature] = true;
        return drawn;
    }
}
