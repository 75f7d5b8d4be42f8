using System.Runtime.CompilerServices;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Rows;

/// <summary>How a kept column takes part in an order.</summary>
/// <param name="Column">Position in the store.</param>
/// <param name="Descending">Largest first.</param>
/// <param name="NullsFirst">Whether nulls come before all values.</param>
/// <param name="IsNullable">Whether there may be nulls at all.</param>
internal readonly record struct RowOrderKey(int Column, bool Descending, bool NullsFirst, bool IsNullable = true);

/// <summary>
/// As much of the keys of an order as 64 bits hold, in a form that compares as a number: smaller numbers come first. Keys follow each other, each with
/// a bit for null if it may be.
/// </summary>
internal sealed unsafe class SortPrefix
{
    private readonly RowOrderKey[] _keys;
    private readonly List<(RowOrderKey Key, PhysicalType Type, int NullShift, int Bits, int Shift)> _parts = [];

    /// <param name="keys">The keys.</param>
    /// <param name="types">The types of the columns.</param>
    public SortPrefix(RowOrderKey[] keys, IReadOnlyList<DataType> types)
    {
        _keys = keys;
        var left = 64;
        IsExact = true;
        foreach (var key in keys)
        {
            var type = types[key.Column].Physical;
            var nullShift = key.IsNullable && left > 0 ? --left : -1;
            var bits = Math.Min(left, BitsOf(type));
            left -= bits;
            _parts.Add((key, type, nullShift, bits, left));
            IsExact &= bits == BitsOf(type) && type is not (PhysicalType.View or PhysicalType.Int128) && (!key.IsNullable || nullShift >= 0);
            if (left == 0) break;
        }
        IsExact &= _parts.Count == keys.Length;
    }

    /// <summary>Whether equal prefixes mean equal keys.</summary>
    public bool IsExact { get; }

    /// <summary>Works out the prefixes of rows that follow each other.</summary>
    /// <param name="columns">Flat vectors.</param>
    /// <param name="rows">How many.</param>
    /// <param name="prefixes">One for each row.</param>
    public void Of(ReadOnlySpan<ColumnVector> columns, int rows, ulong* prefixes)
    {
        new Span<ulong>(prefixes, rows).Clear();
        foreach (var (key, type, nullShift, bits, shift) in _parts)
        {
            var vector = columns[key.Column];
            if (bits > 0)
            {
                var to = new Target(prefixes, rows, key.Descending ? ulong.MaxValue : 0, 64 - bits, shift);
                switch (type)
                {
                    case PhysicalType.Bit:
                        for (var i = 0; i < rows; i++) to.Add(i, (((ulong*)vector.Data)[i >> 6] >> (i & 63) & 1) << 63);
                        break;
                    case PhysicalType.Int8: Fixed<sbyte>(vector, to); break;
                    case PhysicalType.Int16: Fixed<short>(vector, to); break;
                    case PhysicalType.Int32: Fixed<int>(vector, to); break;
                    case PhysicalType.Int64: Fixed<long>(vector, to); break;
                    case PhysicalType.Int128: Fixed<Int128>(vector, to); break;
                    case PhysicalType.Float32: Fixed<float>(vector, to); break;
                    case PhysicalType.Float64: Fixed<double>(vector, to); break;
                    default: Fixed<StringView>(vector, to); break;
                }
            }
            if (nullShift < 0) continue;
            var isThere = key.NullsFirst ? 1UL << nullShift : 0;
            var isNull = (1UL << nullShift) ^ isThere;
            var others = ~(bits == 0 ? 0 : (ulong.MaxValue >> (64 - bits)) << shift);
            if (vector.Validity == null)
            {
                for (var i = 0; i < rows; i++) prefixes[i] |= isThere;
                continue;
            }
            for (var i = 0; i < rows; i++) prefixes[i] = vector.IsNull(i) ? (prefixes[i] & others) | isNull : prefixes[i] | isThere;
        }
    }

