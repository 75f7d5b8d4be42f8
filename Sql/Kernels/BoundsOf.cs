using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

/// <summary>The smallest and the largest value of a vector: what shows that a product or a sum stays inside 64 bits.</summary>
internal static unsafe class BoundsOf
{
    /// <summary>What is known; else what a look at the rows that count shows; null if it is no integer or decimal.</summary>
    public static ValueBounds? Vector(ColumnVector vector, int rows, ulong* live)
    {
        if (vector.Bounds is { } known) return known;
        if (vector.Form == VectorForm.Constant) return Constant(vector) is { } value ? new ValueBounds(value, value) : null;
        if (vector.Form == VectorForm.Dictionary)
        {
            // All values of the dictionary: it is met again and again, and shorter than the rows.
            var values = vector.Dictionary!.Values;
            return values.Bounds ??= Vector(values, values.Length, null);
        }
        return vector.Type.Physical switch
        {
            PhysicalType.Int8 => new ValueBounds(sbyte.MinValue, sbyte.MaxValue),
            PhysicalType.Int16 => new ValueBounds(short.MinValue, short.MaxValue),
            PhysicalType.Int32 => new ValueBounds(int.MinValue, int.MaxValue),
            PhysicalType.Int64 => Longs((long*)vector.Data, rows, live),
            PhysicalType.Int128 => Wide((Int128*)vector.Data, rows, live),
            _ => null,
        };
    }

    public static Int128? Constant(ColumnVector vector) => vector.Type.Physical switch
    {
        PhysicalType.Int8 => *(sbyte*)vector.Data,
        PhysicalType.Int16 => *(short*)vector.Data,
        PhysicalType.Int32 => *(int*)vector.Data,
        PhysicalType.Int64 => *(long*)vector.Data,
        PhysicalType.Int128 => *(Int128*)vector.Data,
        _ => null,
    };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static ValueBounds Longs(long* data, int rows, ulong* live)
    {
        long min = long.MaxValue, max = long.MinValue;
        if (live == null)
        {
            var i = 0;
            if (Vector512.IsHardwareAccelerated)
            {
                Vector512<long> low = Vector512.Create(long.MaxValue), high = Vector512.Create(long.MinValue);
                for (; i + 8 <= rows; i += 8)
                {
                    var values = Vector512.Load(data + i);
                    low = Vector512.Min(low, values);
                    high = Vector512.Max(high, values);
                }
                for (var lane = 0; lane < 8; lane++)
                {
                    min = Math.Min(min, low[lane]);
                    max = Math.Max(max, high[lane]);
                }
            }
            for (; i < rows; i++)
            {
                min = Math.Min(min, data[i]);
                max = Math.Max(max, data[i]);
            }
        }
        else
        {
            for (var word = 0; word < Bits.Words(rows); word++)
            {
                for (var set = Bits.Word(live, word, rows); set != 0; set &= set - 1)
                {
                    var value = data[(word << 6) + System.Numerics.BitOperations.TrailingZeroCount(set)];
                    min = Math.Min(min, value);
                    max = Math.Max(max, value);
                }
            }
        }
        return min > max ? new ValueBounds(0, 0) : new ValueBounds(min, max);
    }

    private static ValueBounds Wide(Int128* data, int rows, ulong* live)
    {
        Int128 min = Int128.MaxValue, max = Int128.MinValue;
        for (var i = 0; i < rows; i++)
        {
            if (live != null && !Bits.Get(live, i)) continue;
            if (data[i] < min) min = data[i];
            if (data[i] > max) max = data[i];
        }
        return min > max ? new ValueBounds(0, 0) : new ValueBounds(min, max);
    }
}
