using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Linear;

/// <summary>Models that learn from more rows, one batch after the other.</summary>
public sealed class UpdateTests
{
    private static readonly LinearRegression Linear = new() { FeaturesColumn = "Features", LabelColumn = "Label", WeightColumn = "Weight", Updatable = true };
    private static readonly LogisticRegression Logistic = new() { FeaturesColumn = "Features", LabelColumn = "Binary", Regularization = 0.01, Updatable = true };

    [Fact]
    public void A_regression_that_got_its_rows_in_batches_is_that_of_all_rows_also_when_saved_between()
    {
        using var context = DataflowContext.Local(2);
        using var folder = new TempDirectory();
        var exact = Linear with { Tolerance = 0, MaxIterations = 1000 };
        foreach (var (number, learner) in new[] { Linear, Linear with { Regularization = 0.1 }, exact with { Regularization = 0.1, ElasticNet = 0.5 }, exact with { LowerBounds = [0] } }.Index())
        {
            var all = learner.Fit(context.FromRecords(SklearnData.Points, 1));
            LinearRegressionModel? model = null;
            foreach (var (at, batch) in SklearnData.Points.Chunk(37).Index())
            {
                model = model is null ? learner.Fit(context.FromRecords(batch, 2)) : model.Update(context.FromRecords(batch, 2));
                var path = Path.Combine(folder.Path, $"{number}_{at}");
                model.Save(path);
                model = LinearRegressionModel.Load(path);
            }
            SklearnData.AssertClose(all.Coefficients, model!.Coefficients, learner.MaxIterations == 1000 ? 1e-6 : 1e-9, $"{learner}");
            Assert.Equal(all.Intercept, model.Intercept, 1e-6);
        }
    }

    [Fact]
    public void Decay_forgets_earlier_rows_and_empty_batches_change_nothing()
    {
        using var context = DataflowContext.Local(2);
        var (first, second) = (context.FromRecords(SklearnData.Points[..60], 2), context.FromRecords(SklearnData.Points[60..], 2));
        var weighted = context.FromRecords(SklearnData.Points[..60].Select(point => point with { Weight = point.Weight * 0.25 }).Concat(SklearnData.Points[60..]), 1);
        var model = Linear.Fit(first);
        Assert.Same(model, model.Update(second.Where("Label > 1e9")));
        SklearnData.AssertClose(Linear.Fit(weighted).Coefficients, model.Update(second, 0.25).Coefficients, 1e-9);
        SklearnData.AssertClose(Linear.Fit(second).Coefficients, model.Update(second, 0).Coefficients, 1e-9);

        var classifier = Logistic.Fit(first);
        Assert.Same(classifier, classifier.Update(second.Where("Label > 1e9")));
        var clusters = new KMeans { FeaturesColumn = "Features" }.Fit(first);
        Assert.Same(clusters, clusters.Update(second.Where("Label > 1e9")));
    }

    [Fact]
    public void A_classifier_that_got_its_rows_in_batches_is_near_that_of_all_rows()
    {
        using var context = DataflowContext.Local(2);
        using var folder = new TempDirectory();
        var random = new Random(21);
        (Vector Features, double Binary)[] rows = [.. Enumerable.Range(0, 6000).Select(_ =>
        {
            double[] x = [random.NextDouble() * 4, 100 + (10 * random.NextDouble()), random.NextDouble() < 0.1 ? 1 : 0, random.NextDouble() - 0.5];
            var margin = x[0] - 2 + (0.3 * (x[1] - 105)) + (2 * x[2]) - x[3];
            return (Vector.Dense(x), random.NextDouble() < 1 / (1 + Math.Exp(-margin)) ? 1.0 : 0);
        })];
        foreach (var family in new[] { LogisticFamily.Binomial, LogisticFamily.Multinomial })
        {
            var learner = Logistic with { Family = family, Regularization = 1e-4 };
            var all = learner.Fit(Frame(rows));
            LogisticRegressionModel? model = null;
            foreach (var (at, batch) in rows.Chunk(1000).Index())
            {
                model = model is null ? learner.Fit(Frame(batch)) : model.Update(Frame(batch));
                model.Save(Path.Combine(folder.Path, $"{family}_{at}"));
                model = LogisticRegressionModel.Load(Path.Combine(folder.Path, $"{family}_{at}"));
            }

            // Nearer to the model of all rows than chance moves that from the truth.
            SklearnData.AssertClose(all.Coefficients, model!.Coefficients, 0.08, $"{family}");
            var difference = rows.Average(row => Math.Abs(Probability(all, row.Features) - Probability(model, row.Features)));
            Assert.InRange(difference, 0, 0.01);
        }

        DataFrame Frame((Vector, double)[] some) => context.FromRecords(some, 2).ToDataFrame("Features", "Binary");
        static double Probability(LogisticRegressionModel of, Vector row)
        {
            var found = new double[2];
            of.PredictProbabilities(row.ToArray(), found);
            return found[1];
        }
    }

