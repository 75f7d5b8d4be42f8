using Dataflow.Sql.Columns;
using Dataflow.Storage;

namespace Dataflow.Sql.Rows;

/// <summary>Keys that fit in 64 bits, as they are or as offsets into known ranges: they are compared in the slots themselves.</summary>
/// <remarks>A slot is a key and a number plus one; zero is an empty slot. A key that is null and has no bit to spare has its number beside the table.</remarks>
internal sealed unsafe class PackedKeyTable : KeyTable
{
    private const int FirstSlots = 1024;
    private const ulong Outside = 1UL << 63;

    private readonly int[] _bits;
    private readonly bool _hasNullBits;
    private readonly KeyRange[]? _ranges;
    private NativeBuffer _slots;
    private int _mask;
    private int _nullNumber = -1;

    public PackedKeyTable(TaskArena arena, IReadOnlyList<DataType> types, KeyRange[]? ranges = null) : base(arena, types)
    {
        _ranges = ranges;
        _bits = ranges is null ? [.. types.Select(BitsOf)] : [.. ranges.Select(BitsOf)];
        _hasNullBits = types.Count > 1 || _bits[0] < 64;
        _slots = Empty(FirstSlots);
        _mask = FirstSlots - 1;
    }

    public static bool Fits(IReadOnlyList<DataType> types) =>
        types.Count > 0 && types.All(type => BitsOf(type) > 0) && (types.Count == 1 || types.Sum(type => BitsOf(type) + 1) <= 64);

    /// <summary>Bits that offsets into ranges take, with those for nulls.</summary>
    public static int BitsOf(KeyRange[] ranges) => ranges.Sum(range => BitsOf(range) + 1);

    public override void Clear()
    {
        base.Clear();
        _nullNumber = -1;
        new Span<byte>(_slots.Pointer, (_mask + 1) * sizeof(Slot)).Clear();
    }

    protected override void Look(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, Span<int> numbers, bool add)
    {
        if (add) Reserve(Count + rows.Length);
        var scratch = KeyScratch.Rent();
        var packed = scratch.Packed;
        var addedRows = scratch.Added;
        Pack(keys, rows, packed);
        var onlyKey = _hasNullBits || keys[0].Validity == null ? null : keys[0];
        var slots = (Slot*)_slots.Pointer;
        var mask = _mask;
        var count = Count;
        var added = 0;
        for (var i = 0; i < rows.Length; i++)
        {
            if (onlyKey is not null && onlyKey.IsNull(rows[i]))
            {
                if (_nullNumber < 0 && add)
                {
                    _nullNumber = count + added;
                    addedRows[added++] = rows[i];
                }
                numbers[i] = _nullNumber;
                continue;
            }
            var key = packed[i];
            if (_ranges is not null && key >= Outside)
            {
                if (add) throw KeyOutside(_ranges);
                numbers[i] = -1;
                continue;
            }
            var place = (int)RowHash.Mix(key) & mask;
            while (true)
            {
                var slot = slots + place;
                if (slot->Number == 0)
                {
                    if (!add)
                    {
                        numbers[i] = -1;
                        break;
                    }
                    slot->Key = key;
                    slot->Number = count + added + 1;
                    numbers[i] = count + added;
                    addedRows[added++] = rows[i];
                    break;
                }
                if (slot->Key == key)
                {
                    numbers[i] = slot->Number - 1;
                    break;
                }
                place = (place + 1) & mask;
            }
        }
        if (added > 0) Keys.Append(keys, addedRows.AsSpan(0, added));
        scratch.Return();
    }

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

    private void Pack(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, ulong[] packed)
    {
        packed.AsSpan(0, rows.Length).Clear();
        var shift = 0;
        for (var k = 0; k < keys.Length; k++)
        {
            var key = keys[k];
            if (_ranges is not null) AddOffsets(key, rows, packed, shift, _ranges[k]);
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
            if (!_hasNullBits) continue;
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

    // At most half full.
    private void Reserve(int keys)
    {
        if (keys * 2L <= _mask + 1L) return;
        var slots = _mask + 1;
        while (keys * 2L > slots) slots = checked(slots * 2);
        var grown = Empty(slots);
        var to = (Slot*)grown.Pointer;
        var from = (Slot*)_slots.Pointer;
        for (var i = 0; i <= _mask; i++)
        {
            if (from[i].Number == 0) continue;
            var place = (int)RowHash.Mix(from[i].Key) & (slots - 1);
            while (to[place].Number != 0) place = (place + 1) & (slots - 1);
            to[place] = from[i];
        }
        Arena.Return(_slots);
        _slots = grown;
        _mask = slots - 1;
    }

    private NativeBuffer Empty(int slots)
    {
        var buffer = Arena.Rent(checked(slots * sizeof(Slot)));
        new Span<byte>(buffer.Pointer, slots * sizeof(Slot)).Clear();
        return buffer;
    }

    private struct Slot
    {
        public ulong Key;
        public int Number;
    }
}
