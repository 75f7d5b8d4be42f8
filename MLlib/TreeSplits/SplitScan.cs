using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dataflow.MLlib.TreeGrowth;

namespace Dataflow.MLlib.TreeSplits;

/// <summary>The best threshold of a feature from running sums over its bins: all thresholds at once by vectors, with a scalar twin of the same bits.</summary>
internal static unsafe class SplitScan
{
    // A whole number below 2^32 or'ed into the bits of 2^52 is that number plus 2^52.
    private const long Exponent52 = 0x4330000000000000;
    private const double Two52 = 4503599627370496.0;
    private const double Two52And31 = 4503601774854144.0;

    /// <summary>Finds the first bin with the greatest gain.</summary>
    /// <param name="running">Sums over the bins up to each; whole vectors past the end are readable.</param>
    /// <param name="bins">How many thresholds there are.</param>
    /// <param name="extra">What goes left besides: the sums of missing values, or 0.</param>
    /// <param name="best">The greatest gain, the parent's not taken off.</param>
    /// <returns>The bin, or -1 if no threshold leaves both sides enough.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Find(long* running, int bins, long extra, in SplitTerms terms, out double best)
    {
        if (Vector512.IsHardwareAccelerated) return FindVectors(running, bins, extra, terms, out best);
        best = double.NegativeInfinity;
        var found = -1;
        for (var bin = 0; bin < bins; bin++)
        {
            var left = running[bin] + extra;
            var right = terms.Total - left;
            double hl = (uint)left, hr = (uint)right;
            if (!(hl * terms.RowsPerUnit >= terms.MinRows) || !(hr * terms.RowsPerUnit >= terms.MinRows) || !(hl >= terms.MinHessian) || !(hr >= terms.MinHessian)) continue;
            var gain = Gain((int)(left >> 32), hl, (int)(right >> 32), hr, terms);
            if (!(gain > best)) continue;
            best = gain;
            found = bin;
        }
        return found;
    }

    /// <summary>Sum over both children of G^2 / (H + L2).</summary>
    public static double Gain(double gl, double hl, double gr, double hr, in SplitTerms terms)
    {
        gl *= terms.GradientCell;
        gr *= terms.GradientCell;
        hl = (hl * terms.HessianCell) + terms.L2;
        hr = (hr * terms.HessianCell) + terms.L2;
        return ((gl * gl * hr) + (gr * gr * hl)) / (hl * hr);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int FindVectors(long* running, int bins, long extra, in SplitTerms terms, out double best)
    {
        var total = Vector512.Create(terms.Total);
        var more = Vector512.Create(extra);
        var low = Vector512.Create(0xFFFFFFFFL);
        var flip = Vector512.Create(0x80000000L);
        var exponent = Vector512.Create(Exponent52);
        var two52 = Vector512.Create(Two52);
        var two52And31 = Vector512.Create(Two52And31);
        var gradientCell = Vector512.Create(terms.GradientCell);
        var hessianCell = Vector512.Create(terms.HessianCell);
        var l2 = Vector512.Create(terms.L2);
        var minHessian = Vector512.Create(terms.MinHessian);
        var rowsPerUnit = Vector512.Create(terms.RowsPerUnit);
        var minRows = Vector512.Create(terms.MinRows);
        var nothing = Vector512.Create(double.NegativeInfinity);
        var bests = nothing;
        var places = Vector512.Create(-1L);
        var place = Vector512.Create(0L, 1, 2, 3, 4, 5, 6, 7);
        var limit = Vector512.Create((long)bins);
        for (var bin = 0; bin < bins; bin += 8)
        {
            var left = Vector512.Load(running + bin) + more;
            var right = total - left;
            var hl = ((left & low) | exponent).AsDouble() - two52;
            var hr = ((right & low) | exponent).AsDouble() - two52;
            var gl = ((left >>> 32) ^ flip | exponent).AsDouble() - two52And31;
            var gr = ((right >>> 32) ^ flip | exponent).AsDouble() - two52And31;
            var allowed = Vector512.GreaterThanOrEqual(hl * rowsPerUnit, minRows) & Vector512.GreaterThanOrEqual(hr * rowsPerUnit, minRows)
                & Vector512.GreaterThanOrEqual(hl, minHessian) & Vector512.GreaterThanOrEqual(hr, minHessian) & Vector512.LessThan(place, limit).AsDouble();
            gl *= gradientCell;
            gr *= gradientCell;
            hl = (hl * hessianCell) + l2;
            hr = (hr * hessianCell) + l2;
            var gain = ((gl * gl * hr) + (gr * gr * hl)) / (hl * hr);
            var better = Vector512.GreaterThan(Vector512.ConditionalSelect(allowed, gain, nothing), bests);
            bests = Vector512.ConditionalSelect(better, gain, bests);
            places = Vector512.ConditionalSelect(better.AsInt64(), place, places);
            place += Vector512.Create(8L);
        }
        best = double.NegativeInfinity;
        long found = -1;
        for (var lane = 0; lane < 8; lane++)
        {
            var gain = bests.GetElement(lane);
            var bin = places.GetElement(lane);
            if (bin < 0 || !(gain > best || (gain == best && bin < found))) continue;
            best = gain;
            found = bin;
        }
        return (int)found;
    }
}

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

    /// <summary>How far the sums of a row may be off by rounding.</summary>
    public double Rounding;

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
        Rounding = gradients.AreCounts ? 0 : Math.Max(gradients.GradientCell, gradients.HessianCell),
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
        if (rules.IsEntropy) return -(ClassEntropy.Of(left, this) + ClassEntropy.Of(right, this));
        var valueLeft = Output(left, rules, l2);
        var valueRight = Output(right, rules, l2);
        if (rules.Forbids(feature, valueLeft, valueRight)) return double.NegativeInfinity;
        return GainOf(left, rules, l2, valueLeft) + GainOf(right, rules, l2, valueRight);
    }
}
