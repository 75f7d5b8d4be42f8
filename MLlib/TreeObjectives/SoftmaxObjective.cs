using System.Globalization;
using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeObjectives;

/// <summary>Log loss of several classes, 0, 1, 2 ...; a score a class, whose softmax are the probabilities.</summary>
/// <param name="classes">How many classes.</param>
internal sealed unsafe class SoftmaxObjective(int classes) : TreeObjective
{
    public override string Text => string.Create(CultureInfo.InvariantCulture, $"multiclass num_class:{classes}");

    public override string Metric => "multi_logloss";

    public override int Scores => classes;

    public override (double Gradient, double Hessian)? Bounds => (1, 0.25 * Factor);

    // As LightGBM scales the diagonal of the hessian (J. Friedman 2001, section 4.6).
    private double Factor => classes / (classes - 1.0);

    public override string? Fault(float label) => label >= 0 && label < classes && label == MathF.Floor(label) ? null : Wrong(classes, label);

    /// <summary>What is wrong with a label that is no class.</summary>
    internal static string Wrong(int classes, float label) => label == MathF.Floor(label)
        ? string.Create(CultureInfo.InvariantCulture, $"labels of {classes} classes are whole numbers from 0 to {classes - 1}")
        : "labels of classes are whole numbers from 0 on, and quantities are for a regressor";

    public override double[] Averages(TreeShard shard, ITreeGroup group)
    {
        var averages = new double[classes];
        for (var i = 0; i < classes; i++) averages[i] = Elementary.Log(Math.Max(1e-15, LabelSums.WeightedMean(shard, group, label => label == i ? 1 : 0)));
        return averages;
    }

    public override void Compute(in ObjectiveRows rows)
    {
        var gradients = rows.Gradients;
        var hessians = rows.Hessians;
        var factor = Factor;
        for (var row = 0; row < rows.Count; row++)
        {
            var most = double.NegativeInfinity;
            for (var i = 0; i < classes; i++) most = Math.Max(most, rows.Scores[row + (i * rows.ScoreStride)]);
            for (var i = 0; i < classes; i++) gradients[((long)i * StepRows) + row] = rows.Scores[row + (i * rows.ScoreStride)] - most;
        }
        for (var i = 0; i < classes; i++) ElementaryVectors.Exp(gradients + ((long)i * StepRows), rows.Count);
        for (var row = 0; row < rows.Count; row++)
        {
            double sum = 0;
            for (var i = 0; i < classes; i++) sum += gradients[((long)i * StepRows) + row];
            var weight = rows.Weights is null ? 1 : rows.Weights[row];
            for (var i = 0; i < classes; i++)
            {
                var at = ((long)i * StepRows) + row;
                var p = gradients[at] / sum;
                gradients[at] = weight * (p - (rows.Labels[row] == i ? 1 : 0));
                hessians[at] = weight * factor * p * (1 - p);
            }
        }
    }
}
