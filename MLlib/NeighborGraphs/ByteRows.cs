using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.NeighborGraphs;

/// <summary>
/// Rows rounded to a byte a feature: what a graph is walked by. A quarter of the memory, and sums of integers, which are the same on every machine. Rows that come out are
/// compared exactly at the end.
/// </summary>
/// <remarks>Euclidean: round((value - middle of the feature) / step), one step for all features. Inner products: round(value / step). Rows are padded with zeros to 32 bytes.</remarks>
internal sealed unsafe class ByteRows
{
    /// <summary>Features of most rows: beyond, a sum of squares might not fit 31 bits.</summary>
    public const int MostFeatures = 16_384;

    private readonly AlignedFloats _memory;

    private ByteRows(RowSet rows, DistanceMetric kind, float[] middle, double step)
    {
        Rows = rows;
        Kind = kind;
        Middle = middle;
        Step = step;
        Stride = (rows.Features + 31) & ~31;
        _memory = new AlignedFloats((long)rows.Count * Stride / sizeof(float));
        IsProduct = kind is DistanceMetric.Cosine or DistanceMetric.InnerProduct;
    }

    public RowSet Rows { get; }

    public DistanceMetric Kind { get; }

    /// <summary>Bytes from row to row.</summary>
    public int Stride { get; }

    public bool IsProduct { get; }

    public float[] Middle { get; }

    public double Step { get; }

    public sbyte* Pointer => (sbyte*)_memory.Pointer;

    /// <summary>Added to inner products, so that they are not negative.</summary>
    public int Bias => IsProduct ? Rows.Features * 127 * 127 : 0;

    /// <summary>Rounds rows; null if a byte is too coarse for them or for the metric, or they have too many features.</summary>
    public static ByteRows? TryMake(RowSet rows, DistanceMetric kind, int threads)
    {
        var isSuited = kind is DistanceMetric.Euclidean or DistanceMetric.SquaredEuclidean or DistanceMetric.Cosine or DistanceMetric.InnerProduct;
        if (!isSuited || rows.Features > MostFeatures || rows.Count == 0) return null;
        var middle = new float[rows.Features];
        var (least, most) = (new float[rows.Features], new float[rows.Features]);
        new ReadOnlySpan<float>(rows.Pointer, rows.Features).CopyTo(least);
        least.CopyTo(most, 0);
        for (var r = 0; r < rows.Count; r++)
        {
            var row = rows.Row(r);
            for (var i = 0; i < row.Length; i++)
            {
                least[i] = Math.Min(least[i], row[i]);
                most[i] = Math.Max(most[i], row[i]);
            }
        }

        double reach = 0;
        var isProduct = kind is DistanceMetric.Cosine or DistanceMetric.InnerProduct;
        for (var i = 0; i < middle.Length; i++)
        {
            if (!isProduct) middle[i] = (least[i] / 2) + (most[i] / 2);
            reach = Math.Max(reach, Math.Max((double)most[i] - middle[i], (double)middle[i] - least[i]));
        }
        if (kind == DistanceMetric.Cosine)
        {
            reach = 0;
            for (var r = 0; r < rows.Count; r++)
            {
                var norm = Math.Sqrt(rows.Norms[r]);
                if (norm == 0) continue;
                foreach (var value in rows.Row(r)) reach = Math.Max(reach, Math.Abs(value) / norm);
            }
        }
        if (!(reach > 0) || double.IsInfinity(reach)) return null;
        var made = new ByteRows(rows, kind, middle, reach / 127);
        if (!made.IsFineEnough()) return null;
        SharedWork.Run((rows.Count + 1023) / 1024, threads, run =>
        {
            for (var r = run * 1024; r < Math.Min(rows.Count, (run + 1) * 1024); r++)
            {
                made.Round(rows.Row(r), kind == DistanceMetric.Cosine ? rows.Norms[r] : 1, new Span<sbyte>(made.Pointer + ((long)r * made.Stride), made.Stride));
            }
        });
        return made;
    }

    /// <summary>Rounds a row or query.</summary>
    public void Round(ReadOnlySpan<float> row, double norm, Span<sbyte> to)
    {
        var factor = Kind == DistanceMetric.Cosine ? (norm > 0 ? 1 / (Step * Math.Sqrt(norm)) : 0) : 1 / Step;
        for (var i = 0; i < row.Length; i++) to[i] = (sbyte)Math.Clamp(Math.Round((row[i] - (double)Middle[i]) * factor), -127, 127);
    }

