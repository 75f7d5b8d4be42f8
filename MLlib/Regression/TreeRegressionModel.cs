using Dataflow.MLlib.TreeModels;

namespace Dataflow.MLlib;

/// <summary>Trees that predict a number: what models of boosted trees, forests and single trees have in common.</summary>
public abstract record TreeRegressionModel : TreeEnsembleModel
{
    private protected TreeRegressionModel(TreeEnsemble ensemble) : base(ensemble) { }

    private protected TreeRegressionModel(ModelFolder folder) : base(folder) { }

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame) => AddExplanations(AddColumn(frame, PredictionColumn, TreeOutput.Mean));

    /// <summary>The prediction of a row.</summary>
    /// <remarks>About a microsecond for 100 trees of 31 leaves.</remarks>
    /// <param name="row">One value a feature; NaN is missing.</param>
    /// <exception cref="ArgumentException">The row is of the wrong length.</exception>
    public double Predict(ReadOnlySpan<double> row)
    {
        CheckRow(row.Length);
        var prediction = 0.0;
        Predictor.Outputs(row, new Span<double>(ref prediction));
        return prediction;
    }

    /// <summary>The predictions of many rows, on this thread.</summary>
    /// <param name="rows">rows x features, row by row; NaN is missing.</param>
    /// <param name="predictions">Takes one number a row.</param>
    /// <exception cref="ArgumentException">A span is of the wrong length.</exception>
    public void PredictBatch(ReadOnlySpan<double> rows, Span<double> predictions) =>
        Predictor.Outputs(rows, FeatureCount, CheckBatch(rows, predictions, 1), predictions);
}
