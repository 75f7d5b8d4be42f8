using Dataflow.MLlib.Data;
using Dataflow.MLlib.Linalg;
using Dataflow.MLlib.Numerics;

namespace Dataflow.MLlib.Classification;

/// <summary>The coefficients of a logistic regression, and what they make of rows: margins, probabilities, classes. Travels to executors.</summary>
internal sealed class LogisticScores
{
    public LogisticScores(double[] coefficients, double[] intercepts, int classes)
    {
        if (intercepts.Length == 0 || coefficients.Length % intercepts.Length != 0 || classes < 2
            || (intercepts.Length != classes && (intercepts.Length != 1 || classes != 2)))
            throw new ArgumentException($"{coefficients.Length} coefficients and {intercepts.Length} intercepts do not fit {classes} classes.");
        Coefficients = coefficients;
        Intercepts = intercepts;
        Classes = classes;
    }

    public double[] Coefficients { get; }

    public double[] Intercepts { get; }

    public int Classes { get; }

    public int Width => Coefficients.Length / Intercepts.Length;

    /// <summary>One margin a class.</summary>
    public void Margins(ReadOnlySpan<double> features, Span<double> margins)
    {
        if (Intercepts.Length == 1)
        {
            margins[1] = RowProducts.Multiply(features, Coefficients) + Intercepts[0];
            margins[0] = -margins[1];
            return;
        }
        for (var k = 0; k < margins.Length; k++) margins[k] = RowProducts.Multiply(features, Coefficients.AsSpan(k * Width, Width)) + Intercepts[k];
    }

    /// <summary>One margin a class, of a row without its zeros.</summary>
    public unsafe void Margins(SparseRows rows, int row, Span<double> margins)
    {
        fixed (double* coefficients = Coefficients)
        {
            if (Intercepts.Length == 1)
            {
                margins[1] = RowProducts.Multiply(rows, row, coefficients) + Intercepts[0];
                margins[0] = -margins[1];
                return;
            }
            for (var k = 0; k < margins.Length; k++) margins[k] = RowProducts.Multiply(rows, row, coefficients + ((nint)k * Width)) + Intercepts[k];
        }
    }

    /// <summary>Makes probabilities of margins.</summary>
    public static void Normalize(Span<double> margins, bool isBinomial)
    {
        if (isBinomial)
        {
            margins[1] = Elementary.Sigmoid(margins[1]);
            margins[0] = 1 - margins[1];
            return;
        }
        var most = double.NegativeInfinity;
        foreach (var margin in margins) most = margin > most ? margin : most;
        double total = 0;
        for (var k = 0; k < margins.Length; k++) total += margins[k] = Elementary.Exp(margins[k] - most);
        for (var k = 0; k < margins.Length; k++) margins[k] /= total;
    }

    /// <summary>The class that is predicted.</summary>
    public static int Choose(ReadOnlySpan<double> probabilities, double threshold, ReadOnlySpan<double> thresholds) =>
        probabilities.Length == 2 && thresholds.Length == 0 ? (probabilities[1] > threshold ? 1 : 0) : ClassThresholds.Choose(probabilities, thresholds);
}

/// <summary>What is known of a row.</summary>
internal enum LogisticStep
{
    Features,
    Margins,
    Probabilities,
    Prediction,
}

/// <summary>Goes from what is known of rows to what is wanted.</summary>
internal sealed class LogisticScorer(LogisticScores scores, LogisticStep from, LogisticStep to, double threshold, double[] thresholds)
    : RowScorer("logistic_regression"), ISparseScorer
{
    public bool TakesSparse => from == LogisticStep.Features;

    public override int Width => from == LogisticStep.Features ? scores.Width : scores.Classes;

    public override bool GivesVector => to != LogisticStep.Prediction;

    public override int OutputWidth(int width) => GivesVector ? scores.Classes : 1;

    public override void Score(ReadOnlySpan<double> rows, int count, int width, Span<double> output)
    {
        var one = GivesVector ? [] : new double[scores.Classes];
        for (var row = 0; row < count; row++)
        {
            var values = rows.Slice(row * width, width);
            var result = GivesVector ? output.Slice(row * scores.Classes, scores.Classes) : one;
            if (from == LogisticStep.Features) scores.Margins(values, result);
            else values.CopyTo(result);
            Finish(result, row, output);
        }
    }

    public void Score(SparseRows rows, Span<double> output)
    {
        var one = GivesVector ? [] : new double[scores.Classes];
        for (var row = 0; row < rows.Starts.Length - 1; row++)
        {
            var result = GivesVector ? output.Slice(row * scores.Classes, scores.Classes) : one;
            scores.Margins(rows, row, result);
            Finish(result, row, output);
        }
    }

    // Margins, or probabilities, are what the row's numbers hold so far.
    private void Finish(Span<double> result, int row, Span<double> output)
    {
        if (from < LogisticStep.Probabilities && to > LogisticStep.Margins) LogisticScores.Normalize(result, scores.Intercepts.Length == 1);
        if (!GivesVector) output[row] = LogisticScores.Choose(result, threshold, thresholds);
    }
}
