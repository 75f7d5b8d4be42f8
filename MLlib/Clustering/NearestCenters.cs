using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Dataflow.MLlib.Data;
using Dataflow.MLlib.Linalg;

namespace Dataflow.MLlib.Clustering;

/// <summary>
/// Finds the nearest of some centres for rows: the one whose squared distance, summed feature after feature in 64 bits, is least, and the first of equal ones.
/// Many rows at a time are first compared in 32 bits, 48 rows by 8 centres in registers; where the best two are closer than what rounding can have done, 64
/// bits decide. So the answer never depends on instructions. Not safe to share between threads: it holds scratch.
/// </summary>
/// <remarks>Cost: rows x centres x features multiplications in 32 bits. The distance is taken as |c|² - 2 x c, so data far from 0 next to its spread is
/// decided in 64 bits, about three times as slow.</remarks>
internal sealed unsafe class NearestCenters : IDisposable
{
    /// <summary>Rows that are compared at a time.</summary>
    public const int Rows = 48;

    private const int Group = 8;

    private readonly int _groups;
    private readonly float* _panels;   // groups x (1 + width) x 8: |c|², then -2 c by feature
    private readonly double* _columns; // width x padded centres
    private readonly float* _rows;     // width x 48
    private readonly float* _best;     // best, second, index, limit: 48 each
    private readonly double* _distances;
    private readonly float _largest;

    /// <summary>Makes the tables.</summary>
    /// <param name="centers">centres x width.</param>
    /// <param name="width">Features.</param>
    public NearestCenters(ReadOnlySpan<double> centers, int width)
    {
        Width = width;
        Count = centers.Length / width;
        _groups = (Count + Group - 1) / Group;
        _panels = Allocate<float>(_groups * (1 + (long)width) * Group);
        _columns = Allocate<double>((long)width * _groups * Group);
        _rows = Allocate<float>((long)Lanes.Padded(width) * Rows);
        new Span<float>(_rows, Lanes.Padded(width) * Rows).Clear();
        _best = Allocate<float>(4 * Rows);
        _distances = Allocate<double>(_groups * Group);
        double largest = 0;
        for (var k = 0; k < _groups * Group; k++)
        {
            double square = k < Count ? 0 : double.PositiveInfinity;
            var panel = _panels + ((k / Group) * (1 + (long)width) * Group) + (k % Group);
            for (var j = 0; j < width; j++)
            {
                var value = k < Count ? centers[(k * width) + j] : 0;
                square += value * value;
                panel[(1 + (long)j) * Group] = (float)(-2 * value);
                _columns[((long)j * _groups * Group) + k] = value;
            }
            panel[0] = (float)square;
            if (k < Count) largest = Math.Max(largest, square);
        }

        // Squares near the end of 32 bits: all rows are decided in 64.
        _largest = largest < 1e36 ? MathF.BitIncrement((float)Math.Sqrt(largest)) : float.PositiveInfinity;
    }

    ~NearestCenters() => Free();

    /// <summary>Features.</summary>
    public int Width { get; }

    /// <summary>Centres.</summary>
    public int Count { get; }

    /// <summary>The nearest centre of one row.</summary>
    /// <param name="row">Its features.</param>
    /// <param name="squared">The squared distance to it.</param>
    public int Find(double* row, out double squared)
    {
        Distances(row, Width, _groups * Group, _columns, _distances);
        var best = 0;
        for (var k = 1; k < Count; k++)
        {
            if (_distances[k] < _distances[best]) best = k;
        }
        squared = _distances[best];
        return best;
    }

