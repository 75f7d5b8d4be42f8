using System.Globalization;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeObjectives;

/// <summary>Leaves hold the share of a class among their rows: squared error of 0 and 1, which is the Gini impurity. Two classes have one score, the share of class 1.</summary>
internal sealed unsafe class ClassShareObjective(int classes) : TreeObjective
{
    /// <summary>More are surely no classes but numbers.</summary>
    public const int MostClasses = 10_000;

    public override string Text => string.Create(CultureInfo.InvariantCulture, $"class_shares num_class:{Scores}");

    public override int Scores => classes == 2 ? 1 : classes;

    public override bool HasConstantHessian => true;

    // Trees do not know of each other, so scores are 0 where gradients are computed.
    public override (double Gradient, double Hessian)? Bounds => (1, 1);

    public override string Metric => "l2";

    /// <summary>Of as many classes as were given, or as labels say.</summary>
    public static ClassShareObjective For(int given, double greatestLabel, string labels)
    {
        if (given == 0 && greatestLabel > MostClasses)
            throw new QueryException("INVALID_LABEL", $"Column '{labels}' holds the label {greatestLabel}, and classes are numbered 0, 1, 2 ... Turn labels into such numbers with StringIndexer.");
        return new(given > 0 ? given : Math.Max(2, (int)greatestLabel + 1));
    }

    public override string? Fault(float label) => label >= 0 && label < classes && label == MathF.Floor(label) ? null : SoftmaxObjective.Wrong(classes, label);

    public override void Compute(in ObjectiveRows rows)
    {
        var count = Scores;
        for (var score = 0; score < count; score++)
        {
            var wanted = count == 1 ? 1 : score;
            for (var i = 0; i < rows.Count; i++)
            {
                rows.Gradients[(score * StepRows) + i] = rows.Scores[i + (score * rows.ScoreStride)] - (rows.Labels[i] == wanted ? 1 : 0);
                rows.Hessians[(score * StepRows) + i] = 1;
            }
            var part = rows with { Gradients = rows.Gradients + (score * StepRows), Hessians = rows.Hessians + (score * StepRows) };
            part.Weigh();
        }
    }
}
