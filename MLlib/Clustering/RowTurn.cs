using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Dataflow.MLlib.Linalg;

namespace Dataflow.MLlib.Clustering;

/// <summary>Turns rows of 64 bits into columns of 32: column j of row i goes to j x stride + i.</summary>
internal static unsafe class RowTurn
{
    /// <summary>Turns rows.</summary>
    /// <param name="rows">rows x width.</param>
    /// <param name="width">Columns.</param>
    /// <param name="count">Rows.</param>
    /// <param name="readable">Rows behind whose start <see cref="Lanes.Padded"/> columns can be read.</param>
    /// <param name="columns">Padded width x stride; what is beyond rows and columns holds anything after.</param>
    /// <param name="stride">At least the rows, rounded up to eight.</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Turn(double* rows, int width, int count, int readable, float* columns, int stride)
    {
        var i = 0;
        if (Avx.IsSupported)
        {
            for (; i + 8 <= Math.Min(count, readable); i += 8)
            {
                for (var j = 0; j < width; j += 8) TurnEight(rows + ((nint)i * width) + j, width, columns + ((nint)j * stride) + i, stride);
            }
        }
        for (; i < count; i++)
        {
            var row = rows + ((nint)i * width);
            for (var j = 0; j < width; j++) columns[((nint)j * stride) + i] = (float)row[j];
        }
    }

    // Pairs of neighbours, then fours, then halves change places.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TurnEight(double* from, int width, float* to, int stride)
    {
        Vector256<float> a = Load(from), b = Load(from + width), c = Load(from + (2 * (nint)width)), d = Load(from + (3 * (nint)width)),
            e = Load(from + (4 * (nint)width)), f = Load(from + (5 * (nint)width)), g = Load(from + (6 * (nint)width)), h = Load(from + (7 * (nint)width));
        Vector256<float> ab0 = Avx.UnpackLow(a, b), ab1 = Avx.UnpackHigh(a, b), cd0 = Avx.UnpackLow(c, d), cd1 = Avx.UnpackHigh(c, d),
            ef0 = Avx.UnpackLow(e, f), ef1 = Avx.UnpackHigh(e, f), gh0 = Avx.UnpackLow(g, h), gh1 = Avx.UnpackHigh(g, h);
        Vector256<float> p0 = Avx.Shuffle(ab0, cd0, 0x44), p1 = Avx.Shuffle(ab0, cd0, 0xEE), p2 = Avx.Shuffle(ab1, cd1, 0x44), p3 = Avx.Shuffle(ab1, cd1, 0xEE),
            q0 = Avx.Shuffle(ef0, gh0, 0x44), q1 = Avx.Shuffle(ef0, gh0, 0xEE), q2 = Avx.Shuffle(ef1, gh1, 0x44), q3 = Avx.Shuffle(ef1, gh1, 0xEE);
        Avx.Permute2x128(p0, q0, 0x20).Store(to);
        Avx.Permute2x128(p1, q1, 0x20).Store(to + stride);
        Avx.Permute2x128(p2, q2, 0x20).Store(to + (2 * (nint)stride));
        Avx.Permute2x128(p3, q3, 0x20).Store(to + (3 * (nint)stride));
        Avx.Permute2x128(p0, q0, 0x31).Store(to + (4 * (nint)stride));
        Avx.Permute2x128(p1, q1, 0x31).Store(to + (5 * (nint)stride));
        Avx.Permute2x128(p2, q2, 0x31).Store(to + (6 * (nint)stride));
        Avx.Permute2x128(p3, q3, 0x31).Store(to + (7 * (nint)stride));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Load(double* from) => Avx512F.IsSupported
        ? Avx512F.ConvertToVector256Single(Vector512.Load(from))
        : Vector256.Create(Avx.ConvertToVector128Single(Vector256.Load(from)), Avx.ConvertToVector128Single(Vector256.Load(from + 4)));
}
