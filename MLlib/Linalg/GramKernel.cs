using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dataflow.MLlib.Data;

namespace Dataflow.MLlib.Linalg;

/// <summary>Computes the <see cref="GramSums"/> of a partition. Holds the scratch it needs; one a task.</summary>
/// <remarks>
/// Products are of deviations from the means of the first block, which are near enough to those of the partition that no digits are lost; what they are off by
/// is taken away at the end. Deviations of some rows are written to scratch that stays in the cache, and tiles of 8 x 16 products are summed in registers, row
/// after row: so each sum has one order, and the same bits everywhere.
/// </remarks>
internal sealed unsafe class GramKernel
{
    private const int Rows = 64;

    private readonly int _width;
    private readonly int _stride;
    private readonly bool _withLabel;
    private readonly double[] _deviations;
    private readonly double[] _sums;
    private readonly double[] _shifts;
    private double[] _weighted = [];
    private double[]? _near;
    private long _rows;
    private double _weight;
    private double _squaredWeight;

    /// <summary>Nothing yet.</summary>
    /// <param name="features">Features of a row.</param>
    /// <param name="withLabel">Whether the label is a column too.</param>
    public GramKernel(int features, bool withLabel)
    {
        _withLabel = withLabel;
        _width = features + (withLabel ? 1 : 0);
        _stride = (_width + 15) & -16;
        _deviations = new double[Rows * _stride];
        _shifts = new double[_stride];
        _sums = new double[_stride * _stride];
    }

    /// <summary>Adds the rows of a block.</summary>
    public void Add(FeatureBlock block)
    {
        var features = block.Width;
        if (features + (_withLabel ? 1 : 0) != _width)
        {
            throw new QueryException("VECTOR_SIZE_MISMATCH",
                $"Some rows have {_width - (_withLabel ? 1 : 0)} features and others {features}. All rows of a feature column must have one size.");
        }
        double weight = 0;
        for (var row = 0; row < block.Rows; row++)
        {
            var w = block.WeightOf(row);
            weight += w;
            _squaredWeight += w * w;
        }
        _rows += block.Rows;
        if (weight == 0) return;
        _weight += weight;
        _near ??= Means(block, weight);
        var isWeighted = block.Weights.Length > 0;
        if (isWeighted && _weighted.Length == 0) _weighted = new double[_deviations.Length];
        for (var first = 0; first < block.Rows; first += Rows)
        {
            var count = Math.Min(Rows, block.Rows - first);
            Deviations(block, first, count, _near);
            if (isWeighted) Weigh(block, first, count);
            fixed (double* left = isWeighted ? _weighted : _deviations, right = _deviations, sums = _sums, shifts = _shifts)
            {
                AddRows(left, count, _stride, shifts);
                AddProducts(left, right, count, _stride, sums);
            }
        }
    }

    /// <summary>The sums of all rows that were added.</summary>
    public GramSums Finish()
    {
        var means = new double[_width];
        var products = new double[_width * _width];
        for (var i = 0; i < _width && _weight > 0; i++)
        {
            var shift = _shifts[i] / _weight;
            means[i] = _near![i] + shift;
            for (var j = i; j < _width; j++) products[(i * _width) + j] = _sums[(i * _stride) + j] - (shift * _shifts[j]);

            // Rounding may leave what should be 0 a little below it.
            products[(i * _width) + i] = Math.Max(0, products[(i * _width) + i]);
        }
        return new GramSums(_rows, _weight, _squaredWeight, means, products);
    }

    private double[] Means(FeatureBlock block, double weight)
    {
        var means = new double[Lanes.Padded(block.Width) + 1];
        var weights = block.Weights.Length > 0 ? block.Weights : [.. Enumerable.Repeat(1.0, block.Rows)];
        fixed (double* to = means, factors = weights) RowProducts.AddRows(block, 0, block.Rows, factors, to);
        double labels = 0;
        if (_withLabel) for (var row = 0; row < block.Rows; row++) labels += weights[row] * block.Labels[row];
        means[block.Width] = labels;
        for (var i = 0; i < _width; i++) means[i] /= weight;
        return means;
    }

    private void Deviations(FeatureBlock block, int first, int count, double[] means)
    {
        var features = block.Width;
        for (var row = 0; row < count; row++)
        {
            var to = _deviations.AsSpan(row * _stride, _stride);
            if (block.Sparse is { } sparse)
            {
                for (var i = 0; i < features; i++) to[i] = -means[i];
                for (var at = sparse.Starts[first + row]; at < sparse.Starts[first + row + 1]; at++)
                {
                    var index = sparse.Indices[at];
                    to[index] = sparse.Values[at] - means[index];
                }
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
            if (_withLabel) to[features] = block.Labels[first + row] - means[features];
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

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void AddRows(double* rows, int count, int stride, double* sums)
    {
        for (var j = 0; j < stride; j += 16)
        {
            Vector512<double> a = Vector512.Load(sums + j), b = Vector512.Load(sums + j + 8);
            for (var row = rows + j; row < rows + ((nint)count * stride); row += stride)
            {
                a += Vector512.Load(row);
                b += Vector512.Load(row + 8);
            }
            a.Store(sums + j);
            b.Store(sums + j + 8);
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
