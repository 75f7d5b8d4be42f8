namespace Dataflow.MLlib.Evaluation;

/// <summary>Weight, mean and spread of the rows of a cluster; merged without cancellation (Chan, Golub and LeVeque 1979).</summary>
internal sealed class ClusterSpread(double cluster, double[] mean)
{
    private double _squares;

    /// <summary>Its number.</summary>
    public double Cluster => cluster;

    /// <summary>Weight of its rows.</summary>
    public double Weight { get; private set; }

    /// <summary>Adds a row.</summary>
    public void Add(ReadOnlySpan<double> row, double weight)
    {
        Weight += weight;
        var share = weight / Weight;
        for (var i = 0; i < mean.Length; i++)
        {
            var before = row[i] - mean[i];
            mean[i] += before * share;
            _squares += weight * before * (row[i] - mean[i]);
        }
    }

    /// <summary>The mean of the squared distances of a point to its rows.</summary>
    public double MeanSquaredDistance(ReadOnlySpan<double> point)
    {
        double sum = 0;
        for (var i = 0; i < mean.Length; i++)
        {
            var difference = point[i] - mean[i];
            sum += difference * difference;
        }
        return sum + (_squares / Weight);
    }

    /// <summary>Clusters of all parts, by number.</summary>
    /// <exception cref="QueryException">Rows differ in length.</exception>
    public static ClusterSpread[] Merge(IEnumerable<ClusterSpread> parts)
    {
        var all = new SortedDictionary<double, ClusterSpread>();
        var width = -1;
        foreach (var part in parts)
        {
            if (width >= 0 && width != part.Width)
                throw new QueryException("VECTOR_SIZE_MISMATCH", $"Some rows have {width} features and others {part.Width}. All rows must have one size.");
            width = part.Width;
            if (all.TryGetValue(part.Cluster, out var same)) same.Merge(part);
            else all.Add(part.Cluster, part);
        }
        return [.. all.Values];
    }

    private int Width => mean.Length;

    private void Merge(ClusterSpread other)
    {
        var weight = Weight + other.Weight;
        var theirs = other.MeanOf();
        for (var i = 0; i < mean.Length; i++)
        {
            var difference = theirs[i] - mean[i];
            mean[i] += difference * other.Weight / weight;
            _squares += difference * difference * Weight * other.Weight / weight;
        }
        _squares += other._squares;
        Weight = weight;
    }

    private double[] MeanOf() => mean;
}
