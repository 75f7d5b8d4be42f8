using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Rows;

/// <summary>Whole numbers that a key may have.</summary>
/// <param name="Min">The smallest.</param>
/// <param name="Length">How many, from there on.</param>
internal readonly record struct KeyRange(long Min, long Length)
{
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
        var places = DenseKeyTable.PlacesOf(ranges);
        if (places <= FewPlaces || (places <= MostPlaces && places <= rows * 8)) return new KeyLayout(ranges, IsDense: true);
        return ranges.Length > 1 && PackedKeyTable.BitsOf(ranges) <= 63 ? new KeyLayout(ranges, IsDense: false) : null;
    }
}
