using Dataflow.MLlib.Optimization;

namespace Dataflow.MLlib.Regression;

/// <summary>How the training of a linear regression went.</summary>
/// <param name="ObjectiveHistory">The objective at the start and after each iteration; only its final value where the normal equations were solved at once.</param>
/// <param name="Reason">Why it ended.</param>
/// <param name="RootMeanSquaredError">Of predictions of the training rows; NaN if the loss was another.</param>
/// <param name="R2">Share of the labels' variance that is explained; NaN if labels are constant, or the loss was another.</param>
public sealed record LinearSummary(ValueList<double> ObjectiveHistory, StopReason Reason, double RootMeanSquaredError, double R2)
{
    /// <summary>How many iterations were made.</summary>
    public int Iterations => ObjectiveHistory.Count - 1;

    internal static LinearSummary Of(Minimum end, double error, double r2) => new(end.History, end.Reason, error, r2);
}
