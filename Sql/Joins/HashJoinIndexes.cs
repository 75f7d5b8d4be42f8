using Dataflow.Sql.Columns;
using Dataflow.Sql.Rows;
using Dataflow.Storage;

namespace Dataflow.Sql.Joins;

/// <summary>A table of slots for each part of the keys, by linear probing; which part a key is in its hash says.</summary>
internal abstract unsafe class HashJoinIndex<TSlot> : JoinIndex where TSlot : unmanaged
{
    private const int FirstSlots = 1024;

    private readonly NativeBuffer[] _buffers;

    protected HashJoinIndex(BuildRows rows, int[] keys, int parts, SharedArena arena) : base(rows, keys, arena)
    {
        Tables = new Table[parts];
        _buffers = new NativeBuffer[parts];
    }

    protected Table[] Tables { get; }

    protected override void Begin(int part)
    {
        // As if all keys differed, and at most two of three slots were taken.
        var wanted = Math.Min(1 << 26, (Rows.Count / Tables.Length * 3 / 2) + 1);
        var slots = FirstSlots;
        while (slots < wanted) slots *= 2;
        Tables[part] = Empty(slots, out _buffers[part]);
    }

    protected int PartOf(ulong hash) => (int)((hash >> 32) * (ulong)Tables.Length >> 32);

    // At most three of four slots are taken.
    protected void Reserve(int part, int more)
    {
        ref var table = ref Tables[part];
        while ((table.Count + (long)more) * 4 > (table.Mask + 1L) * 3)
        {
            var grown = Empty(checked((table.Mask + 1) * 2), out var buffer);
            grown.Count = table.Count;
            Move(table, grown);
            Arena.Return(_buffers[part]);
            _buffers[part] = buffer;
            table = grown;
        }
    }

    protected abstract void Move(Table from, Table to);

    private Table Empty(int slots, out NativeBuffer buffer)
    {
        buffer = Arena.Rent(checked(slots * sizeof(TSlot)));
        new Span<byte>(buffer.Pointer, slots * sizeof(TSlot)).Clear();
        return new Table { Slots = (TSlot*)buffer.Pointer, Mask = slots - 1 };
    }

    protected struct Table
    {
        public TSlot* Slots;
        public int Mask;
        public int Count;
    }
}

/// <summary>A key of 64 bits, and the number of its first row plus one; zero for an empty slot.</summary>
internal struct PackedSlot
{
    public ulong Key;
    public int Head;
}

/// <summary>Keys that fit in 64 bits: they stand in the slots.</summary>
internal sealed unsafe class PackedJoinIndex(BuildRows rows, int[] keys, KeyPacker packer, int parts, SharedArena arena)
    : HashJoinIndex<PackedSlot>(rows, keys, parts, arena)
{
    // So far ahead slots are fetched: about what fits between a miss and its arrival.
    private const int Ahead = 24;

    public override void Find(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, Span<int> found)
    {
        var scratch = KeyScratch.Rent();
        var packed = scratch.Packed.AsSpan(0, rows.Length);
        packer.Pack(keys, rows, scratch.Packed);
        var outside = packer.Ranges is null ? ulong.MaxValue : KeyPacker.Outside;
        var hasLimit = packer.Ranges is not null;
        fixed (Table* tables = Tables)
        fixed (ulong* hashes = scratch.Hashes)
        {
            for (var i = 0; i < packed.Length; i++) hashes[i] = RowHash.Mix(packed[i]);
            for (var i = 0; i < packed.Length; i++)
            {
                if (i + Ahead < packed.Length)
                {
                    var later = hashes[i + Ahead];
                    ref var target = ref tables[PartOf(later)];
                    Prefetch(target.Slots + ((int)later & target.Mask));
                }
                var key = packed[i];
                if (hasLimit && key >= outside)
                {
                    found[i] = -1;
                    continue;
                }
                ref var table = ref tables[PartOf(hashes[i])];
                var place = (int)hashes[i] & table.Mask;
                var slot = table.Slots + place;
                while (slot->Key != key && slot->Head != 0)
                {
                    place = (place + 1) & table.Mask;
                    slot = table.Slots + place;
                }
                found[i] = slot->Head - 1;
            }
        }
        scratch.Return();
    }

    protected override void Add(int part, ColumnVector[] keys, ReadOnlySpan<ushort> rows, int first)
    {
        Reserve(part, rows.Length);
        var scratch = KeyScratch.Rent();
        packer.Pack(keys, rows, scratch.Packed);
        ref var table = ref Tables[part];
        for (var i = 0; i < rows.Length; i++)
        {
            var key = scratch.Packed[i];
            var hash = RowHash.Mix(key);
            if (PartOf(hash) != part) continue;
            var place = (int)hash & table.Mask;
            var slot = table.Slots + place;
            while (slot->Head != 0 && slot->Key != key)
            {
                place = (place + 1) & table.Mask;
                slot = table.Slots + place;
            }
            var row = first + rows[i];
            if (slot->Head == 0)
            {
                slot->Key = key;
                table.Count++;
            }
            else
            {
                Chain(row, slot->Head - 1);
            }
            slot->Head = row + 1;
        }
        scratch.Return();
    }

    protected override void Move(Table from, Table to)
    {
        for (var i = 0; i <= from.Mask; i++)
        {
            var slot = from.Slots[i];
            if (slot.Head == 0) continue;
            var place = (int)RowHash.Mix(slot.Key) & to.Mask;
            while (to.Slots[place].Head != 0) place = (place + 1) & to.Mask;
            to.Slots[place] = slot;
        }
    }
}

