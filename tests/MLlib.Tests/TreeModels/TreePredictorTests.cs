using Dataflow.MLlib.TreeModels;

namespace Dataflow.MLlib.Tests.TreeModels;

/// <summary>Predictions of single rows and batches against the plain rule.</summary>
public sealed class TreePredictorTests
{
    [Theory]
    [InlineData(1, 1, true)]
    [InlineData(2, 6, true)]
    [InlineData(3, 32, true)]
    [InlineData(4, 33, true)]
    [InlineData(5, 300, true)]
    [InlineData(6, 20, false)]
    [InlineData(7, 200, false)]
    public void Every_way_to_predict_gives_the_bits_of_the_plain_rule(int seed, int mostLeaves, bool plain)
    {
        var random = new Random(seed);
        for (var round = 0; round < 4; round++)
        {
            var perIteration = round == 3 ? 3 : 1;
            var features = random.Next(1, 12);
            var ensemble = RandomTrees.Ensemble(random, perIteration * random.Next(1, 23), mostLeaves, features, perIteration, plain);
            var predictor = new TreePredictor(ensemble);
            var rows = Enumerable.Range(0, random.Next(1, 200)).Select(_ => RandomTrees.Row(random, features)).ToArray();
            var why = $"seed {seed}, round {round}, {rows.Length} rows x {features}";

            Check(predictor, ensemble, rows, why);

            // As floats: the same as the doubles that those floats are.
            var floats = rows.Select(row => Array.ConvertAll(row, value => (float)value)).ToArray();
            Check(predictor, ensemble, [.. floats.Select(row => Array.ConvertAll(row, value => (double)value))], why + ", rounded");
            var stride = features + 3;
            var flat = new float[(stride * (rows.Length - 1)) + features];
            for (var i = 0; i < rows.Length; i++) floats[i].CopyTo(flat, i * stride);
            var scores = new double[rows.Length * perIteration];
            predictor.Scores(flat, stride, rows.Length, scores);
            for (var i = 0; i < rows.Length; i++)
            {
                var one = new double[perIteration];
                predictor.Scores(floats[i], one);
                Assert.True(one.AsSpan().SequenceEqual(scores.AsSpan(i * perIteration, perIteration)), $"{why}: row {i} of floats");
                Assert.True(one.AsSpan().SequenceEqual(RandomTrees.Scores(ensemble, Array.ConvertAll(floats[i], value => (double)value))), $"{why}: row {i} as floats");
            }
        }
    }

    [Fact]
    public void Fewer_iterations_are_those_at_the_front()
    {
        var random = new Random(12);
        var ensemble = RandomTrees.Ensemble(random, 20, 9, 4, 2);
        var row = RandomTrees.Row(random, 4);
        var scores = new double[2];
        new TreePredictor(ensemble, 3).Scores(row, scores);
        Assert.Equal(RandomTrees.Scores(ensemble.First(3), row), scores);

        var best = ensemble.Named(ensemble.FeatureNames, 4);
        new TreePredictor(best).Scores(row, scores);
        Assert.Equal(RandomTrees.Scores(ensemble.First(4), row), scores);
        Assert.Equal(8, new TreePredictor(best).LeafCount);
        Assert.Contains("to 10", Assert.Throws<ArgumentOutOfRangeException>(() => new TreePredictor(ensemble, 11)).Message);
    }

    [Fact]
    public void Forests_give_the_mean_of_their_trees()
    {
        var random = new Random(13);
        var sum = RandomTrees.Ensemble(random, 8, 9, 4);
        var mean = new TreeEnsemble(sum.Trees, 4, 1, "") { AverageOutput = true };
        var row = RandomTrees.Row(random, 4);
        double[] a = new double[1], b = new double[1], c = new double[5];
        new TreePredictor(sum).Scores(row, a);
        new TreePredictor(mean).Scores(row, b);
        Assert.Equal(a[0] / 8, b[0]);
        new TreePredictor(mean).Contributions(row, c);
        Assert.Equal(b[0], c.Sum(), 12);
    }

    [Fact]
    public void An_ensemble_without_trees_or_rows_gives_zeros_or_nothing()
    {
        var predictor = new TreePredictor(new TreeEnsemble([], 2, 3, "multiclass num_class:3"));
        var outputs = new double[3];
        predictor.Outputs([1.0, 2.0], outputs);
        Assert.All(outputs, output => Assert.Equal(1.0 / 3, output));
        predictor.Scores(ReadOnlySpan<float>.Empty, 2, 0, []);
    }

    [Fact]
    public void Spans_that_do_not_fit_are_refused_with_both_sizes()
    {
        var predictor = new TreePredictor(RandomTrees.Ensemble(new Random(1), 3, 5, 4));
        Assert.Contains("3 values", Assert.Throws<ArgumentException>(() => predictor.Scores(new double[3], new double[1])).Message);
        Assert.Contains("room for 2", Assert.Throws<ArgumentException>(() => predictor.Scores(new double[4], new double[2])).Message);
        Assert.Contains("7 values", Assert.Throws<ArgumentException>(() => predictor.Scores(new double[7], 4, 2, new double[2])).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => predictor.Scores(new double[8], 3, 2, new double[2]));
    }

    [Fact]
    public void Threads_share_a_predictor()
    {
        var random = new Random(17);
        var ensemble = RandomTrees.Ensemble(random, 40, 40, 5);
        var predictor = new TreePredictor(ensemble);
        var rows = Enumerable.Range(0, 500).Select(_ => RandomTrees.Row(random, 5)).ToArray();
        Parallel.For(0, rows.Length, i =>
        {
            var score = new double[1];
            predictor.Scores(rows[i], score);
            Assert.Equal(RandomTrees.Scores(ensemble, rows[i]), score);
        });
    }

    [Theory]
    [InlineData("avx512")]
    [InlineData("avx2")]
    public void Bits_do_not_depend_on_the_instruction_set(string set) => Assert.Equal(RandomTrees.Fingerprint(), Program.RunWithout(set, "predictions"));

    private static void Check(TreePredictor predictor, TreeEnsemble ensemble, double[][] rows, string why)
    {
        var features = ensemble.FeatureCount;
        var width = ensemble.TreesPerIteration;
        var batch = new double[rows.Length * width];
        predictor.Scores(rows.SelectMany(row => row).ToArray(), features, rows.Length, batch);
        var leaves = new int[predictor.LeafCount];
        for (var i = 0; i < rows.Length; i++)
        {
            var expected = RandomTrees.Scores(ensemble, rows[i]);
            var single = new double[width];
            predictor.Scores(rows[i], single);
            Assert.True(expected.AsSpan().SequenceEqual(single), $"{why}: row {i} alone");
            Assert.True(expected.AsSpan().SequenceEqual(batch.AsSpan(i * width, width)), $"{why}: row {i} in a batch");
            predictor.Leaves(rows[i], leaves);
            Assert.Equal(ensemble.Trees.Select(tree => RandomTrees.Leaf(tree, rows[i])), leaves);
        }
    }
}
