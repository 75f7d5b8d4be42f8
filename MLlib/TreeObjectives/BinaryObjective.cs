using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeObjectives;

/// <summary>Log loss of two classes, 0 and 1; the score is the logarithm of the odds.</summary>
internal sealed unsafe class BinaryObjective : TreeObjective
{
    public override string Text => "binary sigmoid:1";

    public override string Metric => "binary_logloss";

    public override (double Gradient, double Hessian)? Bounds => (1, 0.25);

    public override string? Fault(float label) => label is 0 or 1 ? null : "labels of two classes are 0 and 1";

    public override double[] Averages(TreeShard shard, ITreeGroup group)
    {
        var mean = Math.Clamp(LabelSums.WeightedMean(shard, group, label => label), 1e-15, 1 - 1e-15);
        return [Elementary.Log(mean / (1 - mean))];
    }

    public override void Compute(in ObjectiveRows rows)
    {
        var gradients = rows.Gradients;
        var hessians = rows.Hessians;
        var labels = rows.Labels;
        for (var i = 0; i < rows.Count; i++) gradients[i] = rows.Scores[i];
        ElementaryVectors.Sigmoid(gradients, rows.Count);
        for (var i = 0; i < rows.Count; i++)
        {
            var p = gradients[i];
            gradients[i] = p - labels[i];
            hessians[i] = p * (1 - p);
        }
        rows.Weigh();
    }
}
