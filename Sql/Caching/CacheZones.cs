using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Caching;

/// <summary>Finds the smallest and the largest value of a column, batch by batch.</summary>
internal static unsafe class CacheZones
{
    public static void Fill(CacheColumnWriter column, CacheZone* zones)
    {
        var entries = column.IsCoded ? new Int128[column.EntryCount] : [];
        for (var i = 0; i < entries.Length; i++) entries[i] = ZoneKey.Of(column.TextOf(column.Entries + i));
        for (var first = 0; first < column.RowCount; first += ColumnBatch.MaxRows, zones++)
        {
            var end = Math.Min(column.RowCount, first + ColumnBatch.MaxRows);
            *zones = default;
            var validity = column.Validity;
            if (validity != null)
            {
                for (var row = first; row < end; row++) zones->Nulls += (validity[row >> 6] >> (row & 63) & 1) == 0 ? 1 : 0;
                if (zones->Nulls == 0) validity = null;
            }
            if (zones->Nulls == end - first || !ZoneKey.Has(column.Type.Physical)) continue;
            zones->IsKnown = 1;
            switch (column.Type.Physical)
            {
                case PhysicalType.Int8: Small((sbyte*)column.Values, first, end, validity, zones); break;
                case PhysicalType.Int16: Small((short*)column.Values, first, end, validity, zones); break;
                case PhysicalType.Int32: Small((int*)column.Values, first, end, validity, zones); break;
                case PhysicalType.Int64: Small((long*)column.Values, first, end, validity, zones); break;
                case PhysicalType.Int128: Keys(column, first, end, validity, zones, static (each, row) => ((Int128*)each.Values)[row]); break;
                case PhysicalType.Float32: Keys(column, first, end, validity, zones, static (each, row) => ZoneKey.Of((double)((float*)each.Values)[row])); break;
                case PhysicalType.Float64: Keys(column, first, end, validity, zones, static (each, row) => ZoneKey.Of(((double*)each.Values)[row])); break;
                case PhysicalType.View when column.IsCoded: Keys(column, first, end, validity, zones, (each, row) => entries[((uint*)each.Values)[row]]); break;
                default: Keys(column, first, end, validity, zones, static (each, row) => ZoneKey.Of(each.TextOf((StringView*)each.Values + row))); break;
            }
        }
    }

    private static void Small<T>(T* values, int first, int end, ulong* validity, CacheZone* zone) where T : unmanaged, System.Numerics.IBinaryInteger<T>, System.Numerics.IMinMaxValue<T>
    {
        T min = T.MaxValue, max = T.MinValue;
        if (validity == null)
        {
            var span = new ReadOnlySpan<T>(values + first, end - first);
            var i = 0;
            if (System.Runtime.Intrinsics.Vector256.IsHardwareAccelerated)
            {
                var lanes = System.Runtime.Intrinsics.Vector256<T>.Count;
                var low = System.Runtime.Intrinsics.Vector256.Create(T.MaxValue);
                var high = System.Runtime.Intrinsics.Vector256.Create(T.MinValue);
                for (; i + lanes <= span.Length; i += lanes)
                {
                    var some = System.Runtime.Intrinsics.Vector256.Load(values + first + i);
                    low = System.Runtime.Intrinsics.Vector256.Min(low, some);
                    high = System.Runtime.Intrinsics.Vector256.Max(high, some);
                }
                for (var lane = 0; lane < lanes; lane++)
                {
                    min = T.Min(min, low[lane]);
                    max = T.Max(max, high[lane]);
                }
            }
            for (; i < span.Length; i++)
            {
                min = T.Min(min, span[i]);
                max = T.Max(max, span[i]);
            }
        }
        else
        {
            for (var row = first; row < end; row++)
            {
                if ((validity[row >> 6] >> (row & 63) & 1) == 0) continue;
                min = T.Min(min, values[row]);
                max = T.Max(max, values[row]);
            }
        }
        zone->Min = Int128.CreateTruncating(min);
        zone->Max = Int128.CreateTruncating(max);
    }

    private static void Keys(CacheColumnWriter column, int first, int end, ulong* validity, CacheZone* zone, Func<CacheColumnWriter, int, Int128> keyOf)
    {
        Int128 min = Int128.MaxValue, max = Int128.MinValue;
        for (var row = first; row < end; row++)
        {
            if (validity != null && (validity[row >> 6] >> (row & 63) & 1) == 0) continue;
            var key = keyOf(column, row);
            if (key < min) min = key;
            if (key > max) max = key;
        }
        zone->Min = min;
        zone->Max = max;
    }
}
