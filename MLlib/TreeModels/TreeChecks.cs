using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeModels;

/// <summary>Says what is wrong with a tree before anything walks it: after this, every walk ends at a leaf and reads inside the arrays.</summary>
internal static class TreeChecks
{
    /// <summary>What is wrong with the tree, or null.</summary>
    /// <remarks>O(nodes + category words).</remarks>
    public static string? Fault(Tree tree, int featureCount)
    {
        var leaves = tree.LeafCount;
        if (leaves == 0) return "it has no leaf";
        var nodes = leaves - 1;
        return Lengths(tree, nodes, leaves) ?? Categories(tree) ?? Nodes(tree, nodes, featureCount) ?? Shape(tree, nodes, leaves) ?? Leaves(tree);
    }

    private static string? Lengths(Tree tree, int nodes, int leaves)
    {
        return Of("features", tree.Features.Length, nodes) ?? Of("thresholds", tree.Thresholds.Length, nodes) ?? Of("decisions", tree.Decisions.Length, nodes)
            ?? Of("left children", tree.Left.Length, nodes) ?? Of("right children", tree.Right.Length, nodes) ?? Of("gains", tree.Gains.Length, nodes)
            ?? Of("internal values", tree.InternalValues.Length, nodes) ?? Of("internal weights", tree.InternalWeights.Length, nodes)
            ?? Of("internal counts", tree.InternalCounts.Length, nodes) ?? Of("leaf weights", tree.LeafWeights.Length, leaves)
            ?? Of("leaf counts", tree.LeafCounts.Length, leaves);

        string? Of(string name, int length, int expected) => length == expected ? null : $"it has {length} {name}; a tree of {leaves} leaves has {expected}";
    }

    private static string? Categories(Tree tree)
    {
        var bounds = tree.CategoryBounds;
        if (bounds.Length == 0) return tree.CategoryWords.Length == 0 ? null : $"it has {tree.CategoryWords.Length} category words but no bounds of them";
        if (bounds[0] != 0) return $"its category bounds begin at {bounds[0]}, not at 0";
        for (var i = 1; i < bounds.Length; i++)
        {
            if (bounds[i] < bounds[i - 1]) return $"its category bounds fall from {bounds[i - 1]} to {bounds[i]} at entry {i}";
        }
        return bounds[^1] == tree.CategoryWords.Length ? null : $"its category bounds end at {bounds[^1]}, but it has {tree.CategoryWords.Length} category words";
    }

    private static string? Nodes(Tree tree, int nodes, int featureCount)
    {
        var sets = Math.Max(0, tree.CategoryBounds.Length - 1);
        for (var i = 0; i < nodes; i++)
        {
            var feature = tree.Features[i];
            if ((uint)feature >= (uint)featureCount) return $"node {i} asks feature {feature}, but features are 0 to {featureCount - 1}";
            var decision = tree.Decisions[i];
            if ((decision & ~(Tree.Categorical | Tree.DefaultLeft | Tree.MissingMask)) != 0 || (decision & Tree.MissingMask) == Tree.MissingMask)
                return $"node {i} has decision type {decision}, which has no meaning";
            var threshold = tree.Thresholds[i];
            if (double.IsNaN(threshold)) return $"node {i} has a threshold that is not a number";
            if ((decision & Tree.Categorical) != 0 && !(threshold >= 0 && threshold < sets && threshold == (int)threshold))
                return $"node {i} is categorical and names set {threshold}, but there are {sets} sets of categories";
        }
        return null;
    }

    private static string? Shape(Tree tree, int nodes, int leaves)
    {
        // Every node and leaf is met exactly once on the way down from the root: so there is no cycle and nothing apart.
        var met = new bool[nodes + leaves];
        var open = new Stack<int>();
        open.Push(nodes == 0 ? ~0 : 0);
        var count = 0;
        while (open.TryPop(out var node))
        {
            if (node < -leaves || node >= nodes) return $"a child is {node}, but children are {-leaves} to {nodes - 1}";
            var place = node >= 0 ? node : nodes + ~node;
            if (met[place]) return $"{Name(node)} is the child of two nodes";
            met[place] = true;
            count++;
            if (node < 0) continue;
            open.Push(tree.Right[node]);
            open.Push(tree.Left[node]);
        }
        if (count == met.Length) return null;
        var missing = Array.IndexOf(met, false);
        return $"{Name(missing < nodes ? missing : ~(missing - nodes))} can't be reached from the root";

        static string Name(int node) => node >= 0 ? $"node {node}" : $"leaf {~node}";
    }

    private static string? Leaves(Tree tree)
    {
        for (var i = 0; i < tree.LeafValues.Length; i++)
        {
            if (!double.IsFinite(tree.LeafValues[i])) return $"leaf {i} has the value {tree.LeafValues[i]}";
        }
        return null;
    }
}
