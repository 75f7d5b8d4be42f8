using System.Globalization;

namespace Dataflow.MLlib.Tests.Linear;

/// <summary>All learners of this folder on one frame, and a hash of what they learned.</summary>
internal static class LinearChecks
{
    private sealed record Observation(Vector Features, Vector Sparse, double Label, int Class, double Weight);

    /// <summary>What is printed with and without instruction sets.</summary>
    public static string Fingerprint()
    {
        using var context = DataflowContext.Local(2);
        return Hash(Learn(context, 3));
    }

    /// <summary>All numbers that learners learn.</summary>
    public static double[] Learn(DataflowContext context, int partitions)
    {
        var frame = context.FromRecords(Observations(), partitions);
        var linear = new LinearRegression { FeaturesColumn = "Features", LabelColumn = "Label", WeightColumn = "Weight" };
        var logistic = new LogisticRegression { FeaturesColumn = "Features", LabelColumn = "Class", WeightColumn = "Weight", Regularization = 0.01, MaxIterations = 15 };
        var means = new KMeans { FeaturesColumn = "Features", Clusters = 6, Seed = 5 };
        double[] learned = [];
        foreach (var learner in new[] { linear, linear with { Solver = LinearSolver.Lbfgs, Regularization = 0.1, ElasticNet = 0.5 }, linear with { Loss = RegressionLoss.Huber, MaxIterations = 15 } })
        {
            var model = learner.Fit(frame);
            learned = [.. learned, .. model.Coefficients, model.Intercept];
        }
        foreach (var learner in new[] { logistic, logistic with { ElasticNet = 0.7 }, logistic with { FeaturesColumn = "Sparse" } })
        {
            var model = learner.Fit(frame);
            learned = [.. learned, .. model.Coefficients, .. model.Intercepts];
            if (learner == logistic) learned = [.. learned, .. model.Transform(frame).Collect().SelectMany(row => row.Get<Vector>("probability").ToArray())];
        }
        var binary = (logistic with { LabelColumn = "binary" }).Fit(frame.WithColumn("binary", (Functions.Col("Class") > 0).Cast(Dataflow.Sql.DataType.Int)));
        learned = [.. learned, .. binary.Coefficients, binary.Intercept];
        foreach (var learner in new[] { means, means with { Distance = ClusterDistance.Cosine, WeightColumn = "Weight" }, means with { Start = KMeansStart.Random } })
        {
            var model = learner.Fit(frame);
            learned = [.. learned, .. model.Centers, model.Summary!.Cost];
        }
        var pca = new Pca { InputColumns = ["Features"], Components = 3 }.Fit(frame);
        return [.. learned, .. pca.Components, .. pca.ExplainedVariance];
    }

    /// <summary>One learner that goes over its rows again and again.</summary>
    public static double[] LearnOne(DataflowContext context) =>
        [.. new LogisticRegression { FeaturesColumn = "Features", LabelColumn = "Class", MaxIterations = 15 }.Fit(context.FromRecords(Observations(), 3)).Coefficients];

    /// <summary>One hash of all bits.</summary>
    public static string Hash(double[] values)
    {
        var hash = 14695981039346656037UL;
        foreach (var value in values) hash = (hash ^ (ulong)BitConverter.DoubleToInt64Bits(value)) * 1099511628211UL;
        return hash.ToString("x16", CultureInfo.InvariantCulture);
    }

    private static Observation[] Observations()
    {
        // 13 features: whole lanes and a rest. No library functions, whose last bits differ between systems.
        var random = new Random(13);
        return [.. Enumerable.Range(0, 700).Select(_ =>
        {
            double[] x = [.. Enumerable.Range(0, 13).Select(j => ((random.NextDouble() - 0.5) * (j + 1)) + (j % 3))];
            int[] at = [.. Enumerable.Range(0, 4).Select(_ => random.Next(60)).Distinct().Order()];
            var noise = random.NextDouble();
            return new Observation(
                Vector.Dense(x), Vector.Sparse(60, at, [.. at.Select(_ => 0.5 + random.NextDouble())]), x[0] - (2 * x[3]) + (0.1 * x[12]) + noise,
                (x[1] + x[5] + noise > 2.5 ? 1 : 0) + (x[2] > 2.2 ? 1 : 0), 0.5 + random.NextDouble());
        })];
    }
}
