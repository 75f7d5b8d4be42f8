using Dataflow.MLlib.TreeObjectives;

namespace Dataflow.MLlib.Tests.Trees;

/// <summary>Gradients against differences of the losses.</summary>
public sealed unsafe class ObjectiveTests
{
    public static TheoryData<string> Losses => ["binary", "l2", "l1", "quantile", "huber", "poisson", "gamma", "tweedie", "custom"];

    [Theory]
    [MemberData(nameof(Losses))]
    public void Gradients_and_hessians_are_derivatives_of_the_loss(string name)
    {
        var (objective, loss, hessian) = Of(name);
        var random = new Random(17);
        for (var i = 0; i < 200; i++)
        {
            var score = (random.NextDouble() * 4) - 2;
            var label = name switch { "binary" => random.Next(2), "poisson" or "tweedie" => random.Next(5), "gamma" => (float)(random.NextDouble() + 0.1), _ => (float)((random.NextDouble() * 6) - 3) };
            var (g, h) = Derivatives(objective, [score], label, weight: 2)[0];
            const double Step = 1e-5;
            if (name is "l1" or "quantile" or "huber" && Math.Abs(Math.Abs(score - label) - (name == "huber" ? 0.9 : 0)) < 1e-3) continue;
            var expected = 2 * (loss(score + Step, label) - loss(score - Step, label)) / (2 * Step);
            Assert.True(Math.Abs(g - expected) < 1e-6 * Math.Max(1, Math.Abs(expected)), $"{name}, seed 17: gradient {g} of score {score}, label {label}; expected {expected}");
            var curve = hessian is { } given ? 2 * given
                : (Derivatives(objective, [score + Step], label, 2)[0].Gradient - Derivatives(objective, [score - Step], label, 2)[0].Gradient) / (2 * Step) * (name == "poisson" ? Math.Exp(0.7) : 1);
            Assert.True(Math.Abs(h - curve) < 1e-5 * Math.Max(1, Math.Abs(curve)), $"{name}, seed 17: hessian {h} of score {score}, label {label}; expected {curve}");
        }
    }

    [Fact]
    public void Softmax_gradients_are_derivatives_and_sum_to_zero()
    {
        var objective = new SoftmaxObjective(3);
        double[] scores = [0.3, -1.2, 2];
        var found = Derivatives(objective, scores, 1, 1);
        Assert.Equal(0, found.Sum(each => each.Gradient), 12);
        for (var i = 0; i < 3; i++)
        {
            const double Step = 1e-6;
            var (up, down) = (scores.ToArray(), scores.ToArray());
            up[i] += Step;
            down[i] -= Step;
            Assert.Equal((Loss(up) - Loss(down)) / (2 * Step), found[i].Gradient, 6);
            var p = Math.Exp(scores[i]) / scores.Sum(Math.Exp);
            Assert.Equal(1.5 * p * (1 - p), found[i].Hessian, 12);
        }

        static double Loss(double[] s) => Math.Log(s.Sum(Math.Exp)) - s[1];
    }

    private static (TreeObjective Objective, Func<double, float, double> Loss, double? Hessian) Of(string name) => name switch
    {
        "binary" => (new BinaryObjective(), (s, y) => Math.Log(1 + Math.Exp(-s)) + ((1 - y) * s), null),
        "l2" => (new SquaredObjective(), (s, y) => 0.5 * (s - y) * (s - y), 1),
        "l1" => (new QuantileObjective(0.5, isMedian: true), (s, y) => Math.Abs(s - y), 1),
        "quantile" => (new QuantileObjective(0.8, isMedian: false), (s, y) => s > y ? 0.2 * (s - y) : 0.8 * (y - s), 1),
        "huber" => (new HuberObjective(0.9), (s, y) => Math.Abs(s - y) < 0.9 ? 0.5 * (s - y) * (s - y) : 0.9 * (Math.Abs(s - y) - 0.45), 1),
        "poisson" => (new DevianceObjective(1, 0.7), (s, y) => Math.Exp(s) - (y * s), null),
        "gamma" => (new DevianceObjective(2, 0), (s, y) => s + (y * Math.Exp(-s)), null),
        "tweedie" => (new DevianceObjective(1.5, 0), (s, y) => (y * Math.Exp(-0.5 * s) / 0.5) + (Math.Exp(0.5 * s) / 0.5), null),
        _ => (new CustomObjective((scores, labels, g, h) =>
        {
            for (var i = 0; i < g.Length; i++) (g[i], h[i]) = (4 * Math.Pow(scores[i] - labels[i], 3), 12 * Math.Pow(scores[i] - labels[i], 2));
        }), (s, y) => Math.Pow(s - y, 4), null),
    };

    private static (double Gradient, double Hessian)[] Derivatives(TreeObjective objective, double[] scores, float label, float weight)
    {
        var gradients = new double[TreeObjective.StepRows * scores.Length];
        var hessians = new double[gradients.Length];
        fixed (double* s = scores, g = gradients, h = hessians)
        {
            objective.Compute(new ObjectiveRows { First = 0, Count = 1, Scores = s, ScoreStride = 1, Labels = &label, Weights = &weight, Gradients = g, Hessians = h });
        }
        return [.. scores.Select((_, i) => (gradients[i * TreeObjective.StepRows], hessians[i * TreeObjective.StepRows]))];
    }
}
