using Dataflow.MLlib.Data;

namespace Dataflow.MLlib.TreeModels;

/// <summary>What of a row's prediction becomes a column.</summary>
internal enum TreeOutput
{
    /// <summary>The first output: a mean.</summary>
    Mean,

    /// <summary>The first score.</summary>
    Score,

    /// <summary>All scores as a vector.</summary>
    Scores,

    /// <summary>The leaf in each tree as a vector.</summary>
    Leaves,

    /// <summary>SHAP values as a vector: scores x (features + 1).</summary>
    Contributions,
}

/// <summary>Computes one column of a model of trees.</summary>
internal sealed class TreeScorer(string name, TreePredictor predictor, TreeOutput output) : RowScorer(name)
{
    public override int Width => predictor.FeatureCount;

    public override bool GivesVector => output is TreeOutput.Scores or TreeOutput.Leaves or TreeOutput.Contributions;

    public override int OutputWidth(int width) => output switch
    {
        TreeOutput.Leaves => predictor.LeafCount,
        TreeOutput.Contributions => predictor.ScoreCount * (predictor.FeatureCount + 1),
        _ => predictor.ScoreCount,
    };

    public override void Score(ReadOnlySpan<double> rows, int count, int width, Span<double> results)
    {
        switch (output)
        {
            case TreeOutput.Leaves:
                Leaves(rows, count, width, results);
                break;
            case TreeOutput.Contributions:
                var contributions = OutputWidth(width);
                for (var r = 0; r < count; r++) predictor.Contributions(rows.Slice(r * width, width), results.Slice(r * contributions, contributions));
                break;
            case TreeOutput.Mean:
                predictor.Outputs(rows, width, count, results);
                break;
            default:
                predictor.Scores(rows, width, count, results);
                break;
        }
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
