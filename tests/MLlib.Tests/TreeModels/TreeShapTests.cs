using System.Numerics;
using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.Tests.TreeModels;

/// <summary>SHAP values against their definition.</summary>
public sealed class TreeShapTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Values_are_those_of_the_sum_over_all_subsets_of_features(int seed)
    {
        const int features = 5;
        var random = new Random(seed);
        for (var round = 0; round < 6; round++)
        {
            var tree = RandomTrees.Tree(random, random.Next(1, 24), features, plain: round % 2 == 0);
            var row = RandomTrees.Row(random, features);
            var contributions = new double[features + 1];
            TreeShap.Add(tree, row, contributions);
            for (var feature = 0; feature < features; feature++)
            {
                var expected = 0.0;
                for (var subset = 0; subset < 1 << features; subset++)
                {
                    if ((subset >> feature & 1) != 0) continue;
                    var size = BitOperations.PopCount((uint)subset);
                    expected += Factorial(size) * Factorial(features - size - 1) / Factorial(features)
                        * (Expected(tree, row, subset | (1 << feature), 0) - Expected(tree, row, subset, 0));
                }
                Assert.True(Math.Abs(expected - contributions[feature]) < 1e-12, $"seed {seed}, round {round}, feature {feature}: {contributions[feature]}, expected {expected}");
            }
            Assert.Equal(Expected(tree, row, 0, 0), contributions[features], 12);
            Assert.Equal(tree.LeafValues[RandomTrees.Leaf(tree, row)], contributions.Sum(), 12);
        }
    }

    [Fact]
    public void Deep_trees_with_few_features_need_little_room()
    {
        const int depth = 900;
        var tree = new Tree
        {
            Features = [.. Enumerable.Range(0, depth).Select(i => i % 2)],
            Thresholds = [.. Enumerable.Range(0, depth).Select(i => (double)i)],
            Decisions = new byte[depth],
            Left = [.. Enumerable.Range(0, depth).Select(i => ~i)],
            Right = [.. Enumerable.Range(0, depth).Select(i => i == depth - 1 ? ~depth : i + 1)],
            Gains = new double[depth], InternalValues = new double[depth], InternalWeights = new double[depth],
            InternalCounts = [.. Enumerable.Range(0, depth).Select(i => (long)depth + 1 - i)],
            LeafValues = [.. Enumerable.Range(0, depth + 1).Select(i => i * 0.5)], LeafWeights = new double[depth + 1],
            LeafCounts = [.. Enumerable.Repeat(1L, depth + 1)],
        };
        var contributions = new double[3];
        TreeShap.Add(tree, [400.5, 399.5], contributions);
        var score = new double[1];
        new TreePredictor(new TreeEnsemble([tree], 2)).Scores([400.5, 399.5], score);
        Assert.Equal(score[0], contributions.Sum(), 9);
    }

    private static double Factorial(int n) => n < 2 ? 1 : n * Factorial(n - 1);

    // The mean over the rows of training that come here, as far as the subset does not say where this row goes.
    private static double Expected(Tree tree, double[] row, int subset, int node)
    {
        if (tree.Features.Length == 0) return tree.LeafValues[0];
        if (node < 0) return tree.LeafValues[~node];
        var feature = tree.Features[node];
        var (left, right) = (tree.Left[node], tree.Right[node]);
        if ((subset >> feature & 1) != 0) return Expected(tree, row, subset, TreeDecision.GoesRight(tree, node, row[feature]) ? right : left);
        double a = Count(left), b = Count(right);
        return ((a * Expected(tree, row, subset, left)) + (b * Expected(tree, row, subset, right))) / (a + b);

        long Count(int child) => child < 0 ? tree.LeafCounts[~child] : tree.InternalCounts[child];
    }
}
