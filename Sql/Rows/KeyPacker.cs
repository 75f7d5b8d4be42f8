using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Rows;

/// <summary>Puts the columns of a key into 64 bits: as they are, or as offsets into known ranges. Each column has a bit for null, but one of 64 bits.</summary>
internal sealed unsafe class KeyPacker
{
    /// <summary>With ranges: from here on a key lies outside them.</summary>
    public const ulong Outside = 1UL << 63;

    private readonly int[] _bits;

    public KeyPacker(IReadOnlyList<DataType> types, KeyRange[]? ranges = null)
    {
        Ranges = ranges;
        _bits = ranges is null ? [.. types.Select(BitsOf)] : [.. ranges.Select(BitsOf)];
        HasNullBits = types.Count > 1 || _bits[0] < 64;
    }

    /// <summary>The range of each column; null if columns are packed as they are.</summary>
    public KeyRange[]? Ranges { get; }

    /// <summary>Whether a null shows in the packed key.</summary>
    public bool HasNullBits { get; }

    /// <summary>Whether columns of some types fit as they are.</summary>
    public static bool Fits(IReadOnlyList<DataType> types) =>
        types.Count > 0 && types.All(type => BitsOf(type) > 0) && (types.Count == 1 || types.Sum(type => BitsOf(type) + 1) <= 64);

    /// <summary>Bits that offsets into ranges take, with those for nulls.</summary>
    public static int BitsOf(KeyRange[] ranges) => ranges.Sum(range => BitsOf(range) + 1);

    private static int BitsOf(DataType type) => type.Physical switch
    {
        PhysicalType.Bit => 1,
        PhysicalType.Int8 => 8,
        PhysicalType.Int16 => 16,
        PhysicalType.Int32 or PhysicalType.Float32 => 32,
        PhysicalType.Int64 or PhysicalType.Float64 => 64,
        _ => 0,
    };

    private static int BitsOf(KeyRange range) => 64 - System.Numerics.BitOperations.LeadingZeroCount((ulong)range.Length - 1);

    /// <summary>Packs the keys of rows.</summary>
    public void Pack(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, ulong[] packed)
    {
        packed.AsSpan(0, rows.Length).Clear();
        var shift = 0;
        for (var k = 0; k < keys.Length; k++)
        {
            var key = keys[k];
            if (Ranges is not null) AddOffsets(key, rows, packed, shift, Ranges[k]);
            else switch (key.Type.Physical)
            {
                case PhysicalType.Bit: AddBits(key, rows, packed, shift); break;
                case PhysicalType.Int8: Add<byte>(key, rows, packed, shift); break;
                case PhysicalType.Int16: Add<ushort>(key, rows, packed, shift); break;
                case PhysicalType.Int32: Add<uint>(key, rows, packed, shift); break;
                case PhysicalType.Int64: Add<ulong>(key, rows, packed, shift); break;
                case PhysicalType.Float32: Add<float>(key, rows, packed, shift); break;
                default: Add<double>(key, rows, packed, shift); break;
            }
            shift += _bits[k];
            if (!HasNullBits) continue;
            if (key.Validity != null) AddNulls(key, rows, packed, shift, _bits[k]);
            shift++;
        }
    }

    // A key outside its range is none of the table's: the highest bit, which no key has, says so.
    private static void AddOffsets(ColumnVector key, ReadOnlySpan<ushort> rows, ulong[] packed, int shift, KeyRange range)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            var value = key.Type.Physical switch
            {
                PhysicalType.Int64 => key.Form == VectorForm.Flat ? ((long*)key.Data)[rows[i]] : *(long*)key.ValueAt(rows[i]),
                PhysicalType.Int32 => *(int*)key.ValueAt(rows[i]),
                PhysicalType.Int16 => *(short*)key.ValueAt(rows[i]),
                _ => *(sbyte*)key.ValueAt(rows[i]),
            };
            var offset = (ulong)(value - range.Min);
            packed[i] |= offset < (ulong)range.Length ? offset << shift : key.IsNull(rows[i]) ? 0 : Outside;
        }
    }

    private static void Add<T>(ColumnVector key, ReadOnlySpan<ushort> rows, ulong[] packed, int shift) where T : unmanaged
    {
        if (key.Form == VectorForm.Flat)
        {
            var values = (T*)key.Data;
            for (var i = 0; i < rows.Length; i++) packed[i] |= Of(values[rows[i]]) << shift;
            return;
        }
        for (var i = 0; i < rows.Length; i++) packed[i] |= Of(*(T*)key.ValueAt(rows[i])) << shift;
    }

    private static ulong Of<T>(T value) where T : unmanaged
    {
        if (typeof(T) == typeof(double)) return RowHash.BitsOf((double)(object)value);
        if (typeof(T) == typeof(float))
        {
            var number = (float)(object)value;
            return number == 0 ? 0 : float.IsNaN(number) ? 0x7FC00000 : BitConverter.SingleToUInt32Bits(number);
        }
        if (typeof(T) == typeof(ulong)) return (ulong)(object)value;
        if (typeof(T) == typeof(uint)) return (uint)(object)value;
        return typeof(T) == typeof(ushort) ? (ushort)(object)value : (byte)(object)value;
    }

    private static void AddBits(ColumnVector key, ReadOnlySpan<ushort> rows, ulong[] packed, int shift)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            if (key.Bit(rows[i])) packed[i] |= 1UL << shift;
        }
    }

    // A null has its bit and zeros for a value.
    private static void AddNulls(ColumnVector key, ReadOnlySpan<ushort> rows, ulong[] packed, int shift, int bits)
    {
        var value = ((1UL << bits) - 1) << (shift - bits);
        for (var i = 0; i < rows.Length; i++)
        {
            if (key.IsNull(rows[i])) packed[i] = (packed[i] & ~value) | (1UL << shift);
        }
    }
}
