using Dataflow.MLlib.Tests.Trees;
using Dataflow.MLlib.TreeBins;
using Dataflow.MLlib.Trees;
using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.TreeFitting;

/// <summary>More than 255 bins a feature, which take two bytes.</summary>
public sealed class WideBinTests
{
    // The label changes with A, and 600 categories have a mean each.
    private static readonly (double A, int C, double Y)[] Rows = Make(12_000, 5);

    [Fact]
    public void More_bins_find_what_255_are_too_coarse_for()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Rows.Select(row => (row.A, Y: (int)(row.A * 300) * 7 % 11)), 3);
        var coarse = new GradientBoostedTreesRegressor { FeatureColumns = ["Item1"], LabelColumn = "Item2", Trees = 15, Leaves = 511, LearningRate = 0.3, MinLeafRows = 5 };
        var error = new RegressionEvaluator { LabelColumn = "Item2" };
        var (before, after) = (error.Evaluate(coarse.Fit(frame).Transform(frame)), error.Evaluate((coarse with { MaxBins = 1023 }).Fit(frame).Transform(frame)));
        Assert.True(after < 0.6 * before, $"RMSE {before} with 255 bins, {after} with 1,023");
    }

    [Fact]
    public void Categories_beyond_255_have_bins_of_their_own_if_there_may_be_more()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(Rows, 3);
        var few = new GradientBoostedTreesRegressor
        {
            FeatureColumns = ["Item2"], CategoricalColumns = ["Item2"], LabelColumn = "Item3", Trees = 30, LearningRate = 0.3, CategoryL2 = 1, MaxCategories = 400,
        };
        var (bytes, wide) = (few.Fit(frame), (few with { MaxBins = 1000 }).Fit(frame));
        var error = new RegressionEvaluator { LabelColumn = "Item3" };
        var (before, after) = (error.Evaluate(bytes.Transform(frame)), error.Evaluate(wide.Transform(frame)));
        Assert.True(after < 0.8 * before, $"RMSE {before} with 255 bins, {after} with 1,000");

        // With 255 bins the rare half of them can't be told apart.
        var known = Rows.Select(row => row.C).Distinct().Count();
        Assert.True(known > 500);
        Assert.True(Values(bytes) <= 256, $"{Values(bytes)} values");
        Assert.True(Values(wide) > 400, $"{Values(wide)} values");
        Assert.Equal(wide.Predict([double.NaN]), wide.Predict([1e6]));

        static int Values(GradientBoostedTreesRegressionModel model) => Enumerable.Range(0, 600).Select(c => model.Predict([c])).Distinct().Count();
    }

    [Fact]
    public void The_model_is_the_same_for_any_partitions_and_threads()
    {
        var learner = new GradientBoostedTreesRegressor
        {
            FeatureColumns = ["Item1", "Item2"], CategoricalColumns = ["Item2"], LabelColumn = "Item3", Trees = 8, MaxBins = 3000, BaggingFraction = 0.7,
        };
        var forest = new RandomForestRegressor { FeatureColumns = ["Item1", "Item2"], LabelColumn = "Item3", Trees = 3, MaxBins = 3000, MaxDepth = 9 };
        string? boosted = null, averaged = null;
        foreach (var (threads, partitions) in new[] { (1, 1), (1, 2), (2, 1), (2, 7) })
        {
            using var context = DataflowContext.Local(threads);
            var frame = context.FromRecords(Rows.Take(6000), partitions);
            boosted ??= learner.Fit(frame).ToDebugText();
            averaged ??= forest.Fit(frame).ToDebugText();
            Assert.Equal(boosted, learner.Fit(frame).ToDebugText());
            Assert.Equal(averaged, forest.Fit(frame).ToDebugText());
        }
    }

    [Fact]
    public void A_model_of_many_bins_is_written_as_LightGBM_text_and_comes_back()
    {
        using var folder = new TempDirectory();
        using var context = DataflowContext.Local(2);
        var learner = new GradientBoostedTreesRegressor { FeatureColumns = ["Item1", "Item2"], CategoricalColumns = ["Item2"], LabelColumn = "Item3", Trees = 20, MaxBins = 2000 };
        var model = learner.Fit(context.FromRecords(Rows.Take(8000), 3));
        var path = Path.Combine(folder.Path, "model.txt");
        model.ToLightGbm(path);
        var loaded = GradientBoostedTreesRegressionModel.FromLightGbm(path);
        foreach (var row in Rows.Skip(8000).Take(500)) Assert.Equal(model.Predict([row.A, row.C]), loaded.Predict([row.A, row.C]));
        Assert.Equal(model.Predict([double.NaN, double.NaN]), loaded.Predict([double.NaN, double.NaN]));
    }

    [Theory]
    [InlineData("two-byte bins")]
    [InlineData("two-byte panels")]
    public void Rows_in_a_file_give_the_same_trees(string name)
    {
        var (data, options) = TreeChecksFingerprints.Cases[name]();
        using var folder = new TempDirectory();
        using var team = new ThreadTeam(2);
        RowSource[] blocks = [new DenseRows(data.Values, data.Features) { FirstRow = 0, Rows = data.Rows }];
        var layout = BinLayout.Of(BinSample.Find(blocks, new bool[data.Features], data.MaxBins, 200_000, team, LoneTreeGroup.Instance));
        Assert.True(layout.IsWide);
        using var shard = new TreeShard { Rows = BinnedRows.Of(blocks, layout, team, LoneTreeGroup.Instance, folder.Path), Labels = data.Labels };
        Assert.False(shard.Rows.Column(0).IsTogether);
        using var training = new TreeTraining(options, shard, team, LoneTreeGroup.Instance);
        training.Run();
        Assert.Equal(TreeData.Fingerprint(data.Train(options)), TreeData.Fingerprint(training.Trees));
    }

    [Fact]
    public void Two_bytes_and_one_give_the_same_trees_where_both_can_hold_the_bins()
    {
        // A column of noise, asked by no tree, makes the rows wide; the others have the same bins in both.
        var narrow = TreeData.Make(2000, 5, 31, TreeData.Number, missing: 0.1);
        for (var i = 0; i < narrow.Values.Length; i++) narrow.Values[i] = MathF.Round(narrow.Values[i] * 20) / 20;
        var wider = narrow with { Features = 6, Values = new float[narrow.Rows * 6], MaxBins = 4000 };
        for (var row = 0; row < narrow.Rows; row++)
        {
            narrow.Values.AsSpan(row * 5, 5).CopyTo(wider.Values.AsSpan(row * 6));
            wider.Values[(row * 6) + 5] = row * 0.37f % 1;
        }
        var growth = new TreeGrowth.GrowthOptions { Leaves = 31, Rules = new() { Interactions = [[0, 1, 2, 3, 4]] } };
        var options = new TreeTrainingOptions { Objective = new TreeObjectives.SquaredObjective(), Iterations = 5, Growth = growth };
        Assert.Equal(TreeData.Fingerprint(narrow.Train(options)), TreeData.Fingerprint(wider.Train(options)));
    }

    [Fact]
    public void Histograms_that_would_be_enormous_are_refused_with_what_to_do()
    {
        var mapper = BinMapper.OfBounds([.. Enumerable.Range(0, 65_534).Select(i => (double)i)], 0, 65_534, false);
        var error = Assert.Throws<ArgumentException>(() => BinLayout.Of([.. Enumerable.Repeat(mapper, 2000)]));
        Assert.Contains("MaxBins", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new GradientBoostedTreesRegressor { MaxBins = 65_536 });
    }

    private static (double A, int C, double Y)[] Make(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            var (a, c) = (random.NextDouble(), random.Next(600));
            return (a, c, ((int)(a * 300) * 7 % 11) + (c * 7919 % 13) + (0.1 * random.NextDouble()));
        })];
    }
}
