using Dataflow.MLlib.TreeBins;
using Dataflow.MLlib.TreeGrowth;
using Dataflow.MLlib.TreeObjectives;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.Tests.Trees;

/// <summary>Training against what must come out of it.</summary>
public sealed class TreeTrainingTests
{
    [Theory]
    [InlineData(1, 0.0, 0.0, 20)]
    [InlineData(2, 0.2, 1.0, 20)]
    [InlineData(3, 0.5, 0.0, 20)]
    [InlineData(4, 0.1, 1.0, 300)]
    public void Every_split_is_the_one_that_a_plain_search_over_raw_values_finds(int seed, double missing, double l2, int maxBins)
    {
        var data = TreeData.Make(400, 5, seed, TreeData.Number, missing) with { MaxBins = maxBins };
        var options = new TreeTrainingOptions { Objective = new SquaredObjective(), Iterations = 3, Growth = new() { Leaves = 12, Rules = new() { MinLeafRows = 7, L2 = l2 } } };
        var trees = data.Train(options);
        var mappers = Mappers(data);
        var mean = data.Labels.Average(label => (double)label);
        var scores = Enumerable.Repeat(mean, data.Rows).ToArray();
        for (var i = 0; i < trees.Count; i++)
        {
            var tree = trees[i];
            var splits = NaiveTrainer.Grow(data, mappers, [.. scores.Select((score, row) => score - data.Labels[row])], 12, 7, l2);
            Assert.Equal(splits.Select(s => s.Feature), tree.Features);
            Assert.Equal(splits.Select(s => s.Threshold), tree.Thresholds);
            for (var node = 0; node < splits.Count; node++)
            {
                Assert.True(Math.Abs(splits[node].Gain - tree.Gains[node]) <= 1e-4 * splits[node].Gain, $"seed {seed}, tree {i}, node {node}: gain {tree.Gains[node]:R}, expected {splits[node].Gain:R}");
            }
            for (var row = 0; row < data.Rows; row++) scores[row] += data.Predict(tree, row) - (i == 0 ? mean : 0);
        }
    }

    [Fact]
    public void Scores_in_training_are_the_predictions_on_raw_values_bit_for_bit()
    {
        foreach (var (name, make) in TreeChecksFingerprints.Cases)
        {
            var (data, options) = make();
            if (options.Boosting == Boosting.Dart || options.Objective.Scores > 1) continue;
            using var team = new ThreadTeam(2);
            using var shard = data.Shard(team, LoneTreeGroup.Instance, 0, data.Rows, 3);
            using var training = new TreeTraining(options, shard, team, LoneTreeGroup.Instance);
            training.Run();
            for (var row = 0; row < data.Rows; row++)
            {
                double sum = 0;
                foreach (var tree in training.Trees) sum += data.Predict(tree, row);
                Assert.True(sum == training.Scores(0)[row], $"{name}: row {row} scores {training.Scores(0)[row]:R} in training, {sum:R} by raw values");
            }
        }
    }

    [Fact]
    public void Leaf_counts_and_weights_are_those_of_the_rows_and_values_their_means()
    {
        var data = TreeData.Make(2000, 6, 21, TreeData.Number);
        var tree = data.Train(new() { Objective = new SquaredObjective(), Iterations = 1, LearningRate = 1, Growth = new() { Leaves = 20 } })[0];
        var leaves = Enumerable.Range(0, data.Rows).GroupBy(row => Array.IndexOf(tree.LeafValues, data.Predict(tree, row))).ToDictionary(g => g.Key, g => g.ToArray());
        Assert.Equal(tree.LeafCount, leaves.Count);
        foreach (var (leaf, rows) in leaves)
        {
            Assert.Equal(rows.Length, tree.LeafCounts[leaf]);
            Assert.Equal(rows.Length, tree.LeafWeights[leaf]);
            Assert.Equal(rows.Average(row => (double)data.Labels[row]), tree.LeafValues[leaf], 6);
            Assert.True(rows.Length >= 20);
        }
        Assert.Equal(data.Rows, tree.InternalCounts[0]);
    }