    /// <summary>The nearest centres of some rows of a block.</summary>
    /// <param name="block">Dense rows.</param>
    /// <param name="first">The first row.</param>
    /// <param name="count">How many, <see cref="Rows"/> at most.</param>
    /// <param name="nearest">By row.</param>
    public void Find(FeatureBlock block, int first, int count, int* nearest)
    {
        fixed (double* values = block.Values)
        {
            var rows = values + ((nint)first * Width);
            var readable = Math.Max(0, ((block.Values.Length - Lanes.Padded(Width) + Width) / Width) - first);
            RowTurn.Turn(rows, Width, count, readable, _rows, Rows);
            var limits = _best + (3 * Rows);
            Begin(_rows, Width, _largest, _best, limits);
            for (var group = 0; group < _groups; group++)
            {
                var panel = _panels + (group * (1 + (long)Width) * Group);
                if (Vector512.IsHardwareAccelerated) Compare(_rows, panel, Width, group * Group, _best);
                else NarrowCompare.Compare(_rows, panel, Width, group * Group, _best);
            }
            var second = _best + Rows;
            var index = (int*)(_best + (2 * Rows));
            for (var i = 0; i < count; i++)
            {
                // What is NaN or infinite in 32 bits is not greater either.
                nearest[i] = second[i] - _best[i] > limits[i] ? index[i] : Find(rows + ((nint)i * Width), out _);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private static T* Allocate<T>(long length) where T : unmanaged => (T*)NativeMemory.AlignedAlloc((nuint)(length * sizeof(T)), 64);

    private void Free()
    {
        NativeMemory.AlignedFree(_panels);
        NativeMemory.AlignedFree(_columns);
        NativeMemory.AlignedFree(_rows);
        NativeMemory.AlignedFree(_best);
        NativeMemory.AlignedFree(_distances);
    }

    // Rounding of values to 32 bits, of products and of their sum changes a distance by at most (width + 6) 2^-24 (|c|² + 2 |x| |c|); two of them differ by
    // twice that.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Begin(float* rows, int width, float largest, float* best, float* limits)
    {
        for (var i = 0; i < Rows; i += 16)
        {
            var square = Vector512<float>.Zero;
            for (var j = 0; j < width; j++)
            {
                var x = Vector512.Load(rows + ((nint)j * Rows) + i);
                square += x * x;
            }
            var length = Vector512.Sqrt(square) * Vector512.Create(1.001f);
            var limit = (Vector512.Create(largest) + length + length) * Vector512.Create(largest * 1.2e-7f * 1.01f * (width + 8));
            (limit + Vector512.Create(1e-30f)).Store(limits + i);
            Vector512.Create(float.PositiveInfinity).Store(best + i);
            Vector512.Create(float.PositiveInfinity).Store(best + Rows + i);
            Vector512<float>.Zero.Store(best + (2 * Rows) + i);
        }
    }

    // 48 rows against 8 centres. No calls in here: the 24 sums would go to the stack and back in every round. Fused or not, what is left open is decided in 64
    // bits.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Compare(float* rows, float* panel, int width, int first, float* best)
    {
        Vector512<float> a0 = Vector512.Create(panel[0]), a1 = a0, a2 = a0, b0 = Vector512.Create(panel[1]), b1 = b0, b2 = b0,
            c0 = Vector512.Create(panel[2]), c1 = c0, c2 = c0, d0 = Vector512.Create(panel[3]), d1 = d0, d2 = d0,
            e0 = Vector512.Create(panel[4]), e1 = e0, e2 = e0, f0 = Vector512.Create(panel[5]), f1 = f0, f2 = f0,
            g0 = Vector512.Create(panel[6]), g1 = g0, g2 = g0, h0 = Vector512.Create(panel[7]), h1 = h0, h2 = h0;
        var end = rows + ((nint)width * Rows);
        for (panel += Group; rows < end; rows += Rows, panel += Group)
        {
            Vector512<float> x = Vector512.Load(rows), y = Vector512.Load(rows + 16), z = Vector512.Load(rows + 32);
            var by = Vector512.Create(panel[0]);
            a0 = Vector512.MultiplyAddEstimate(x, by, a0);
            a1 = Vector512.MultiplyAddEstimate(y, by, a1);
            a2 = Vector512.MultiplyAddEstimate(z, by, a2);
            by = Vector512.Create(panel[1]);
            b0 = Vector512.MultiplyAddEstimate(x, by, b0);
            b1 = Vector512.MultiplyAddEstimate(y, by, b1);
            b2 = Vector512.MultiplyAddEstimate(z, by, b2);
            by = Vector512.Create(panel[2]);
            c0 = Vector512.MultiplyAddEstimate(x, by, c0);
            c1 = Vector512.MultiplyAddEstimate(y, by, c1);
            c2 = Vector512.MultiplyAddEstimate(z, by, c2);
            by = Vector512.Create(panel[3]);
            d0 = Vector512.MultiplyAddEstimate(x, by, d0);
            d1 = Vector512.MultiplyAddEstimate(y, by, d1);
            d2 = Vector512.MultiplyAddEstimate(z, by, d2);
            by = Vector512.Create(panel[4]);
            e0 = Vector512.MultiplyAddEstimate(x, by, e0);
            e1 = Vector512.MultiplyAddEstimate(y, by, e1);
            e2 = Vector512.MultiplyAddEstimate(z, by, e2);
            by = Vector512.Create(panel[5]);
            f0 = Vector512.MultiplyAddEstimate(x, by, f0);
            f1 = Vector512.MultiplyAddEstimate(y, by, f1);
            f2 = Vector512.MultiplyAddEstimate(z, by, f2);
            by = Vector512.Create(panel[6]);
            g0 = Vector512.MultiplyAddEstimate(x, by, g0);
            g1 = Vector512.MultiplyAddEstimate(y, by, g1);
            g2 = Vector512.MultiplyAddEstimate(z, by, g2);
            by = Vector512.Create(panel[7]);
            h0 = Vector512.MultiplyAddEstimate(x, by, h0);
            h1 = Vector512.MultiplyAddEstimate(y, by, h1);
            h2 = Vector512.MultiplyAddEstimate(z, by, h2);
        }
        Keep(a0, b0, c0, d0, e0, f0, g0, h0, first, best);
        Keep(a1, b1, c1, d1, e1, f1, g1, h1, first, best + 16);
        Keep(a2, b2, c2, d2, e2, f2, g2, h2, first, best + 32);
    }

    // The best and the second best of 16 rows, after 8 more centres.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(
        Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d,
        Vector512<float> e, Vector512<float> f, Vector512<float> g, Vector512<float> h, int first, float* best)
    {
        var least = Vector512.Load(best);
        var second = Vector512.Load(best + Rows);
        var index = Vector512.Load((int*)(best + (2 * Rows)));
        Keep(a, first, ref least, ref second, ref index);
        Keep(b, first + 1, ref least, ref second, ref index);
        Keep(c, first + 2, ref least, ref second, ref index);
        Keep(d, first + 3, ref least, ref second, ref index);
        Keep(e, first + 4, ref least, ref second, ref index);
        Keep(f, first + 5, ref least, ref second, ref index);
        Keep(g, first + 6, ref least, ref second, ref index);
        Keep(h, first + 7, ref least, ref second, ref index);
        least.Store(best);
        second.Store(best + Rows);
        index.Store((int*)(best + (2 * Rows)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(Vector512<float> distance, int center, ref Vector512<float> least, ref Vector512<float> second, ref Vector512<int> index)
    {
        index = Vector512.ConditionalSelect(Vector512.LessThan(distance, least).AsInt32(), Vector512.Create(center), index);
        second = Vector512.MinNative(second, Vector512.MaxNative(distance, least));
        least = Vector512.MinNative(distance, least);
    }

    // Squared distances of a row to all centres, feature after feature: what decides.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Distances(double* row, int width, int count, double* columns, double* distances)
    {
        var k = 0;
        for (; k + 32 <= count; k += 32)
        {
            Vector512<double> a = Vector512<double>.Zero, b = a, c = a, d = a;
            var column = columns + k;
            for (var j = 0; j < width; j++, column += count)
            {
                var x = Vector512.Create(row[j]);
                var (p, q, r, s) = (x - Vector512.Load(column), x - Vector512.Load(column + 8), x - Vector512.Load(column + 16), x - Vector512.Load(column + 24));
                a += p * p;
                b += q * q;
                c += r * r;
                d += s * s;
            }
            a.Store(distances + k);
            b.Store(distances + k + 8);
            c.Store(distances + k + 16);
            d.Store(distances + k + 24);
        }
        for (; k < count; k += 8)
        {
            var a = Vector512<double>.Zero;
            var column = columns + k;
            for (var j = 0; j < width; j++, column += count)
            {
                var p = Vector512.Create(row[j]) - Vector512.Load(column);
                a += p * p;
            }
            a.Store(distances + k);
        }
    }
}
