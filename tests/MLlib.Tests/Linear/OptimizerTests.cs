using Dataflow.MLlib.Classification;
using Dataflow.MLlib.Data;
using Dataflow.MLlib.Optimization;
using Dataflow.MLlib.Regression;

namespace Dataflow.MLlib.Tests.Linear;

/// <summary>The optimisers on functions whose minima are known, and gradients of losses against differences.</summary>
public sealed class OptimizerTests
{
    [Fact]
    public async Task A_curved_valley_is_followed_to_its_end()
    {
        // Rosenbrock 1960, in 10 dimensions.
        var end = await new Lbfgs { Tolerance = 0, MaxIterations = 500 }.MinimizeAsync(
            (x, gradient, _) =>
            {
                double value = 0;
                Array.Clear(gradient);
                for (var i = 0; i + 1 < x.Length; i++)
                {
                    var (a, b) = (x[i + 1] - (x[i] * x[i]), 1 - x[i]);
                    value += (100 * a * a) + (b * b);
                    gradient[i] += (-400 * a * x[i]) - (2 * b);
                    gradient[i + 1] += 200 * a;
                }
                return Task.FromResult(value);
            },
            [.. Enumerable.Range(0, 10).Select(i => i % 2 == 0 ? -1.2 : 1)]);
        Assert.All(end.Point, x => Assert.Equal(1, x, 7));
        Assert.True(end.Iterations < 200, $"{end.Iterations} iterations, {end.Reason}");
    }

    [Fact]
    public async Task Absolute_values_are_minimised_to_exact_zeros()
    {
        // Of (x - c)² / 2 + |x|, minima are at c moved by 1 towards 0.
        double[] centers = [3, 0.5, -2, -0.9, 1, 0];
        var end = await new Lbfgs { Tolerance = 0 }.MinimizeAsync(
            (x, gradient, _) =>
            {
                for (var i = 0; i < x.Length; i++) gradient[i] = x[i] - centers[i];
                return Task.FromResult(gradient.Sum(g => g * g / 2));
            },
            new double[6], [.. Enumerable.Repeat(1.0, 6)]);
        Assert.Equal([2.0, 0, -1, 0, 0, 0], end.Point.Select(x => Math.Round(x, 12)));
        Assert.Equal(0.0, end.Point[1]);
        Assert.NotEqual(StopReason.Iterations, end.Reason);
    }

    [Fact]
    public async Task Where_a_function_is_not_defined_it_turns_back()
    {
        // x - log x, from where the first steps lead below 0.
        var end = await new Lbfgs { Tolerance = 0 }.MinimizeAsync(
            (x, gradient, _) =>
            {
                gradient[0] = 1 - (1 / x[0]);
                return Task.FromResult(x[0] > 0 ? x[0] - Math.Log(x[0]) : double.NaN);
            },
            [40]);
        Assert.Equal(1, end.Point[0], 6);
        await Assert.ThrowsAsync<ArithmeticException>(() => new Lbfgs().MinimizeAsync((_, _, _) => Task.FromResult(double.NaN), [1]));
    }

    [Theory]
    [InlineData("squared")]
    [InlineData("huber")]
    [InlineData("logistic")]
    [InlineData("softmax")]
    public async Task Gradients_are_those_of_differences(string name)
    {
        using var context = DataflowContext.Local(2);
        var points = SklearnData.Points;
        var label = name switch { "logistic" => "Binary", "softmax" => "Three", _ => "Label" };
        var frame = context.FromRecords(points, 3);
        var blocks = FeatureBlock.Read(frame, FeatureColumns.Of(frame, ["Features"], "test"), "test", label, "Weight").Cache();
        var moments = await FeatureMoments.OfAsync(blocks, "test", default);
        var loss = new PenalizedLoss(blocks, moments, new Penalty(0.3, 0, Standardize: false), hasIntercept: true, name == "softmax" ? 3 : 1, 1, "test");
        RowLoss Of(double[] x) => name switch { "squared" => new SquaredLoss(), "huber" => new HuberLoss(1.35, Math.Exp(x[^1])), "logistic" => new LogisticLoss(), _ => new SoftmaxLoss(3) };
        var random = new Random(12);
        double[] at = [.. Enumerable.Range(0, loss.ExtraAt + (name == "huber" ? 1 : 0)).Select(_ => random.NextDouble() - 0.5)];
        var gradient = new double[at.Length];
        _ = await loss.EvaluateAsync(Of(at), at, gradient, default);
        for (var i = 0; i < at.Length; i++)
        {
            const double Step = 1e-5;
            var (before, after) = (at.ToArray(), at.ToArray());
            before[i] -= Step;
            after[i] += Step;
            var slope = (await loss.EvaluateAsync(Of(after), after, new double[at.Length], default) - await loss.EvaluateAsync(Of(before), before, new double[at.Length], default)) / (2 * Step);
            Assert.True(Math.Abs(slope - gradient[i]) < 1e-7 * (1 + Math.Abs(slope)), $"{name} [{i}]: {gradient[i]} and by differences {slope}");
        }
    }

    [Fact]
    public async Task Losses_of_margins_beyond_all_powers_are_finite()
    {
        var block = new FeatureBlock(1, [1e5, -1e5, 1e5, -1e5, 0], [1, 0, 0, 1, 1], []);
        using var context = DataflowContext.Local(1);
        var blocks = context.Parallelize([block], 1);
        var sums = await LossSums.OfAsync(blocks, new LogisticLoss(), 1, [1, 0, 0, 0, 0, 0, 0, 0], [0], "test", default);
        Assert.Equal(2e5 + Math.Log(2), sums[0], 9);
        Assert.Equal(1e5 + 1e5, sums[^1], 9);
        sums = await LossSums.OfAsync(blocks, new SoftmaxLoss(2), 1, [.. new double[8], 1, .. new double[7]], [0, 0], "test", default);
        Assert.Equal(2e5 + Math.Log(2), sums[0], 9);
    }
}
