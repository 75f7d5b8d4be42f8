using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.TreeBins;
using Dataflow.MLlib.Trees;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.TreeGrowth;

/// <summary>
/// Gradients and hessians of the rows of a shard for one tree, as whole numbers: a row has 64 bits, the gradient (signed) in the high half, the hessian (not
/// negative) in the low half, each below 2^30. Sums of them are exact and do not depend on any order.
/// </summary>
/// <remarks>
/// <para>Histograms add numbers of fewer bits, so that both sums of all rows together fit in one 64-bit cell: bits that are too many are rounded away, up or down at
/// random by a hash of the row's number and the tree, so that what is small does not vanish but is right on average. How many bits is decided from sums over
/// all shards, and so overflow can't happen whatever the rows are.</para>
/// <para>Quantised gradients with unbiased rounding: Y. Shi et al. 2022, "Quantized Training of Gradient Boosting Decision Trees", section 3; with some ten bits more.</para>
/// </remarks>
internal sealed unsafe class Gradients : IDisposable
{
    /// <summary>Gradients and hessians of rows are at most this.</summary>
    public const int Limit = 1 << 30;

    private const uint GradientMix = 0x9E3779B1;
    private const uint HessianMix = 0x85EBCA77;
    private readonly NativeArray<long> values;
    private uint seed;

    public Gradients(int rows) => values = new(rows);

    /// <summary>A row's gradient and hessian.</summary>
    public long* Values => values.Pointer;

    /// <summary>What one unit of a row's gradient is worth.</summary>
    public double GradientUnit { get; private set; } = 1;

    /// <summary>What one unit of a row's hessian is worth.</summary>
    public double HessianUnit { get; private set; } = 1;

    /// <summary>Bits that histograms leave out of gradients.</summary>
    public int GradientShift { get; private set; }

    /// <summary>Bits that histograms leave out of hessians.</summary>
    public int HessianShift { get; private set; }

    /// <summary>What one unit of a gradient in a histogram is worth.</summary>
    public double GradientCell => Math.ScaleB(GradientUnit, GradientShift);

    /// <summary>What one unit of a hessian in a histogram is worth.</summary>
    public double HessianCell => Math.ScaleB(HessianUnit, HessianShift);

    /// <summary>Whether hessians are numbers of rows, and nothing is rounded.</summary>
    public bool AreCounts => HessianUnit == 1 && HessianShift == 0;

    /// <summary>The power of two that values up to <paramref name="bound"/> are multiplied with.</summary>
    public static double ScaleFor(double bound) => bound > 0 ? Math.ScaleB(1, 29 - Math.Clamp(Math.ILogB(bound), -900, 900)) : 1;

    /// <summary>Says how values were scaled, and decides how many bits histograms keep.</summary>
    /// <param name="gradientScale">A power of two.</param>
    /// <param name="hessianScale">A power of two.</param>
    /// <param name="gradientSum">Sum of the gradients' magnitudes over all rows of all shards.</param>
    /// <param name="hessianSum">Sum of the hessians.</param>
    /// <param name="rows">Rows of all shards.</param>
    /// <param name="treeSeed">Different for every tree.</param>
    public void Scale(double gradientScale, double hessianScale, long gradientSum, long hessianSum, long rows, ulong treeSeed)
    {
        (GradientUnit, HessianUnit) = (1 / gradientScale, 1 / hessianScale);
        GradientShift = ShiftFor(gradientSum, rows, int.MaxValue);
        HessianShift = ShiftFor(hessianSum, rows, uint.MaxValue);
        seed = (uint)treeSeed;
    }

    /// <summary>Makes one row count more than once.</summary>
    public void Multiply(int row, double factor)
    {
        var value = values.Pointer[row];
        values.Pointer[row] = ((long)Math.Round((value >> 32) * factor) << 32) | (uint)(long)Math.Round((uint)value * factor);
    }

    /// <summary>Decides again how many bits histograms keep, by the rows that take part.</summary>
    /// <param name="list">The rows.</param>
    /// <param name="count">How many.</param>
    /// <param name="rows">Rows of all shards that take part.</param>
    public void Scale(int* list, int count, long rows, ITreeGroup group)
    {
        var sums = new long[2];
        for (var k = 0; k < count; k++)
        {
            var value = values.Pointer[list[k]];
            sums[0] += Math.Abs(value >> 32);
            sums[1] += (uint)value;
        }
        group.AllReduceSum(sums);
        GradientShift = ShiftFor(sums[0], rows, int.MaxValue);
        HessianShift = ShiftFor(sums[1], rows, uint.MaxValue);
    }