    [Fact]
    public void A_classifier_that_forgets_all_learns_the_new_rows_and_few_rows_move_it_little()
    {
        using var context = DataflowContext.Local(2);
        var (first, second) = (context.FromRecords(SklearnData.Points[..60], 2), context.FromRecords(SklearnData.Points[60..], 2));
        var exact = Logistic with { Tolerance = 0, MaxIterations = 1000, Regularization = 0 };
        SklearnData.AssertClose(exact.Fit(second).Coefficients, exact.Fit(first).Update(second, 0).Coefficients, 1e-5);
        var model = Logistic.Fit(context.FromRecords(SklearnData.Points, 2));
        var one = model.Update(context.FromRecords(SklearnData.Points[..1], 1));
        Assert.NotEqual(model.Coefficients.ToArray(), one.Coefficients.ToArray());
        SklearnData.AssertClose(model.Coefficients, one.Coefficients, 0.1);
        var bounded = (Logistic with { LowerBounds = [-0.1], UpperBounds = [0.3] }).Fit(first).Update(second);
        foreach (var coefficient in bounded.Coefficients) Assert.InRange(coefficient, -0.1 - 1e-12, 0.3 + 1e-12);
    }

    [Theory]
    [InlineData(1.0)]
    [InlineData(0.5)]
    public void Centres_move_as_mini_batches_say(double decay)
    {
        using var context = DataflowContext.Local(2);
        using var folder = new TempDirectory();
        var learner = new KMeans { FeaturesColumn = "Features", Clusters = 3, Seed = 5 };
        var model = learner.Fit(context.FromRecords(SklearnData.Points[..60], 2));
        var (centers, weights) = (Enumerable.Range(0, 3).Select(k => model.CenterOf(k).ToArray()).ToArray(), model.ClusterWeights.ToArray());
        foreach (var (at, batch) in SklearnData.Points[60..].Chunk(25).Index())
        {
            var groups = batch.GroupBy(point => model.Predict(point.Features.ToArray())).ToDictionary(group => group.Key, group => group.Select(point => point.Features.ToArray()).ToArray());
            for (var k = 0; k < 3; k++)
            {
                var rows = groups.GetValueOrDefault(k, []);
                for (var j = 0; j < centers[k].Length && rows.Length > 0; j++)
                    centers[k][j] = ((centers[k][j] * weights[k] * decay) + rows.Sum(row => row[j])) / ((weights[k] * decay) + rows.Length);
                weights[k] = (weights[k] * decay) + rows.Length;
            }
            model = model.Update(context.FromRecords(batch, 3), decay);
            model.Save(Path.Combine(folder.Path, $"{at}"));
            model = KMeansModel.Load(Path.Combine(folder.Path, $"{at}"));
            SklearnData.AssertClose([.. centers.SelectMany(center => center)], model.Centers, 1e-12);
            SklearnData.AssertClose(weights, model.ClusterWeights, 1e-12);
        }
    }

    [Fact]
    public void Cosine_centres_stay_as_long_as_1()
    {
        using var context = DataflowContext.Local(1);
        var frame = context.FromRecords(SklearnData.Points, 1);
        var model = new KMeans { FeaturesColumn = "Features", Clusters = 3, Distance = ClusterDistance.Cosine }.Fit(frame).Update(frame);
        for (var k = 0; k < 3; k++) Assert.Equal(1, model.CenterOf(k).ToArray().Sum(value => value * value), 1e-12);
    }

    [Fact]
    public void Updates_that_can_not_be_are_named_errors()
    {
        using var context = DataflowContext.Local(1);
        var frame = context.FromRecords(SklearnData.Points, 1);
        Assert.Contains("Updatable = true", Assert.Throws<InvalidOperationException>(() => (Linear with { Updatable = false }).Fit(frame).Update(frame)).Message, StringComparison.Ordinal);
        Assert.Contains("Updatable = true", Assert.Throws<InvalidOperationException>(() => (Logistic with { Updatable = false }).Fit(frame).Update(frame)).Message, StringComparison.Ordinal);
        Assert.Contains("Updatable needs", Assert.Throws<ArgumentException>(() => (Linear with { Solver = LinearSolver.Lbfgs }).Fit(frame)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => Linear.Fit(frame).Update(frame, 1.5));
        var narrow = context.FromRecords(SklearnData.Points.Select(point => point with { Features = Vector.Dense(1, 2) }), 1);
        Assert.Equal("VECTOR_SIZE_MISMATCH", Assert.Throws<QueryException>(() => Linear.Fit(frame).Update(narrow)).ErrorClass);
        Assert.Equal("VECTOR_SIZE_MISMATCH", Assert.Throws<QueryException>(() => Logistic.Fit(frame).Update(narrow)).ErrorClass);
        var heavy = context.FromRecords(SklearnData.Points.Select(point => point with { Weight = 1e308 }), 1);
        Assert.Equal("ARITHMETIC_OVERFLOW", Assert.Throws<QueryException>(() => new KMeans { FeaturesColumn = "Features" }.Fit(frame).Update(heavy, 1, "Weight")).ErrorClass);
        var third = context.FromRecords(SklearnData.Points.Select(point => point with { Binary = 2 }), 1);
        Assert.Equal("INVALID_LABEL", Assert.Throws<QueryException>(() => Logistic.Fit(frame).Update(third)).ErrorClass);
        Assert.Equal("EMPTY_INPUT", Assert.Throws<QueryException>(() => Linear.Fit(frame.Where("Label > 1e9"))).ErrorClass);
    }
}
