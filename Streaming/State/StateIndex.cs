using System.Numerics;
using Dataflow.Sql.Rows;
using Dataflow.Storage;

namespace Dataflow.Streaming.State;

/// <summary>
/// Finds rows of a store by the columns that stand first in it: for a key the newest row, and from each row the next older one of the same key. Rows are taken up in their
/// order, when they are asked for.
/// </summary>
/// <remarks>Linear probing: a slot has the lower half of a hash, and the number of a key's newest row plus one. Slots lie in order of hashes, so that a table grows from front to back, also where
/// it lies on the disk. Keys are compared in the store, many at a time. Nulls are equal to each other.</remarks>
internal sealed unsafe class StateIndex
{
    private const int FirstSlots = 256;
    private const int Bytes = sizeof(int);
    private const ulong TagBits = 0xFFFFFFFF00000000;
    private const int HashBits = 32;

    private readonly RowStore _rows;
    private readonly TaskArena _arena;
    private readonly ColumnVector[] _vectors;
    private NativeBuffer _slots;
    private NativeBuffer _older;
    private int _mask;
    private int _shift;
    private int _taken;
    private int _capacity = FirstSlots;

    /// <param name="rows">The rows, to which more may be added.</param>
    /// <param name="keys">How many of their columns are the key.</param>
    /// <param name="arena">Memory.</param>
    public StateIndex(RowStore rows, int keys, TaskArena arena)
    {
        (_rows, _arena) = (rows, arena);
        _vectors = [.. Enumerable.Range(0, keys).Select(key => new ColumnVector(rows[key].Type))];
        _slots = Empty(FirstSlots);
        (_mask, _shift) = (FirstSlots - 1, ShiftOf(FirstSlots));
        _older = arena.Rent(_capacity * Bytes);
    }

    /// <summary>Rows that were taken up.</summary>
    public int Count { get; private set; }

    /// <summary>Takes up the rows that are not yet.</summary>
    public void TakeUp()
    {
        var rows = HashProbe.Rent();
        while (Count < _rows.Count)
        {
            // Bits are shown from whole words on.
            var start = Count & ~63;
            var end = Math.Min(_rows.Count, start + ColumnBatch.MaxRows);
            for (var key = 0; key < _vectors.Length; key++) _rows[key].Show(start, end - start, _vectors[key]);
            Add(rows, start, Count - start, end - start);
        }
        rows.Return();
    }

    /// <summary>The newest row of each key; -1 where there is none.</summary>
    /// <param name="keys">The keys.</param>
    /// <param name="rows">Which rows of them.</param>
    /// <param name="found">A row of the store for each.</param>
    public void Find(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, Span<int> found)
    {
        var probe = HashProbe.Rent();
        RowHash.Of(keys, rows, probe.Hashes);
        for (var i = 0; i < rows.Length; i++)
        {
            probe.Places[i] = (int)((uint)probe.Hashes[i] >> _shift);
            probe.Pending[i] = i;
        }
        for (var pending = rows.Length; pending > 0;)
        {
            var candidates = 0;
            for (var p = 0; p < pending; p++)
            {
                var i = probe.Pending[p];
                found[i] = Walk(probe.Hashes[i], ref probe.Places[i]);
                if (found[i] >= 0) probe.Candidates[candidates++] = i;
            }
            pending = KeepUnequal(keys, rows, found, probe, candidates);
        }
        probe.Return();
    }

    /// <summary>The next older row of the same key; -1 if there is none.</summary>
    public int OlderOf(int row) => ((int*)_older.Pointer)[row];

    private void Add(HashProbe probe, int start, int first, int end)
    {
        var rows = probe.Added.AsSpan(0, end - first);
        for (var i = 0; i < rows.Length; i++) rows[i] = (ushort)(first + i);
        Reserve(rows.Length);
        RowHash.Of(_vectors, rows, probe.Hashes);
        var slots = (ulong*)_slots.Pointer;
        var older = (int*)_older.Pointer;
        for (var i = 0; i < rows.Length; i++)
        {
            older[Count + i] = -1;
            probe.Places[i] = (int)((uint)probe.Hashes[i] >> _shift);
            probe.Pending[i] = i;
        }
        for (var pending = rows.Length; pending > 0;)
        {
            var candidates = 0;
            for (var p = 0; p < pending; p++)
            {
                var i = probe.Pending[p];
                probe.Found[i] = Walk(probe.Hashes[i], ref probe.Places[i]);
                if (probe.Found[i] >= 0)
                {
                    probe.Candidates[candidates++] = i;
                    continue;
                }
                slots[probe.Places[i]] = (probe.Hashes[i] << HashBits) | (uint)(start + rows[i] + 1);
                _taken++;
            }
            var unequal = KeepUnequal(_vectors, rows, probe.Found, probe, candidates);
            for (var c = 0; c < candidates - unequal; c++)
            {
                var i = probe.Candidates[c];
                var row = start + rows[i];
                ref var slot = ref slots[probe.Places[i]];
                older[row] = (int)(uint)slot - 1;
                slot = (slot & TagBits) | (uint)(row + 1);
            }
            pending = unequal;
        }
        Count += rows.Length;
    }

    // Those that met another key of the same half of a hash go on one slot further.
    private int KeepUnequal(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> found, HashProbe probe, int candidates)
    {
        var unequal = KeyEquality.KeepUnequal(keys, rows, _rows, found, probe.Candidates.AsSpan(0, candidates), probe.Pending);
        for (var p = 0; p < unequal; p++) probe.Places[probe.Pending[p]] = (probe.Places[probe.Pending[p]] + 1) & _mask;
        return unequal;
    }

    // The row of the next slot with the same half of the hash; -1 at an empty one.
    private int Walk(ulong hash, ref int place)
    {
        var slots = (ulong*)_slots.Pointer;
        while (true)
        {
            var slot = slots[place];
            if (slot == 0) return -1;
            if ((uint)(slot >> HashBits) == (uint)hash) return (int)(uint)slot - 1;
            place = (place + 1) & _mask;
        }
    }

    private void Reserve(int more)
    {
        if (Count + more > _capacity)
        {
            _capacity = Math.Max(Count + more, checked(_capacity * 2));
            _older = Regrow(_older);
        }
        if ((_taken + (long)more) * 2 <= _mask + 1L) return;
        var size = _mask + 1;
        while ((_taken + (long)more) * 2 > size) size = checked(size * 2);
        var grown = Empty(size);
        var shift = ShiftOf(size);
        var from = (ulong*)_slots.Pointer;
        var to = (ulong*)grown.Pointer;
        for (var i = 0; i <= _mask; i++)
        {
            if (from[i] == 0) continue;
            var place = (int)((uint)(from[i] >> HashBits) >> shift);
            while (to[place] != 0) place = (place + 1) & (size - 1);
            to[place] = from[i];
        }
        _arena.Return(_slots);
        (_slots, _mask, _shift) = (grown, size - 1, shift);
    }

    private NativeBuffer Regrow(NativeBuffer old)
    {
        var grown = _arena.Rent(checked(_capacity * Bytes));
        Buffer.MemoryCopy(old.Pointer, grown.Pointer, grown.Length, (long)Count * Bytes);
        _arena.Return(old);
        return grown;
    }

    private static int ShiftOf(int slots) => HashBits - BitOperations.Log2((uint)slots);

    private NativeBuffer Empty(int slots)
    {
        var buffer = _arena.Rent(checked(slots * sizeof(ulong)));
        new Span<byte>(buffer.Pointer, slots * sizeof(ulong)).Clear();
        return buffer;
    }
}
