using System.Globalization;

namespace Dataflow.MLlib;

/// <summary>A confusion matrix and what follows from it: what <see cref="MulticlassClassificationEvaluator.Measure"/> gives.</summary>
public sealed class MulticlassMetrics
{
    /// <summary>Log losses take probabilities as at least this.</summary>
    internal const double LeastProbability = 1e-15;

    private readonly double[] _labels;
    private readonly double[,] _confusion;
    private readonly double[] _actual;
    private readonly double[] _predicted;

    internal MulticlassMetrics(Dictionary<(double Label, double Prediction), double> cells, double loss)
    {
        _labels = [.. cells.Keys.SelectMany(pair => new[] { pair.Label, pair.Prediction }).Distinct().Order()];
        var n = _labels.Length;
        (_confusion, _actual, _predicted) = (new double[n, n], new double[n], new double[n]);
        foreach (var ((label, prediction), weight) in cells) _confusion[Array.BinarySearch(_labels, label), Array.BinarySearch(_labels, prediction)] = weight;

        // In the order of the labels, so that the last bits do not depend on how rows were shared out.
        double correct = 0;
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
            {
                _actual[i] += _confusion[i, j];
                _predicted[j] += _confusion[i, j];
            }
            correct += _confusion[i, i];
        }
        Weight = _actual.Sum();
        Accuracy = correct / Weight;
        LogLoss = loss / Weight;
    }

    /// <summary>The classes, ascending: those of labels and predictions.</summary>
    public ReadOnlySpan<double> Labels => _labels;

    /// <summary>Weight of the rows (their number, without weights) by label (row) and prediction (column), in the order of <see cref="Labels"/>; a copy.</summary>
    public double[,] Confusion => (double[,])_confusion.Clone();

    /// <summary>Weight of all rows.</summary>
    public double Weight { get; }

    /// <summary>The share of rows whose class was predicted.</summary>
    public double Accuracy { get; }

    /// <summary>The share of rows whose class was not predicted.</summary>
    public double HammingLoss => 1 - Accuracy;

    /// <summary>Mean negative logarithm of the probability of the true class; NaN if there were no probabilities.</summary>
    public double LogLoss { get; }

    /// <summary>Precisions of the classes, weighted by their shares of the rows.</summary>
    public double WeightedPrecision => Weighted(PrecisionAt);

    /// <summary>Recalls of the classes, weighted by their shares of the rows.</summary>
    public double WeightedRecall => Weighted(RecallAt);

    /// <summary>F measures of the classes with beta 1, weighted by their shares of the rows.</summary>
    public double F1 => WeightedFMeasure();

    /// <summary>F measures of the classes, weighted by their shares of the rows.</summary>
    /// <param name="beta">How much more recall counts than precision.</param>
    public double WeightedFMeasure(double beta = 1) => Weighted(i => FMeasureAt(i, beta));

    /// <summary>Of the rows that were predicted to be of a class, the share that are; 0 if there are none.</summary>
    /// <param name="label">The class.</param>
    /// <exception cref="ArgumentException">No row has it.</exception>
    public double Precision(double label) => PrecisionAt(PlaceOf(label));

    /// <summary>Of the rows that are of a class, the share that were predicted to be; 0 if there are none.</summary>
    /// <inheritdoc cref="Precision"/>
    public double Recall(double label) => RecallAt(PlaceOf(label));

    /// <summary>(1 + beta^2) precision recall / (beta^2 precision + recall) of a class; 0 if both are.</summary>
    /// <param name="label">The class.</param>
    /// <param name="beta">How much more recall counts than precision.</param>
    /// <exception cref="ArgumentException">No row has it.</exception>
    public double FMeasure(double label, double beta = 1) => FMeasureAt(PlaceOf(label), beta);

    private double Weighted(Func<int, double> metric)
    {
        double sum = 0;
        for (var i = 0; i < _labels.Length; i++) sum += metric(i) * _actual[i];
        return sum / Weight;
    }

    private double PrecisionAt(int i) => _predicted[i] > 0 ? _confusion[i, i] / _predicted[i] : 0;

    private double RecallAt(int i) => _actual[i] > 0 ? _confusion[i, i] / _actual[i] : 0;

    private double FMeasureAt(int i, double beta)
    {
        var (precision, recall, square) = (PrecisionAt(i), RecallAt(i), beta * beta);
        return precision + recall > 0 ? (1 + square) * precision * recall / ((square * precision) + recall) : 0;
    }

    /// <summary>The figures that <see cref="MulticlassMetric"/> names.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{nameof(MulticlassMetrics)} {{ {nameof(Accuracy)} = {Accuracy}, {nameof(F1)} = {F1}, {nameof(WeightedPrecision)} = {WeightedPrecision}, "
            + $"{nameof(WeightedRecall)} = {WeightedRecall}, {nameof(LogLoss)} = {LogLoss}, {nameof(Weight)} = {Weight}, {nameof(Labels)} = [{string.Join(", ", _labels.Take(20))}{(_labels.Length > 20 ? ", ..." : "")}] }}");

    private int PlaceOf(double label) => Array.BinarySearch(_labels, label) is var at and >= 0 ? at
        : throw new ArgumentException(
            $"No row has the class {label}, neither as label nor as prediction. There are: {string.Join(", ", _labels.Take(20))}.", nameof(label));
}
