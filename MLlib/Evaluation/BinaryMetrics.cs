using System.Globalization;
using System.Text;

namespace Dataflow.MLlib;

/// <summary>How well scores tell class 1 from class 0: what <see cref="BinaryClassificationEvaluator.Measure"/> gives.</summary>
public sealed record BinaryMetrics
{
    internal BinaryMetrics() { }

    /// <summary>Area under the ROC curve; NaN if there is one class only.</summary>
    public double AreaUnderRoc { get; internal init; }

    /// <summary>Area under precision over recall, as in Spark; NaN without rows of class 1.</summary>
    public double AreaUnderPrecisionRecall { get; internal init; }

    /// <summary>Average precision, as in scikit-learn; NaN without rows of class 1.</summary>
    public double AveragePrecision { get; internal init; }

    /// <summary>Log loss; NaN if the scores are no probabilities.</summary>
    public double LogLoss { get; internal init; }

    /// <summary>Weight of the rows of class 1.</summary>
    public double Positives { get; internal init; }

    /// <summary>Weight of the rows of class 0.</summary>
    public double Negatives { get; internal init; }

    /// <summary>Points of the curves, the largest threshold first.</summary>
    public IReadOnlyList<ThresholdPoint> Points { get; internal init; } = [];

    /// <summary>The ROC curve: false positive rate and true positive rate, from (0, 0) to (1, 1).</summary>
    public IReadOnlyList<(double X, double Y)> Roc => [(0, 0), .. Points.Select(point => (point.FalsePositives / Negatives, point.TruePositives / Positives))];

    /// <summary>Recall and precision, from recall 0 with the precision of the first point.</summary>
    public IReadOnlyList<(double X, double Y)> PrecisionRecall =>
        [.. Points.Take(1).Select(point => (0.0, point.Precision)), .. Points.Select(point => (point.TruePositives / Positives, point.Precision))];

    // Curves are no text.
    private bool PrintMembers(StringBuilder text)
    {
        text.Append(
            CultureInfo.InvariantCulture,
            $"{nameof(AreaUnderRoc)} = {AreaUnderRoc}, {nameof(AreaUnderPrecisionRecall)} = {AreaUnderPrecisionRecall}, {nameof(AveragePrecision)} = {AveragePrecision}, "
                + $"{nameof(LogLoss)} = {LogLoss}, {nameof(Positives)} = {Positives}, {nameof(Negatives)} = {Negatives}");
        return true;
    }
}

/// <summary>What is found if all rows count as class 1 whose score is at least a threshold.</summary>
/// <param name="Threshold">The score.</param>
/// <param name="TruePositives">Weight of rows of class 1 from there on.</param>
/// <param name="FalsePositives">Weight of rows of class 0 from there on.</param>
public readonly record struct ThresholdPoint(double Threshold, double TruePositives, double FalsePositives)
{
    /// <summary>Which part of the rows from there on is of class 1.</summary>
    public double Precision => TruePositives / (TruePositives + FalsePositives);
}
