using System.Text.Json.Serialization;

namespace Dataflow.MLlib.NeighborKernels;

/// <summary>A distance with its power, in its simplest form: Minkowski's distances of power 1, 2 and infinity are those with names of their own.</summary>
internal readonly record struct Metric
{
    [JsonConstructor]
    public Metric(DistanceMetric kind, double power = 2)
    {
        Power = kind == DistanceMetric.Minkowski ? power : 0;
        Kind = (kind, power) switch
        {
            (DistanceMetric.Minkowski, 1) => DistanceMetric.Manhattan,
            (DistanceMetric.Minkowski, 2) => DistanceMetric.Euclidean,
            (DistanceMetric.Minkowski, double.PositiveInfinity) => DistanceMetric.Chebyshev,
            _ => kind,
        };
    }

    public DistanceMetric Kind { get; }

    public double Power { get; }

    /// <summary>Whether distances of three rows obey the triangle inequality.</summary>
    public bool ObeysTriangles => Kind is not (DistanceMetric.SquaredEuclidean or DistanceMetric.Cosine or DistanceMetric.InnerProduct);
}
