using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dataflow.MLlib.NeighborKernels;

/// <summary>One feature's part of a distance, and how parts come together.</summary>
internal interface IDistanceTerm
{
    static abstract double Term(double query, double row);

    static abstract Vector256<double> Term(Vector256<double> query, Vector256<double> row);

    static abstract Vector512<double> Term(Vector512<double> query, Vector512<double> row);

    static abstract double Join(double left, double right);

    static abstract Vector256<double> Join(Vector256<double> left, Vector256<double> right);

    static abstract Vector512<double> Join(Vector512<double> left, Vector512<double> right);
}

/// <summary>
/// Distances that are reported: double precision, feature i joins sum i mod 16, and the sixteen sums come together by halves. Products are rounded before they are
/// added, so that the result has the same bits with any vector width, and with none.
/// </summary>
internal static unsafe class ExactDistances
{
    public static double Squared(float* query, float* row, int features) => Sum<SquaredTerm>(query, row, features);

    public static double Dot(float* query, float* row, int features) => Sum<ProductTerm>(query, row, features);

    public static double Manhattan(float* query, float* row, int features) => Sum<AbsoluteTerm>(query, row, features);

    public static double Chebyshev(float* query, float* row, int features) => Sum<LargestTerm>(query, row, features);

    public static double Unequal(float* query, float* row, int features) => Sum<UnequalTerm>(query, row, features);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Sum<T>(float* query, float* row, int features)
        where T : struct, IDistanceTerm
    {
        var lanes = stackalloc double[16];
        var i = 0;
        if (features >= 16)
        {
            var last = features - 15;
            if (Vector512.IsHardwareAccelerated)
            {
                Vector512<double> a = default, b = default;
                for (; i < last; i += 16)
                {
                    var (q0, q1) = Vector512.Widen(Vector512.Load(query + i));
                    var (r0, r1) = Vector512.Widen(Vector512.Load(row + i));
                    a = T.Join(a, T.Term(q0, r0));
                    b = T.Join(b, T.Term(q1, r1));
                }
                a.Store(lanes);
                b.Store(lanes + 8);
            }
            else
            {
                Vector256<double> a = default, b = default, c = default, d = default;
                for (; i < last; i += 16)
                {
                    var (q0, q1) = Vector256.Widen(Vector256.Load(query + i));
                    var (r0, r1) = Vector256.Widen(Vector256.Load(row + i));
                    a = T.Join(a, T.Term(q0, r0));
                    b = T.Join(b, T.Term(q1, r1));
                    var (q2, q3) = Vector256.Widen(Vector256.Load(query + i + 8));
                    var (r2, r3) = Vector256.Widen(Vector256.Load(row + i + 8));
                    c = T.Join(c, T.Term(q2, r2));
                    d = T.Join(d, T.Term(q3, r3));
                }
                a.Store(lanes);
                b.Store(lanes + 4);
                c.Store(lanes + 8);
                d.Store(lanes + 12);
            }
        }
        else
        {
            for (var lane = 0; lane < 16; lane++) lanes[lane] = 0;
        }
        for (; i < features; i++) lanes[i & 15] = T.Join(lanes[i & 15], T.Term(query[i], row[i]));
        for (var half = 8; half > 0; half >>= 1)
        {
            for (var lane = 0; lane < half; lane++) lanes[lane] = T.Join(lanes[lane], lanes[lane + half]);
        }
        return lanes[0];
    }

    private readonly struct SquaredTerm : IDistanceTerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static double Term(double query, double row) => (query - row) * (query - row);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<double> Term(Vector256<double> query, Vector256<double> row) => (query - row) * (query - row);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<double> Term(Vector512<double> query, Vector512<double> row) => (query - row) * (query - row);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static double Join(double left, double right) => left + right;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<double> Join(Vector256<double> left, Vector256<double> right) => left + right;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<double> Join(Vector512<double> left, Vector512<double> right) => left + right;
    }

    private readonly struct ProductTerm : IDistanceTerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static double Term(double query, double row) => query * row;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<double> Term(Vector256<double> query, Vector256<double> row) => query * row;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<double> Term(Vector512<double> query, Vector512<double> row) => query * row;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static double Join(double left, double right) => left + right;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<double> Join(Vector256<double> left, Vector256<double> right) => left + right;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<double> Join(Vector512<double> left, Vector512<double> right) => left + right;
    }

    private readonly struct AbsoluteTerm : IDistanceTerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static double Term(double query, double row) => Math.Abs(query - row);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<double> Term(Vector256<double> query, Vector256<double> row) => Vector256.Abs(query - row);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<double> Term(Vector512<double> query, Vector512<double> row) => Vector512.Abs(query - row);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static double Join(double left, double right) => left + right;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<double> Join(Vector256<double> left, Vector256<double> right) => left + right;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<double> Join(Vector512<double> left, Vector512<double> right) => left + right;
    }

    private readonly struct LargestTerm : IDistanceTerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static double Term(double query, double row) => Math.Abs(query - row);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<double> Term(Vector256<double> query, Vector256<double> row) => Vector256.Abs(query - row);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<double> Term(Vector512<double> query, Vector512<double> row) => Vector512.Abs(query - row);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static double Join(double left, double right) => Math.Max(left, right);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<double> Join(Vector256<double> left, Vector256<double> right) => Vector256.Max(left, right);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<double> Join(Vector512<double> left, Vector512<double> right) => Vector512.Max(left, right);
    }

    private readonly struct UnequalTerm : IDistanceTerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static double Term(double query, double row) => query == row ? 0 : 1;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<double> Term(Vector256<double> query, Vector256<double> row) =>
            Vector256.AndNot(Vector256<double>.One, Vector256.Equals(query, row));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<double> Term(Vector512<double> query, Vector512<double> row) =>
            Vector512.AndNot(Vector512<double>.One, Vector512.Equals(query, row));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static double Join(double left, double right) => left + right;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<double> Join(Vector256<double> left, Vector256<double> right) => left + right;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<double> Join(Vector512<double> left, Vector512<double> right) => left + right;
    }
}
