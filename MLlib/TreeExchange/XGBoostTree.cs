using System.Text.Json;
using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeExchange;

/// <summary>One tree of XGBoost's JSON in our form: nodes that pruning left behind are dropped, thresholds moved, sets of categories turned round where needed.</summary>
internal sealed class XGBoostTree
{
    private readonly XGBoostReader reader;
    private readonly XGBoostCategories known;
    private readonly int index;
    private readonly int features;
    private readonly int[] left, right, split, defaultLeft;
    private readonly float[] conditions, covers, gains, weights;
    private readonly Dictionary<int, int[]> sets = [];

    public XGBoostTree(XGBoostReader reader, JsonElement tree, int index, int features, XGBoostCategories known)
    {
        (this.reader, this.known, this.index, this.features) = (reader, known, index, features);
        left = Integers("left_children", -1);
        right = Integers("right_children", left.Length);
        split = Integers("split_indices", left.Length);
        defaultLeft = Integers("default_left", left.Length);
        conditions = Floats("split_conditions");
        covers = Floats("sum_hessian");
        gains = Floats("loss_changes");
        weights = Floats("base_weights");
        if (left.Length == 0) throw Fault("it has no nodes");
        var (nodes, categories) = known.Sets(tree, index);
        for (var i = 0; i < nodes.Length; i++) sets[nodes[i]] = categories[i];
        if (!tree.TryGetProperty("split_type", out var types) || types.ValueKind != JsonValueKind.Array) return;
        var kinds = reader.Integers(types, "split_type");
        for (var i = 0; i < Math.Min(kinds.Length, left.Length); i++)
        {
            if (kinds[i] == 1 && left[i] >= 0 && !sets.ContainsKey(i)) throw Fault($"node {i} is categorical, but has no categories");
        }

        int[] Integers(string name, int length) => Same(name, reader.Integers(reader.Member(tree, name, JsonValueKind.Array), name), length);

        float[] Floats(string name) => Same(name, reader.Floats(reader.Member(tree, name, JsonValueKind.Array), name), left.Length);

        T[] Same<T>(string name, T[] values, int length)
            => length < 0 || values.Length == length ? values : throw Fault($"{name} has {values.Length} entries for {length} nodes");
    }

    /// <summary>A tree of one leaf.</summary>
    public static Tree Constant(double value) => new()
    {
        Features = [], Thresholds = [], Decisions = [], Left = [], Right = [], Gains = [], InternalValues = [], InternalWeights = [], InternalCounts = [],
        LeafValues = [value], LeafWeights = [0], LeafCounts = [0],
    };

    /// <summary>The tree, its leaf values times <paramref name="weight"/> plus <paramref name="added"/>.</summary>
    public Tree Read(double weight, double added)
    {
        var (nodes, leaves) = Reachable();
        var number = new Dictionary<int, int>();
        for (var i = 0; i < nodes.Count; i++) number[nodes[i]] = i;
        for (var i = 0; i < leaves.Count; i++) number[leaves[i]] = ~i;
        var scale = CountScale(nodes, leaves);
        var bounds = new List<int> { 0 };
        var words = new List<uint>();
        var tree = new Tree
        {
            Features = Of(nodes, node => split[node]),
            Thresholds = new double[nodes.Count],
            Decisions = new byte[nodes.Count],
            Left = Of(nodes, node => number[left[node]]),
            Right = Of(nodes, node => number[right[node]]),
            Gains = Of(nodes, node => Finite(gains[node], "loss_changes")),
            InternalValues = Of(nodes, node => Finite(weights[node], "base_weights")),
            InternalWeights = Of(nodes, node => (double)covers[node]),
            InternalCounts = Of(nodes, node => (long)Math.Round(covers[node] * scale)),
            LeafValues = Of(leaves, leaf => (Finite(conditions[leaf], "split_conditions") * weight) + added),
            LeafWeights = Of(leaves, leaf => (double)covers[leaf]),
            LeafCounts = Of(leaves, leaf => (long)Math.Round(covers[leaf] * scale)),
            Shrinkage = weight,
        };
        for (var i = 0; i < nodes.Count; i++)
        {
            var node = nodes[i];
            if (!sets.TryGetValue(node, out var categories))
            {
                tree.Thresholds[i] = Threshold(conditions[node], node);
                tree.Decisions[i] = (byte)(Tree.MissingNaN | (defaultLeft[node] != 0 ? Tree.DefaultLeft : 0));
                continue;
            }
            tree.Thresholds[i] = bounds.Count - 1;
            tree.Decisions[i] = Tree.Categorical | Tree.MissingNaN;
            AddSet(tree, i, node, categories, words);
            bounds.Add(words.Count);
        }
        if (bounds.Count == 1) return Checked(tree);
        return Checked(new Tree
        {
            Features = tree.Features, Thresholds = tree.Thresholds, Decisions = tree.Decisions, Left = tree.Left, Right = tree.Right, Gains = tree.Gains,
            InternalValues = tree.InternalValues, InternalWeights = tree.InternalWeights, InternalCounts = tree.InternalCounts, LeafValues = tree.LeafValues,
            LeafWeights = tree.LeafWeights, LeafCounts = tree.LeafCounts, Shrinkage = tree.Shrinkage, CategoryBounds = [.. bounds], CategoryWords = [.. words],
        });
    }

