using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dataflow.MLlib.NeighborKernels;

/// <summary>
/// Inner products like those of <see cref="Tiles"/>, of 16-bit whole numbers: two features an instruction and lane, twice the rate of floats, and exact. Leaf methods
/// without a call.
/// </summary>
/// <remarks>Panel: for each pair of features, the two values of each of its rows, then the next pair. No sum of products passes 31 bits: the lengths of both sides see to
/// that (<see cref="Panels"/>).</remarks>
internal static unsafe class WholeTiles
{
    /// <summary>Whether this processor has the instructions.</summary>
    public static bool AreFast => Vector512.IsHardwareAccelerated ? Avx512BW.IsSupported : Vector256.IsHardwareAccelerated ? Avx2.IsSupported : Sse2.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(short* queries, short* rows, int pairs, int* sums, bool resume)
    {
        if (Vector512.IsHardwareAccelerated) Run512(queries, rows, pairs, sums, resume);
        else if (Vector256.IsHardwareAccelerated) Run256(queries, rows, pairs, sums, resume);
        else Run128(queries, rows, pairs, sums, resume);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Below(int* sums, float* offsets, float* factors, float* thresholds)
    {
        if (Vector512.IsHardwareAccelerated) return Below512(sums, offsets, factors, thresholds);
        if (Vector256.IsHardwareAccelerated) return Below256(sums, offsets, factors, thresholds);
        return Below128(sums, offsets, factors, thresholds);
    }

    /// <summary>8 queries against 48 rows with vectors of 512 bits.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Run512(short* queries, short* rows, int pairs, int* sums, bool resume)
    {
        Vector512<int> s00, s01, s02, s10, s11, s12, s20, s21, s22, s30, s31, s32,
            s40, s41, s42, s50, s51, s52, s60, s61, s62, s70, s71, s72;
        if (resume)
        {
            s00 = Vector512.LoadAligned(sums + 0);
            s01 = Vector512.LoadAligned(sums + 16);
            s02 = Vector512.LoadAligned(sums + 32);
            s10 = Vector512.LoadAligned(sums + 48);
            s11 = Vector512.LoadAligned(sums + 64);
            s12 = Vector512.LoadAligned(sums + 80);
            s20 = Vector512.LoadAligned(sums + 96);
            s21 = Vector512.LoadAligned(sums + 112);
            s22 = Vector512.LoadAligned(sums + 128);
            s30 = Vector512.LoadAligned(sums + 144);
            s31 = Vector512.LoadAligned(sums + 160);
            s32 = Vector512.LoadAligned(sums + 176);
            s40 = Vector512.LoadAligned(sums + 192);
            s41 = Vector512.LoadAligned(sums + 208);
            s42 = Vector512.LoadAligned(sums + 224);
            s50 = Vector512.LoadAligned(sums + 240);
            s51 = Vector512.LoadAligned(sums + 256);
            s52 = Vector512.LoadAligned(sums + 272);
            s60 = Vector512.LoadAligned(sums + 288);
            s61 = Vector512.LoadAligned(sums + 304);
            s62 = Vector512.LoadAligned(sums + 320);
            s70 = Vector512.LoadAligned(sums + 336);
            s71 = Vector512.LoadAligned(sums + 352);
            s72 = Vector512.LoadAligned(sums + 368);
        }
        else
        {
            s00 = s01 = s02 = default;
            s10 = s11 = s12 = default;
            s20 = s21 = s22 = default;
            s30 = s31 = s32 = default;
            s40 = s41 = s42 = default;
            s50 = s51 = s52 = default;
            s60 = s61 = s62 = default;
            s70 = s71 = s72 = default;
        }
        for (var end = queries + ((long)pairs * 16); queries < end; queries += 16, rows += 96)
        {
            var r0 = Vector512.LoadAligned(rows);
            var r1 = Vector512.LoadAligned(rows + 32);
            var r2 = Vector512.LoadAligned(rows + 64);
            var q = Vector512.Create(((int*)queries)[0]).AsInt16();
            s00 += Avx512BW.MultiplyAddAdjacent(q, r0);
            s01 += Avx512BW.MultiplyAddAdjacent(q, r1);
            s02 += Avx512BW.MultiplyAddAdjacent(q, r2);
            q = Vector512.Create(((int*)queries)[1]).AsInt16();
            s10 += Avx512BW.MultiplyAddAdjacent(q, r0);
            s11 += Avx512BW.MultiplyAddAdjacent(q, r1);
            s12 += Avx512BW.MultiplyAddAdjacent(q, r2);
            q = Vector512.Create(((int*)queries)[2]).AsInt16();
            s20 += Avx512BW.MultiplyAddAdjacent(q, r0);
            s21 += Avx512BW.MultiplyAddAdjacent(q, r1);
            s22 += Avx512BW.MultiplyAddAdjacent(q, r2);
            q = Vector512.Create(((int*)queries)[3]).AsInt16();
            s30 += Avx512BW.MultiplyAddAdjacent(q, r0);
            s31 += Avx512BW.MultiplyAddAdjacent(q, r1);
            s32 += Avx512BW.MultiplyAddAdjacent(q, r2);
            q = Vector512.Create(((int*)queries)[4]).AsInt16();
            s40 += Avx512BW.MultiplyAddAdjacent(q, r0);
            s41 += Avx512BW.MultiplyAddAdjacent(q, r1);
            s42 += Avx512BW.MultiplyAddAdjacent(q, r2);
            q = Vector512.Create(((int*)queries)[5]).AsInt16();
            s50 += Avx512BW.MultiplyAddAdjacent(q, r0);
            s51 += Avx512BW.MultiplyAddAdjacent(q, r1);
            s52 += Avx512BW.MultiplyAddAdjacent(q, r2);
            q = Vector512.Create(((int*)queries)[6]).AsInt16();
            s60 += Avx512BW.MultiplyAddAdjacent(q, r0);
            s61 += Avx512BW.MultiplyAddAdjacent(q, r1);
            s62 += Avx512BW.MultiplyAddAdjacent(q, r2);
            q = Vector512.Create(((int*)queries)[7]).AsInt16();
            s70 += Avx512BW.MultiplyAddAdjacent(q, r0);
            s71 += Avx512BW.MultiplyAddAdjacent(q, r1);
            s72 += Avx512BW.MultiplyAddAdjacent(q, r2);
        }
        s00.StoreAligned(sums + 0);
        s01.StoreAligned(sums + 16);
        s02.StoreAligned(sums + 32);
        s10.StoreAligned(sums + 48);
        s11.StoreAligned(sums + 64);
        s12.StoreAligned(sums + 80);
        s20.StoreAligned(sums + 96);
        s21.StoreAligned(sums + 112);
        s22.StoreAligned(sums + 128);
        s30.StoreAligned(sums + 144);
        s31.StoreAligned(sums + 160);
        s32.StoreAligned(sums + 176);
        s40.StoreAligned(sums + 192);
        s41.StoreAligned(sums + 208);
        s42.StoreAligned(sums + 224);
        s50.StoreAligned(sums + 240);
        s51.StoreAligned(sums + 256);
        s52.StoreAligned(sums + 272);
        s60.StoreAligned(sums + 288);
        s61.StoreAligned(sums + 304);
        s62.StoreAligned(sums + 320);
        s70.StoreAligned(sums + 336);
        s71.StoreAligned(sums + 352);
        s72.StoreAligned(sums + 368);
    }

    /// <summary>4 queries against 24 rows with vectors of 256 bits.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Run256(short* queries, short* rows, int pairs, int* sums, bool resume)
    {
        Vector256<int> s00, s01, s02, s10, s11, s12,
            s20, s21, s22, s30, s31, s32;
        if (resume)
        {
            s00 = Vector256.LoadAligned(sums + 0);
            s01 = Vector256.LoadAligned(sums + 8);
            s02 = Vector256.LoadAligned(sums + 16);
            s10 = Vector256.LoadAligned(sums + 24);
            s11 = Vector256.LoadAligned(sums + 32);
            s12 = Vector256.LoadAligned(sums + 40);
            s20 = Vector256.LoadAligned(sums + 48);
            s21 = Vector256.LoadAligned(sums + 56);
            s22 = Vector256.LoadAligned(sums + 64);
            s30 = Vector256.LoadAligned(sums + 72);
            s31 = Vector256.LoadAligned(sums + 80);
            s32 = Vector256.LoadAligned(sums + 88);
        }
        else
        {
            s00 = s01 = s02 = default;
            s10 = s11 = s12 = default;
            s20 = s21 = s22 = default;
            s30 = s31 = s32 = default;
        }
        for (var end = queries + ((long)pairs * 8); queries < end; queries += 8, rows += 48)
        {
            var q = Vector256.Create(((int*)queries)[0]).AsInt16();
            s00 += Avx2.MultiplyAddAdjacent(q, Vector256.LoadAligned(rows));
            s01 += Avx2.MultiplyAddAdjacent(q, Vector256.LoadAligned(rows + 16));
            s02 += Avx2.MultiplyAddAdjacent(q, Vector256.LoadAligned(rows + 32));
            q = Vector256.Create(((int*)queries)[1]).AsInt16();
            s10 += Avx2.MultiplyAddAdjacent(q, Vector256.LoadAligned(rows));
            s11 += Avx2.MultiplyAddAdjacent(q, Vector256.LoadAligned(rows + 16));
            s12 += Avx2.MultiplyAddAdjacent(q, Vector256.LoadAligned(rows + 32));
            q = Vector256.Create(((int*)queries)[2]).AsInt16();
            s20 += Avx2.MultiplyAddAdjacent(q, Vector256.LoadAligned(rows));
            s21 += Avx2.MultiplyAddAdjacent(q, Vector256.LoadAligned(rows + 16));
            s22 += Avx2.MultiplyAddAdjacent(q, Vector256.LoadAligned(rows + 32));
            q = Vector256.Create(((int*)queries)[3]).AsInt16();
            s30 += Avx2.MultiplyAddAdjacent(q, Vector256.LoadAligned(rows));
            s31 += Avx2.MultiplyAddAdjacent(q, Vector256.LoadAligned(rows + 16));
            s32 += Avx2.MultiplyAddAdjacent(q, Vector256.LoadAligned(rows + 32));
        }
        s00.StoreAligned(sums + 0);
        s01.StoreAligned(sums + 8);
        s02.StoreAligned(sums + 16);
        s10.StoreAligned(sums + 24);
        s11.StoreAligned(sums + 32);
        s12.StoreAligned(sums + 40);
        s20.StoreAligned(sums + 48);
        s21.StoreAligned(sums + 56);
        s22.StoreAligned(sums + 64);
        s30.StoreAligned(sums + 72);
        s31.StoreAligned(sums + 80);
        s32.StoreAligned(sums + 88);
    }

    /// <summary>4 queries against 8 rows with vectors of 128 bits.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Run128(short* queries, short* rows, int pairs, int* sums, bool resume)
    {
        Vector128<int> s00, s01, s10, s11,
            s20, s21, s30, s31;
        if (resume)
        {
            s00 = Vector128.LoadAligned(sums + 0);
            s01 = Vector128.LoadAligned(sums + 4);
            s10 = Vector128.LoadAligned(sums + 8);
            s11 = Vector128.LoadAligned(sums + 12);
            s20 = Vector128.LoadAligned(sums + 16);
            s21 = Vector128.LoadAligned(sums + 20);
            s30 = Vector128.LoadAligned(sums + 24);
            s31 = Vector128.LoadAligned(sums + 28);
        }
        else
        {
            s00 = s01 = default;
            s10 = s11 = default;
            s20 = s21 = default;
            s30 = s31 = default;
        }
        for (var end = queries + ((long)pairs * 8); queries < end; queries += 8, rows += 16)
        {
            var q = Vector128.Create(((int*)queries)[0]).AsInt16();
            s00 += Sse2.MultiplyAddAdjacent(q, Vector128.LoadAligned(rows));
            s01 += Sse2.MultiplyAddAdjacent(q, Vector128.LoadAligned(rows + 8));
            q = Vector128.Create(((int*)queries)[1]).AsInt16();
            s10 += Sse2.MultiplyAddAdjacent(q, Vector128.LoadAligned(rows));
            s11 += Sse2.MultiplyAddAdjacent(q, Vector128.LoadAligned(rows + 8));
            q = Vector128.Create(((int*)queries)[2]).AsInt16();
            s20 += Sse2.MultiplyAddAdjacent(q, Vector128.LoadAligned(rows));
            s21 += Sse2.MultiplyAddAdjacent(q, Vector128.LoadAligned(rows + 8));
            q = Vector128.Create(((int*)queries)[3]).AsInt16();
            s30 += Sse2.MultiplyAddAdjacent(q, Vector128.LoadAligned(rows));
            s31 += Sse2.MultiplyAddAdjacent(q, Vector128.LoadAligned(rows + 8));
        }
        s00.StoreAligned(sums + 0);
        s01.StoreAligned(sums + 4);
        s10.StoreAligned(sums + 8);
        s11.StoreAligned(sums + 12);
        s20.StoreAligned(sums + 16);
        s21.StoreAligned(sums + 20);
        s30.StoreAligned(sums + 24);
        s31.StoreAligned(sums + 28);
    }

    /// <summary>Which of 8 queries have a value below their threshold: a bit each.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static int Below512(int* sums, float* offsets, float* factors, float* thresholds)
    {
        var o0 = Vector512.LoadAligned(offsets);
        var o1 = Vector512.LoadAligned(offsets + 16);
        var o2 = Vector512.LoadAligned(offsets + 32);
        var below = 0;
        for (var r = 0; r < 8; r++, sums += 48)
        {
            var factor = Vector512.Create(factors[r]);
            var least = Vector512.MultiplyAddEstimate(Vector512.ConvertToSingle(Vector512.LoadAligned(sums)), factor, o0);
            least = Vector512.MinNative(least, Vector512.MultiplyAddEstimate(Vector512.ConvertToSingle(Vector512.LoadAligned(sums + 16)), factor, o1));
            least = Vector512.MinNative(least, Vector512.MultiplyAddEstimate(Vector512.ConvertToSingle(Vector512.LoadAligned(sums + 32)), factor, o2));
            if (Vector512.LessThanAny(least, Vector512.Create(thresholds[r]))) below |= 1 << r;
        }
        return below;
    }

    /// <summary>Which of 4 queries have a value below their threshold: a bit each.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static int Below256(int* sums, float* offsets, float* factors, float* thresholds)
    {
        var o0 = Vector256.LoadAligned(offsets);
        var o1 = Vector256.LoadAligned(offsets + 8);
        var o2 = Vector256.LoadAligned(offsets + 16);
        var below = 0;
        for (var r = 0; r < 4; r++, sums += 24)
        {
            var factor = Vector256.Create(factors[r]);
            var least = Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle(Vector256.LoadAligned(sums)), factor, o0);
            least = Vector256.MinNative(least, Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle(Vector256.LoadAligned(sums + 8)), factor, o1));
            least = Vector256.MinNative(least, Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle(Vector256.LoadAligned(sums + 16)), factor, o2));
            if (Vector256.LessThanAny(least, Vector256.Create(thresholds[r]))) below |= 1 << r;
        }
        return below;
    }

    /// <summary>Which of 4 queries have a value below their threshold: a bit each.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static int Below128(int* sums, float* offsets, float* factors, float* thresholds)
    {
        var o0 = Vector128.LoadAligned(offsets);
        var o1 = Vector128.LoadAligned(offsets + 4);
        var below = 0;
        for (var r = 0; r < 4; r++, sums += 8)
        {
            var factor = Vector128.Create(factors[r]);
            var least = Vector128.MultiplyAddEstimate(Vector128.ConvertToSingle(Vector128.LoadAligned(sums)), factor, o0);
            least = Vector128.MinNative(least, Vector128.MultiplyAddEstimate(Vector128.ConvertToSingle(Vector128.LoadAligned(sums + 4)), factor, o1));
            if (Vector128.LessThanAny(least, Vector128.Create(thresholds[r]))) below |= 1 << r;
        }
        return below;
    }
}
