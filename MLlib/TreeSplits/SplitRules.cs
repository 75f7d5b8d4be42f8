using Dataflow.MLlib.TreeGrowth;

namespace Dataflow.MLlib.TreeSplits;

/// <summary>What a split must keep to, and what leaves are worth. Values are in units of the gradients, not of cells.</summary>
internal sealed record SplitRules
{
    public double L1 { get; init; }

    public double L2 { get; init; }

    public double MinGain { get; init; }

    public double MinLeafRows { get; init; } = 20;

    public double MinLeafWeight { get; init; } = 1e-3;

    /// <summary>The largest value of a leaf before the learning rate; 0 is no limit.</summary>
    public double MaxDeltaStep { get; init; }

    /// <summary>By feature: 1 if predictions must not fall as it rises, -1 if they must not rise, 0 otherwise; null if there is no such rule.</summary>
    public sbyte[]? Monotone { get; init; }

    /// <summary>Sets of features: those on one path to a leaf must lie in one set. Null if all may meet.</summary>
    public int[][]? Interactions { get; init; }

    /// <summary>Added to a category's hessians when categories are ordered; those with fewer rows are left out.</summary>
    public double CategorySmoothing { get; init; } = 10;

    /// <summary>Further L2 where a set of categories goes left.</summary>
    public double CategoryL2 { get; init; } = 10;

    /// <summary>The most categories that go left, or right.</summary>
    public int MaxCategories { get; init; } = 32;

    /// <summary>With at most so many categories, one is parted from the rest.</summary>
    public int MaxOneVersusRest { get; init; } = 4;

    /// <summary>Rows of categories that move together from right to left.</summary>
    public double MinCategoryGroup { get; init; } = 100;

    /// <summary>Whether splits lower the entropy of a class's share instead of the squared error. Gradients are then minus one for rows of the class and 0 for others, by
    /// weight.</summary>
    public bool IsEntropy { get; init; }

    /// <summary>Whether gains are G^2 / (H + L2), without anything else.</summary>
    public bool ArePlain => L1 == 0 && MaxDeltaStep == 0 && Monotone is null && !IsEntropy;

    /// <summary>The value of a leaf.</summary>
    public double Output(double gradient, double hessian, double l2)
    {
        var output = hessian + l2 > 0 ? -Soft(gradient) / (hessian + l2) : 0;
        return MaxDeltaStep > 0 ? Math.Clamp(output, -MaxDeltaStep, MaxDeltaStep) : output;
    }

    /// <summary>How much a leaf of a given value takes off the loss, times two.</summary>
    public double GainOf(double gradient, double hessian, double l2, double output) =>
        -((2 * Soft(gradient) * output) + ((hessian + l2) * output * output));

    /// <summary>Whether a feature's rule forbids values of the children.</summary>
    public bool Forbids(int feature, double left, double right) => Monotone is not null && ((Monotone[feature] > 0 && left > right) || (Monotone[feature] < 0 && left < right));

    private double Soft(double gradient)
    {
        if (L1 == 0) return gradient;
        var size = Math.Max(0, Math.Abs(gradient) - L1);
        return gradient < 0 ? -size : size;
    }
}
