using System.Buffers;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeModels;

/// <summary>Exact SHAP values of one tree for one row, in polynomial time.</summary>
/// <remarks>
/// Lundberg, Erion and Lee 2018, "Consistent individualized feature attribution for tree ensembles", algorithm 2: the path from the root keeps, for all subsets of
/// its features at once, how many of them lead here. What share of a node's rows goes to a child is taken from the rows of training.
/// </remarks>
internal static class TreeShap
{
    /// <summary>Deepest tree that is explained: the walk is recursive, and its room grows with the square of the depth.</summary>
    private const int MostDepth = 2_000;

    private static readonly double[] Inverses = [.. Enumerable.Range(0, MostDepth + 4).Select(i => 1.0 / i)];

    /// <summary>Adds the tree's part to one number a feature and, last, its expected value.</summary>
    public static void Add(Tree tree, ReadOnlySpan<double> row, Span<double> contributions) => Add(tree, Shape(tree), row, contributions);

    /// <inheritdoc cref="Add(Tree, ReadOnlySpan{double}, Span{double})"/>
    public static void Add(Tree tree, (int Depth, double Expected) shape, ReadOnlySpan<double> row, Span<double> contributions)
    {
        contributions[^1] += shape.Expected;
        if (tree.Features.Length == 0) return;
        if (shape.Depth > MostDepth) throw new InvalidOperationException($"A tree is {shape.Depth} levels deep; contributions are computed for up to {MostDepth}.");
        var depth = shape.Depth + 2;
        var rented = ArrayPool<Step>.Shared.Rent(depth * Math.Min(depth + 1, row.Length + 2));
        new Walk(tree, row, contributions).Visit(0, 0, rented, 0, 1, 1, -1);
        ArrayPool<Step>.Shared.Return(rented);
    }

    /// <summary>How deep the tree is, and the mean of its values over the rows of training: what does not depend on the row.</summary>
    public static (int Depth, double Expected) Shape(Tree tree) => (tree.Features.Length == 0 ? 0 : Depth(tree), Expected(tree));

    private static double Expected(Tree tree)
    {
        if (tree.LeafCount == 1) return tree.LeafValues[0];
        var total = Count(tree, 0);
        var sum = 0.0;
        for (var i = 0; i < tree.LeafCount; i++) sum += Count(tree, ~i) / total * tree.LeafValues[i];
        return sum;
    }

    /// <summary>How many internal nodes lie above the deepest leaf.</summary>
    private static int Depth(Tree tree)
    {
        var deepest = 0;
        var open = new Stack<(int Node, int Depth)>();
        open.Push((0, 1));
        while (open.TryPop(out var next))
        {
            deepest = Math.Max(deepest, next.Depth);
            if (tree.Left[next.Node] >= 0) open.Push((tree.Left[next.Node], next.Depth + 1));
            if (tree.Right[next.Node] >= 0) open.Push((tree.Right[next.Node], next.Depth + 1));
        }
        return deepest;
    }

    // Nodes without rows (of models that were edited) count as one, so that nothing is divided by zero.
    private static double Count(Tree tree, int node)
    {
        var count = node >= 0 ? tree.InternalCounts[node] : tree.LeafCounts[~node];
        return count > 0 ? count : 1;
    }

    /// <summary>A feature on the path: the share of rows that go on without knowing it, whether this row goes on, and the weight of subsets of this size.</summary>
    private struct Step
    {
        public int Feature;
        public double Zero;
        public double One;
        public double Weight;
    }

    private readonly ref struct Walk(Tree tree, ReadOnlySpan<double> row, Span<double> contributions)
    {
        private readonly ReadOnlySpan<double> row = row;
        private readonly Span<double> contributions = contributions;

        /// <summary>Goes down from a node. <paramref name="parent"/> is where the parent's path begins in <paramref name="paths"/>; this one's follows it.</summary>
        public void Visit(int node, int depth, Step[] paths, int parent, double zero, double one, int feature)
        {
            var start = depth == 0 ? 0 : parent + depth;
            var path = paths.AsSpan(start, depth + 1);
            if (depth > 0) paths.AsSpan(parent, depth).CopyTo(path);
            Extend(path, depth, zero, one, feature);

            if (node < 0)
            {
                Explain(path, depth, tree.LeafValues[~node]);
                return;
            }

            var asked = tree.Features[node];
            var (hot, cold) = TreeDecision.GoesRight(tree, node, row[asked]) ? (tree.Right[node], tree.Left[node]) : (tree.Left[node], tree.Right[node]);
            var total = Count(tree, node);
            var hotZero = Count(tree, hot) / total;
            var coldZero = Count(tree, cold) / total;
            double incomingZero = 1, incomingOne = 1;
            for (var i = 0; i <= depth; i++)
            {
                if (path[i].Feature != asked) continue;
                (incomingZero, incomingOne) = (path[i].Zero, path[i].One);
                Unwind(path, depth, i);
                depth--;
                break;
            }
            Visit(hot, depth + 1, paths, start, hotZero * incomingZero, incomingOne, asked);
            Visit(cold, depth + 1, paths, start, coldZero * incomingZero, 0, asked);
        }

        private static void Extend(Span<Step> path, int depth, double zero, double one, int feature)
        {
            path[depth] = new Step { Feature = feature, Zero = zero, One = one, Weight = depth == 0 ? 1 : 0 };
            for (var i = depth - 1; i >= 0; i--)
            {
                path[i + 1].Weight += one * path[i].Weight * (i + 1) / (depth + 1);
                path[i].Weight = zero * path[i].Weight * (depth - i) / (depth + 1);
            }
        }

        private static void Unwind(Span<Step> path, int depth, int at)
        {
            var (one, zero) = (path[at].One, path[at].Zero);
            var next = path[depth].Weight;
            for (var i = depth - 1; i >= 0; i--)
            {
                if (one != 0)
                {
                    var weight = path[i].Weight;
                    path[i].Weight = next * (depth + 1) / ((i + 1) * one);
                    next = weight - (path[i].Weight * zero * (depth - i) / (depth + 1));
                }
                else
                {
                    path[i].Weight = path[i].Weight * (depth + 1) / (zero * (depth - i));
                }
            }
            for (var i = at; i < depth; i++) (path[i].Feature, path[i].Zero, path[i].One) = (path[i + 1].Feature, path[i + 1].Zero, path[i + 1].One);
        }

        /// <summary>What a leaf's value adds to the features on its path.</summary>
        private void Explain(Span<Step> path, int depth, double value)
        {
            // Of features that this row does not follow, the sum over subsets is the same but for their share.
            var unmet = 0.0;
            for (var i = 0; i < depth; i++) unmet += path[i].Weight * Inverses[depth - i];
            unmet *= depth + 1;
            for (var i = 1; i <= depth; i++)
            {
                contributions[path[i].Feature] += path[i].One == 0
                    ? -unmet * value
                    : UnwoundSum(path, depth, path[i].Zero) * (1 - path[i].Zero) * value;
            }
        }

        // Of a feature that this row follows: what the weights would be without it, together.
        private static double UnwoundSum(Span<Step> path, int depth, double zero)
        {
            var next = path[depth].Weight;
            var total = 0.0;
            var share = zero * Inverses[depth + 1];
            for (var i = depth - 1; i >= 0; i--)
            {
                var weight = next * (depth + 1) * Inverses[i + 1];
                total += weight;
                next = path[i].Weight - (weight * share * (depth - i));
            }
            return total;
        }
    }
}
