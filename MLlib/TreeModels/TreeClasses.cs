using Dataflow.MLlib.Classification;
using Dataflow.MLlib.Data;

namespace Dataflow.MLlib.TreeModels;

/// <summary>What is known of a row on the way to its class.</summary>
internal enum ClassStep
{
    Features,
    Scores,
    Probabilities,
    Prediction,
}

/// <summary>How scores of trees become scores of classes, probabilities and a class. One score stands for two classes: its negative is that of class 0.</summary>
internal sealed class TreeClasses(TreePredictor predictor, double threshold, double[] thresholds)
{
    public int FeatureCount => predictor.FeatureCount;

    public int Count => Math.Max(2, predictor.ScoreCount);

    /// <summary>Goes on from what is known of rows.</summary>
    /// <param name="from">What is known.</param>
    /// <param name="to">What is wanted, a later step.</param>
    /// <param name="rows">Features, or one number a class.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="into">One number a class; of predictions one a row.</param>
    public void Compute(ClassStep from, ClassStep to, ReadOnlySpan<double> rows, int count, Span<double> into)
    {
        var classes = Count;
        var values = to == ClassStep.Prediction ? new double[count * classes] : into;
        if (from != ClassStep.Features) rows.CopyTo(values);
        else Scores(rows, count, values);
        if (from < ClassStep.Probabilities && to > ClassStep.Scores)
        {
            for (var r = 0; r < count; r++) Normalize(values.Slice(r * classes, classes));
        }
        if (to != ClassStep.Prediction) return;
        for (var r = 0; r < count; r++) into[r] = Choose(values.Slice(r * classes, classes));
    }

    /// <summary>The probabilities of one row.</summary>
    public void Probabilities(ReadOnlySpan<double> row, Span<double> probabilities)
    {
        if (predictor.ScoreCount > 1)
        {
            predictor.Outputs(row, probabilities);
            return;
        }
        predictor.Outputs(row, probabilities[1..]);
        probabilities[0] = 1 - probabilities[1];
    }

    /// <summary>The class that probabilities say.</summary>
    public int Choose(ReadOnlySpan<double> probabilities) =>
        probabilities.Length == 2 && thresholds.Length == 0 ? (probabilities[1] > threshold ? 1 : 0) : ClassThresholds.Choose(probabilities, thresholds);

    private void Scores(ReadOnlySpan<double> rows, int count, Span<double> values)
    {
        if (predictor.ScoreCount > 1)
        {
            predictor.Scores(rows, FeatureCount, count, values);
            return;
        }
        predictor.Scores(rows, FeatureCount, count, values[..count]);

        // From the end, so that what is not read yet stays.
        for (var r = count - 1; r >= 0; r--)
        {
            var score = values[r];
            values[(2 * r) + 1] = score;
            values[2 * r] = -score;
        }
    }

    private void Normalize(Span<double> scores)
    {
        if (predictor.ScoreCount > 1)
        {
            predictor.Transform(scores, 1);
            return;
        }
        predictor.Transform(scores[1..], 1);
        scores[0] = 1 - scores[1];
    }
}

/// <summary>Computes one step of it as a column.</summary>
internal sealed class TreeClassScorer(TreeClasses classes, ClassStep from, ClassStep to) : RowScorer($"trees_{to.ToString().ToLowerInvariant()}")
{
    public override int Width => from == ClassStep.Features ? classes.FeatureCount : classes.Count;

    public override bool GivesVector => to != ClassStep.Prediction;

    public override int OutputWidth(int width) => GivesVector ? classes.Count : 1;

    public override void Score(ReadOnlySpan<double> rows, int count, int width, Span<double> output) => classes.Compute(from, to, rows, count, output);
}
