using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dataflow.MLlib.NeighborKernels;

/// <summary>One query against rows as they lie, in single precision: lower and upper ends that tell which rows are worth an exact distance. Leaf methods without a call.</summary>
internal static unsafe class ScanKernels
{
    /// <summary>Sums of squared differences.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Squared(float* query, float* rows, int count, int features, float* sums)
    {
        for (var r = 0; r < count; r++, rows += features)
        {
            var i = 0;
            Vector512<float> a = default, b = default, c = default, d = default;
            for (; i <= features - 64; i += 64)
            {
                var x = Vector512.Load(query + i) - Vector512.Load(rows + i);
                var y = Vector512.Load(query + i + 16) - Vector512.Load(rows + i + 16);
                var z = Vector512.Load(query + i + 32) - Vector512.Load(rows + i + 32);
                var w = Vector512.Load(query + i + 48) - Vector512.Load(rows + i + 48);
                a = Vector512.MultiplyAddEstimate(x, x, a);
                b = Vector512.MultiplyAddEstimate(y, y, b);
                c = Vector512.MultiplyAddEstimate(z, z, c);
                d = Vector512.MultiplyAddEstimate(w, w, d);
            }
            for (; i <= features - 16; i += 16)
            {
                var x = Vector512.Load(query + i) - Vector512.Load(rows + i);
                a = Vector512.MultiplyAddEstimate(x, x, a);
            }
            var sum = Vector512.Sum((a + b) + (c + d));
            for (; i < features; i++) sum += (query[i] - rows[i]) * (query[i] - rows[i]);
            sums[r] = sum;
        }
    }

    /// <summary>Inner products.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Dot(float* query, float* rows, int count, int features, float* sums)
    {
        for (var r = 0; r < count; r++, rows += features)
        {
            var i = 0;
            Vector512<float> a = default, b = default, c = default, d = default;
            for (; i <= features - 64; i += 64)
            {
                a = Vector512.MultiplyAddEstimate(Vector512.Load(query + i), Vector512.Load(rows + i), a);
                b = Vector512.MultiplyAddEstimate(Vector512.Load(query + i + 16), Vector512.Load(rows + i + 16), b);
                c = Vector512.MultiplyAddEstimate(Vector512.Load(query + i + 32), Vector512.Load(rows + i + 32), c);
                d = Vector512.MultiplyAddEstimate(Vector512.Load(query + i + 48), Vector512.Load(rows + i + 48), d);
            }
            for (; i <= features - 16; i += 16) a = Vector512.MultiplyAddEstimate(Vector512.Load(query + i), Vector512.Load(rows + i), a);
            var sum = Vector512.Sum((a + b) + (c + d));
            for (; i < features; i++) sum += query[i] * rows[i];
            sums[r] = sum;
        }
    }

    /// <summary>Sums of absolute differences.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Manhattan(float* query, float* rows, int count, int features, float* sums)
    {
        for (var r = 0; r < count; r++, rows += features)
        {
            var i = 0;
            Vector512<float> a = default, b = default;
            for (; i <= features - 32; i += 32)
            {
                a += Vector512.Abs(Vector512.Load(query + i) - Vector512.Load(rows + i));
                b += Vector512.Abs(Vector512.Load(query + i + 16) - Vector512.Load(rows + i + 16));
            }
            for (; i <= features - 16; i += 16) a += Vector512.Abs(Vector512.Load(query + i) - Vector512.Load(rows + i));
            var sum = Vector512.Sum(a + b);
            for (; i < features; i++) sum += Math.Abs(query[i] - rows[i]);
            sums[r] = sum;
        }
    }

    /// <summary>Largest absolute differences.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Chebyshev(float* query, float* rows, int count, int features, float* sums)
    {
        for (var r = 0; r < count; r++, rows += features)
        {
            var i = 0;
            Vector512<float> a = default;
            for (; i <= features - 16; i += 16) a = Vector512.MaxNative(a, Vector512.Abs(Vector512.Load(query + i) - Vector512.Load(rows + i)));
            var b = Vector256.MaxNative(a.GetLower(), a.GetUpper());
            var c = Vector128.MaxNative(b.GetLower(), b.GetUpper());
            var most = Math.Max(Math.Max(c[0], c[1]), Math.Max(c[2], c[3]));
            for (; i < features; i++) most = Math.Max(most, Math.Abs(query[i] - rows[i]));
            sums[r] = most;
        }
    }

    /// <summary>How many features differ.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Unequal(float* query, float* rows, int count, int features, float* sums)
    {
        for (var r = 0; r < count; r++, rows += features)
        {
            var i = 0;
            Vector512<int> equal = default;
            for (; i <= features - 16; i += 16) equal += Vector512.Equals(Vector512.Load(query + i), Vector512.Load(rows + i)).AsInt32();
            var different = i + Vector512.Sum(equal);
            for (; i < features; i++) different += query[i] == rows[i] ? 0 : 1;
            sums[r] = different;
        }
    }

    /// <summary>Jaccard's distances, rounded.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Jaccard(float* query, float* rows, int count, int features, float* sums)
    {
        for (var r = 0; r < count; r++, rows += features)
        {
            var (both, either) = SetCounts(query, rows, features);
            sums[r] = (float)(either - both) / Math.Max(1, either);
        }
    }

    /// <summary>How many features are not zero in both rows, and in one or the other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (int Both, int Either) SetCounts(float* query, float* row, int features)
    {
        var i = 0;
        Vector512<int> inNone = default, inBoth = default;
        for (; i <= features - 16; i += 16)
        {
            var noQuery = Vector512.Equals(Vector512.Load(query + i), Vector512<float>.Zero).AsInt32();
            var noRow = Vector512.Equals(Vector512.Load(row + i), Vector512<float>.Zero).AsInt32();
            inNone += noQuery & noRow;
            inBoth += ~(noQuery | noRow);
        }
        var (both, either) = (-Vector512.Sum(inBoth), i + Vector512.Sum(inNone));
        for (; i < features; i++)
        {
            both += query[i] != 0 & row[i] != 0 ? 1 : 0;
            either += query[i] != 0 | row[i] != 0 ? 1 : 0;
        }
        return (both, either);
    }

    /// <summary>The rows whose value times <paramref name="sign"/> is at most <paramref name="limit"/> plus a row's part of it; a row's NaN always passes.</summary>
    /// <returns>How many positions were written to <paramref name="passed"/>.</returns>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static int AtMost(float* sums, int count, float sign, float limit, float* lengths, float perLength, int* passed)
    {
        var found = 0;
        for (var r = 0; r < count; r++)
        {
            var right = lengths == null ? limit : limit + (perLength * lengths[r]);
            passed[found] = r;
            found += sign * sums[r] > right ? 0 : 1;
        }
        return found;
    }
}
