using Dataflow.MLlib.TreeGrowth;
using Dataflow.MLlib.TreeObjectives;
using Dataflow.MLlib.Trees;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.Tests.Trees;

/// <summary>Shards that add up only the columns that most of them name.</summary>
public sealed class VotingTests
{
    private const int Features = 40;

    private static TreeTrainingOptions Options(int columns) =>
        new() { Objective = new SquaredObjective(), Iterations = 8, Growth = new() { Leaves = 15, VotingColumns = columns, Rules = new() { MinLeafRows = 20 } } };

    private static TreeData Data => TreeData.Make(6000, Features, seed: 12, TreeData.Number, missing: 0.02);

    [Theory]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    public void Few_columns_of_many_are_enough_and_threads_do_not_matter(int shards, int threads)
    {
        var data = Data;
        var voted = data.Train(Options(4), shards, threads);
        Assert.Equal(TreeData.Fingerprint(voted), TreeData.Fingerprint(data.Train(Options(4), shards, threads: 1)));

        // The four features that matter stand out in every shard; what is noise decides little.
        var (exact, ours) = (Error(data, data.Train(Options(0))), Error(data, voted));
        Assert.InRange(ours, exact * 0.9, exact * 1.05);
        Assert.Contains(0, voted[0].Features.Concat(voted[1].Features));
        Assert.All(voted, tree => Assert.Equal(6000, tree.LeafCounts.Sum()));
    }

    [Fact]
    public void Where_all_columns_would_be_looked_at_and_on_one_shard_nothing_is_voted_on()
    {
        var data = Data;
        var exact = TreeData.Fingerprint(data.Train(Options(0)));
        Assert.Equal(exact, TreeData.Fingerprint(data.Train(Options(Features / 2), shards: 3)));
        Assert.Equal(exact, TreeData.Fingerprint(data.Train(Options(2))));
        Assert.NotEqual(exact, TreeData.Fingerprint(data.Train(Options(1), shards: 3)));
    }

    [Fact]
    public void All_shards_grow_the_same_trees_with_small_leaves_and_little_room_for_histograms()
    {
        var data = Data;
        var options = Options(3) with { Growth = Options(3).Growth with { Leaves = 63, HistogramBytes = 1, Rules = new SplitRules { MinLeafRows = 2 } } };
        var all = MemoryTreeGroup.Run(3, group =>
        {
            using var team = new ThreadTeam(1);
            using var shard = data.Shard(team, group, 2000 * group.Index, 2000 * (group.Index + 1), blocks: 2);
            using var training = new TreeTraining(options, shard, team, group);
            training.Run();
            return TreeData.Fingerprint(training.Trees);
        });
        Assert.Single(all.Distinct());
    }

    private static double Error(TreeData data, IReadOnlyList<Tree> trees) =>
        Math.Sqrt(Enumerable.Range(0, data.Rows).Average(row => Math.Pow(data.Predict(trees, row) - data.Labels[row], 2)));
}
