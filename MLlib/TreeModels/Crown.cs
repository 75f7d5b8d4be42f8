using System.Numerics;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeModels;

/// <summary>
/// The upper part of a tree, up to 32 exits (leaves, or nodes to walk on from). Exits have a bit each, from left to right; a node whose answer is "right" clears the
/// bits of all exits on its left, in any order of nodes, and the lowest bit that is left is the exit. So vectors decide all nodes for many rows without a branch.
/// </summary>
/// <remarks>
/// Lucchese et al. 2015 (QuickScorer, section 3) and 2016 (V-QuickScorer), cut to the part of the tree where most rows of training went, so that one word holds the
/// exits. Float values compare with the largest float not above the threshold, which decides exactly as the double would.
/// </remarks>
internal sealed class Crown
{
    private const int MostExits = 32;

    private Crown(int greater, int greaterOrNaN, int[] places, double[] thresholds, uint[] keeps, int[] special, uint[] specialKeeps, int[] exits)
    {
        (Greater, GreaterOrNaN, Places, Thresholds, Exits) = (greater, greaterOrNaN, places, thresholds, exits);
        (Special, SpecialKeeps) = (special, specialKeeps);
        Keeps = keeps;
        WideKeeps = Array.ConvertAll(keeps, keep => keep | 0xFFFFFFFF00000000);
        NarrowThresholds = Array.ConvertAll(thresholds, Narrow);
        IsWhole = Array.TrueForAll(exits, exit => exit < 0);
    }

    /// <summary>How many nodes, at the front, are of kind <see cref="NodeKind.Greater"/>.</summary>
    public int Greater { get; }

    /// <summary>How many nodes after them are of kind <see cref="NodeKind.GreaterOrNaN"/>.</summary>
    public int GreaterOrNaN { get; }

    /// <summary>By node: where its feature begins in a block of rows.</summary>
    public int[] Places { get; }

    public double[] Thresholds { get; }

    public float[] NarrowThresholds { get; }

    /// <summary>By node: the exits that are left if the answer is "right".</summary>
    public uint[] Keeps { get; }

    public ulong[] WideKeeps { get; }

    /// <summary>Nodes of other kinds, as places among all nodes, and what they keep.</summary>
    public int[] Special { get; }

    public uint[] SpecialKeeps { get; }

    /// <summary>By exit: a node of the tree to walk on from, or ~leaf.</summary>
    public int[] Exits { get; }

    /// <summary>Whether every exit is a leaf.</summary>
    public bool IsWhole { get; }

    public static Crown Of(CompiledTrees trees, Tree tree, int index)
    {
        var first = trees.NodeStarts[index];
        var chosen = Choose(tree);
        var exits = new List<int>();
        var nodes = new List<(int Node, uint Keep)>();
        if (chosen.Count == 0) exits.Add(tree.Features.Length == 0 ? ~0 : 0);
        else Number(0);

        var greater = nodes.Where(node => KindOf(node.Node) == NodeKind.Greater).ToArray();
        var orNaN = nodes.Where(node => KindOf(node.Node) == NodeKind.GreaterOrNaN).ToArray();
        var special = nodes.Where(node => KindOf(node.Node) >= NodeKind.ZeroLeft).ToArray();
        (int Node, uint Keep)[] plain = [.. greater, .. orNaN];
        return new Crown(
            greater.Length,
            orNaN.Length,
            Array.ConvertAll(plain, node => (int)(trees.Nodes[first + node.Node].FeatureAndKind >> 3) * RowBlocks.Rows),
            Array.ConvertAll(plain, node => tree.Thresholds[node.Node]),
            Array.ConvertAll(plain, node => node.Keep),
            Array.ConvertAll(special, node => first + node.Node),
            Array.ConvertAll(special, node => node.Keep),
            [.. exits]);

        NodeKind KindOf(int node) => (NodeKind)(trees.Nodes[first + node].FeatureAndKind & 7);

        void Number(int node)
        {
            var from = exits.Count;
            Visit(tree.Left[node]);
            var count = exits.Count - from;
            nodes.Add((node, ~(uint)(((1UL << count) - 1) << from)));
            Visit(tree.Right[node]);
        }

        void Visit(int child)
        {
            if (child >= 0 && chosen.Contains(child)) Number(child);
            else exits.Add(child);
        }
    }

    /// <summary>The largest float that is not above the threshold.</summary>
    internal static float Narrow(double threshold)
    {
        var narrow = (float)threshold;
        return narrow > threshold ? MathF.BitDecrement(narrow) : narrow;
    }

    // The nodes that most rows of training passed; without counts, those nearest to the root. At most 31, so the recursion above is shallow.
    private static HashSet<int> Choose(Tree tree)
    {
        var chosen = new HashSet<int>();
        var open = new PriorityQueue<(int Node, int Depth), (long, int)>();
        if (tree.Features.Length > 0) open.Enqueue((0, 0), (0, 0));
        while (chosen.Count < MostExits - 1 && open.TryDequeue(out var next, out _))
        {
            chosen.Add(next.Node);
            foreach (var child in (ReadOnlySpan<int>)[tree.Left[next.Node], tree.Right[next.Node]])
            {
                if (child >= 0) open.Enqueue((child, next.Depth + 1), (-tree.InternalCounts[child], next.Depth + 1));
            }
        }
        return chosen;
    }
}
