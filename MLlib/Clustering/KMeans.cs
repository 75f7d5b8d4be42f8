using Dataflow.MLlib.Clustering;
using Dataflow.MLlib.Data;
using Dataflow.MLlib.Linalg;

namespace Dataflow.MLlib;

/// <summary>Finds groups of rows that are close to each other: centres, so that the sum of squared distances of rows to their nearest centre is
/// small.</summary>
/// <remarks>
/// <para>Lloyd 1982, from centres by k-means|| (Bahmani et al. 2012), at random, or given. Rows are kept in memory while it runs. An iteration costs rows x
/// clusters x features multiplications, in 32 bits where they can tell centres apart and in 64 where not: the result is that of 64 bits.</para>
/// <para>Equal partitions give equal bits, on any number of threads and executors; which rows are drawn does not depend on partitions. Where rows have fewer
/// different values than clusters are wanted, there are fewer clusters. A cluster that loses all its rows keeps its centre.</para>
/// </remarks>
public sealed record KMeans : FeatureLearner<KMeansModel>
{
    /// <summary>How many clusters.</summary>
    public int Clusters { get; init => field = Check.AtLeast(value, 1); } = 2;

    /// <summary>Where centres begin. Not used if <see cref="InitialCenters"/> are given.</summary>
    public KMeansStart Start { get; init => field = Check.Defined(value); } = KMeansStart.Parallel;

    /// <summary>Rounds of k-means||, each of which draws about 2 x <see cref="Clusters"/> rows far from those drawn before.</summary>
    public int StartSteps { get; init => field = Check.Between(value, 1, 100); } = 2;

    /// <summary>Centres to begin with, one array a cluster; empty for <see cref="Start"/>. With the centres of another model, learning goes on from
    /// there.</summary>
    public ValueList<double[]> InitialCenters { get; init; } = [];

    /// <summary>What is close.</summary>
    public ClusterDistance Distance { get; init => field = Check.Defined(value); } = ClusterDistance.Euclidean;

    /// <summary>The column of weights of rows, 0 or more; null weighs all rows alike.</summary>
    public string? WeightColumn { get; init => field = value is null ? null : Check.Name(value); }

    /// <summary>Most iterations.</summary>
    public int MaxIterations { get; init => field = Check.AtLeast(value, 0); } = 20;

    /// <summary>Ends when no centre moves further than this, in units of the features.</summary>
    public double Tolerance { get; init => field = Check.AtLeast(value, 0); } = 1e-4;

    /// <summary>Decides which rows are drawn.</summary>
    public long Seed { get; init; }

    /// <inheritdoc/>
    protected override async Task<KMeansModel> LearnAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var largest = Distance == ClusterDistance.Cosine ? double.MaxValue : FeatureBlock.LargestSquared;
        return await FitAsync(FeatureBlock.Read(frame, FeaturesOf(frame), nameof(KMeans), weight: WeightColumn, largest: largest), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Learns from rows that are read already, or will be.</summary>
    internal Task<KMeansModel> FitAsync(Rdd<FeatureBlock> blocks, CancellationToken cancellationToken) =>
        KeptBlocks.UseAsync(Distance == ClusterDistance.Cosine ? blocks.Map(block => UnitRows.Of(block)) : blocks, kept => FitKeptAsync(kept, cancellationToken));

    private async Task<KMeansModel> FitKeptAsync(Rdd<FeatureBlock> blocks, CancellationToken cancellationToken)
    {
        var (centers, width) = InitialCenters.Count > 0
            ? Given()
            : await new CenterSearch(blocks, Clusters, unchecked((ulong)Seed), cancellationToken)
                .FindAsync(Start, StartSteps, Distance == ClusterDistance.Cosine).ConfigureAwait(false);
        var (iterations, isConverged) = (0, false);
        while (iterations < MaxIterations && !isConverged)
        {
            var sums = await ClusterSums.OfAsync(blocks, centers, width, withCost: false, cancellationToken).ConfigureAwait(false);
            if (!sums.Weights.Any(weight => weight > 0)) throw FeatureMoments.NoRows(nameof(KMeans));
            iterations++;
            isConverged = true;
            for (var k = 0; k < sums.Weights.Length; k++)
            {
                if (!(sums.Weights[k] > 0)) continue;
                var center = sums.Sums.AsSpan(k * width, width);
                for (var j = 0; j < width; j++) center[j] /= sums.Weights[k];
                if (Distance == ClusterDistance.Cosine && !UnitRows.TryMake(center)) continue;
                isConverged &= ClusterSums.Distance(center, centers.AsSpan(k * width, width)) <= Tolerance * Tolerance;
                center.CopyTo(centers.AsSpan(k * width, width));
            }
        }
        var end = await ClusterSums.OfAsync(blocks, centers, width, withCost: true, cancellationToken).ConfigureAwait(false);
        if (!end.Weights.Any(weight => weight > 0)) throw FeatureMoments.NoRows(nameof(KMeans));

        // Between rows of length 1, half the squared distance is 1 minus the cosine.
        var cost = Distance == ClusterDistance.Cosine ? end.Cost / 2 : end.Cost;
        return new KMeansModel(centers, width, end.Weights)
        {
            FeatureColumns = Features,
            PredictionColumn = PredictionColumn,
            Distance = Distance,
            Summary = new KMeansSummary(cost, iterations, isConverged, [.. end.Weights]),
        };
    }

    private (double[] Centers, int Width) Given()
    {
        var width = InitialCenters[0].Length;
        if (InitialCenters.Count != Clusters) throw new ArgumentException(
            $"There are {InitialCenters.Count} initial centres, and {nameof(Clusters)} is {Clusters}. Set both alike.");
        foreach (var center in InitialCenters)
        {
            if (center.Length != width || width == 0 || !Array.TrueForAll(center, double.IsFinite))
                throw new ArgumentException(
                    $"Initial centres must have one length and finite numbers: the first has {width}, and one is [{string.Join(", ", center.Take(10))}].");
        }
        double[] centers = [.. InitialCenters.SelectMany(center => center)];
        for (var k = 0; k < Clusters && Distance == ClusterDistance.Cosine; k++)
        {
            if (!UnitRows.TryMake(centers.AsSpan(k * width, width))) throw new ArgumentException(
                "An initial centre is all zeros, which has no cosine distance from anything.");
        }
        return (centers, width);
    }
}

/// <summary>Where centres of k-means begin.</summary>
public enum KMeansStart
{
    /// <summary>k-means||: far from each other (Bahmani et al. 2012).</summary>
    Parallel,

    /// <summary>At rows drawn at random.</summary>
    Random,
}

/// <summary>What is close for k-means.</summary>
public enum ClusterDistance
{
    /// <summary>Points in space.</summary>
    Euclidean,

    /// <summary>Directions: 1 minus the cosine of the angle. Rows of zeros have none and are an error, to learn from as to predict.</summary>
    Cosine,
}
