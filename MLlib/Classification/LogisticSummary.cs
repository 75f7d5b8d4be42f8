using Dataflow.MLlib.Optimization;

namespace Dataflow.MLlib.Classification;

/// <summary>How the training of a logistic regression went.</summary>
/// <param name="ObjectiveHistory">The objective at the start and after each iteration.</param>
/// <param name="Reason">Why it ended.</param>
public sealed record LogisticSummary(ValueList<double> ObjectiveHistory, StopReason Reason)
{
    /// <summary>How many iterations were made.</summary>
    public int Iterations => ObjectiveHistory.Count - 1;
}
