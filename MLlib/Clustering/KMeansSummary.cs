using System.Globalization;

namespace Dataflow.MLlib.Clustering;

/// <summary>How the training of k-means went.</summary>
/// <param name="Cost">The weighted sum of squared distances (for cosine: of 1 - cosine) of rows to their nearest centre.</param>
/// <param name="Iterations">How many iterations were made.</param>
/// <param name="IsConverged">Whether it ended because centres hardly moved.</param>
/// <param name="ClusterWeights">Rows of each cluster, or the sum of their weights.</param>
public sealed record KMeansSummary(double Cost, int Iterations, bool IsConverged, ValueList<double> ClusterWeights)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"cost {Cost:G6} after {Iterations} iterations, {ClusterWeights.Count} clusters");
}
