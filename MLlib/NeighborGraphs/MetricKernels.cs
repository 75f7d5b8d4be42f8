using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.NeighborGraphs;

/// <summary>A distance of rows of floats that is never negative, in sixteen parts: the same bits with any vector width.</summary>
internal interface IGraphDistance
{
    /// <param name="stride">Floats of each, a multiple of 16; those behind the features are 0 in both.</param>
    static abstract unsafe float Of(float* point, float* row, int stride);
}

/// <summary>Walks <see cref="FloatRows"/> by a metric that is no inner product.</summary>
internal readonly unsafe struct MetricKernel<T>(FloatRows rows, float* point) : IGraphKernel<MetricKernel<T>>
    where T : struct, IGraphDistance
{
    private readonly float* _rows = rows.Pointer;
    private readonly float* _point = point;
    private readonly int _stride = rows.Stride;

    public uint NoDistance => 0;

    public static MetricKernel<T> Over(GraphStore store, AlignedFloats point) => new(store.Floats!, point.Pointer);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Aim(int node) => new ReadOnlySpan<float>(_rows + ((long)node * _stride), _stride).CopyTo(new Span<float>(_point, _stride));

    // Floats that are not negative are in the order of their bits; sums that overflowed are farthest.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Distance(int node) => BitConverter.SingleToUInt32Bits(T.Of(_point, _rows + ((long)node * _stride), _stride));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(int node)
    {
        if (!Sse.IsSupported) return;
        var row = _rows + ((long)node * _stride);
        var end = row + Math.Min(_stride, 256);
        for (; row < end; row += 16) Sse.Prefetch0(row);
    }
}

/// <summary>Walks by sums of powers, in double precision: a float has no room for high powers. Their upper bits, of which 21 are of the fraction, tell near from far.</summary>
internal readonly unsafe struct PowerKernel(GraphStore store, float* point) : IGraphKernel<PowerKernel>
{
    private readonly float* _rows = store.Floats!.Pointer;
    private readonly float* _point = point;
    private readonly int _stride = store.Floats.Stride;
    private readonly RankKeys _keys = store.Keys;

    public uint NoDistance => 0;

    public static PowerKernel Over(GraphStore store, AlignedFloats point) => new(store, point.Pointer);

    public void Aim(int node) => new ReadOnlySpan<float>(_rows + ((long)node * _stride), _stride).CopyTo(new Span<float>(_point, _stride));

    public uint Distance(int node) => (uint)(BitConverter.DoubleToUInt64Bits(_keys.Of(_point, 0, _rows + ((long)node * _stride), 0)) >> 31);

    public void Prefetch(int node)
    {
        if (Sse.IsSupported) Sse.Prefetch0(_rows + ((long)node * _stride));
    }
}

/// <summary>The sum of absolute differences.</summary>
internal readonly struct ManhattanSum : IGraphDistance
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe float Of(float* point, float* row, int stride)
    {
        Vector512<float> sums = default;
        for (var i = 0; i < stride; i += 16) sums += Vector512.Abs(Vector512.Load(point + i) - Vector512.Load(row + i));
        return SixteenLanes.Sum(sums);
    }
}

/// <summary>The largest absolute difference.</summary>
internal readonly struct LargestDifference : IGraphDistance
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe float Of(float* point, float* row, int stride)
    {
        Vector512<float> most = default;
        for (var i = 0; i < stride; i += 16) most = Vector512.Max(most, Vector512.Abs(Vector512.Load(point + i) - Vector512.Load(row + i)));
        var eight = Vector256.Max(most.GetLower(), most.GetUpper());
        var four = Vector128.Max(eight.GetLower(), eight.GetUpper());
        return Math.Max(Math.Max(four[0], four[2]), Math.Max(four[1], four[3]));
    }
}

/// <summary>How many features differ.</summary>
internal readonly struct UnequalCount : IGraphDistance
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe float Of(float* point, float* row, int stride)
    {
        Vector512<float> sums = default;
        for (var i = 0; i < stride; i += 16) sums += Vector512.AndNot(Vector512<float>.One, Vector512.Equals(Vector512.Load(point + i), Vector512.Load(row + i)));
        return SixteenLanes.Sum(sums);
    }
}

/// <summary>Of the features that are in one row or the other, the part that are not in both.</summary>
internal readonly struct JaccardPart : IGraphDistance
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe float Of(float* point, float* row, int stride)
    {
        Vector512<float> neither = default, differ = default;
        for (var i = 0; i < stride; i += 16)
        {
            var notInPoint = Vector512.Equals(Vector512.Load(point + i), Vector512<float>.Zero);
            var notInRow = Vector512.Equals(Vector512.Load(row + i), Vector512<float>.Zero);
            neither += notInPoint & notInRow & Vector512<float>.One;
            differ += (notInPoint ^ notInRow) & Vector512<float>.One;
        }
        var either = stride - SixteenLanes.Sum(neither);
        return either == 0 ? 0 : SixteenLanes.Sum(differ) / either;
    }
}

/// <summary>Sixteen sums as one.</summary>
internal static class SixteenLanes
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512<float> sums)
    {
        var eight = sums.GetLower() + sums.GetUpper();
        var four = eight.GetLower() + eight.GetUpper();
        return four[0] + four[2] + (four[1] + four[3]);
    }
}
