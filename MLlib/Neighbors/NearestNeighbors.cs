using Dataflow.MLlib.NeighborIndexes;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib;

/// <summary>Learns to find the nearest rows of a frame: <c>new NearestNeighbors { K = 10 }.Fit(rows).Transform(queries)</c>.</summary>
/// <remarks>Fit brings all rows into this process, 4 bytes a feature, in single precision; exact search of many queries keeps them a second time in the layout of its tiles.
/// For rows that are spread over workers there is <see cref="NearestNeighborsJoin"/>. Exact answers have the same bits for any partitions, threads and instruction sets:
/// neighbours in order of distance, then id.</remarks>
public sealed record NearestNeighbors : NeighborLearner<NearestNeighborsModel>
{
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
    /// <exception cref="ArgumentException">There are fewer than <see cref="NeighborLearner{TModel}.K"/> rows, a value is not finite, an id is there twice, or lengths do not fit.</exception>
    public NearestNeighborsModel Fit(ReadOnlySpan<float> values, int features, ReadOnlySpan<long> ids = default)
    {
        return new NearestNeighborsModel(Index.Build(values, features, ids, K), Index)
        {
            FeatureColumns = Features,
            K = K,
            EfSearch = EfSearch,
            Probes = Probes,
        };
    }
}
