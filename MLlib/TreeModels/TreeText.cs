using System.Globalization;
using System.Numerics;
using System.Text;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeModels;

/// <summary>Trees as people read them.</summary>
internal static class TreeText
{
    /// <summary>All trees, one condition a line, children indented under it: first where the condition holds.</summary>
    public static string Format(TreeEnsemble ensemble)
    {
        var text = new StringBuilder();
        for (var t = 0; t < ensemble.Trees.Count; t++)
        {
            var score = ensemble.TreesPerIteration > 1 ? string.Create(CultureInfo.InvariantCulture, $", class {t % ensemble.TreesPerIteration}") : "";
            text.Append(CultureInfo.InvariantCulture, $"Tree {t} ({ensemble.Trees[t].LeafCount} leaves{score})\n");
            Format(text, ensemble, ensemble.Trees[t]);
        }
        return text.ToString();
    }

    private static void Format(StringBuilder text, TreeEnsemble ensemble, Tree tree)
    {
        var open = new Stack<(int Node, int Depth)>();
        open.Push((tree.Features.Length == 0 ? ~0 : 0, 1));
        while (open.TryPop(out var next))
        {
            // Deep trees stay readable; depth is said as a number then.
            text.Append(' ', 2 * Math.Min(next.Depth, 40));
            if (next.Depth > 40) text.Append(CultureInfo.InvariantCulture, $"({next.Depth}) ");
            if (next.Node < 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"leaf {~next.Node}: {tree.LeafValues[~next.Node]:G6} ({tree.LeafCounts[~next.Node]} rows)\n");
                continue;
            }
            text.Append("if ").Append(Condition(ensemble, tree, next.Node));
            text.Append(CultureInfo.InvariantCulture, $" (gain {tree.Gains[next.Node]:G6}, {tree.InternalCounts[next.Node]} rows)\n");
            open.Push((tree.Right[next.Node], next.Depth + 1));
            open.Push((tree.Left[next.Node], next.Depth + 1));
        }
    }

    private static string Condition(TreeEnsemble ensemble, Tree tree, int node)
    {
        var name = ensemble.FeatureNames[tree.Features[node]];
        var decision = tree.Decisions[node];
        if ((decision & Tree.Categorical) != 0) return $"{name} in {{{string.Join(", ", Categories(tree, (int)tree.Thresholds[node]))}}}";
        var missing = (decision & Tree.MissingMask) switch
        {
            Tree.MissingNaN => "missing",
            Tree.MissingZero => "zero or missing",
            _ => null,
        };
        var condition = string.Create(CultureInfo.InvariantCulture, $"{name} <= {tree.Thresholds[node]:R}");
        if (missing is null) return condition;
        return (decision & Tree.DefaultLeft) != 0 ? $"{condition} or {missing}" : $"{condition} and not {missing}";
    }

    private static IEnumerable<int> Categories(Tree tree, int set)
    {
        for (var word = tree.CategoryBounds[set]; word < tree.CategoryBounds[set + 1]; word++)
        {
            for (var bits = tree.CategoryWords[word]; bits != 0; bits &= bits - 1)
                yield return ((word - tree.CategoryBounds[set]) * 32) + BitOperations.TrailingZeroCount(bits);
        }
    }
}