    // In XGBoost categories of the set go right and all others left; here those of the set go left, and missing ones right with the others.
    private void AddSet(Tree tree, int place, int node, int[] categories, List<uint> words)
    {
        var missingLeft = defaultLeft[node] != 0;
        var count = (missingLeft ? categories.DefaultIfEmpty(0).Max() : Math.Max(255, known.Largest(split[node]))) / 32 + 1;
        var set = new uint[count];
        foreach (var category in categories) set[category >> 5] |= 1u << (category & 31);
        if (missingLeft) (tree.Left[place], tree.Right[place]) = (tree.Right[place], tree.Left[place]);
        else for (var i = 0; i < count; i++) set[i] = ~set[i];
        words.AddRange(set);
    }

    /// <summary>The largest double that goes left: it is rounded to single precision before it is compared, and must be smaller then.</summary>
    private double Threshold(float condition, int node)
    {
        if (float.IsNaN(condition) || float.IsNegativeInfinity(condition)) throw Fault($"node {node} has {condition} as its threshold");
        var below = MathF.BitDecrement(condition);
        if (float.IsNegativeInfinity(below)) throw Fault($"node {node} has {condition} as its threshold");
        var middle = (below + (float.IsPositiveInfinity(condition) ? Math.ScaleB(1, 128) : (double)condition)) / 2;
        return (float)middle == below ? middle : Math.BitDecrement(middle);
    }

    private (List<int> Nodes, List<int> Leaves) Reachable()
    {
        var nodes = new List<int>();
        var leaves = new List<int>();
        var met = new bool[left.Length];
        var open = new Stack<int>();
        open.Push(0);
        while (open.TryPop(out var node))
        {
            if ((uint)node >= (uint)left.Length) throw Fault($"a child is {node}, but nodes are 0 to {left.Length - 1}");
            if (met[node]) throw Fault($"node {node} is the child of two nodes");
            met[node] = true;
            if (left[node] == -1)
            {
                leaves.Add(node);
                continue;
            }
            if ((uint)split[node] >= (uint)features) throw Fault($"node {node} asks feature {split[node]}, but features are 0 to {features - 1}");
            nodes.Add(node);
            open.Push(right[node]);
            open.Push(left[node]);
        }
        return (nodes, leaves);
    }

    // Covers are counts where hessians are 1. Where they are not whole numbers, counts in proportion to them are all that explanations need.
    private double CountScale(List<int> nodes, List<int> leaves)
    {
        var whole = true;
        foreach (var node in nodes.Concat(leaves))
        {
            if (!(covers[node] >= 0) || !float.IsFinite(covers[node])) throw Fault($"node {node} has {covers[node]} as its sum of hessians");
            whole &= covers[node] == MathF.Floor(covers[node]);
        }
        return whole || covers[0] <= 0 ? 1 : Math.ScaleB(1, 30 - (int)Math.Ceiling(Math.Log2(covers[0])));
    }

    private double Finite(float value, string name) => float.IsFinite(value) ? value : throw Fault($"{name} has the value {value}");

    private Tree Checked(Tree tree) => TreeChecks.Fault(tree, features) is { } fault ? throw Fault(fault) : tree;

    private ModelFormatException Fault(string problem) => reader.Fault($"tree {index} is malformed: {problem}.");

    private static T[] Of<T>(List<int> places, Func<int, T> value) => [.. places.Select(value)];
}
