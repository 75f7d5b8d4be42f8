using Dataflow.MLlib.Clustering;
using Dataflow.MLlib.Data;
using Dataflow.Sql.Physical;

namespace Dataflow.MLlib;

/// <summary>What <see cref="KMeans"/> learned. Predictions of single rows need no context and are safe to ask for from many threads.</summary>
public sealed record KMeansModel : FeatureModel
{
    private readonly double[] _centers;
    private readonly double[] _weights;

    internal KMeansModel(double[] centers, int width, double[] weights)
    {
        _centers = centers;
        _weights = weights;
        FeatureCount = width;
    }

    internal KMeansModel(ModelFolder folder) : this(folder.ReadArray<double>("centers"), folder.Get<int>("features"), folder.ReadArray<double>("weights"))
    {
        if (FeatureCount <= 0 || _centers.Length == 0 || _centers.Length % FeatureCount != 0)
            throw new ArgumentException($"{_centers.Length} numbers are not the centres of rows of {FeatureCount} features.");
        if (_weights.Length != ClusterCount) throw new ArgumentException($"There are {_weights.Length} weights of {ClusterCount} clusters.");
    }

    /// <inheritdoc cref="KMeans.Distance"/>
    public ClusterDistance Distance { get; init => field = Check.Defined(value); } = ClusterDistance.Euclidean;

    /// <summary>How many clusters there are.</summary>
    public int ClusterCount => _centers.Length / FeatureCount;

    /// <summary>The centres, clusters x features, row by row.</summary>
    public ReadOnlySpan<double> Centers => _centers;

    /// <summary>The weight of the rows that made each centre, as <see cref="Update"/> counts them.</summary>
    public ReadOnlySpan<double> ClusterWeights => _weights;

    /// <summary>How training went; null for a model that was loaded or updated.</summary>
    public KMeansSummary? Summary { get; internal init; }

    /// <inheritdoc/>
    public override int FeatureCount { get; }

    /// <summary>The centre of a cluster.</summary>
    /// <param name="cluster">From 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such cluster.</exception>
    public ReadOnlySpan<double> CenterOf(int cluster) => cluster >= 0 && cluster < ClusterCount
        ? _centers.AsSpan(cluster * FeatureCount, FeatureCount)
        : throw new ArgumentOutOfRangeException(nameof(cluster), cluster, $"There are {ClusterCount} clusters.");

    /// <summary>The cluster that a row belongs to: that of the nearest centre, the first of equally near ones.</summary>
    /// <remarks>Costs clusters x features.</remarks>
    /// <param name="features">As many as the model was fitted with, in the same order.</param>
    /// <exception cref="ArgumentException">There are more or fewer.</exception>
    /// <exception cref="QueryException">A number is NaN, infinite or too large to be squared; or all are 0 for <see cref="ClusterDistance.Cosine"/>.</exception>
    public int Predict(ReadOnlySpan<double> features) => Predict(features, out _);

    /// <inheritdoc cref="Predict(ReadOnlySpan{double})"/>
    /// <param name="distance">The squared distance to its centre; for <see cref="ClusterDistance.Cosine"/> 1 minus the cosine.</param>
    public int Predict(ReadOnlySpan<double> features, out double distance)
    {
        CheckRow(features.Length);
        if (Distance == ClusterDistance.Cosine)
        {
            var unit = features.ToArray();
            UnitRows.Make(unit);
            features = unit;
        }
        else UnitRows.CheckSquares(features);
        var best = Nearest(_centers, features, out distance);
        if (Distance == ClusterDistance.Cosine) distance /= 2;
        return best;
    }

    /// <summary>A model whose centres have moved towards more rows: each becomes the mean of the rows that made it, counted at <paramref name="decay"/>, and of the new rows that are
    /// nearest to it (mini-batches, Sculley 2010; decay as in Spark's StreamingKMeans).</summary>
    /// <remarks>Action: one pass over the new rows. A cluster that gets none keeps its centre, and its weight decays; no rows at all change nothing. For <see cref="ClusterDistance.Cosine"/> the centre is made as
    /// long as 1 again (Zhong 2005). With decay 1 all rows ever seen count alike; clusters are not split or joined.</remarks>
    /// <param name="frame">The new rows.</param>
    /// <param name="decay">What all earlier rows count from now on, 0 to 1: 1 forgets nothing, 0 everything.</param>
    /// <param name="weightColumn">The column of weights of the new rows; null weighs all alike.</param>
    /// <exception cref="QueryException">A column is missing or does not fit, or rows have another number of features.</exception>
    public KMeansModel Update(DataFrame frame, double decay = 1, string? weightColumn = null) => UpdateAsync(frame, decay, weightColumn).GetAwaiter().GetResult();

    /// <inheritdoc cref="Update"/>
    /// <param name="cancellationToken">Ends the work.</param>
    public Task<KMeansModel> UpdateAsync(DataFrame frame, double decay = 1, string? weightColumn = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(frame);
        Check.Between(decay, 0, 1, nameof(decay));
        var isCosine = Distance == ClusterDistance.Cosine;
        var blocks = FeatureBlock.Read(frame, FeaturesOf(frame), nameof(KMeans), weight: weightColumn, largest: isCosine ? double.MaxValue : FeatureBlock.LargestSquared);
        if (isCosine) blocks = blocks.Map(block => UnitRows.Of(block));
        return QueryRunErrors.Unwrap(LearnAsync());

        async Task<KMeansModel> LearnAsync()
        {
            var sums = await ClusterSums.OfAsync(blocks, _centers, FeatureCount, withCost: false, cancellationToken).ConfigureAwait(false);
            return sums.Weights.Any(weight => weight > 0) ? Moved(sums, decay) : this;
        }
    }

