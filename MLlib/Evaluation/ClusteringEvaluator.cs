using Dataflow.MLlib.Data;
using Dataflow.MLlib.Evaluation;
using Dataflow.MLlib.Numerics;
using Dataflow.Sql.Columns;

namespace Dataflow.MLlib;

/// <summary>How well clusters are apart: the mean silhouette (Rousseeuw 1987), from -1 to 1.</summary>
/// <remarks>
/// Two jobs, rows x features x clusters operations, and no distances between pairs of rows: the mean squared distance of a row to a cluster follows from the cluster's mean and
/// spread, as in Spark. Cosine distances are half the squared distances of rows scaled to length 1, so they take the same way. Within 1e-12 for any partitions.
/// </remarks>
public sealed record ClusteringEvaluator : ModelEvaluator
{
    /// <summary>The columns of features, numbers or vectors.</summary>
    public ValueList<string> FeatureColumns { get; init => field = Check.Names(value); } = ["features"];

    /// <summary>The column of cluster numbers.</summary>
    public string PredictionColumn { get; init => field = Check.Name(value); } = "prediction";

    /// <summary>The column of weights; null weighs all rows alike.</summary>
    public string? WeightColumn { get; init => field = value is null ? null : Check.Name(value); }

    /// <summary>How far rows are apart.</summary>
    public SilhouetteDistance Distance { get; init => field = Check.Defined(value); } = SilhouetteDistance.SquaredEuclidean;

    /// <inheritdoc/>
    public override bool IsLargerBetter => true;

    /// <inheritdoc/>
    protected override async Task<double> ScoreAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        const string User = nameof(ClusteringEvaluator);
        var columns = Data.FeatureColumns.Of(frame, FeatureColumns, User);
        var read = frame.Select([.. columns.In(frame).Select((column, i) => column.As($"f{i}")), EvaluatedColumns.Number(frame, PredictionColumn, User).As("cluster"), EvaluatedColumns.Weight(frame, WeightColumn, User).As("weight")]);
        var isCosine = Distance == SilhouetteDistance.Cosine;
        var parts = await read.MapBatches(batches => Spreads(batches, columns, isCosine)).CollectAsync(cancellationToken).ConfigureAwait(false);
        var clusters = ClusterSpread.Merge(parts.SelectMany(part => part));
        if (clusters.Length == 0) throw EvaluatedColumns.NoRows(User);
        if (clusters.Length == 1)
            throw new QueryException("ONE_CLASS", $"All rows are in cluster {clusters[0].Cluster}, and the silhouette is defined for two clusters or more.");
        var sums = await read.MapBatches(batches => Silhouettes(batches, columns, isCosine, clusters)).CollectAsync(cancellationToken).ConfigureAwait(false);
        var totals = ExactSums.Merge(2, sums);
        return EvaluatedColumns.Finite(totals[0].Value / totals[1].Value, User, string.Join(", ", columns.Names));
    }

    private static IEnumerable<ClusterSpread[]> Spreads(IEnumerable<ColumnBatch> batches, FeatureColumns columns, bool isCosine)
    {
        var clusters = new Dictionary<double, ClusterSpread>();
        foreach (var (row, cluster, weight) in Rows(batches, columns, isCosine))
        {
            if (!clusters.TryGetValue(cluster, out var spread)) clusters.Add(cluster, spread = new ClusterSpread(cluster, new double[row.Length]));
            spread.Add(row, weight);
        }
        yield return [.. clusters.Values];
    }

    private static IEnumerable<long[]> Silhouettes(IEnumerable<ColumnBatch> batches, FeatureColumns columns, bool isCosine, ClusterSpread[] clusters)
    {
        var sums = ExactSums.New(2);
        foreach (var (row, cluster, weight) in Rows(batches, columns, isCosine))
        {
            double own = 0, other = double.PositiveInfinity;
            foreach (var each in clusters)
            {
                var distance = each.MeanSquaredDistance(row);
                if (each.Cluster != cluster) other = Math.Min(other, distance);
                else own = each.Weight > weight ? distance * each.Weight / (each.Weight - weight) : double.NaN;
            }
            sums[1].Add(weight);

            // Where squares overflow everything is as far as everything else, and NaN would count as alone.
            if (!double.IsFinite(other)) EvaluatedColumns.Finite(other, nameof(ClusteringEvaluator), string.Join(", ", columns.Names));

            // A row that is alone in its cluster counts 0, as do rows that lie on each other.
            if (!double.IsNaN(own) && Math.Max(own, other) > 0) sums[0].AddProduct(weight, (other - own) / Math.Max(own, other));
        }
        yield return ExactSums.StatesOf(sums);
    }

    private static IEnumerable<(double[] Row, double Cluster, double Weight)> Rows(IEnumerable<ColumnBatch> batches, FeatureColumns columns, bool isCosine)
    {
        double[] row = [];
        foreach (var part in FeatureParts.Read(batches, columns, nameof(ClusteringEvaluator), others: 2))
        {
            if (row.Length != part.Width) row = new double[part.Width];
            for (var i = 0; i < part.Rows; i++)
            {
                if (part.Others[1][i] == 0) continue;
                part[i].CopyTo(row);
                Prepare(row, columns, isCosine);
                yield return (row, part.Others[0][i] + 0.0, part.Others[1][i]);
            }
        }
    }

    private static void Prepare(double[] row, FeatureColumns columns, bool isCosine)
    {
        double squares = 0;
        foreach (var value in row)
        {
            if (!double.IsFinite(value))
                throw CheckedNumber.Refused(string.Join(", ", columns.Names), nameof(ClusteringEvaluator), value, CheckedNumber.Rule.Finite);
            squares += value * value;
        }
        if (!isCosine) return;
        if (!(squares is > 1e-280 and < 1e300)) squares = Rescale(row);
        if (squares == 0)
            throw new QueryException("INVALID_VALUE",
                $"A row is all zeros in the columns {string.Join(", ", columns.Names)}, and has no cosine distance. "
                + "Filter such rows, or take squared Euclidean distances.");
        var factor = 1 / Math.Sqrt(squares);
        for (var i = 0; i < row.Length; i++) row[i] *= factor;
    }

    // Directions do not change by a power of two; squares that overflow or vanish become right.
    private static double Rescale(double[] row)
    {
        var largest = row.Max(Math.Abs);
        if (largest == 0) return 0;
        double squares = 0;
        var shift = -Math.ILogB(largest);
        for (var i = 0; i < row.Length; i++)
        {
            row[i] = Math.ScaleB(row[i], shift);
            squares += row[i] * row[i];
        }
        return squares;
    }
}

/// <summary>How far rows are apart for a silhouette.</summary>
public enum SilhouetteDistance
{
    /// <summary>The sum of the squared differences.</summary>
    SquaredEuclidean,

    /// <summary>1 - cosine of the angle.</summary>
    Cosine,
}
