using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dataflow.MLlib.Data;

namespace Dataflow.MLlib.Linalg;

/// <summary>Computes the <see cref="GramSums"/> of blocks. Holds the scratch it needs; one a task.</summary>
/// <remarks>Deviations of some rows are written to scratch that stays in the cache, and tiles of 8 x 16 products are summed in registers, row after row: so each
/// sum has one order, and the same bits everywhere.</remarks>
internal sealed unsafe class GramKernel(int width)
{
    private const int Rows = 64;
    private readonly int _stride = (width + 15) & -16;
    private readonly double[] _deviations = new double[Rows * ((width + 15) & -16)];
    private double[] _weighted = [];
    private readonly double[] _sums = new double[((width + 15) & -16) * ((width + 15) & -16)];
    private readonly double[] _ones = [.. Enumerable.Repeat(1.0, Rows)];

    /// <summary>Of one block.</summary>
    public GramSums Of(FeatureBlock block, bool withLabel)
    {
        var features = block.Width;
        if (features + (withLabel ? 1 : 0) != width)
            throw new QueryException("VECTOR_SIZE_MISMATCH", $"Some rows have {width - (withLabel ? 1 : 0)} features and others {features}. All rows of a feature column must have one size.");
        var isWeighted = block.Weights.Length > 0;
        var (weight, squared) = (0.0, 0.0);
        for (var row = 0; row < block.Rows; row++)
        {
            var w = block.WeightOf(row);
            weight += w;
            squared += w * w;
        }
        var means = new double[width];
        if (weight > 0) FindMeans(block, withLabel, weight, means);
        if (isWeighted && _weighted.Length == 0) _weighted = new double[_deviations.Length];
        Array.Clear(_sums);
        for (var first = 0; first < block.Rows; first += Rows)
        {
            var count = Math.Min(Rows, block.Rows - first);
            Deviations(block, first, count, withLabel, means);
            if (isWeighted) Weigh(block, first, count);
            fixed (double* left = isWeighted ? _weighted : _deviations, right = _deviations, sums = _sums) AddProducts(left, right, count, _stride, sums);
        }
        var products = new double[width * width];
        for (var i = 0; i < width; i++) _sums.AsSpan((i * _stride) + i, width - i).CopyTo(products.AsSpan((i * width) + i));
        return new GramSums(block.Rows, weight, squared, means, products);
    }

    private void FindMeans(FeatureBlock block, bool withLabel, double weight, double[] means)
    {
        var sums = new double[Lanes.Padded(block.Width)];
        double labels = 0;
        fixed (double* to = sums)
        {
            for (var first = 0; first < block.Rows; first += Rows)
            {
                var count = Math.Min(Rows, block.Rows - first);
                fixed (double* factors = block.Weights.Length > 0 ? block.Weights.AsSpan(first) : _ones) RowProducts.AddRows(block, first, count, factors, to);
            }
        }
        if (withLabel) for (var row = 0; row < block.Rows; row++) labels += block.WeightOf(row) * block.Labels[row];
        for (var i = 0; i < block.Width; i++) means[i] = sums[i] / weight;
        if (withLabel) means[^1] = labels / weight;
    }

    private void Deviations(FeatureBlock block, int first, int count, bool withLabel, double[] means)
    {
        var features = block.Width;
        for (var row = 0; row < count; row++)
        {
            var to = _deviations.AsSpan(row * _stride, _stride);
            if (block.Sparse is { } sparse)
            {
                for (var i = 0; i < features; i++) to[i] = -means[i];
                for (var at = sparse.Starts[first + row]; at < sparse.Starts[first + row + 1]; at++) to[sparse.Indices[at]] = sparse.Values[at] - means[sparse.Indices[at]];
            }
            else
            {
                fixed (double* from = &block.Values[(first + row) * features], mean = means, target = to)
                {
                    var i = 0;
                    for (; i + 8 <= features; i += 8) (Vector512.Load(from + i) - Vector512.Load(mean + i)).Store(target + i);
                    for (; i < features; i++) target[i] = from[i] - mean[i];
                }
            }
            if (withLabel) to[features] = block.Labels[first + row] - means[features];
        }
    }

    private void Weigh(FeatureBlock block, int first, int count)
    {
        for (var row = 0; row < count; row++)
        {
            var weight = block.Weights[first + row];
            var from = _deviations.AsSpan(row * _stride, _stride);
            var to = _weighted.AsSpan(row * _stride, _stride);
            for (var i = 0; i < to.Length; i++) to[i] = weight * from[i];
        }
    }

    private static void AddProducts(double* left, double* right, int count, int stride, double* sums)
    {
        for (var i = 0; i < stride; i += 8)
        {
            for (var j = i & -16; j < stride; j += 16) AddTile(left + i, right + j, count, stride, sums + ((nint)i * stride) + j);
        }
    }

    // No calls in here: values in registers would go to the stack and back in every round.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void AddTile(double* left, double* right, int count, int stride, double* sums)
    {
        double* s1 = sums + stride, s2 = s1 + stride, s3 = s2 + stride, s4 = s3 + stride, s5 = s4 + stride, s6 = s5 + stride, s7 = s6 + stride;
        Vector512<double> a0 = Vector512.Load(sums), a1 = Vector512.Load(sums + 8), b0 = Vector512.Load(s1), b1 = Vector512.Load(s1 + 8),
            c0 = Vector512.Load(s2), c1 = Vector512.Load(s2 + 8), d0 = Vector512.Load(s3), d1 = Vector512.Load(s3 + 8),
            e0 = Vector512.Load(s4), e1 = Vector512.Load(s4 + 8), f0 = Vector512.Load(s5), f1 = Vector512.Load(s5 + 8),
            g0 = Vector512.Load(s6), g1 = Vector512.Load(s6 + 8), h0 = Vector512.Load(s7), h1 = Vector512.Load(s7 + 8);
        for (var row = 0; row < count; row++, left += stride, right += stride)
        {
            var x = Vector512.Load(right);
            var y = Vector512.Load(right + 8);
            var by = Vector512.Create(left[0]);
            a0 += by * x;
            a1 += by * y;
            by = Vector512.Create(left[1]);
            b0 += by * x;
            b1 += by * y;
            by = Vector512.Create(left[2]);
            c0 += by * x;
            c1 += by * y;
            by = Vector512.Create(left[3]);
            d0 += by * x;
            d1 += by * y;
            by = Vector512.Create(left[4]);
            e0 += by * x;
            e1 += by * y;
            by = Vector512.Create(left[5]);
            f0 += by * x;
            f1 += by * y;
            by = Vector512.Create(left[6]);
            g0 += by * x;
            g1 += by * y;
            by = Vector512.Create(left[7]);
            h0 += by * x;
            h1 += by * y;
        }
        a0.Store(sums);
        a1.Store(sums + 8);
        b0.Store(s1);
        b1.Store(s1 + 8);
        c0.Store(s2);
        c1.Store(s2 + 8);
        d0.Store(s3);
        d1.Store(s3 + 8);
        e0.Store(s4);
        e1.Store(s4 + 8);
        f0.Store(s5);
        f1.Store(s5 + 8);
        g0.Store(s6);
        g1.Store(s6 + 8);
        h0.Store(s7);
        h1.Store(s7 + 8);
    }
}
