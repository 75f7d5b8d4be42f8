using Dataflow.MLlib.NeighborIndexes;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib;

/// <summary>What <see cref="KNeighborsClassifier"/> and <see cref="KNeighborsRegressor"/> have in common: neighbours that vote with their labels.</summary>
/// <typeparam name="TModel">What it learns.</typeparam>
public abstract record KNeighborsLearner<TModel> : NeighborLearner<TModel> where TModel : Transformer
{
    /// <summary>The column of labels: numbers; classes are 0, 1, 2 ...</summary>
    public string LabelColumn { get; init => field = Check.Name(value); } = "label";

    /// <summary>How much a neighbour's label counts by its distance.</summary>
    public NeighborWeights Weights { get; init => field = Check.Defined(value); } = NeighborWeights.Uniform;

    /// <summary>A weight of one's own: gets a distance, gives 0 or more. Used instead of <see cref="Weights"/>; a model that has one can't be saved.</summary>
    public Func<double, double>? WeightOf { get; init; }

    private protected async Task<(NeighborIndex Index, double[] Labels)> IndexAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        if (Weights == NeighborWeights.Distance && WeightOf is null && Metric == DistanceMetric.InnerProduct)
            throw new ArgumentException($"{nameof(Weights)} is {nameof(NeighborWeights.Distance)}, and distances by {nameof(DistanceMetric.InnerProduct)} are negative for the nearest: 1/distance is no weight. "
                + $"Give a function of your own as {nameof(WeightOf)}, such as product => Math.Max(0, -product), or take {nameof(DistanceMetric.Cosine)}.");
        var columns = FeaturesOf(frame);
        var rows = await NeighborBlock.CollectAsync(frame, columns, GetType().Name, null, LabelColumn, cancellationToken).ConfigureAwait(false);
        return (Index.Build(rows.Values, rows.Features, default, K), rows.Labels);
    }

    private protected Voting Voting => new(K, Weights, WeightOf, Algorithm == NeighborAlgorithm.Ivf ? Probes : EfSearch);
}

/// <summary>How much a neighbour's label counts.</summary>
public enum NeighborWeights
{
    /// <summary>All alike.</summary>
    Uniform,

    /// <summary>By 1/distance; neighbours at distance 0, where there are any, count alone. Not for <see cref="DistanceMetric.InnerProduct"/>, whose distances are negative.</summary>
    Distance,
}
