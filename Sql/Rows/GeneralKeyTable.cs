using Dataflow.Sql.Columns;
using Dataflow.Storage;

namespace Dataflow.Sql.Rows;

/// <summary>Keys of any types: slots hold part of the hash and the key's number; keys are compared column by column for many rows at once.</summary>
internal sealed unsafe class GeneralKeyTable : KeyTable
{
    private const int FirstSlots = 1024;

    private NativeBuffer _slots;
    private NativeBuffer _hashes;
    private int _mask;

    public GeneralKeyTable(TaskArena arena, IReadOnlyList<DataType> types) : base(arena, types)
    {
        _slots = Empty(FirstSlots);
        _hashes = arena.Rent(FirstSlots * sizeof(ulong));
        _mask = FirstSlots - 1;
    }

    public override void Reserve(int keys)
    {
        base.Reserve(keys);
        ReserveSlots(keys);
    }

    public override void Clear()
    {
        base.Clear();
        new Span<byte>(_slots.Pointer, (_mask + 1) * sizeof(ulong)).Clear();
    }

    protected override void Look(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, Span<int> numbers, bool add)
    {
        if (add) ReserveSlots(Count + rows.Length);
        var probe = HashProbe.Rent();
        RowHash.Of(keys, rows, probe.Hashes);
        for (var i = 0; i < rows.Length; i++)
        {
            probe.Places[i] = (int)probe.Hashes[i] & _mask;
            probe.Pending[i] = i;
        }
        var pending = rows.Length;
        while (pending > 0)
        {
            var (candidates, added) = Walk(probe, rows, numbers, pending, add);
            if (added > 0) Keys.Append(keys, probe.Added.AsSpan(0, added));

            // Those that meet another key of the same hash bits go on one slot further.
            pending = KeyEquality.KeepUnequal(keys, rows, Keys, numbers, probe.Candidates.AsSpan(0, candidates), probe.Pending);
            for (var i = 0; i < pending; i++) probe.Places[probe.Pending[i]] = (probe.Places[probe.Pending[i]] + 1) & _mask;
        }
        probe.Return();
    }

    private (int Candidates, int Added) Walk(HashProbe probe, ReadOnlySpan<ushort> rows, Span<int> numbers, int pending, bool add)
    {
        var slots = (ulong*)_slots.Pointer;
        var hashes = (ulong*)_hashes.Pointer;
        var candidates = 0;
        var added = 0;
        var count = Count;
        for (var p = 0; p < pending; p++)
        {
            var i = probe.Pending[p];
            var hash = probe.Hashes[i];
            var place = probe.Places[i];
            while (true)
            {
                var slot = slots[place];
                if (slot == 0)
                {
                    numbers[i] = -1;
                    if (!add) break;
                    var number = count + added;
                    slots[place] = (hash & 0xFFFFFFFF00000000) | (uint)(number + 1);
                    hashes[number] = hash;
                    numbers[i] = number;
                    probe.Added[added++] = rows[i];
                    break;
                }
                if ((slot ^ hash) >> 32 == 0)
                {
                    numbers[i] = (int)(uint)slot - 1;
                    probe.Places[i] = place;
                    probe.Candidates[candidates++] = i;
                    break;
                }
                place = (place + 1) & _mask;
            }
        }
        return (candidates, added);
    }

    private void ReserveSlots(int keys)
    {
        if (keys * 2L <= _mask + 1L) return;
        var slots = _mask + 1;
        while (keys * 2L > slots) slots = checked(slots * 2);
        var grown = Empty(slots);
        var hashes = Arena.Rent(checked(slots * sizeof(ulong)));
        Buffer.MemoryCopy(_hashes.Pointer, hashes.Pointer, hashes.Length, Count * (long)sizeof(ulong));
        var to = (ulong*)grown.Pointer;
        var from = (ulong*)hashes.Pointer;
        for (var number = 0; number < Count; number++)
        {
            var place = (int)from[number] & (slots - 1);
            while (to[place] != 0) place = (place + 1) & (slots - 1);
            to[place] = (from[number] & 0xFFFFFFFF00000000) | (uint)(number + 1);
        }
        Arena.Return(_slots);
        Arena.Return(_hashes);
        _slots = grown;
        _hashes = hashes;
        _mask = slots - 1;
    }

    private NativeBuffer Empty(int slots)
    {
        var buffer = Arena.Rent(checked(slots * sizeof(ulong)));
        new Span<byte>(buffer.Pointer, slots * sizeof(ulong)).Clear();
        return buffer;
    }
}
