using System.Runtime.InteropServices;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeModels;

/// <summary>How a compiled node decides. The first two are all there is in most models, and differ only in where NaN goes.</summary>
internal enum NodeKind : byte
{
    /// <summary>Right if greater; NaN left.</summary>
    Greater = 0,

    /// <summary>Right if greater; NaN right.</summary>
    GreaterOrNaN = 1,

    /// <summary>Right if greater; zero and NaN left.</summary>
    ZeroLeft = 2,

    /// <summary>Right if greater, zero or NaN.</summary>
    ZeroRight = 3,

    /// <summary>Left if the category is in the node's set.</summary>
    Categorical = 4,
}

/// <summary>A node to walk over. 16 bytes, so that a few trees fit the first cache.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct WalkNode
{
    /// <summary>The largest value that goes left; of categorical nodes the place of their set.</summary>
    public double Threshold;

    /// <summary>Place of the feature among those used, times 8, plus the <see cref="NodeKind"/>.</summary>
    public uint FeatureAndKind;

    /// <summary>Two signed halves: left below, right above. Negative ones are leaves.</summary>
    public int Children;
}

/// <summary>
/// The trees of an ensemble laid out for prediction: nodes to walk (<see cref="WalkNode"/>), and the crown of each tree, which vectors decide for many rows at
/// once (<see cref="Crown"/>). Features that no tree asks are left out. Immutable.
/// </summary>
internal sealed class CompiledTrees
{
    /// <summary>LightGBM's bound for "zero": 1e-35 in single precision.</summary>
    public const double ZeroBound = 1e-35f;

    public CompiledTrees(TreeEnsemble ensemble, int iterations)
    {
        TreeCount = ensemble.TreesUsed(iterations);
        var used = new SortedSet<int>();
        for (var t = 0; t < TreeCount; t++) used.UnionWith(ensemble.Trees[t].Features);
        UsedFeatures = [.. used];
        var place = new Dictionary<int, int>(UsedFeatures.Length);
        for (var i = 0; i < UsedFeatures.Length; i++) place[UsedFeatures[i]] = i;

        var nodes = new List<WalkNode>();
        var leaves = new List<double>();
        var sets = new List<uint>();
        NodeStarts = new int[TreeCount + 1];
        LeafStarts = new int[TreeCount + 1];
        HasSpecial = new bool[TreeCount];
        Crowns = new Crown[TreeCount];
        for (var t = 0; t < TreeCount; t++)
        {
            var tree = ensemble.Trees[t];
            if (tree.LeafCount > short.MaxValue) throw new ArgumentException($"Tree {t} has {tree.LeafCount} leaves; predictions take trees of up to {short.MaxValue}.", nameof(ensemble));
            for (var i = 0; i < tree.Features.Length; i++)
            {
                var kind = Kind(tree, i);
                if (kind >= NodeKind.ZeroLeft) HasSpecial[t] = true;
                nodes.Add(new WalkNode
                {
                    Threshold = kind == NodeKind.Categorical ? AddSet(tree, i) : tree.Thresholds[i],
                    FeatureAndKind = ((uint)place[tree.Features[i]] << 3) | (uint)kind,
                    Children = (ushort)tree.Left[i] | (tree.Right[i] << 16),
                });
            }
            leaves.AddRange(tree.LeafValues);
            (NodeStarts[t + 1], LeafStarts[t + 1]) = (nodes.Count, leaves.Count);
            AnySpecial |= HasSpecial[t];
        }

        // A walk that has ended goes on reading node 0 of its tree; the last tree may have none.
        nodes.Add(default);
        Nodes = [.. nodes];
        LeafValues = [.. leaves];
        Sets = [.. sets];
        CategoricalPlaces = [.. nodes.Where(node => (node.FeatureAndKind & 7) == (uint)NodeKind.Categorical).Select(node => (int)(node.FeatureAndKind >> 3)).Distinct().Order()];
        CategoryColumns = new int[UsedFeatures.Length];
        for (var i = 0; i < CategoricalPlaces.Length; i++) CategoryColumns[CategoricalPlaces[i]] = i;
        for (var t = 0; t < TreeCount; t++) Crowns[t] = Crown.Of(this, ensemble.Trees[t], t);
        AllWhole = Array.TrueForAll(Crowns, crown => crown.IsWhole);
        RowCrowns = RowCrowns.Of(this);

        int AddSet(Tree tree, int node)
        {
            // A set is its number of words, then the words.
            var which = (int)tree.Thresholds[node];
            var words = tree.CategoryWords.AsSpan(tree.CategoryBounds[which]..tree.CategoryBounds[which + 1]);
            var at = sets.Count;
            sets.Add((uint)words.Length);
            sets.AddRange(words);
            return at;
        }
    }

