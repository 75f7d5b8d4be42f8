using System.Numerics;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Rows;

/// <summary>Whole numbers that a key may have.</summary>
/// <param name="Min">The smallest.</param>
/// <param name="Length">How many, from there on; <see cref="long.MaxValue"/> also for more.</param>
internal readonly record struct KeyRange(long Min, long Length)
{
    /// <summary>Whether columns of a type have ranges.</summary>
    public static bool IsFor(DataType type) => type.Physical is PhysicalType.Int8 or PhysicalType.Int16 or PhysicalType.Int32 or PhysicalType.Int64;

    /// <summary>From the smallest to the largest value of a flat vector; null if it has none, or they are too far apart.</summary>
    public static unsafe KeyRange? Of(ColumnVector vector, int rows) => vector.Type.Physical switch
    {
        PhysicalType.Int8 => Of((sbyte*)vector.Data, vector, rows),
        PhysicalType.Int16 => Of((short*)vector.Data, vector, rows),
        PhysicalType.Int32 => Of((int*)vector.Data, vector, rows),
        PhysicalType.Int64 => Of((long*)vector.Data, vector, rows),
        _ => null,
    };

    /// <summary>The smallest range with both.</summary>
    public KeyRange With(KeyRange other)
    {
        var min = Math.Min(Min, other.Min);
        var max = Int128.Max((Int128)Min + Length - 1, (Int128)other.Min + other.Length - 1);
        return new KeyRange(min, (long)Int128.Min(long.MaxValue, max - min + 1));
    }

    private static unsafe KeyRange? Of<T>(T* values, ColumnVector vector, int rows) where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        var (min, max) = (T.MaxValue, T.MinValue);
        if (vector.Validity == null)
        {
            for (var i = 0; i < rows; i++)
            {
                min = T.Min(min, values[i]);
                max = T.Max(max, values[i]);
            }
        }
        else
        {
            for (var i = 0; i < rows; i++)
            {
                if (vector.IsNull(i)) continue;
                min = T.Min(min, values[i]);
                max = T.Max(max, values[i]);
            }
        }
        if (min > max) return null;
        var length = Int128.CreateChecked(max) - Int128.CreateChecked(min) + 1;
        return new KeyRange(long.CreateChecked(min), (long)Int128.Min(long.MaxValue, length));
    }

    /// <summary>As <c>1 to 12</c>.</summary>
    public override string ToString() => $"{Min} to {Min + Length - 1}";
}

/// <summary>How keys of known ranges lie in a table.</summary>
/// <param name="Ranges">The range of each key.</param>
/// <param name="IsDense">Whether an array over all combinations is small enough; else they are packed into 64 bits.</param>
internal sealed record KeyLayout(KeyRange[] Ranges, bool IsDense)
{
    // Up to so many places an array is small enough, whatever is known of rows.
    private const long FewPlaces = 64 << 10;
    private const long MostPlaces = 64 << 20;

    /// <summary>The layout of keys of which bounds are known; null if nothing is gained by them.</summary>
    /// <param name="types">Types of the keys.</param>
    /// <param name="bounds">What is known of each; null for nothing.</param>
    /// <param name="rows">About how many rows come.</param>
    public static KeyLayout? Of(IReadOnlyList<DataType> types, IReadOnlyList<ValueBounds?> bounds, double rows)
    {
        if (types.Count == 0) return null;
        var ranges = new KeyRange[types.Count];
        for (var i = 0; i < ranges.Length; i++)
        {
            if (types[i].Physical is not (PhysicalType.Int8 or PhysicalType.Int16 or PhysicalType.Int32 or PhysicalType.Int64)) return null;
            if (bounds[i] is not { } known || known.Min < long.MinValue || known.Max > long.MaxValue || known.Max - known.Min >= 1L << 62) return null;
            ranges[i] = new KeyRange((long)known.Min, (long)(known.Max - known.Min) + 1);
        }
        return Of(ranges, rows);
    }

    /// <summary>The layout of keys of known ranges; null if nothing is gained by them.</summary>
    /// <param name="ranges">The range of each key.</param>
    /// <param name="rows">About how many rows come.</param>
    public static KeyLayout? Of(KeyRange[] ranges, double rows)
    {
        if (ranges.Any(range => range.Length >= 1L << 62)) return null;
        var places = DenseKeyTable.PlacesOf(ranges);
        if (places <= FewPlaces || (places <= MostPlaces && places <= rows * 8)) return new KeyLayout(ranges, IsDense: true);
        return ranges.Length > 1 && KeyPacker.BitsOf(ranges) <= 63 ? new KeyLayout(ranges, IsDense: false) : null;
    }
}
