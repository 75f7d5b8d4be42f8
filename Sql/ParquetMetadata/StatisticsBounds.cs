using System.Numerics;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.ParquetMetadata;

/// <summary>The bounds that statistics state, and whether values keep to them.</summary>
/// <remarks>Operators rely on bounds, so values outside of them are an error of the file.</remarks>
internal static unsafe class StatisticsBounds
{
    /// <summary>Bounds of integers, decimals, dates and timestamps; null if the statistics have none, or the type is another.</summary>
    public static ValueBounds? Of(StoredColumn column, StoredStatistics? statistics)
    {
        if (statistics?.Min is not { } min || statistics.Max is not { } max) return null;
        if (column.Type.Kind is not (TypeKind.TinyInt or TypeKind.SmallInt or TypeKind.Int or TypeKind.BigInt or TypeKind.Decimal
            or TypeKind.Date or TypeKind.Timestamp or TypeKind.TimestampNtz)) return null;

        // The older fields compare all values as if they had a sign, and bytes as if they had none.
        var isUnsigned = column.Form is ValueForm.UInt32ToInt64 or ValueForm.UInt64ToInt128;
        var isBigEndian = column.Stored is StoredKind.Bytes or StoredKind.FixedBytes;
        if (column.Form == ValueForm.Int96ToMicros || (statistics.IsOld && (isUnsigned || isBigEndian))) return null;
        if (One(column, min) is not { } low || One(column, max) is not { } high || low > high) return null;
        return new ValueBounds(low, high);
    }

    /// <summary>Checks that values lie within bounds.</summary>
    /// <exception cref="CorruptDataException">One does not.</exception>
    public static void Check(PhysicalType type, byte* values, int count, ValueBounds? bounds)
    {
        if (bounds is null || count == 0) return;
        switch (type)
        {
            case PhysicalType.Int8: Check((sbyte*)values, count, bounds); break;
            case PhysicalType.Int16: Check((short*)values, count, bounds); break;
            case PhysicalType.Int32: Check((int*)values, count, bounds); break;
            case PhysicalType.Int64: Check((long*)values, count, bounds); break;
            case PhysicalType.Int128:
                for (var i = 0; i < count; i++) Check(((Int128*)values)[i], ((Int128*)values)[i], bounds);
                break;
        }
    }

    private static Int128? One(StoredColumn column, byte[] bytes)
    {
        if (column.Stored is StoredKind.Bytes or StoredKind.FixedBytes ? bytes.Length is 0 or > 16 : bytes.Length != column.StoredWidth) return null;
        var room = stackalloc byte[16];
        var to = stackalloc byte[16];
        bytes.CopyTo(new Span<byte>(room, 16));
        try
        {
            switch (column.Form)
            {
                case ValueForm.FixedToInt64 or ValueForm.FixedToInt128 or ValueForm.BytesToInt64 or ValueForm.BytesToInt128: return Conversion.Wide(room, bytes.Length);
                case ValueForm.Same: return column.StoredWidth == 4 ? *(int*)room : *(long*)room;
                default: Conversion.Run(column, room, to, 1); break;
            }
        }
        catch (CorruptDataException)
        {
            // Milliseconds too large for microseconds: nothing is known then.
            return null;
        }
        return column.Type.Physical switch
        {
            PhysicalType.Int8 => *(sbyte*)to,
            PhysicalType.Int16 => *(short*)to,
            PhysicalType.Int32 => *(int*)to,
            PhysicalType.Int64 => *(long*)to,
            _ => *(Int128*)to,
        };
    }

    private static void Check<T>(T* values, int count, ValueBounds bounds)
        where T : unmanaged, IBinaryInteger<T>
    {
        var (low, high) = Extremes.Of(values, count);
        Check(Int128.CreateTruncating(low), Int128.CreateTruncating(high), bounds);
    }

    private static void Check(Int128 low, Int128 high, ValueBounds bounds)
    {
        if (low >= bounds.Min && high <= bounds.Max) return;
        throw new CorruptDataException("parquet", 0, $"a value {(low < bounds.Min ? low : high)} is outside of the {bounds.Min} to {bounds.Max} of its chunk's statistics");
    }
}