/// <summary>Keys of any types: a slot holds half of the hash and the number of the first row plus one; keys are compared where the rows are.</summary>
internal sealed unsafe class GeneralJoinIndex(BuildRows rows, int[] keys, int parts, SharedArena arena) : HashJoinIndex<ulong>(rows, keys, parts, arena)
{
    private const int Ahead = 24;
    private const ulong TagBits = 0xFFFFFFFF00000000;

    public override void Find(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, Span<int> found)
    {
        var probe = HashProbe.Rent();
        RowHash.Of(keys, rows, probe.Hashes);
        var candidates = 0;
        fixed (Table* tables = Tables)
        fixed (ulong* hashes = probe.Hashes)
        {
            for (var i = 0; i < rows.Length; i++)
            {
                if (i + Ahead < rows.Length)
                {
                    var later = hashes[i + Ahead];
                    ref var target = ref tables[PartOf(later)];
                    Prefetch(target.Slots + ((int)later & target.Mask));
                }
                ref var table = ref tables[PartOf(hashes[i])];
                found[i] = Walk(table, hashes[i], (int)hashes[i] & table.Mask, out probe.Places[i]);
                if (found[i] >= 0) probe.Candidates[candidates++] = i;
            }

            // Those that met another key with the same half of a hash go on one slot further.
            while (candidates > 0)
            {
                var unequal = KeyEquality.KeepUnequal(keys, rows, Rows, Keys, found, probe.Candidates.AsSpan(0, candidates), probe.Pending);
                candidates = 0;
                for (var u = 0; u < unequal; u++)
                {
                    var i = probe.Pending[u];
                    ref var table = ref tables[PartOf(hashes[i])];
                    found[i] = Walk(table, hashes[i], (probe.Places[i] + 1) & table.Mask, out probe.Places[i]);
                    if (found[i] >= 0) probe.Candidates[candidates++] = i;
                }
            }
        }
        probe.Return();
    }

    protected override void Add(int part, ColumnVector[] keys, ReadOnlySpan<ushort> rows, int first)
    {
        Reserve(part, rows.Length);
        var probe = HashProbe.Rent();
        ref var table = ref Tables[part];
        RowHash.Of(keys, rows, probe.Hashes);
        var pending = 0;
        for (var i = 0; i < rows.Length; i++)
        {
            if (PartOf(probe.Hashes[i]) != part) continue;
            probe.Places[i] = (int)probe.Hashes[i] & table.Mask;
            probe.Pending[pending++] = i;
        }
        while (pending > 0)
        {
            var candidates = 0;
            for (var p = 0; p < pending; p++)
            {
                var i = probe.Pending[p];
                var hash = probe.Hashes[i];
                probe.Found[i] = Walk(table, hash, probe.Places[i], out probe.Places[i]);
                if (probe.Found[i] >= 0)
                {
                    probe.Candidates[candidates++] = i;
                    continue;
                }
                table.Slots[probe.Places[i]] = (hash & TagBits) | (uint)(first + rows[i] + 1);
                table.Count++;
            }
            var equal = probe.Candidates.AsSpan(0, candidates);
            pending = KeyEquality.KeepUnequal(keys, rows, Rows, Keys, probe.Found, equal, probe.Pending);
            for (var c = 0; c < candidates - pending; c++)
            {
                var i = equal[c];
                var row = first + rows[i];
                ref var slot = ref table.Slots[probe.Places[i]];
                Chain(row, (int)(uint)slot - 1);
                slot = (slot & TagBits) | (uint)(row + 1);
            }
            for (var p = 0; p < pending; p++) probe.Places[probe.Pending[p]] = (probe.Places[probe.Pending[p]] + 1) & table.Mask;
        }
        probe.Return();
    }

    // The row of the next slot with the same half of the hash; -1 at an empty one.
    private static int Walk(in Table table, ulong hash, int place, out int at)
    {
        while (true)
        {
            var slot = table.Slots[place];
            at = place;
            if (slot == 0) return -1;
            if ((slot ^ hash) >> 32 == 0) return (int)(uint)slot - 1;
            place = (place + 1) & table.Mask;
        }
    }

    // Slots hold half of a hash only: the rows' keys are hashed again.
    protected override void Move(Table from, Table to)
    {
        var vectors = Keys.Select(key => new ColumnVector(Rows.TypeOf(key))).ToArray();
        var hash = new ulong[1];
        for (var i = 0; i <= from.Mask; i++)
        {
            if (from.Slots[i] == 0) continue;
            var row = (int)(uint)from.Slots[i] - 1;
            for (var k = 0; k < Keys.Length; k++) Rows.Show(row >> BuildRows.ChunkBits, Keys[k], vectors[k]);
            RowHash.Of(vectors, [(ushort)(row & (ColumnBatch.MaxRows - 1))], hash);
            var place = (int)hash[0] & to.Mask;
            while (to.Slots[place] != 0) place = (place + 1) & to.Mask;
            to.Slots[place] = from.Slots[i];
        }
    }
}
