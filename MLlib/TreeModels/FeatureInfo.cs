namespace Dataflow.MLlib.TreeModels;

/// <summary>What a model remembers of a feature's values in training: a range of numbers, a set of categories, or that it was not used.</summary>
/// <remarks>Immutable. It does not take part in predictions; it goes with the model into LightGBM's text format (<c>feature_infos</c>).</remarks>
public sealed class FeatureInfo
{
    private FeatureInfo(double minimum, double maximum, int[]? categories) => (Minimum, Maximum, Categories) = (minimum, maximum, categories);

    /// <summary>A feature that could not be used, since all its rows had the same value.</summary>
    public static FeatureInfo Unused { get; } = new(double.NaN, double.NaN, null);

    /// <summary>The smallest value in training; NaN of categories and of unused features.</summary>
    public double Minimum { get; }

    /// <summary>The largest value in training; NaN of categories and of unused features.</summary>
    public double Maximum { get; }

    /// <summary>The categories in training, in the order of the bins (most frequent first); -1 stands for missing. Null if the feature is not categorical.</summary>
    public IReadOnlyList<int>? Categories { get; }

    /// <summary>Whether it is a set of categories.</summary>
    public bool IsCategorical => Categories is not null;

    /// <summary>Whether it is neither a range nor a set of categories.</summary>
    public bool IsUnused => Categories is null && double.IsNaN(Minimum);

    /// <summary>Numbers from <paramref name="minimum"/> to <paramref name="maximum"/>.</summary>
    /// <exception cref="ArgumentException">One of them is NaN, or the minimum is larger.</exception>
    public static FeatureInfo Numeric(double minimum, double maximum) => minimum <= maximum
        ? new(minimum, maximum, null)
        : throw new ArgumentException($"A feature's range must go from its smallest to its largest value; {minimum} to {maximum} does not.", nameof(minimum));

    /// <summary>A set of categories, in the order of the bins.</summary>
    /// <exception cref="ArgumentException">There are none.</exception>
    public static FeatureInfo Categorical(ReadOnlySpan<int> categories) => categories.Length > 0
        ? new(double.NaN, double.NaN, categories.ToArray())
        : throw new ArgumentException("A categorical feature has at least one category.", nameof(categories));
}
