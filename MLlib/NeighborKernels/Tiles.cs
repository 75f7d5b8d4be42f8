using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dataflow.MLlib.NeighborKernels;

/// <summary>
/// Inner products of a few queries with a panel of rows, all sums in registers. Leaf methods without a call: with one, even on a cold path, the JIT writes every sum
/// to the stack at every feature. They filter, so they may fuse multiplication and addition.
/// </summary>
/// <remarks>Panel: for each feature, the values of all its rows, then the next feature. Sums: queries x rows of a panel; <c>resume</c> adds to what is there, so that
/// long vectors can be taken in pieces that stay in the first-level cache.</remarks>
internal static unsafe class Tiles
{
    /// <summary>Queries of a tile.</summary>
    public static int Queries { get; } = Vector512.IsHardwareAccelerated ? 8 : 4;

    /// <summary>Rows of a panel.</summary>
    public static int Rows { get; } = Vector512.IsHardwareAccelerated ? 48 : Vector256.IsHardwareAccelerated ? 24 : 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(float* queries, float* rows, int features, float* sums, bool resume)
    {
        if (Vector512.IsHardwareAccelerated) Run512(queries, rows, features, sums, resume);
        else if (Vector256.IsHardwareAccelerated) Run256(queries, rows, features, sums, resume);
        else Run128(queries, rows, features, sums, resume);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Below(float* sums, float* offsets, float* thresholds)
    {
        if (Vector512.IsHardwareAccelerated) return Below512(sums, offsets, thresholds);
        if (Vector256.IsHardwareAccelerated) return Below256(sums, offsets, thresholds);
        return Below128(sums, offsets, thresholds);
    }

    /// <summary>8 queries against 48 rows: 32 registers of 512 bits hold 24 sums, three vectors of rows and a query's value.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Run512(float* queries, float* rows, int features, float* sums, bool resume)
    {
        Vector512<float> s00, s01, s02, s10, s11, s12, s20, s21, s22, s30, s31, s32,
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
        for (var end = queries + ((long)features * 8); queries < end; queries += 8, rows += 48)
        {
            var r0 = Vector512.LoadAligned(rows);
            var r1 = Vector512.LoadAligned(rows + 16);
            var r2 = Vector512.LoadAligned(rows + 32);
            var q = Vector512.Create(queries[0]);
            s00 = Vector512.MultiplyAddEstimate(q, r0, s00);
            s01 = Vector512.MultiplyAddEstimate(q, r1, s01);
            s02 = Vector512.MultiplyAddEstimate(q, r2, s02);
            q = Vector512.Create(queries[1]);
            s10 = Vector512.MultiplyAddEstimate(q, r0, s10);
            s11 = Vector512.MultiplyAddEstimate(q, r1, s11);
            s12 = Vector512.MultiplyAddEstimate(q, r2, s12);
            q = Vector512.Create(queries[2]);
            s20 = Vector512.MultiplyAddEstimate(q, r0, s20);
            s21 = Vector512.MultiplyAddEstimate(q, r1, s21);
            s22 = Vector512.MultiplyAddEstimate(q, r2, s22);
            q = Vector512.Create(queries[3]);
            s30 = Vector512.MultiplyAddEstimate(q, r0, s30);
            s31 = Vector512.MultiplyAddEstimate(q, r1, s31);
            s32 = Vector512.MultiplyAddEstimate(q, r2, s32);
            q = Vector512.Create(queries[4]);
            s40 = Vector512.MultiplyAddEstimate(q, r0, s40);
            s41 = Vector512.MultiplyAddEstimate(q, r1, s41);
            s42 = Vector512.MultiplyAddEstimate(q, r2, s42);
            q = Vector512.Create(queries[5]);
            s50 = Vector512.MultiplyAddEstimate(q, r0, s50);
            s51 = Vector512.MultiplyAddEstimate(q, r1, s51);
            s52 = Vector512.MultiplyAddEstimate(q, r2, s52);
            q = Vector512.Create(queries[6]);
            s60 = Vector512.MultiplyAddEstimate(q, r0, s60);
            s61 = Vector512.MultiplyAddEstimate(q, r1, s61);
            s62 = Vector512.MultiplyAddEstimate(q, r2, s62);
            q = Vector512.Create(queries[7]);
            s70 = Vector512.MultiplyAddEstimate(q, r0, s70);
            s71 = Vector512.MultiplyAddEstimate(q, r1, s71);
            s72 = Vector512.MultiplyAddEstimate(q, r2, s72);
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
    public static void Run256(float* queries, float* rows, int features, float* sums, bool resume)
    {
        Vector256<float> s00, s01, s02, s10, s11, s12,
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
        for (var end = queries + ((long)features * 4); queries < end; queries += 4, rows += 24)
        {
            var r0 = Vector256.LoadAligned(rows);
            var r1 = Vector256.LoadAligned(rows + 8);
            var r2 = Vector256.LoadAligned(rows + 16);
            var q = Vector256.Create(queries[0]);
            s00 = Vector256.MultiplyAddEstimate(q, r0, s00);
            s01 = Vector256.MultiplyAddEstimate(q, r1, s01);
            s02 = Vector256.MultiplyAddEstimate(q, r2, s02);
            q = Vector256.Create(queries[1]);
            s10 = Vector256.MultiplyAddEstimate(q, r0, s10);
            s11 = Vector256.MultiplyAddEstimate(q, r1, s11);
            s12 = Vector256.MultiplyAddEstimate(q, r2, s12);
            q = Vector256.Create(queries[2]);
            s20 = Vector256.MultiplyAddEstimate(q, r0, s20);
            s21 = Vector256.MultiplyAddEstimate(q, r1, s21);
            s22 = Vector256.MultiplyAddEstimate(q, r2, s22);
            q = Vector256.Create(queries[3]);
            s30 = Vector256.MultiplyAddEstimate(q, r0, s30);
            s31 = Vector256.MultiplyAddEstimate(q, r1, s31);
            s32 = Vector256.MultiplyAddEstimate(q, r2, s32);
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
    public static void Run128(float* queries, float* rows, int features, float* sums, bool resume)
    {
        Vector128<float> s00, s01, s10, s11,
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
        for (var end = queries + ((long)features * 4); queries < end; queries += 4, rows += 8)
        {
            var r0 = Vector128.LoadAligned(rows);
            var r1 = Vector128.LoadAligned(rows + 4);
            var q = Vector128.Create(queries[0]);
            s00 = Vector128.MultiplyAddEstimate(q, r0, s00);
            s01 = Vector128.MultiplyAddEstimate(q, r1, s01);
            q = Vector128.Create(queries[1]);
            s10 = Vector128.MultiplyAddEstimate(q, r0, s10);
            s11 = Vector128.MultiplyAddEstimate(q, r1, s11);
            q = Vector128.Create(queries[2]);
            s20 = Vector128.MultiplyAddEstimate(q, r0, s20);
            s21 = Vector128.MultiplyAddEstimate(q, r1, s21);
            q = Vector128.Create(queries[3]);
            s30 = Vector128.MultiplyAddEstimate(q, r0, s30);
            s31 = Vector128.MultiplyAddEstimate(q, r1, s31);
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

    /// <summary>Which of 8 queries have a sum below their threshold: a bit each. What is behind the rows of a panel has infinite offsets.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static int Below512(float* sums, float* offsets, float* thresholds)
    {
        var o0 = Vector512.LoadAligned(offsets);
        var o1 = Vector512.LoadAligned(offsets + 16);
        var o2 = Vector512.LoadAligned(offsets + 32);
        var below = 0;
        for (var r = 0; r < 8; r++, sums += 48)
        {
            var least = Vector512.MinNative(Vector512.MinNative(o0 + Vector512.LoadAligned(sums), o1 + Vector512.LoadAligned(sums + 16)), o2 + Vector512.LoadAligned(sums + 32));
            if (Vector512.LessThanAny(least, Vector512.Create(thresholds[r]))) below |= 1 << r;
        }
        return below;
    }

    /// <summary>Which of 4 queries have a sum below their threshold: a bit each. What is behind the rows of a panel has infinite offsets.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static int Below256(float* sums, float* offsets, float* thresholds)
    {
        var o0 = Vector256.LoadAligned(offsets);
        var o1 = Vector256.LoadAligned(offsets + 8);
        var o2 = Vector256.LoadAligned(offsets + 16);
        var below = 0;
        for (var r = 0; r < 4; r++, sums += 24)
        {
            var least = Vector256.MinNative(Vector256.MinNative(o0 + Vector256.LoadAligned(sums), o1 + Vector256.LoadAligned(sums + 8)), o2 + Vector256.LoadAligned(sums + 16));
            if (Vector256.LessThanAny(least, Vector256.Create(thresholds[r]))) below |= 1 << r;
        }
        return below;
    }

    /// <summary>Which of 4 queries have a sum below their threshold: a bit each. What is behind the rows of a panel has infinite offsets.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static int Below128(float* sums, float* offsets, float* thresholds)
    {
        var o0 = Vector128.LoadAligned(offsets);
        var o1 = Vector128.LoadAligned(offsets + 4);
        var below = 0;
        for (var r = 0; r < 4; r++, sums += 8)
        {
            var least = Vector128.MinNative(o0 + Vector128.LoadAligned(sums), o1 + Vector128.LoadAligned(sums + 4));
            if (Vector128.LessThanAny(least, Vector128.Create(thresholds[r]))) below |= 1 << r;
        }
        return below;
    }
}