    /// <summary>The distance of a point, widened, from rounded values: their squared distance, or the bias less their inner product.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Distance(short* point, sbyte* row, int stride, bool isProduct, int bias)
    {
        if (Avx512BW.IsSupported)
        {
            Vector512<int> a = default, b = default;
            var i = 0;
            if (isProduct)
            {
                for (; i <= stride - 64; i += 64)
                {
                    a += Avx512BW.MultiplyAddAdjacent(Vector512.Load(point + i), Avx512BW.ConvertToVector512Int16(Vector256.Load(row + i)));
                    b += Avx512BW.MultiplyAddAdjacent(Vector512.Load(point + i + 32), Avx512BW.ConvertToVector512Int16(Vector256.Load(row + i + 32)));
                }
                if (i < stride) a += Avx512BW.MultiplyAddAdjacent(Vector512.Load(point + i), Avx512BW.ConvertToVector512Int16(Vector256.Load(row + i)));
                return (uint)(bias - Sum(a + b));
            }
            for (; i <= stride - 64; i += 64)
            {
                var x = Vector512.Load(point + i) - Avx512BW.ConvertToVector512Int16(Vector256.Load(row + i));
                var y = Vector512.Load(point + i + 32) - Avx512BW.ConvertToVector512Int16(Vector256.Load(row + i + 32));
                a += Avx512BW.MultiplyAddAdjacent(x, x);
                b += Avx512BW.MultiplyAddAdjacent(y, y);
            }
            if (i < stride)
            {
                var x = Vector512.Load(point + i) - Avx512BW.ConvertToVector512Int16(Vector256.Load(row + i));
                a += Avx512BW.MultiplyAddAdjacent(x, x);
            }
            return (uint)Sum(a + b);
        }
        if (Avx2.IsSupported)
        {
            Vector256<int> a = default;
            for (var i = 0; i < stride; i += 16)
            {
                var values = Avx2.ConvertToVector256Int16(Vector128.Load(row + i));
                var aim = Vector256.Load(point + i);
                var difference = isProduct ? values : aim - values;
                a += Avx2.MultiplyAddAdjacent(isProduct ? aim : difference, difference);
            }
            return (uint)(isProduct ? bias - Vector256.Sum(a) : Vector256.Sum(a));
        }
        var all = 0;
        if (isProduct)
        {
            for (var i = 0; i < stride; i++) all += point[i] * row[i];
            return (uint)(bias - all);
        }
        for (var i = 0; i < stride; i++) all += (point[i] - row[i]) * (point[i] - row[i]);
        return (uint)all;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Sum(Vector512<int> values)
    {
        var eight = values.GetLower() + values.GetUpper();
        var four = eight.GetLower() + eight.GetUpper();
        four += Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1));
        return four[0] + four[1];
    }

    // Rounding shifts a distance by about 0.4 steps. Where that is much of the distance of near rows, nearer could not be told from farther.
    private bool IsFineEnough()
    {
        var sample = Math.Min(Rows.Count, 400);
        if (sample < 3) return false;
        var near = new double[sample];
        var dots = new double[sample];
        for (var s = 0; s < sample; s++)
        {
            var a = Rows.Pointer + ((long)s * Rows.Count / sample * Rows.Features);
            var least = double.PositiveInfinity;
            for (var t = 0; t < sample; t++)
            {
                if (s == t) continue;
                var b = Rows.Pointer + ((long)t * Rows.Count / sample * Rows.Features);
                var distance = ExactDistances.Squared(a, b, Rows.Features);
                if (distance < least) least = distance;
            }
            dots[s] = ExactDistances.Dot(a, a, Rows.Features);
            near[s] = Kind == DistanceMetric.Cosine ? (dots[s] > 0 ? least / dots[s] : 0) : least;
        }
        Array.Sort(near);
        return Math.Sqrt(near[sample / 2]) > Step * 10;
    }
}

/// <summary>Walks <see cref="ByteRows"/>.</summary>
internal readonly unsafe struct ByteKernel(ByteRows rows, short* point) : IGraphKernel<ByteKernel>
{
    private readonly sbyte* _rows = rows.Pointer;
    private readonly short* _point = point;
    private readonly int _stride = rows.Stride;
    private readonly int _bias = rows.Bias;
    private readonly bool _isProduct = rows.IsProduct;

    public uint NoDistance => _isProduct ? uint.MaxValue : 0;

    public static ByteKernel Over(GraphStore store, AlignedFloats point) => new(store.Bytes!, (short*)point.Pointer);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Aim(int node)
    {
        var row = _rows + ((long)node * _stride);
        for (var i = 0; i < _stride; i += 16)
        {
            var (low, high) = Vector128.Widen(Vector128.Load(row + i));
            low.Store(_point + i);
            high.Store(_point + i + 8);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Distance(int node) => ByteRows.Distance(_point, _rows + ((long)node * _stride), _stride, _isProduct, _bias);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(int node)
    {
        if (!Sse.IsSupported) return;
        var row = _rows + ((long)node * _stride);
        var end = row + Math.Min(_stride, 512);
        for (; row < end; row += 64) Sse.Prefetch0(row);
    }
}