    /// <summary>Compares two rows of flat vectors by all keys.</summary>
    public int Compare(ReadOnlySpan<ColumnVector> left, int leftRow, ReadOnlySpan<ColumnVector> right, int rightRow)
    {
        foreach (var key in _keys)
        {
            var (one, other) = (left[key.Column], right[key.Column]);
            var leftNull = one.IsNull(leftRow);
            if (leftNull | other.IsNull(rightRow))
            {
                if (leftNull & other.IsNull(rightRow)) continue;
                return leftNull == key.NullsFirst ? -1 : 1;
            }
            var order = Compare(one.Type.Physical, one.Data, leftRow, other.Data, rightRow);
            if (order != 0) return key.Descending ? -order : order;
        }
        return 0;
    }

    /// <summary>Compares two values of one type.</summary>
    public static int Compare(PhysicalType type, byte* left, int leftRow, byte* right, int rightRow) => type switch
    {
        PhysicalType.Bit => Bit(left, leftRow) - Bit(right, rightRow),
        PhysicalType.Int8 => ((sbyte*)left)[leftRow].CompareTo(((sbyte*)right)[rightRow]),
        PhysicalType.Int16 => ((short*)left)[leftRow].CompareTo(((short*)right)[rightRow]),
        PhysicalType.Int32 => ((int*)left)[leftRow].CompareTo(((int*)right)[rightRow]),
        PhysicalType.Int64 => ((long*)left)[leftRow].CompareTo(((long*)right)[rightRow]),
        PhysicalType.Int128 => ((Int128*)left)[leftRow].CompareTo(((Int128*)right)[rightRow]),
        PhysicalType.Float32 => CompareNumbers(((float*)left)[leftRow], ((float*)right)[rightRow]),
        PhysicalType.Float64 => CompareNumbers(((double*)left)[leftRow], ((double*)right)[rightRow]),
        _ => StringView.Compare((StringView*)left + leftRow, (StringView*)right + rightRow),
    };

    // NaN is the largest, and equal to itself; zeros are equal.
    private static int CompareNumbers(double left, double right) =>
        double.IsNaN(left) ? (double.IsNaN(right) ? 0 : 1) : double.IsNaN(right) ? -1 : left < right ? -1 : left > right ? 1 : 0;

    private static int Bit(byte* data, int row) => (int)(((ulong*)data)[row >> 6] >> (row & 63) & 1);

    private static int BitsOf(PhysicalType type) => type switch
    {
        PhysicalType.Bit => 1,
        PhysicalType.Int8 => 8,
        PhysicalType.Int16 => 16,
        PhysicalType.Int32 or PhysicalType.Float32 => 32,
        _ => 64,
    };

    private static void Fixed<T>(ColumnVector vector, Target to) where T : unmanaged
    {
        var values = (T*)vector.Data;
        for (var i = 0; i < to.Rows; i++) to.Add(i, Ordered(values + i));
    }

    // A value as a number whose highest bits compare as it does.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Ordered<T>(T* value) where T : unmanaged
    {
        const ulong sign = 1UL << 63;
        if (typeof(T) == typeof(sbyte)) return ((ulong)*(sbyte*)value << 56) ^ sign;
        if (typeof(T) == typeof(short)) return ((ulong)*(short*)value << 48) ^ sign;
        if (typeof(T) == typeof(int)) return ((ulong)*(int*)value << 32) ^ sign;
        if (typeof(T) == typeof(long)) return *(ulong*)value ^ sign;
        if (typeof(T) == typeof(Int128)) return ((ulong*)value)[1] ^ sign;
        if (typeof(T) == typeof(double))
        {
            var bits = RowHash.BitsOf(*(double*)value);
            return bits >> 63 == 0 ? bits | sign : ~bits;
        }
        if (typeof(T) == typeof(float))
        {
            var number = *(float*)value;
            var bits = (ulong)(number == 0 ? 0 : float.IsNaN(number) ? 0x7FC00000 : BitConverter.SingleToUInt32Bits(number)) << 32;
            return bits >> 63 == 0 ? bits | sign : ~bits;
        }
        var view = (StringView*)value;
        var length = Math.Min(view->Length, 8);
        var bytes = StringView.PointerOf(view);
        if (length == 8) return System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(bytes));
        var prefix = 0UL;
        for (var i = 0; i < length; i++) prefix |= (ulong)bytes[i] << (56 - (8 * i));
        return prefix;
    }

    private readonly struct Target(ulong* prefixes, int rows, ulong flip, int drop, int shift)
    {
        public int Rows => rows;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(int row, ulong value) => prefixes[row] |= ((value ^ flip) >> drop) << shift;
    }
}
