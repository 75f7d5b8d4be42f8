using System.Globalization;
using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.Tests.TreeModels;

/// <summary>Ensembles with every kind of node, and rows that meet all their rules; and what is run with and without instruction sets.</summary>
internal static class RandomTrees
{
    public static TreeEnsemble Ensemble(Random random, int trees, int mostLeaves, int features, int perIteration = 1, bool plain = false) =>
        new(Enumerable.Range(0, trees).Select(_ => Tree(random, random.Next(1, mostLeaves + 1), features, plain)), features, perIteration, "");

    public static Tree Tree(Random random, int leaves, int features, bool plain)
    {
        var nodes = leaves - 1;
        int[] left = new int[nodes], right = new int[nodes];
        var bounds = new List<int> { 0 };
        var words = new List<uint>();
        var thresholds = new double[nodes];
        var decisions = new byte[nodes];
        var next = 0;
        var nextLeaf = 0;
        if (leaves > 1) Grow(leaves);
        var leafCounts = Enumerable.Range(0, leaves).Select(_ => (long)random.Next(1, 50)).ToArray();
        var counts = new long[nodes];
        for (var i = nodes - 1; i >= 0; i--) counts[i] = CountOf(left[i]) + CountOf(right[i]);
        for (var i = 0; i < nodes; i++) Decide(i);
        return new Tree
        {
            Features = [.. Enumerable.Range(0, nodes).Select(_ => random.Next(features))],
            Thresholds = thresholds, Decisions = decisions, Left = left, Right = right,
            Gains = [.. Enumerable.Range(0, nodes).Select(_ => random.NextDouble())],
            InternalValues = new double[nodes], InternalWeights = new double[nodes], InternalCounts = counts,
            LeafValues = [.. Enumerable.Range(0, leaves).Select(_ => random.NextDouble() - 0.5)],
            LeafWeights = new double[leaves], LeafCounts = leafCounts,
            CategoryBounds = bounds.Count == 1 ? [] : [.. bounds], CategoryWords = [.. words],
        };

        long CountOf(int child) => child < 0 ? leafCounts[~child] : counts[child];

        int Grow(int size)
        {
            if (size == 1) return ~nextLeaf++;
            var node = next++;
            var below = random.Next(1, size);
            left[node] = Grow(below);
            right[node] = Grow(size - below);
            return node;
        }

        void Decide(int node)
        {
            thresholds[node] = random.Next(4) switch { 0 => 0, 1 => random.Next(-3, 4), _ => random.NextDouble() - 0.5 };
            decisions[node] = (byte)((random.Next(2) * MLlib.Trees.Tree.DefaultLeft) | (random.Next(plain ? 2 : 3) switch { 0 => 0, 1 => MLlib.Trees.Tree.MissingNaN, _ => MLlib.Trees.Tree.MissingZero }));
            if (plain || random.Next(4) != 0) return;
            decisions[node] |= MLlib.Trees.Tree.Categorical;
            thresholds[node] = bounds.Count - 1;
            for (var w = random.Next(0, 3); w >= 0; w--) words.Add((uint)random.NextInt64(1L << 32));
            bounds.Add(words.Count);
        }
    }

    public static double[] Row(Random random, int features) => [.. Enumerable.Range(0, features).Select(_ => random.Next(16) switch
    {
        0 => double.NaN,
        1 => 0,
        2 => -0.0,
        3 => 1e-36,
        4 => double.PositiveInfinity,
        5 => double.NegativeInfinity,
        6 => random.Next(-3, 4),
        7 => random.Next(100),
        8 => 3e9,
        9 => 1e-35,
        10 => random.Next(20) + 0.75,
        _ => random.NextDouble() - 0.5,
    })];

    /// <summary>The scores by the plain rule, node after node.</summary>
    public static double[] Scores(TreeEnsemble ensemble, double[] row)
    {
        var scores = new double[ensemble.TreesPerIteration];
        for (var t = 0; t < ensemble.Trees.Count; t++) scores[t % scores.Length] += ensemble.Trees[t].LeafValues[Leaf(ensemble.Trees[t], row)];
        return scores;
    }

    public static int Leaf(Tree tree, double[] row)
    {
        var node = tree.Features.Length == 0 ? ~0 : 0;
        while (node >= 0) node = TreeDecision.GoesRight(tree, node, row[tree.Features[node]]) ? tree.Right[node] : tree.Left[node];
        return ~node;
    }

    public static string Fingerprint()
    {
        var random = new Random(31);
        var hash = 14695981039346656037UL;
        foreach (var plain in new[] { true, false })
        {
            var ensemble = Ensemble(random, 30, 90, 7, 2, plain);
            var predictor = new TreePredictor(ensemble);
            var rows = Enumerable.Range(0, 150).SelectMany(_ => Row(random, 7)).ToArray();
            var scores = new double[300];
            predictor.Scores(rows, 7, 150, scores);
            foreach (var score in scores) Mix(score);
            predictor.Scores(Array.ConvertAll(rows, value => (float)value), 7, 150, scores);
            foreach (var score in scores) Mix(score);
            var contributions = new double[16];
            for (var i = 0; i < 150; i++)
            {
                predictor.Contributions(rows.AsSpan(7 * i, 7), contributions);
                foreach (var value in contributions) Mix(value);
            }
        }
        return hash.ToString("x16", CultureInfo.InvariantCulture);

        void Mix(double value) => hash = (hash ^ (ulong)BitConverter.DoubleToInt64Bits(value)) * 1099511628211UL;
    }
}
