namespace Dataflow.MLlib.TreeGrowth;

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

    /// <summary>Whether gains are G^2 / (H + L2), without anything else.</summary>
    public bool ArePlain => L1 == 0 && MaxDeltaStep == 0;

    /// <summary>The value of a leaf.</summary>
    public double Output(double gradient, double hessian, double l2)
    {
        var output = hessian + l2 > 0 ? -Soft(gradient) / (hessian + l2) : 0;
        return MaxDeltaStep > 0 ? Math.Clamp(output, -MaxDeltaStep, MaxDeltaStep) : output;
    }

    /// <summary>What a leaf of a given value takes off the loss, times two.</summary>
    public double GainOf(double gradient, double hessian, double l2, double output) =>
        -((2 * Soft(gradient) * output) + ((hessian + l2) * output * output));

    /// <summary>The gradient moved towards zero by L1.</summary>
    public double Soft(double gradient)
    {
        if (L1 == 0) return gradient;
        var size = Math.Max(0, Math.Abs(gradient) - L1);
        return gradient < 0 ? -size : size;
    }
}
