using Dataflow.MLlib.NeighborIndexes;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib;

/// <summary>Learns to find the nearest rows of a frame: <c>new NearestNeighbors { K = 10 }.Fit(rows).Transform(queries)</c>.</summary>
/// <remarks>Fit brings all rows into this process, 4 bytes a feature, in single precision; exact search of many queries keeps them a second time in the layout of its tiles.
/// For rows that are spread over workers there is <see cref="NearestNeighborsJoin"/>. Exact answers have the same bits for any partitions, threads and instruction sets:
/// neighbours in order of distance, then id.</remarks>
public sealed record NearestNeighbors : FeatureLearner<NearestNeighborsModel>
{
    /// <summary>How many neighbours a query gets.</summary>
    public int K { get; init => field = Check.AtLeast(value, 1); } = 5;

    /// <summary>How far apart two rows are.</summary>
    public DistanceMetric Metric { get; init => field = Check.Defined(value); } = DistanceMetric.Euclidean;

    /// <summary>The power of <see cref="DistanceMetric.Minkowski"/>, 1 or more; others do not use it.</summary>
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

    /// <summary>IVF: bytes that a row is quantised to, each of a part of its features; 0 compares rows as they are.</summary>
    public int CodeBytes { get; init => field = Check.AtLeast(value, 0); }

    /// <summary>IVF with quantised rows: how many times K candidates get an exact distance at the end.</summary>
    public int Rerank { get; init => field = Check.AtLeast(value, 1); } = 8;

    /// <summary>The column of ids, whole numbers of at most 2^53; null numbers rows in the order of the frame.</summary>
    public string? IdColumn { get; init => field = value is null ? null : Check.Name(value); }

    /// <inheritdoc/>
    protected override async Task<NearestNeighborsModel> LearnAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        var rows = await NeighborBlock.CollectAsync(frame, FeaturesOf(frame), nameof(NearestNeighbors), IdColumn, null, cancellationToken).ConfigureAwait(false);
        return Fit(rows.Values, rows.Features, rows.Ids);
    }

    /// <summary>Learns from rows in memory, without an engine.</summary>
    /// <param name="values">rows x <paramref name="features"/>; copied.</param>
    /// <param name="features">Features of a row.</param>
    /// <param name="ids">One a row, each once; none numbers the rows from 0.</param>
    /// <exception cref="ArgumentException">There are fewer than <see cref="K"/> rows, a value is not finite, an id is there twice, or lengths do not fit.</exception>
    public NearestNeighborsModel Fit(ReadOnlySpan<float> values, int features, ReadOnlySpan<long> ids = default)
    {
        var options = new IndexOptions(Algorithm, new Metric(Metric, MinkowskiPower), M, EfConstruction, Lists, CodeBytes, Rerank);
        return new NearestNeighborsModel(options.Build(values, features, ids, K), options)
        {
            FeatureColumns = Features,
            K = K,
            EfSearch = EfSearch,
            Probes = Probes,
        };
    }
}
