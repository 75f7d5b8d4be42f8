using System.Globalization;

namespace Dataflow.MLlib;

/// <summary>How far apart two rows are. Rows are ordered by it, those equally far by their id.</summary>
/// <remarks>Distances are computed in double precision of the features as single-precision numbers, in one order of operations: the same bits on every machine.</remarks>
public sealed record DistanceMetric
{
    private DistanceMetric(MetricKind kind, double power = 0)
    {
        Kind = kind;
        Power = power;
    }

    /// <summary>The square root of the sum of squared differences.</summary>
    public static DistanceMetric Euclidean { get; } = new(MetricKind.Euclidean);

    /// <summary>The sum of squared differences: the order of <see cref="Euclidean"/> without the root.</summary>
    public static DistanceMetric SquaredEuclidean { get; } = new(MetricKind.SquaredEuclidean);

    /// <summary>One less the cosine of the angle, from 0 to 2. A row of zeros has distance 1 from every row, as in scikit-learn.</summary>
    public static DistanceMetric Cosine { get; } = new(MetricKind.Cosine);

    /// <summary>The inner product with its sign turned: the largest product is nearest. Not a metric; distances may be negative.</summary>
    public static DistanceMetric InnerProduct { get; } = new(MetricKind.InnerProduct);

    /// <summary>The sum of absolute differences.</summary>
    public static DistanceMetric Manhattan { get; } = new(MetricKind.Manhattan);

    /// <summary>The largest absolute difference.</summary>
    public static DistanceMetric Chebyshev { get; } = new(MetricKind.Chebyshev);

    /// <summary>The part of the features that differ, from 0 to 1.</summary>
    public static DistanceMetric Hamming { get; } = new(MetricKind.Hamming);

    /// <summary>Of the features that are not zero in one row or the other, the part that are zero in one of them, from 0 to 1; 0 for two rows of zeros.</summary>
    public static DistanceMetric Jaccard { get; } = new(MetricKind.Jaccard);

    /// <summary>The name, as messages and saved models show it.</summary>
    public string Name => Kind == MetricKind.Minkowski ? $"Minkowski({Power.ToString("R", CultureInfo.InvariantCulture)})" : Kind.ToString();

    internal MetricKind Kind { get; }

    internal double Power { get; }

    /// <summary>Whether distances of three rows obey the triangle inequality: what a ball tree needs.</summary>
    internal bool IsMetric => Kind is not (MetricKind.SquaredEuclidean or MetricKind.Cosine or MetricKind.InnerProduct);

    /// <summary>The sum of absolute differences to the power <paramref name="power"/>, to the power 1/<paramref name="power"/>.</summary>
    /// <param name="power">At least 1: 1 is <see cref="Manhattan"/>, 2 <see cref="Euclidean"/>, infinity <see cref="Chebyshev"/>. Powers that are not whole cost two
    /// transcendental functions a feature.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="power"/> is below 1 (no triangle inequality) or NaN.</exception>
    public static DistanceMetric Minkowski(double power)
    {
        if (!(power >= 1)) throw new ArgumentOutOfRangeException(nameof(power), power, "The power of a Minkowski distance is at least 1.");
        return power switch
        {
            1 => Manhattan,
            2 => Euclidean,
            double.PositiveInfinity => Chebyshev,
            _ => new(MetricKind.Minkowski, power),
        };
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>The metric that <see cref="Name"/> names.</summary>
    /// <exception cref="ArgumentException">No metric has this name.</exception>
    internal static DistanceMetric Parse(string name)
    {
        if (name.StartsWith("Minkowski(", StringComparison.Ordinal) && double.TryParse(name.AsSpan(10).TrimEnd(')'), CultureInfo.InvariantCulture, out var power))
        {
            return Minkowski(power);
        }
        DistanceMetric[] all = [Euclidean, SquaredEuclidean, Cosine, InnerProduct, Manhattan, Chebyshev, Hamming, Jaccard];
        return Array.Find(all, metric => metric.Name == name)
            ?? throw new ArgumentException($"'{name}' is no distance. There are {string.Join(", ", all.Select(metric => metric.Name))} and Minkowski(p).", nameof(name));
    }
}

internal enum MetricKind
{
    Euclidean,
    SquaredEuclidean,
    Cosine,
    InnerProduct,
    Manhattan,
    Chebyshev,
    Minkowski,
    Hamming,
    Jaccard,
}
