using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Linear;

/// <summary>k-means against scikit-learn, and its edges.</summary>
public sealed class KMeansTests
{
    private static readonly KMeans Plain = new() { FeaturesColumn = "Features", Clusters = 4, Tolerance = 0, MaxIterations = 100 };

    [Theory]
    [InlineData("kmeans", null)]
    [InlineData("kmeans_weighted", "Weight")]
    public void From_given_centres_it_ends_where_scikit_learn_ends(string name, string? weight)
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(SklearnData.Points, 3);
        var model = (Plain with { InitialCenters = [.. SklearnData.Get<double[][]>("kmeans", "start")], WeightColumn = weight }).Fit(frame);
        SklearnData.AssertClose([.. SklearnData.Get<double[][]>(name, "centers").SelectMany(center => center)], model.Centers, 1e-12, name);
        var cost = SklearnData.Get<double>(name, "cost");
        Assert.Equal(cost, model.Summary!.Cost, cost * 1e-12);
        Assert.True(model.Summary.IsConverged);
        Assert.Equal(weight is null ? 120 : SklearnData.Points.Sum(point => point.Weight), model.Summary.ClusterWeights.Sum(), 10);
        if (weight is not null) return;
        Assert.Equal(cost, model.Cost(frame), cost * 1e-12);
        var labels = SklearnData.Get<int[]>(name, "labels");
        Assert.Equal(labels, SklearnData.X.Select(row => model.Predict(row)));
        Assert.Equal(labels.Select(label => (double)label), model.Transform(frame).Collect().Select(row => row.Get<double>("prediction")));
    }

    [Theory]
    [InlineData(KMeansStart.Parallel)]
    [InlineData(KMeansStart.Random)]
    public void Groups_far_apart_are_found_whatever_the_partitions(KMeansStart start)
    {
        using var context = DataflowContext.Local(2);
        var rows = Groups(600, 5, 3, 9);
        var models = new[] { 1, 2, 7 }.Select(partitions => (Plain with { FeaturesColumn = "Item1", Clusters = start == KMeansStart.Parallel ? 5 : 8, Start = start, Seed = 3, StartSteps = 3 })
            .Fit(context.FromRecords(rows, partitions))).ToArray();
        foreach (var model in models)
        {
            SklearnData.AssertClose(models[0].Centers, model.Centers, 1e-9);
            if (start == KMeansStart.Parallel) Assert.All(rows.GroupBy(row => row.Item2), group => Assert.Single(group.Select(row => model.Predict(row.Item1.ToArray())).Distinct()));
        }
    }

    [Fact]
    public void Many_rows_at_a_time_get_the_centre_that_all_distances_in_64_bits_give()
    {
        // Far from 0 next to their spread, 32 bits can't tell centres apart; ties go to the first.
        foreach (var (shift, width, clusters) in new[] { (0.0, 1, 3), (0, 8, 9), (1e6, 5, 17), (0, 28, 100), (1e25, 3, 4), (1e-20, 13, 40) })
        {
            var random = new Random(10);
            var scale = shift == 1e-20 ? 1e-20 : shift == 1e25 ? 1e22 : 1;
            double[] Row() => [.. Enumerable.Range(0, width).Select(_ => shift + (scale * Math.Round(random.NextDouble() * 8, width < 6 ? 0 : 3)))];
            double[][] centers = [.. Enumerable.Range(0, clusters).Select(_ => Row())];
            double[][] rows = [.. Enumerable.Range(0, 301).Select(_ => Row())];
            using var context = DataflowContext.Local(2);
            var model = new KMeans { FeaturesColumn = "value", Clusters = clusters, MaxIterations = 0, InitialCenters = [.. centers] }.Fit(context.FromRecords(rows.Select(row => Vector.Dense(row)), 2));
            var found = model.Transform(context.FromRecords(rows.Select(row => Vector.Dense(row)), 2)).Collect().Select(row => row.Get<double>("prediction"));
            Assert.Equal(rows.Select(row => (double)Enumerable.Range(0, clusters).MinBy(k => row.Zip(centers[k], (x, c) => (x - c) * (x - c)).Aggregate(0.0, (sum, square) => sum + square))), found);
            Assert.Equal(rows.Select(row => (double)model.Predict(row)), found);
        }
    }

    [Fact]
    public void Cosine_groups_directions()
    {
        using var context = DataflowContext.Local(2);
        var random = new Random(11);
        var rows = Enumerable.Range(0, 200).Select(i => (Angle: (i % 4 * 1.5) + (random.NextDouble() * 0.2), Length: 0.1 + (random.NextDouble() * 100), i % 4))
            .Select(x => (Vector.Dense(x.Length * Math.Cos(x.Angle), x.Length * Math.Sin(x.Angle)), x.Item3)).ToArray();
        var frame = context.FromRecords(rows, 3);
        var learner = new KMeans { FeaturesColumn = "Item1", Clusters = 4, Distance = ClusterDistance.Cosine, StartSteps = 5 };
        var model = learner.Fit(frame);
        Assert.Equal(4, rows.Select(row => (row.Item2, model.Predict(row.Item1.ToArray()))).Distinct().Count());
        Assert.Equal(rows.Select(row => (double)model.Predict(row.Item1.ToArray())), model.Transform(frame).Collect().Select(row => row.Get<double>("prediction")));
        double cost = 0;
        foreach (var row in rows)
        {
            _ = model.Predict(row.Item1.ToArray(), out var distance);
            cost += distance;
        }
        Assert.Equal(cost, model.Summary!.Cost, 10);
        Assert.Equal(cost, model.Cost(frame), 10);
        Assert.Contains("all zeros", Assert.ThrowsAny<DataflowException>(() => learner.Fit(context.FromRecords(new[] { (Vector.Dense(0.0, 0), 1) }))).ToString());
    }

    [Fact]
    public void Fewer_different_rows_than_clusters_give_fewer_clusters()
    {
        using var context = DataflowContext.Local(2);
        var rows = Enumerable.Range(0, 50).Select(i => Vector.Dense((double)(i % 3), 1)).ToArray();
        foreach (var start in Enum.GetValues<KMeansStart>())
        {
            var model = new KMeans { FeaturesColumn = "value", Clusters = 10, Start = start, StartSteps = 5 }.Fit(context.FromRecords(rows, 5));
            Assert.Equal((3, 0), (model.ClusterCount, model.Summary!.Cost));
        }
        var one = new KMeans { FeaturesColumn = "value", Clusters = 4 }.Fit(context.FromRecords(rows.Take(1), 1));
        Assert.Equal([0, 1], one.CenterOf(0).ToArray());
    }

    [Fact]
    public void A_cluster_without_rows_keeps_its_centre()
    {
        using var context = DataflowContext.Local(2);
        var model = new KMeans { FeatureColumns = ["value"], Clusters = 3, InitialCenters = [[0], [10], [1e6]] }.Fit(context.FromRecords(Enumerable.Range(0, 20).Select(i => (double)i), 3));
        Assert.Equal([4.5, 14.5, 1e6], model.Centers.ToArray());
        Assert.Equal(0, model.Summary!.ClusterWeights[2]);
    }

    [Fact]
    public void Saved_it_predicts_the_same_and_what_does_not_fit_is_a_named_error()
    {
        using var context = DataflowContext.Local(2);
        using var folder = new TempDirectory();
        var frame = context.FromRecords(SklearnData.Points, 2);
        var learner = Plain with { InitialCenters = [.. SklearnData.Get<double[][]>("kmeans", "start")] };
        learner.Save(Path.Combine(folder.Path, "k"));
        var model = PipelineStage.Load<KMeans>(Path.Combine(folder.Path, "k")).Fit(frame);
        Assert.Equal(learner.Fit(frame).Centers.ToArray(), model.Centers.ToArray());
        model.Save(Path.Combine(folder.Path, "m"));
        Assert.Equal(model.Centers.ToArray(), KMeansModel.Load(Path.Combine(folder.Path, "m")).Centers.ToArray());

        // Learning goes on from the centres of another model.
        var further = (learner with { InitialCenters = [.. Enumerable.Range(0, 4).Select(k => model.CenterOf(k).ToArray())] }).Fit(frame);
        Assert.Equal(1, further.Summary!.Iterations);
        Assert.Contains("2 initial centres", Assert.ThrowsAny<ArgumentException>(() => (Plain with { InitialCenters = [[1], [2]] }).Fit(frame)).Message);
        Assert.Contains("features", Assert.ThrowsAny<DataflowException>(() => (Plain with { Clusters = 1, InitialCenters = [[1.0]] }).Fit(frame)).ToString());
        Assert.Contains("without rows", Assert.ThrowsAny<DataflowException>(() => Plain.Fit(frame.Where("Label > 1e9"))).ToString());
        Assert.Contains("NaN", Assert.ThrowsAny<DataflowException>(() => new KMeans { FeaturesColumn = "value" }.Fit(context.FromRecords(new[] { Vector.Dense(double.NaN) }))).ToString());
        Assert.Throws<ArgumentOutOfRangeException>(() => Plain with { Clusters = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => model.CenterOf(4));
    }

    private static (Vector, int)[] Groups(int rows, int groups, int width, int seed)
    {
        var random = new Random(seed);
        double[][] centers = [.. Enumerable.Range(0, groups).Select(g => Enumerable.Range(0, width).Select(j => (j == g % width ? 100.0 : 0) * (1 + (g / width))).ToArray())];
        return [.. Enumerable.Range(0, rows).Select(i => (Vector.Dense([.. centers[i % groups].Select(c => c + random.NextDouble())]), i % groups))];
    }
}
