using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.Tests.TreeModels;

/// <summary>What an ensemble refuses.</summary>
public sealed class TreeEnsembleTests
{
    [Theory]
    [InlineData("left", 0, "node 0 is the child of two nodes")]
    [InlineData("left", 7, "a child is 7")]
    [InlineData("left", -9, "a child is -9")]
    [InlineData("right", ~0, "the child of two nodes")]
    [InlineData("feature", 3, "asks feature 3")]
    [InlineData("decision", 12, "decision type 12")]
    [InlineData("decision", 1, "sets of categories")]
    [InlineData("cycle", 0, "can't be reached")]
    public void Trees_that_could_not_be_walked_are_refused(string part, int value, string expected)
    {
        int[] left = [~0, 2, ~2], right = [~1, ~3, 1], features = [0, 1, 2];
        var decisions = new byte[3];
        if (part != "cycle") (left, right) = ([1, ~0, ~2], [2, ~1, ~3]);
        if (part == "left") left[0] = value;
        if (part == "right") right[2] = value;
        if (part == "feature") features[1] = value;
        if (part == "decision") decisions[1] = (byte)value;
        var tree = new Tree
        {
            Features = features, Thresholds = new double[3], Decisions = decisions, Left = left, Right = right, Gains = new double[3], InternalValues = new double[3],
            InternalWeights = new double[3], InternalCounts = new long[3], LeafValues = new double[4], LeafWeights = new double[4], LeafCounts = new long[4],
        };
        var error = Assert.Throws<ArgumentException>(() => new TreeEnsemble([tree], 3));
        Assert.Contains("Tree 0 is malformed", error.Message);
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public void What_belongs_to_the_trees_must_fit_them()
    {
        var trees = RandomTrees.Ensemble(new Random(3), 4, 6, 3).Trees;
        Assert.Throws<ArgumentException>(() => new TreeEnsemble(trees, 3, 3));
        Assert.Throws<ArgumentException>(() => new TreeEnsemble(trees, 3) { FeatureNames = ["a", "b"] });
        Assert.Throws<ArgumentOutOfRangeException>(() => new TreeEnsemble(trees, 3) { BestIteration = 5 });
        Assert.Throws<ArgumentException>(() => FeatureInfo.Numeric(2, 1));
        Assert.Contains("sigmoid", Assert.Throws<ArgumentException>(() => new TreePredictor(new TreeEnsemble(trees, 3, 1, "binary sigmoid:x"))).Message);
    }
}
