using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Compute(in ObjectiveRows rows)
    {
        var gradients = rows.Gradients;
        var hessians = rows.Hessians;
        var labels = rows.Labels;
        new ReadOnlySpan<double>(rows.Scores, rows.Count).CopyTo(new(gradients, rows.Count));
        ElementaryVectors.Sigmoid(gradients, rows.Count);
        var i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i + 8 <= rows.Count; i += 8)
            {
                var p = Vector512.Load(gradients + i);
                var single = Vector256.Load(labels + i);
                Vector512.Store(p - Vector512.Create(Vector256.WidenLower(single), Vector256.WidenUpper(single)), gradients + i);
                Vector512.Store(p * (Vector512.Create(1.0) - p), hessians + i);
            }
        }
        for (; i < rows.Count; i++)
        {
            var p = gradients[i];
            gradients[i] = p - labels[i];
            hessians[i] = p * (1 - p);
        }
        rows.Weigh();
    }
}
