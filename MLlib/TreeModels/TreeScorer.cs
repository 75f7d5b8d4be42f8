using Dataflow.MLlib.Data;

namespace Dataflow.MLlib.TreeModels;

/// <summary>What of a row's prediction becomes a column.</summary>
internal enum TreeOutput
{
    /// <summary>The scores as a vector; of two classes by one score, its negative too.</summary>
    ClassScores,

    /// <summary>The probability of every class as a vector.</summary>
    Probabilities,

    /// <summary>The most likely class.</summary>
    Class,

    /// <summary>The first output: a mean.</summary>
    Mean,

    /// <summary>The first score.</summary>
    Score,

    /// <summary>The leaf in each tree as a vector.</summary>
    Leaves,

    /// <summary>SHAP values as a vector: scores x (features + 1).</summary>
    Contributions,
}

/// <summary>Computes one column of a model of trees.</summary>
internal sealed class TreeScorer(string name, TreePredictor predictor, TreeOutput output) : RowScorer(name)
{
    public override int Width => predictor.FeatureCount;

    public override bool GivesVector => output is TreeOutput.ClassScores or TreeOutput.Probabilities or TreeOutput.Leaves or TreeOutput.Contributions;

    public override int OutputWidth(int width) => output switch
    {
        TreeOutput.ClassScores or TreeOutput.Probabilities => Math.Max(2, predictor.ScoreCount),
        TreeOutput.Leaves => predictor.LeafCount,
        TreeOutput.Contributions => predictor.ScoreCount * (predictor.FeatureCount + 1),
        _ => 1,
    };

    public override void Score(ReadOnlySpan<double> rows, int count, int width, Span<double> scores)
    {
        switch (output)
        {
            case TreeOutput.Leaves:
                Leaves(rows, count, width, scores);
                break;
            case TreeOutput.Contributions:
                var contributions = OutputWidth(width);
                for (var r = 0; r < count; r++) predictor.Contributions(rows.Slice(r * width, width), scores.Slice(r * contributions, contributions));
                break;
            default:
                Predict(predictor, output, rows, width, count, scores);
                break;
        }
    }

    /// <summary>Predictions of many rows.</summary>
    public static void Predict(TreePredictor predictor, TreeOutput output, ReadOnlySpan<double> rows, int stride, int count, Span<double> into)
    {
        var scores = predictor.ScoreCount;
        switch (output)
        {
            case TreeOutput.Score when scores == 1:
                predictor.Scores(rows, stride, count, into);
                return;
            case TreeOutput.Mean when scores == 1:
                predictor.Outputs(rows, stride, count, into);
                return;
            case TreeOutput.ClassScores or TreeOutput.Probabilities when scores == 1:
                // From the end, so that what is not read yet stays.
                if (output == TreeOutput.ClassScores) predictor.Scores(rows, stride, count, into[..count]);
                else predictor.Outputs(rows, stride, count, into[..count]);
                for (var r = count - 1; r >= 0; r--)
                {
                    var value = into[r];
                    into[(2 * r) + 1] = value;
                    into[2 * r] = output == TreeOutput.ClassScores ? -value : 1 - value;
                }
                return;
            case TreeOutput.ClassScores:
                predictor.Scores(rows, stride, count, into);
                return;
            case TreeOutput.Probabilities:
                predictor.Outputs(rows, stride, count, into);
                return;
        }
        var all = new double[count * scores];
        predictor.Scores(rows, stride, count, all);
        for (var r = 0; r < count; r++) into[r] = ClassOf(all.AsSpan(r * scores, scores));
    }

    /// <summary>The class with the largest score, the first of equal ones; with one score, class 1 if it is positive.</summary>
    public static int ClassOf(ReadOnlySpan<double> scores)
    {
        if (scores.Length == 1) return scores[0] > 0 ? 1 : 0;
        var best = 0;
        for (var k = 1; k < scores.Length; k++) best = scores[k] > scores[best] ? k : best;
        return best;
    }

    private void Leaves(ReadOnlySpan<double> rows, int count, int width, Span<double> into)
    {
        var leaves = new int[predictor.LeafCount];
        for (var r = 0; r < count; r++)
        {
            predictor.Leaves(rows.Slice(r * width, width), leaves);
            for (var t = 0; t < leaves.Length; t++) into[(r * leaves.Length) + t] = leaves[t];
        }
    }
}