    /// <summary>Rounds the gradients of rows to what histograms add.</summary>
    /// <param name="list">The rows, or null for <paramref name="first"/> and those after it.</param>
    /// <param name="numbers">The rows' numbers.</param>
    /// <param name="packed">Gets a cell a row.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Pack(int* list, int first, int count, RowNumbers numbers, long* packed)
    {
        var source = values.Pointer;
        if (list is null)
        {
            source += first;
            for (var k = 0; k < count; k++) packed[k] = source[k];
        }
        else
        {
            Gather(source, list, count, packed);
        }
        if (GradientShift == 0 && HessianShift == 0) return;

        // Rows ascend, and so do runs.
        for (var done = 0; done < count;)
        {
            var run = numbers.RunOf(list is null ? first + done : list[done]);
            var end = numbers.EndOf(run);
            var next = list is null ? Math.Min(count, end - first) : FirstFrom(list, done, count, end);
            RoundRun(list is null ? null : list + done, first + done, (int)numbers.OffsetOf(run), next - done, packed + done);
            done = next;
        }
    }

    public void Dispose() => values.Dispose();

    private static int ShiftFor(long sum, long rows, long most)
    {
        // Rounding up adds less than one a row. With more rows than a cell can count, the first rows could fill it by rounding alone.
        var room = most - rows;
        if (room <= rows) throw new NotSupportedException($"Trees can be trained on at most {most / 2:N0} rows; these are {rows:N0}. Train on a sample.");
        var shift = 0;
        while (sum >> shift > room) shift++;
        return shift;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gather(long* source, int* list, int count, long* packed)
    {
        const int Ahead = 32;
        var k = 0;
        for (; k < count - Ahead; k++)
        {
            if (System.Runtime.Intrinsics.X86.Sse.IsSupported) System.Runtime.Intrinsics.X86.Sse.Prefetch0(source + list[k + Ahead]);
            packed[k] = source[list[k]];
        }
        for (; k < count; k++) packed[k] = source[list[k]];
    }

    /// <summary>The first place in an ascending list, from <paramref name="from"/> on, of a row not before <paramref name="row"/>.</summary>
    private static int FirstFrom(int* list, int from, int count, int row)
    {
        if (list[count - 1] < row) return count;
        var at = new ReadOnlySpan<int>(list + from, count - from).BinarySearch(row);
        return from + (at >= 0 ? at : ~at);
    }

    /// <summary>Rounds the gradients of rows whose numbers are <paramref name="offset"/> above them.</summary>
    private void RoundRun(int* list, int first, int offset, int count, long* packed)
    {
        var done = Vector512.IsHardwareAccelerated ? RoundVectors(list, first + offset, offset, count, packed) : 0;
        for (var k = done; k < count; k++) packed[k] = Round(packed[k], (uint)((list is null ? first + k : list[k]) + offset));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long Round(long value, uint number)
    {
        var gradient = ((int)(value >> 32) + (int)(Mix(number, GradientMix) & ((1u << GradientShift) - 1))) >> GradientShift;
        var hessian = ((int)value + (int)(Mix(number, HessianMix) & ((1u << HessianShift) - 1))) >> HessianShift;
        return ((long)gradient << 32) | (uint)hessian;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint Mix(uint number, uint constant)
    {
        var x = (number ^ seed) * constant;
        x ^= x >> 15;
        x *= 0xC2B2AE35;
        return x ^ (x >> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int RoundVectors(int* list, int number, int offset, int count, long* packed)
    {
        var mixers = Vector512.Create(((ulong)GradientMix << 32) | HessianMix).AsUInt32();
        var masks = Vector512.Create(((((1UL << GradientShift) - 1) & uint.MaxValue) << 32) | ((1UL << HessianShift) - 1)).AsUInt32();
        var seeds = Vector512.Create(seed);
        var again = Vector512.Create(0xC2B2AE35);
        var high = Vector512.Create(0xFFFFFFFF_00000000UL).AsInt32();
        var k = 0;
        for (; k + 8 <= count; k += 8)
        {
            Vector256<int> rows;
            if (list is null) rows = Vector256.Create(number + k) + Vector256.Create(0, 1, 2, 3, 4, 5, 6, 7);
            else rows = Vector256.Load(list + k) + Vector256.Create(offset);
            var wide = Vector512.Create(Vector256.WidenLower(rows.AsUInt32()), Vector256.WidenUpper(rows.AsUInt32()));
            var x = ((wide | (wide << 32)).AsUInt32() ^ seeds) * mixers;
            x ^= x >>> 15;
            x *= again;
            x ^= x >>> 16;
            var sum = (Vector512.Load(packed + k).AsUInt32() + (x & masks)).AsInt32();
            Vector512.Store(Vector512.ConditionalSelect(high, sum >> GradientShift, sum >> HessianShift).AsInt64(), packed + k);
        }
        return k;
    }
}
