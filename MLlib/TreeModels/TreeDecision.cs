using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeModels;

/// <summary>The rule of a decision, spelled out for one node of a tree: what the faster forms must agree with.</summary>
internal static class TreeDecision
{
    /// <summary>Whether the value goes right.</summary>
    public static bool GoesRight(Tree tree, int node, double value)
    {
        var decision = tree.Decisions[node];
        if ((decision & Tree.Categorical) != 0)
        {
            // Cut to a whole number; what does not fit 31 bits, is negative or missing is in no set.
            if (!(value > -1 && value < 2147483648.0)) return true;
            var category = (int)value;
            var which = (int)tree.Thresholds[node];
            var word = tree.CategoryBounds[which] + (category >> 5);
            return word >= tree.CategoryBounds[which + 1] || ((tree.CategoryWords[word] >> (category & 31)) & 1) == 0;
        }
        var missing = decision & Tree.MissingMask;
        if (double.IsNaN(value) && missing != Tree.MissingNaN) value = 0;
        if (double.IsNaN(value) || (missing == Tree.MissingZero && Math.Abs(value) <= CompiledTrees.ZeroBound)) return (decision & Tree.DefaultLeft) == 0;
        return !(value <= tree.Thresholds[node]);
    }
}
