namespace Dataflow.MLlib.TreeBins;

/// <summary>
/// What becomes of a feature's values: numbers of bins from 0. Numeric values fall into the first bin whose upper bound they do not pass; categories have a bin
/// each, the most frequent first. The last bin is for what is missing: NaN, and of categories also negative, rare and unknown ones.
/// </summary>
/// <remarks>Immutable. A raw value and its bin always go the same way at a split, since the bounds are the thresholds.</remarks>
internal sealed class BinMapper
{
    private readonly Dictionary<int, int>? binOfCategory;
    private readonly int[] dense;

    private BinMapper(double[] bounds, int[]? categories, double minimum, double maximum, bool hadMissing)
    {
        (Bounds, Categories, Minimum, Maximum, HadMissing) = (bounds, categories, minimum, maximum, hadMissing);
        ValueBins = categories?.Length ?? bounds.Length + 1;
        dense = [];
        if (categories is null) return;

        // Small categories are looked up in an array, the others in a dictionary.
        var limit = Math.Min(65_536, (categories.Length == 0 ? 0 : categories.Max()) + 1);
        dense = new int[limit];
        Array.Fill(dense, categories.Length);
        for (var bin = 0; bin < categories.Length; bin++)
        {
            if (categories[bin] < limit) dense[categories[bin]] = bin;
            else (binOfCategory ??= []).Add(categories[bin], bin);
        }
    }

    /// <summary>Numeric features: the largest value of each value bin but the last, ascending.</summary>
    public double[] Bounds { get; }

    /// <summary>Categorical features: the category of each value bin; null otherwise.</summary>
    public int[]? Categories { get; }

    public bool IsCategorical => Categories is not null;

    /// <summary>Bins of values that are there.</summary>
    public int ValueBins { get; }

    /// <summary>The bin of what is missing: the last.</summary>
    public int MissingBin => ValueBins;

    /// <summary>All bins.</summary>
    public int Bins => ValueBins + 1;

    /// <summary>The smallest value of the sample; NaN if there was none, and of categories.</summary>
    public double Minimum { get; }

    /// <summary>The largest value of the sample; NaN if there was none, and of categories.</summary>
    public double Maximum { get; }

    /// <summary>Whether the sample had missing values.</summary>
    public bool HadMissing { get; }

    /// <summary>Whether no split can be made: all of the sample had the same value.</summary>
    public bool IsConstant => ValueBins == 0 || (ValueBins == 1 && !HadMissing);

    /// <summary>Numeric bins from the values of a sample.</summary>
    /// <param name="sorted">The values that are there, ascending; infinities included.</param>
    /// <param name="hadMissing">Whether others were missing.</param>
    /// <param name="maxValueBins">At most so many bins, at least 2.</param>
    public static BinMapper Numeric(ReadOnlySpan<double> sorted, bool hadMissing, int maxValueBins)
    {
        if (sorted.IsEmpty) return new([], null, double.NaN, double.NaN, hadMissing);
        return new(BinBounds.Find(sorted, maxValueBins), null, sorted[0], sorted[^1], hadMissing);
    }

    /// <summary>Bins of given bounds.</summary>
    public static BinMapper OfBounds(double[] bounds, double minimum, double maximum, bool hadMissing) => new(bounds, null, minimum, maximum, hadMissing);

    /// <summary>Bins of given categories.</summary>
    public static BinMapper OfCategories(int[] categories, bool hadMissing) => new([], categories, double.NaN, double.NaN, hadMissing);

    /// <summary>Adds what <see cref="Read"/> makes an equal one of.</summary>
    public void Write(List<double> values)
    {
        values.AddRange([Categories is null ? 0 : 1, HadMissing ? 1 : 0, Minimum, Maximum, Categories?.Length ?? Bounds.Length]);
        if (Categories is null) values.AddRange(Bounds);
        else values.AddRange(Categories.Select(category => (double)category));
    }

    /// <summary>Reads one from <paramref name="next"/> on, which then stands behind it.</summary>
    public static BinMapper Read(ReadOnlySpan<double> values, ref int next)
    {
        var head = values.Slice(next, 5);
        var list = values.Slice(next + 5, (int)head[4]).ToArray();
        next += 5 + list.Length;
        return head[0] == 0 ? new(list, null, head[2], head[3], head[1] != 0) : new([], Array.ConvertAll(list, value => (int)value), head[2], head[3], head[1] != 0);
    }

    /// <summary>Categorical bins from the values of a sample.</summary>
    /// <param name="sorted">The values that are there, ascending: whole numbers of at least 0; a fraction is cut off, negative ones are missing.</param>
    /// <param name="hadMissing">Whether others were missing.</param>
    /// <param name="maxValueBins">The most frequent categories have a bin each, at most so many; ties go to the smaller number. The others share the bin of what is missing.</param>
    public static BinMapper Categorical(ReadOnlySpan<double> sorted, bool hadMissing, int maxValueBins)
    {
        var found = new List<(int Category, int Count)>();
        foreach (var value in sorted)
        {
            if (CategoryOf(value) is not (>= 0 and var category))
            {
                hadMissing = true;
                continue;
            }
            if (found.Count > 0 && found[^1].Category == category) found[^1] = (category, found[^1].Count + 1);
            else found.Add((category, 1));
        }
        var kept = found.OrderByDescending(f => f.Count).ThenBy(f => f.Category).Take(maxValueBins).Select(f => f.Category).ToArray();
        return new([], kept, double.NaN, double.NaN, hadMissing || kept.Length < found.Count);
    }

    /// <summary>The bin of a value.</summary>
    public int BinOf(double value)
    {
        if (Categories is not null) return BinOfCategory(CategoryOf(value));
        if (double.IsNaN(value)) return MissingBin;
        int low = 0, high = Bounds.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (Bounds[middle] < value) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    /// <summary>The bin of a category; -1 is missing.</summary>
    public int BinOfCategory(int category)
    {
        if ((uint)category < (uint)dense.Length) return dense[category];
        return category >= 0 && binOfCategory is not null && binOfCategory.TryGetValue(category, out var bin) ? bin : MissingBin;
    }

    /// <summary>The category that a number stands for, or -1: NaN, below zero, or too large.</summary>
    public static int CategoryOf(double value) => value > -1 && value < 2147483648.0 ? (int)value : -1;
}
