using Dataflow.MLlib.NeighborGraphs;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.NeighborIndexes;

/// <summary>How an index is built.</summary>
internal sealed record IndexOptions(NeighborAlgorithm Algorithm, Metric Metric, int M, int EfConstruction, int Lists, int CodeBytes, int Rerank)
{
    private const int MostTreeFeatures = 10;
    private const int TreeRowsOfNoFeature = 250;

    public NeighborIndex Build(ReadOnlySpan<float> values, int features, ReadOnlySpan<long> ids, int k)
    {
        var count = features == 0 ? 0 : values.Length / features;
        if (count < k) throw new ArgumentException($"There are {count:N0} rows, and {k:N0} neighbours are wanted. Ask for at most as many as there are rows.");
        return Build(RowSet.Of(values, features, ids));
    }

    public NeighborIndex Build(RowSet rows)
    {
        var threads = Environment.ProcessorCount;
        switch (Algorithm)
        {
            case NeighborAlgorithm.BallTree:
                if (!Metric.ObeysTriangles && Metric.Kind != DistanceMetric.SquaredEuclidean)
                    throw new ArgumentException($"A ball tree needs a distance that obeys the triangle inequality, and {Metric.Kind} does not. Take {nameof(NeighborAlgorithm.BruteForce)}.");
                return new BallTreeIndex(rows, Metric);
            case NeighborAlgorithm.Hnsw:
                return HnswIndex.Build(rows, Metric, M, EfConstruction, threads);
            case NeighborAlgorithm.Ivf:
                return IvfIndex.Build(rows, Metric, Lists, CodeBytes, Rerank, threads);
            case NeighborAlgorithm.Auto when rows.Features <= MostTreeFeatures && rows.Count >= (long)TreeRowsOfNoFeature << rows.Features && Metric.Kind is
                DistanceMetric.Euclidean or DistanceMetric.SquaredEuclidean or DistanceMetric.Manhattan or DistanceMetric.Chebyshev or DistanceMetric.Minkowski:
                return new BallTreeIndex(rows, Metric);
            default:
                return new ExactIndex(rows, Metric);
        }
    }
}
