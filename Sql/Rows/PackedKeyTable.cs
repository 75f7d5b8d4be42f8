using System.Runtime.CompilerServices;
using Dataflow.Sql.Columns;
using Dataflow.Storage;

namespace Dataflow.Sql.Rows;

/// <summary>Keys that fit in 64 bits, as they are or as offsets into known ranges: they are compared in the slots themselves.</summary>
/// <remarks>A slot is a key and a number plus one; zero is an empty slot. A key that is null and has no bit to spare has its number beside the table.</remarks>
internal sealed unsafe class PackedKeyTable : KeyTable
{
    private const int FirstSlots = 1024;

    private readonly KeyPacker _packer;
    private NativeBuffer _slots;
    private KeyArray? _array;
    private int _mask;
    private int _nullNumber = -1;

    public PackedKeyTable(TaskArena arena, IReadOnlyList<DataType> types, KeyRange[]? ranges = null) : base(arena, types)
    {
        _packer = new KeyPacker(types, ranges);
        _slots = Empty(FirstSlots);
        _mask = FirstSlots - 1;
        if (ranges is null && types.Count == 1 && KeyArray.Fits(types[0])) _array = new KeyArray(arena);
    }

    public override void Reserve(int keys)
    {
        base.Reserve(keys);
        if (_array is null) ReserveSlots(keys);
    }

    public override void Clear()
    {
        base.Clear();
        _nullNumber = -1;
        if (_array is not null)
        {
            _array.Clear();
            return;
        }
        new Span<byte>(_slots.Pointer, (_mask + 1) * sizeof(Slot)).Clear();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Look(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, Span<int> numbers, bool add)
    {
        if (_array is not null && LookInArray(keys, rows, numbers, add)) return;
        if (add) ReserveSlots(Count + rows.Length);
        var scratch = KeyScratch.Rent();
        var packed = scratch.Packed;
        var addedRows = scratch.Added;
        _packer.Pack(keys, rows, packed);
        var onlyKey = _packer.HasNullBits || keys[0].Validity == null ? null : keys[0];
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
            if (_packer.Ranges is { } ranges && key >= KeyPacker.Outside)
            {
                if (add) throw KeyOutside(ranges);
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

    // False where keys turn out to lie too far apart: from then on they are hashed.
    private bool LookInArray(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, Span<int> numbers, bool add)
    {
        if (!add)
        {
            _array!.Look(keys[0], rows, numbers, _nullNumber);
            return true;
        }
        var scratch = KeyScratch.Rent();
        var added = _array!.TryLook(keys[0], rows, numbers, Count, ref _nullNumber, scratch.Added);
        if (added > 0) Keys.Append(keys, scratch.Added.AsSpan(0, added));
        scratch.Return();
        if (added >= 0) return true;
        _array.Return();
        _array = null;
        HashKeys();
        return false;
    }

    // Keys that were in the array come into the slots.
    private void HashKeys()
    {
        ReserveSlots(Count);
        var key = new ColumnVector(Keys[0].Type);
        var rows = new ushort[1024];
        var packed = new ulong[rows.Length];
        for (var i = 0; i < rows.Length; i++) rows[i] = (ushort)i;
        var slots = (Slot*)_slots.Pointer;
        for (var start = 0; start < Count; start += rows.Length)
        {
            var count = Math.Min(rows.Length, Count - start);
            Keys[0].Show(start, count, key);
            _packer.Pack([key], rows.AsSpan(0, count), packed);
            for (var i = 0; i < count; i++)
            {
                if (start + i == _nullNumber && !_packer.HasNullBits) continue;
                var place = (int)RowHash.Mix(packed[i]) & _mask;
                while (slots[place].Number != 0) place = (place + 1) & _mask;
                slots[place] = new Slot { Key = packed[i], Number = start + i + 1 };
            }
        }
    }

    // At most half full.
    private void ReserveSlots(int keys)
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
