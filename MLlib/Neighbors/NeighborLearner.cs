using Dataflow.MLlib.NeighborIndexes;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib;

/// <summary>How neighbours are found: what <see cref="NearestNeighbors"/> and the learners that vote by neighbours have in common.</summary>
/// <typeparam name="TModel">What it learns.</typeparam>
public abstract record NeighborLearner<TModel> : FeatureLearner<TModel> where TModel : Transformer
{
    /// <summary>How many neighbours a query gets.</summary>
    public int K { get; init => field = Check.AtLeast(value, 1); } = 5;

    /// <summary>How far apart two rows are.</summary>
    public DistanceMetric Metric { get; init => field = Check.Defined(value); } = DistanceMetric.Euclidean;

    /// <summary>The power of <see cref="DistanceMetric.Minkowski"/>, 1 or more; others do not use it. Differences of features to this power must fit
    /// double precision (1e-300 to 1e300), or a named error says so: scale features, or take <see cref="DistanceMetric.Chebyshev"/> for high powers.</summary>
    public double MinkowskiPower { get; init => field = Check.AtLeast(value, 1); } = 3;

    /// <summary>How neighbours are found.</summary>
    public NeighborAlgorithm Algorithm { get; init => field = Check.Defined(value); } = NeighborAlgorithm.Auto;

    /// <summary>HNSW: links of a row on each level, twice as many on the lowest.</summary>
    public int M { get; init => field = Check.Between(value, 2, 256); } = 16;

    /// <summary>HNSW: candidates that are kept while a row is put in. More finds better links and takes longer.</summary>
    public int EfConstruction { get; init => field = Check.Between(value, 1, 10_000); } = 200;

    /// <summary>HNSW: candidates that are kept while a query is answered, at least K. More finds more of the true neighbours and takes longer.</summary>
    public int EfSearch { get; init => field = Check.Between(value, 1, 1_000_000); } = 64;

    /// <summary>IVF: centres of k-means; 0 takes four times the root of the number of rows.</summary>
    public int Lists { get; init => field = Check.AtLeast(value, 0); }

    /// <summary>IVF: lists that are looked at for a query, nearest centres first. More finds more of the true neighbours and takes longer.</summary>
    public int Probes { get; init => field = Check.AtLeast(value, 1); } = 8;

    /// <summary>IVF: bytes that a row is quantised to, each of a part of its features; 0 compares rows as they are. For Euclidean distances, cosine and inner product.</summary>
    public int CodeBytes { get; init => field = Check.AtLeast(value, 0); }

    /// <summary>IVF with quantised rows: how many times K candidates get an exact distance at the end.</summary>
    public int Rerank { get; init => field = Check.AtLeast(value, 1); } = 8;

    /// <summary>What indexes are built by.</summary>
    private protected IndexOptions Index => new(Algorithm, new Metric(Metric, MinkowskiPower), M, EfConstruction, Lists, CodeBytes, Rerank);
}
