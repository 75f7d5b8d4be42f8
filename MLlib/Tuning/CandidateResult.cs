namespace Dataflow.MLlib;

/// <summary>How good one candidate of a search was.</summary>
/// <param name="Parameters">Its values: <c>Regularization = 0.1</c>.</param>
/// <param name="Metric">The mean of its metrics.</param>
/// <param name="Metrics">The metric of each fold.</param>
public sealed record CandidateResult(string Parameters, double Metric, ValueList<double> Metrics)
{
    /// <summary>The standard deviation of the folds' metrics, that of a sample; 0 for one fold.</summary>
    public double Deviation => Metrics.Count < 2 ? 0 : Math.Sqrt(Metrics.Sum(metric => (metric - Metric) * (metric - Metric)) / (Metrics.Count - 1));
}
