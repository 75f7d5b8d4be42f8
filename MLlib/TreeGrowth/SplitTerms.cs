namespace Dataflow.MLlib.TreeGrowth;

/// <summary>What a search for splits needs to know of a node and of the units of its histogram.</summary>
internal struct SplitTerms
{
    public long Total;
    public double GradientCell;
    public double HessianCell;
    public double L2;
    public double MinHessian;

    /// <summary>Rows a unit of hessian stands for.</summary>
    public double RowsPerUnit;

    /// <summary>The least number of rows, less a half: rows are estimated and rounded.</summary>
    public double MinRows;

    /// <summary>Bounds of the values of the node's leaves.</summary>
    public double Lower;
    public double Upper;

    public static SplitTerms Of(in NodeSums node, Gradients gradients, SplitRules rules) => new()
    {
        Total = node.Total,
        GradientCell = gradients.GradientCell,
        HessianCell = gradients.HessianCell,
        L2 = rules.L2,
        MinHessian = Math.Max(1, rules.MinLeafWeight / gradients.HessianCell),
        RowsPerUnit = (double)node.Count / (uint)node.Total,
        MinRows = rules.MinLeafRows - 0.5,
        Lower = node.Lower,
        Upper = node.Upper,
    };

    /// <summary>Whether both sides have enough rows and weight.</summary>
    public readonly bool Allows(long left, long right)
    {
        double hl = (uint)left, hr = (uint)right;
        return hl * RowsPerUnit >= MinRows && hr * RowsPerUnit >= MinRows && hl >= MinHessian && hr >= MinHessian;
    }

    /// <summary>The value that a leaf of these sums would have, within the node's bounds.</summary>
    public readonly double Output(long sums, SplitRules rules, double l2) =>
        Math.Min(Upper, Math.Max(Lower, rules.Output((int)(sums >> 32) * GradientCell, (uint)sums * HessianCell, l2)));

    /// <summary>How much a leaf of these sums and this value takes off the loss, times two.</summary>
    public readonly double GainOf(long sums, SplitRules rules, double l2, double output) =>
        rules.GainOf((int)(sums >> 32) * GradientCell, (uint)sums * HessianCell, l2, output);

    /// <summary>The gain of both children by the rules, the parent's not taken off; minus infinity if they are not allowed.</summary>
    public readonly double Gain(int feature, long left, SplitRules rules, double l2)
    {
        var right = Total - left;
        if (!Allows(left, right)) return double.NegativeInfinity;
        var valueLeft = Output(left, rules, l2);
        var valueRight = Output(right, rules, l2);
        if (rules.Forbids(feature, valueLeft, valueRight)) return double.NegativeInfinity;
        return GainOf(left, rules, l2, valueLeft) + GainOf(right, rules, l2, valueRight);
    }
}
