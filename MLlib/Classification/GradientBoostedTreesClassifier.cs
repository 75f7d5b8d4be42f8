using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.TreeObjectives;

namespace Dataflow.MLlib;

/// <summary>Boosted trees that tell classes apart, by the log loss: two classes by one score, more by a score each (softmax).</summary>
/// <remarks>Labels are 0, 1, 2 ...; <see cref="StringIndexer"/> makes such of texts. See <see cref="GradientBoostedTrees{TModel}"/> for cost and guarantees.</remarks>
public sealed record GradientBoostedTreesClassifier : GradientBoostedTrees<GradientBoostedTreesClassificationModel>
{
    // More are surely no classes but numbers.
    private const int MostClasses = 10_000;
    private const int MostFoundClasses = 1000;

    /// <summary>How many classes there are; 0 takes one more than the greatest label, and at least two.</summary>
    public int Classes { get; init => field = value == 0 ? 0 : Check.Between(value, 2, MostClasses); }

    /// <summary>The column of scores, a vector with one a class, that the model adds.</summary>
    public string RawPredictionColumn { get; init => field = Check.Name(value); } = "rawPrediction";

    /// <summary>The column of probabilities, a vector with one a class, that the model adds.</summary>
    public string ProbabilityColumn { get; init => field = Check.Name(value); } = "probability";

    internal override TreeObjective ObjectiveFor(double greatestLabel)
    {
        if (CustomLoss is not null) throw new ArgumentException($"{nameof(CustomLoss)} gives plain scores, which are no classes: use {nameof(GradientBoostedTreesRegressor)} with it.");
        if (Classes == 0 && greatestLabel >= MostFoundClasses)
            throw new QueryException("INVALID_LABEL", $"Column '{LabelColumn}' holds the label {greatestLabel}, and classes are numbered 0, 1, 2 ... Turn labels into such numbers with StringIndexer; if there really are that many, say so in Classes.");
        var classes = Classes > 0 ? Classes : Math.Max(2, (int)greatestLabel + 1);
        return classes == 2 ? new BinaryObjective() : new SoftmaxObjective(classes);
    }

    internal override GradientBoostedTreesClassificationModel ModelOf(TreeEnsemble ensemble) =>
        new(ensemble) { RawPredictionColumn = RawPredictionColumn, ProbabilityColumn = ProbabilityColumn };
}