    private static bool AreFinite(ReadOnlySpan<double> values)
    {
        foreach (var value in values)
        {
            if (!double.IsFinite(value)) return false;
        }
        return true;
    }

    private KMeansModel Moved(ClusterSums sums, double decay)
    {
        var (centers, weights) = (_centers.AsSpan().ToArray(), new double[ClusterCount]);
        for (var k = 0; k < weights.Length; k++)
        {
            weights[k] = (decay * _weights[k]) + sums.Weights[k];
            if (!(sums.Weights[k] > 0)) continue;
            var share = sums.Weights[k] / weights[k];
            var center = centers.AsSpan(k * FeatureCount, FeatureCount);
            for (var j = 0; j < center.Length; j++) center[j] += ((sums.Sums[(k * FeatureCount) + j] / sums.Weights[k]) - center[j]) * share;
            if (Distance == ClusterDistance.Cosine && !UnitRows.TryMake(center)) CenterOf(k).CopyTo(center);
            if (!double.IsFinite(weights[k]) || !AreFinite(center))
                throw new QueryException("ARITHMETIC_OVERFLOW", $"{nameof(KMeans)} sums rows by weight, and the sums of cluster {k} overflow. Divide the weights first.");
        }
        return new KMeansModel(centers, FeatureCount, weights) { FeatureColumns = FeatureColumns, PredictionColumn = PredictionColumn, Distance = Distance };
    }

    /// <inheritdoc/>
    public override DataFrame Transform(DataFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        return Add(frame, PredictionColumn, new Scorer(_centers, FeatureCount, Distance == ClusterDistance.Cosine).Of(frame, FeaturesOf(frame)));
    }

    /// <summary>The sum of squared distances (for <see cref="ClusterDistance.Cosine"/>: of 1 - cosine) of the rows of a frame to their nearest centre.</summary>
    /// <remarks>Action: reads the frame once.</remarks>
    /// <param name="frame">Rows with the model's feature columns.</param>
    /// <exception cref="QueryException">A column is missing or does not fit.</exception>
    public double Cost(DataFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var isCosine = Distance == ClusterDistance.Cosine;
        var blocks = FeatureBlock.Read(frame, FeaturesOf(frame), nameof(KMeansModel), largest: isCosine ? double.MaxValue : FeatureBlock.LargestSquared);
        if (isCosine) blocks = blocks.Map(block => UnitRows.Of(block));
        var cost = QueryRunErrors.Unwrap(ClusterSums.OfAsync(blocks, _centers, FeatureCount, withCost: true, default)).GetAwaiter().GetResult().Cost;
        return isCosine ? cost / 2 : cost;
    }

    /// <inheritdoc/>
    protected internal override void Write(ModelFolder folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        folder.WriteArray<double>("centers", _centers, FeatureCount);
        folder.WriteArray<double>("weights", _weights);
        folder.Set("features", FeatureCount);
    }

    /// <summary>Loads what <see cref="PipelineStage.Save"/> wrote.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="ModelFormatException">As for <see cref="PipelineStage.Load{T}"/>.</exception>
    public static KMeansModel Load(string path) => Load<KMeansModel>(path);

    private static int Nearest(ReadOnlySpan<double> centers, ReadOnlySpan<double> row, out double least)
    {
        (var best, least) = (0, double.PositiveInfinity);
        for (var k = 0; k * row.Length < centers.Length; k++)
        {
            // Feature after feature, as the tables for many rows do it: the same bits.
            double sum = 0;
            var center = centers.Slice(k * row.Length, row.Length);
            for (var j = 0; j < center.Length; j++)
            {
                var difference = row[j] - center[j];
                sum += difference * difference;
            }
            if (sum < least) (best, least) = (k, sum);
        }
        return best;
    }

    private sealed class Scorer(double[] centers, int width, bool isCosine) : RowScorer("k_means")
    {
        public override int Width => width;

        // Making tables for fewer rows takes longer than doing without.
        private const int FewRows = 8;

        public override unsafe void Score(ReadOnlySpan<double> rows, int count, int width, Span<double> output)
        {
            var values = rows.ToArray();
            for (var row = 0; row < count; row++)
            {
                if (isCosine) UnitRows.Make(values.AsSpan(row * width, width));
                else UnitRows.CheckSquares(values.AsSpan(row * width, width));
            }
            if (count <= FewRows)
            {
                for (var row = 0; row < count; row++) output[row] = Nearest(centers, values.AsSpan(row * width, width), out _);
                return;
            }

            // A table of its own a call: one object is used by all tasks at once.
            using var nearest = new NearestCenters(centers, width);
            var block = new FeatureBlock(width, values, [], []);
            var found = stackalloc int[NearestCenters.Rows];
            for (var first = 0; first < count; first += NearestCenters.Rows)
            {
                var many = Math.Min(NearestCenters.Rows, count - first);
                nearest.Find(block, first, many, found);
                for (var i = 0; i < many; i++) output[first + i] = found[i];
            }
        }
    }
}
