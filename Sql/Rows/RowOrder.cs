using System.Runtime.CompilerServices;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Rows;

/// <summary>How a kept column takes part in an order.</summary>
/// <param name="Column">Position in the store.</param>
/// <param name="Descending">Largest first.</param>
/// <param name="NullsFirst">Whether nulls come before all values.</param>
internal readonly record struct RowOrderKey(int Column, bool Descending, bool NullsFirst);

/// <summary>Orders rows of a store: by a prefix of the first key that compares as a number, and by all keys where that is equal. Stable.</summary>
internal sealed unsafe class RowOrder(RowStore store, RowOrderKey[] keys)
{
    /// <summary>The row numbers in order.</summary>
    public int[] Sort()
    {
        var entries = new Entry[store.Count];
        for (var row = 0; row < entries.Length; row++) entries[row] = new Entry(keys.Length == 0 ? 0 : PrefixOf(row), row);
        Array.Sort(entries, new ByKeys(this));
        return Array.ConvertAll(entries, entry => entry.Row);
    }

    /// <summary>Compares two rows by all keys.</summary>
    public int Compare(int left, int right)
    {
        foreach (var key in keys)
        {
            var column = store[key.Column];
            var leftNull = column.IsNull(left);
            if (leftNull | column.IsNull(right))
            {
                if (leftNull & column.IsNull(right)) continue;
                return leftNull == key.NullsFirst ? -1 : 1;
            }
            var order = CompareValues(column, left, right);
            if (order != 0) return key.Descending ? -order : order;
        }
        return 0;
    }

    private static int CompareValues(ColumnStore column, int left, int right)
    {
        var data = column.Data;
        switch (column.Type.Physical)
        {
            case PhysicalType.Bit: return Bit(data, left) - Bit(data, right);
            case PhysicalType.Int8: return ((sbyte*)data)[left].CompareTo(((sbyte*)data)[right]);
            case PhysicalType.Int16: return ((short*)data)[left].CompareTo(((short*)data)[right]);
            case PhysicalType.Int32: return ((int*)data)[left].CompareTo(((int*)data)[right]);
            case PhysicalType.Int64: return ((long*)data)[left].CompareTo(((long*)data)[right]);
            case PhysicalType.Int128: return ((Int128*)data)[left].CompareTo(((Int128*)data)[right]);
            case PhysicalType.Float32: return CompareNumbers(((float*)data)[left], ((float*)data)[right]);
            case PhysicalType.Float64: return CompareNumbers(((double*)data)[left], ((double*)data)[right]);
            default: return StringView.Compare((StringView*)data + left, (StringView*)data + right);
        }
    }

    // NaN is the largest, and equal to itself; zeros are equal.
    private static int CompareNumbers(double left, double right) =>
        double.IsNaN(left) ? (double.IsNaN(right) ? 0 : 1) : double.IsNaN(right) ? -1 : left < right ? -1 : left > right ? 1 : 0;

    private static int Bit(byte* data, int row) => (int)(((ulong*)data)[row >> 6] >> (row & 63) & 1);

    // Smaller numbers come first; equal ones say nothing.
    private ulong PrefixOf(int row)
    {
        var key = keys[0];
        var column = store[key.Column];
        if (column.IsNull(row)) return key.NullsFirst ? 0 : ulong.MaxValue;
        var data = column.Data;
        var prefix = column.Type.Physical switch
        {
            PhysicalType.Bit => (ulong)Bit(data, row) + 1,
            PhysicalType.Int8 => (ulong)((sbyte*)data)[row] ^ (1UL << 63),
            PhysicalType.Int16 => (ulong)((short*)data)[row] ^ (1UL << 63),
            PhysicalType.Int32 => (ulong)((int*)data)[row] ^ (1UL << 63),
            PhysicalType.Int64 => (ulong)((long*)data)[row] ^ (1UL << 63),
            PhysicalType.Int128 => (ulong)(((Int128*)data)[row] >> 64) ^ (1UL << 63),
            PhysicalType.Float32 => Ordered(((float*)data)[row]),
            PhysicalType.Float64 => Ordered(((double*)data)[row]),
            _ => TextPrefix((StringView*)data + row),
        };
        return key.Descending ? ~prefix : prefix;
    }

    private static ulong Ordered(double value)
    {
        var bits = RowHash.BitsOf(value);
        return bits >> 63 == 0 ? bits | (1UL << 63) : ~bits;
    }

    private static ulong TextPrefix(StringView* view)
    {
        var length = Math.Min(view->Length, 8);
        var bytes = StringView.PointerOf(view);
        var prefix = 0UL;
        for (var i = 0; i < length; i++) prefix |= (ulong)bytes[i] << (56 - (8 * i));
        return prefix;
    }

    private readonly record struct Entry(ulong Prefix, int Row);

    private sealed class ByKeys(RowOrder order) : IComparer<Entry>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int Compare(Entry left, Entry right)
        {
            if (left.Prefix != right.Prefix) return left.Prefix < right.Prefix ? -1 : 1;
            var byKeys = order.Compare(left.Row, right.Row);
            return byKeys != 0 ? byKeys : left.Row.CompareTo(right.Row);
        }
    }
}