    [Fact]
    public void Small_gradients_do_not_vanish_beside_a_few_enormous_ones()
    {
        var data = TreeData.Make(20_000, 5, 22, (x, r) => x[2] > 0 ? 1 : 0);
        var labels = data.Labels.ToArray();
        for (var i = 0; i < 10; i++) labels[i * 1999] = i % 2 == 0 ? 1e5f : -1e5f;
        var tailed = data with { Labels = labels };
        var trees = tailed.Train(new() { Objective = new SquaredObjective(), Iterations = 60, LearningRate = 0.2, Growth = new() { Leaves = 16, Rules = new() { MinLeafRows = 500 } } });

        // Leaves of 500 rows dilute an outlier to some hundreds; where there is none, the step at 0 must show.
        var clean = trees.SelectMany(tree => tree.Features.Zip(tree.Thresholds)).Count(split => split.First == 2 && Math.Abs(split.Second) < 0.05);
        Assert.True(clean > 0, "no tree found the step of feature 2 at 0");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Predictions_are_monotone_where_that_is_asked_for(bool levelWise)
    {
        var data = TreeData.Make(3000, 4, 23, (x, r) => (float)((Math.Sin(3 * x[0]) + x[0] - x[1] + (x[0] * x[2])) + r.NextDouble()));
        var options = new TreeTrainingOptions
        {
            Objective = new SquaredObjective(),
            Iterations = 20,
            Growth = new() { Leaves = 31, LevelWise = levelWise, MaxDepth = levelWise ? 6 : 0, Rules = new() { Monotone = [1, -1, 0, 0], MinLeafRows = 5 } },
        };
        var trees = data.Train(options);
        Assert.Contains(trees, tree => tree.Features.Contains(0) && tree.Features.Contains(1));
        var random = new Random(1);
        for (var i = 0; i < 300; i++)
        {
            var row = Enumerable.Range(0, 4).Select(_ => (float)((random.NextDouble() * 4) - 2)).ToArray();
            foreach (var (feature, sign) in new[] { (0, 1), (1, -1) })
            {
                var last = double.NegativeInfinity;
                for (var x = -2.0f; x <= 2; x += 0.05f)
                {
                    row[feature] = x;
                    var value = sign * (data with { Values = row }).Predict(trees, 0);
                    Assert.True(value >= last - 1e-9, $"row {i}, feature {feature} at {x}: {value:R} after {last:R}");
                    last = value;
                }
            }
        }
    }

    [Fact]
    public void Features_that_may_not_meet_are_not_on_one_path()
    {
        var data = TreeData.Make(2000, 4, 24, TreeData.Number);
        var trees = data.Train(new() { Objective = new SquaredObjective(), Iterations = 10, Growth = new() { Leaves = 15, Rules = new() { Interactions = [[0, 2], [1, 3]], MinLeafRows = 5 } } });
        foreach (var tree in trees) Walk(tree, 0, []);
        Assert.Contains(trees, tree => tree.Features.Contains(0));

        static void Walk(Tree tree, int node, int[] above)
        {
            if (node < 0) return;
            int[] path = [.. above, tree.Features[node]];
            Assert.True(path.All(f => f is 0 or 2) || path.All(f => f is 1 or 3), $"path {string.Join(", ", path)}");
            Walk(tree, tree.Left[node], path);
            Walk(tree, tree.Right[node], path);
        }
    }

    [Fact]
    public void Categories_are_split_by_sets_and_unknown_ones_go_right()
    {
        var data = TreeChecksFingerprints.Categorical(4000, 25);
        var trees = data.Train(new() { Objective = new SquaredObjective(), Iterations = 40, LearningRate = 0.3, Growth = new() { Leaves = 15, Rules = new() { MinLeafRows = 5, MinCategoryGroup = 10 } } });
        double error = 0, variance = 0;
        var mean = data.Labels.Average();
        for (var row = 0; row < data.Rows; row++)
        {
            if (row % 31 == 0 || row % 37 == 0) continue;
            error += Math.Pow(data.Predict(trees, row) - data.Labels[row], 2);
            variance += Math.Pow(mean - data.Labels[row], 2);
        }
        Assert.True(error < 0.05 * variance, $"squared error {error} of {variance}");
        var root = trees[0];
        Assert.True((root.Decisions[0] & Tree.Categorical) != 0);
        var unknown = data with { Values = [9_999_999, 9_999_999, 0, 0] };
        var missing = data with { Values = [float.NaN, float.NaN, 0, 0] };
        Assert.Equal(missing.Predict(trees, 0), unknown.Predict(trees, 0));
    }

    [Fact]
    public void A_feature_of_a_million_categories_keeps_the_most_frequent()
    {
        var random = new Random(26);
        var values = Enumerable.Range(0, 5000).Select(i => i % 2 == 0 ? (float)(i % 5) : random.Next(1_000_000)).ToArray();
        var data = new TreeData { Values = values, Features = 1, Labels = [.. values.Select(v => v is 2 or 4 ? 1f : 0f)], Categorical = [true] };
        var trees = data.Train(new() { Objective = new BinaryObjective(), Iterations = 20, LearningRate = 0.3 });
        Assert.True(data.Predict(trees, 2) > 1 && data.Predict(trees, 0) < -1, $"{data.Predict(trees, 2)} {data.Predict(trees, 0)}");
    }

    [Fact]
    public void Depth_and_leaves_are_limits()
    {
        var data = TreeData.Make(3000, 5, 27, TreeData.Number);
        foreach (var levelWise in new[] { false, true })
        {
            var tree = data.Train(new() { Objective = new SquaredObjective(), Iterations = 1, Growth = new() { Leaves = 100, MaxDepth = 3, LevelWise = levelWise } })[0];
            Assert.Equal(8, tree.LeafCount);
            Assert.Equal(5, data.Train(new() { Objective = new SquaredObjective(), Iterations = 1, Growth = new() { Leaves = 5, LevelWise = levelWise } })[0].LeafCount);
        }
    }

    [Fact]
    public void Constant_features_one_row_and_one_class_give_a_constant()
    {
        var constant = new TreeData { Values = [.. Enumerable.Repeat(1f, 100)], Features = 1, Labels = [.. Enumerable.Range(0, 100).Select(i => (float)(i % 2))] };
        Assert.Equal(0.5, Assert.Single(constant.Train(new() { Objective = new SquaredObjective() })).LeafValues[0]);
        var one = new TreeData { Values = [3f, 4f], Features = 2, Labels = [7f] };
        Assert.Equal(7, Assert.Single(one.Train(new() { Objective = new SquaredObjective() })).LeafValues[0]);
        var single = TreeData.Make(100, 4, 28, (x, r) => 1);
        var trees = single.Train(new() { Objective = new BinaryObjective() });
        Assert.True(single.Predict(trees, 0) > 10);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(2f)]
    public void A_label_that_can_not_be_is_named_with_its_row(float label)
    {
        var data = TreeData.Make(100, 4, 29, TreeData.Binary);
        data.Labels[42] = label;
        var error = Assert.Throws<QueryException>(() => data.Train(new() { Objective = new BinaryObjective() }));
        Assert.Contains("Row 42", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<QueryException>(() => data.Train(new() { Objective = new BinaryObjective() }, shards: 2));
        Assert.Contains("Row 42", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Infinite_values_are_values()
    {
        var values = Enumerable.Range(0, 300).Select(i => i % 3 == 0 ? float.NegativeInfinity : i % 3 == 1 ? 0.5f : float.PositiveInfinity).ToArray();
        var data = new TreeData { Values = values, Features = 1, Labels = [.. Enumerable.Range(0, 300).Select(i => (float)(i % 3))] };
        var trees = data.Train(new() { Objective = new SquaredObjective(), Iterations = 1, LearningRate = 1 });
        for (var row = 0; row < 3; row++) Assert.Equal(row, data.Predict(trees, row), 9);
    }

    [Fact]
    public void Training_ends_when_validation_rows_get_worse_and_keeps_the_best_iteration()
    {
        var data = TreeData.Make(600, 6, 30, (x, r) => r.NextDouble() < 0.5 + (0.2 * Math.Sign(x[2])) ? 1 : 0);
        using var team = new ThreadTeam(2);
        using var whole = data.Shard(team, LoneTreeGroup.Instance, 0, 400, 1);
        var held = new DenseRows(data.Values.AsMemory(400 * 6), 6) { FirstRow = 400, Rows = 200 };
        using var validation = new TreeShard { Rows = BinnedRows.Of([held], whole.Rows.Layout, team, LoneTreeGroup.Instance), Labels = data.Labels[400..] };
        var options = new TreeTrainingOptions { Objective = new BinaryObjective(), Metrics = ["binary_logloss", "auc"], EarlyStopping = 10, Iterations = 500 };
        using var training = new TreeTraining(options, whole, team, LoneTreeGroup.Instance, validation);
        var model = training.Run();
        Assert.True(model.IterationCount < 200, $"{model.IterationCount} iterations");
        Assert.Equal(model.IterationCount, model.BestIteration + 10);
        var history = training.Progress.History.Where(m => m.IsValidation && m.Metric == "binary_logloss").ToArray();
        Assert.Equal(history.Min(m => m.Value), history[model.BestIteration - 1].Value);
        Assert.Equal(model.IterationCount * 4, training.Progress.History.Count);
        double loss = 0;
        for (var row = 400; row < 600; row++)
        {
            var score = data.Predict(training.Trees, row);
            loss += Math.Log(1 + Math.Exp(data.Labels[row] > 0 ? -score : score)) / 200;
        }
        Assert.Equal(loss, history[^1].Value, 10);
    }

    private static BinMapper[] Mappers(TreeData data)
    {
        using var team = new ThreadTeam(1);
        return BinSample.Find([new DenseRows(data.Values, data.Features) { FirstRow = 0, Rows = data.Rows }], new bool[data.Features], data.MaxBins, 200_000, team, LoneTreeGroup.Instance);
    }
}
