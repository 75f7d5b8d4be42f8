using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>Sums of the rows of a vector whose bits are set.</summary>
internal static unsafe class MaskedSums
{
    /// <summary>The rows that count and are not null, of 64.</summary>
    public static ulong Word(ulong* mask, ColumnVector vector, int word, int rows)
    {
        var bits = Bits.Word(mask, word, rows);
        if (vector.Validity == null) return bits;
        if (vector.Form == VectorForm.Constant) return (*vector.Validity & 1) != 0 ? bits : 0;
        return bits & vector.Validity[word];
    }

    /// <summary>How many rows count and are not null.</summary>
    public static long Count(ulong* mask, ColumnVector vector, int rows)
    {
        var count = 0L;
        for (var word = 0; word < Bits.Words(rows); word++) count += BitOperations.PopCount(Word(mask, vector, word, rows));
        return count;
    }

    /// <summary>The exact sum of integers or unscaled decimals.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Int128 Exact(ulong* mask, ColumnVector vector, int rows, out long count)
    {
        if (vector.Form == VectorForm.Constant)
        {
            count = Count(mask, vector, rows);
            return Times(new WideOperand(vector)[0], count);
        }
        if (vector.Form == VectorForm.Flat && vector.Type.Physical == PhysicalType.Int64 && Vector256.IsHardwareAccelerated)
        {
            if (Vector512.IsHardwareAccelerated && vector.Bounds is { } bounds && bounds.Magnitude <= long.MaxValue / ColumnBatch.MaxRows)
                return Bounded(mask, vector, rows, out count);
            return Longs(mask, vector, rows, out count);
        }
        count = 0;
        var values = new WideOperand(vector);
        Int128 sum = 0;
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            var bits = Word(mask, vector, word, rows);
            count += BitOperations.PopCount(bits);
            for (; bits != 0; bits &= bits - 1) sum = ExactSums.Sum(sum, values[(word << 6) + BitOperations.TrailingZeroCount(bits)]);
        }
        return sum;
    }

    /// <summary>The sum of floating-point numbers, in as many parts as a register has lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Doubles(ulong* mask, ColumnVector vector, int rows, out long count)
    {
        count = 0;
        var sum = 0.0;
        if (vector.Form == VectorForm.Flat && vector.Type.Physical == PhysicalType.Float64 && Vector256.IsHardwareAccelerated)
        {
            var data = (double*)vector.Data;
            var (lanes512, lanes256) = (Vector512<double>.Zero, Vector256<double>.Zero);
            for (var word = 0; word < Bits.Words(rows); word++)
            {
                var bits = Word(mask, vector, word, rows);
                count += BitOperations.PopCount(bits);
                var at = data + (word << 6);
                if (Vector512.IsHardwareAccelerated)
                {
                    // Lanes that do not count may hold anything: they are replaced by zeros, not multiplied.
                    for (; bits != 0; bits >>= 8, at += 8) lanes512 += (Vector512.Load(at).AsInt64() & Lanes.Eight(bits)).AsDouble();
                }
                else
                {
                    for (; bits != 0; bits >>= 4, at += 4) lanes256 += (Vector256.Load(at).AsInt64() & Lanes.Four(bits)).AsDouble();
                }
            }
            return Vector512.IsHardwareAccelerated ? Vector512.Sum(lanes512) : Vector256.Sum(lanes256);
        }
        var isFloat = vector.Type.Physical == PhysicalType.Float32;
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            var bits = Word(mask, vector, word, rows);
            count += BitOperations.PopCount(bits);
            for (; bits != 0; bits &= bits - 1)
            {
                var row = (word << 6) + BitOperations.TrailingZeroCount(bits);
                sum += isFloat ? vector.Value<float>(row) : vector.Value<double>(row);
            }
        }
        return sum;
    }

    private static Int128 Times(Int128 value, long count)
    {
        if (value == 0 || Int128.Abs(value) <= Int128.MaxValue / Math.Max(count, 1)) return value * count;
        // Says that it is too much.
        return ExactSums.Sum(Int128.MaxValue, 1);
    }

    // Values so small that their sum stays in 64 bits.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long Bounded(ulong* mask, ColumnVector vector, int rows, out long count)
    {
        var data = (long*)vector.Data;
        count = 0;
        Vector512<long> even = default, odd = default;
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            var bits = Word(mask, vector, word, rows);
            if (bits == 0) continue;
            count += BitOperations.PopCount(bits);
            var at = data + (word << 6);
            if (bits == ulong.MaxValue)
            {
                for (var i = 0; i < 64; i += 16)
                {
                    even += Vector512.Load(at + i);
                    odd += Vector512.Load(at + i + 8);
                }
                continue;
            }
            // Past the last row only whole steps with a bit in them are read.
            for (; bits != 0; bits >>= 8, at += 8) even += Vector512.Load(at) & Lanes.Eight(bits);
        }
        return Vector512.Sum(even + odd);
    }

    // Halves of 32 bits are summed apart, so that nothing overflows in a batch whatever the values are.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Int128 Longs(ulong* mask, ColumnVector vector, int rows, out long count)
    {
        var data = (long*)vector.Data;
        count = 0;
        long low = 0, high = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<long> lows = default, highs = default;
            for (var word = 0; word < Bits.Words(rows); word++)
            {
                var bits = Word(mask, vector, word, rows);
                count += BitOperations.PopCount(bits);
                var at = data + (word << 6);
                if (bits == ulong.MaxValue)
                {
                    for (var i = 0; i < 64; i += 8) Add(Vector512.Load(at + i), ref lows, ref highs);
                    continue;
                }
                for (; bits != 0; bits >>= 8, at += 8) Add(Vector512.Load(at) & Lanes.Eight(bits), ref lows, ref highs);
            }
            (low, high) = (Vector512.Sum(lows), Vector512.Sum(highs));
        }
        else
        {
            Vector256<long> lows = default, highs = default;
            for (var word = 0; word < Bits.Words(rows); word++)
            {
                var bits = Word(mask, vector, word, rows);
                count += BitOperations.PopCount(bits);
                var at = data + (word << 6);
                for (; bits != 0; bits >>= 4, at += 4)
                {
                    var values = Vector256.Load(at) & Lanes.Four(bits);
                    lows += values & Vector256.Create(0xFFFF_FFFFL);
                    highs += values >> 32;
                }
            }
            (low, high) = (Vector256.Sum(lows), Vector256.Sum(highs));
        }
        return ((Int128)high << 32) + low;

        static void Add(Vector512<long> values, ref Vector512<long> lows, ref Vector512<long> highs)
        {
            lows += values & Vector512.Create(0xFFFF_FFFFL);
            highs += values >> 32;
        }
    }
}
