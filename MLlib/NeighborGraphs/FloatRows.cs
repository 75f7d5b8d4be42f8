using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.NeighborGraphs;

/// <summary>Rows in single precision as a graph is walked by them where a byte a feature is too coarse: padded, and of length 1 for the cosine.</summary>
internal sealed unsafe class FloatRows
{
    private readonly AlignedFloats _memory;

    public FloatRows(RowSet rows, DistanceMetric kind)
    {
        Rows = rows;
        Kind = kind;
        Stride = (rows.Features + 15) & ~15;
        _memory = new AlignedFloats((long)rows.Count * Stride);
        for (var r = 0; r < rows.Count; r++) Set(rows.Row(r), kind == DistanceMetric.Cosine ? rows.Norms[r] : 1, _memory.Span.Slice(r * Stride, Stride));
    }

    public RowSet Rows { get; }

    public DistanceMetric Kind { get; }

    /// <summary>Floats from row to row.</summary>
    public int Stride { get; }

    public bool IsProduct => Kind is DistanceMetric.Cosine or DistanceMetric.InnerProduct;

    public float* Pointer => _memory.Pointer;

    /// <summary>Writes a row or query as it is compared.</summary>
    public void Set(ReadOnlySpan<float> row, double norm, Span<float> to)
    {
        var factor = Kind == DistanceMetric.Cosine ? (norm > 0 ? 1 / Math.Sqrt(norm) : 0) : 1;
        for (var i = 0; i < row.Length; i++) to[i] = (float)(row[i] * factor);
    }
}

/// <summary>Walks <see cref="FloatRows"/>.</summary>
internal readonly unsafe struct FloatKernel(FloatRows rows, float* point) : IGraphKernel<FloatKernel>
{
    private readonly float* _rows = rows.Pointer;
    private readonly float* _point = point;
    private readonly int _stride = rows.Stride;
    private readonly bool _isProduct = rows.IsProduct;

    public uint NoDistance => _isProduct ? uint.MaxValue : 0x80000000;

    public static FloatKernel Over(GraphStore store, AlignedFloats point) => new(store.Floats!, point.Pointer);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Aim(int node) => new ReadOnlySpan<float>(_rows + ((long)node * _stride), _stride).CopyTo(new Span<float>(_point, _stride));

    // Multiplication and addition apart, sixteen sums: the same bits with any vector width, so that the same graph comes of it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Distance(int node)
    {
        var row = _rows + ((long)node * _stride);
        Vector512<float> sums = default;
        if (_isProduct)
        {
            for (var i = 0; i < _stride; i += 16) sums -= Vector512.Load(_point + i) * Vector512.Load(row + i);
        }
        else
        {
            for (var i = 0; i < _stride; i += 16)
            {
                var difference = Vector512.Load(_point + i) - Vector512.Load(row + i);
                sums += difference * difference;
            }
        }
        var sum = SixteenLanes.Sum(sums);

        // The order of floats as unsigned numbers; sums that overflowed are farthest.
        if (float.IsNaN(sum)) return uint.MaxValue;
        var bits = BitConverter.SingleToUInt32Bits(sum);
        return (bits & 0x80000000) != 0 ? ~bits : bits | 0x80000000;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(int node)
    {
        if (!Sse.IsSupported) return;
        var row = _rows + ((long)node * _stride);
        var end = row + Math.Min(_stride, 256);
        for (; row < end; row += 16) Sse.Prefetch0(row);
    }
}