    public int TreeCount { get; }

    /// <summary>Features that are asked at all, rising; nodes name their place here.</summary>
    public int[] UsedFeatures { get; }

    public WalkNode[] Nodes { get; }

    public int[] NodeStarts { get; }

    public double[] LeafValues { get; }

    public int[] LeafStarts { get; }

    /// <summary>Sets of categories, each its number of words and then the words.</summary>
    public uint[] Sets { get; }

    /// <summary>Places of features that are asked as categories.</summary>
    public int[] CategoricalPlaces { get; }

    /// <summary>By place: the feature's number among <see cref="CategoricalPlaces"/>.</summary>
    public int[] CategoryColumns { get; }

    /// <summary>By tree: whether a node is not one of the first two kinds.</summary>
    public bool[] HasSpecial { get; }

    public bool AnySpecial { get; }

    public Crown[] Crowns { get; }

    /// <summary>Whether every crown is its whole tree.</summary>
    public bool AllWhole { get; }

    /// <summary>The crowns for a single row; null where the walk does it all.</summary>
    public RowCrowns? RowCrowns { get; }

    /// <summary>Whether the value goes right at the node, for every kind of node.</summary>
    public static bool GoesRight(double value, in WalkNode node, ReadOnlySpan<uint> sets) => (NodeKind)(node.FeatureAndKind & 7) switch
    {
        NodeKind.Greater => value > node.Threshold,
        NodeKind.GreaterOrNaN => !(value <= node.Threshold),
        NodeKind.ZeroLeft => value > node.Threshold && Math.Abs(value) > ZeroBound,
        NodeKind.ZeroRight => !(value <= node.Threshold) || Math.Abs(value) <= ZeroBound,
        _ => !InSet(value, sets[(int)node.Threshold..]),
    };

    /// <summary>Whether a category is in a set: its number is cut to a whole one; negative ones, NaN and those past 31 bits are in none.</summary>
    public static bool InSet(double value, ReadOnlySpan<uint> set)
    {
        if (!(value > -1 && value < 2147483648.0)) return false;
        var category = (int)value;
        return (uint)(category >> 5) < set[0] && ((set[1 + (category >> 5)] >> (category & 31)) & 1) != 0;
    }

    // LightGBM replaces NaN by 0 where it is not what counts as missing; so where it goes is known beforehand.
    private static NodeKind Kind(Tree tree, int node)
    {
        var decision = tree.Decisions[node];
        if ((decision & Tree.Categorical) != 0) return NodeKind.Categorical;
        var threshold = tree.Thresholds[node];
        var left = (decision & Tree.DefaultLeft) != 0;
        return (decision & Tree.MissingMask) switch
        {
            Tree.MissingNaN => left ? NodeKind.Greater : NodeKind.GreaterOrNaN,
            Tree.MissingZero => left ? (threshold >= ZeroBound ? NodeKind.Greater : NodeKind.ZeroLeft)
                : threshold < -ZeroBound ? NodeKind.GreaterOrNaN : NodeKind.ZeroRight,
            _ => threshold >= 0 ? NodeKind.Greater : NodeKind.GreaterOrNaN,
        };
    }
}
