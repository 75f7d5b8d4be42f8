using Dataflow.Shuffle;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Rows;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Sql.Physical;

/// <summary>Merges sorted runs into one order. Equal rows come in the order of their runs.</summary>
internal sealed unsafe class RunMerge : BatchReader
{
    private readonly TaskContext _context;
    private readonly TaskArena _arena;
    private readonly SortPrefix _prefix;
    private readonly List<RunCursor> _heap = [];
    private readonly RunCursor[] _cursors;
    private readonly FlatVector[] _vectors;
    private readonly ColumnBatch _batch;
    private readonly bool[] _hasNulls;
    private readonly nint[] _data;
    private readonly nint[] _validity;
    private readonly int[] _from = new int[ColumnBatch.MaxRows];
    private readonly int[] _rows = new int[ColumnBatch.MaxRows];

    /// <param name="runs">The frames of each run.</param>
    /// <param name="types">The types of their columns.</param>
    /// <param name="columns">How many of these, from the first on, are given.</param>
    /// <param name="prefix">The order.</param>
    /// <param name="context">The task.</param>
    /// <param name="from">The first key that is wanted; null for all.</param>
    /// <param name="end">The first key that is not; null for none.</param>
    public RunMerge(
        IReadOnlyList<IReadOnlyList<InputSegment>> runs, DataType[] types, int columns, SortPrefix prefix, TaskContext context, SortBound? from = null, SortBound? end = null)
    {
        _context = context;
        _arena = new TaskArena(context, "merge of sorted runs");
        _prefix = prefix;
        _vectors = [.. types.Take(columns).Select(type => new FlatVector(_arena, type))];
        _batch = new ColumnBatch([.. _vectors.Select(vector => vector.Vector)]);
        _hasNulls = new bool[columns];
        _cursors = new RunCursor[runs.Count];
        _data = new nint[runs.Count];
        _validity = new nint[runs.Count];
        for (var i = 0; i < runs.Count; i++)
        {
            _cursors[i] = new RunCursor(i, runs[i], types, prefix, _arena, from, end);
            if (_cursors[i].Advance()) _heap.Add(_cursors[i]);
        }
        for (var i = (_heap.Count / 2) - 1; i >= 0; i--) Sift(i);
    }

    public override bool TryNext(out ColumnBatch batch)
    {
        _context.ThrowIfCancelled();
        batch = _batch;
        foreach (var cursor in _cursors) cursor.ReleaseRetired();
        _hasNulls.AsSpan().Clear();
        var (count, gathered) = (0, 0);
        while (count < ColumnBatch.MaxRows && _heap.Count > 0)
        {
            var first = _heap[0];
            var next = _heap.Count == 1 ? null : _heap.Count == 2 || IsBefore(_heap[1], _heap[2]) ? _heap[1] : _heap[2];
            do
            {
                _from[count] = first.Index;
                _rows[count++] = first.Row++;
                if (first.Row < first.Rows) continue;

                // Its frame is about to go.
                Gather(gathered, count);
                gathered = count;
                if (first.Advance()) break;
                _heap[0] = _heap[^1];
                _heap.RemoveAt(_heap.Count - 1);
                break;
            }
            while (count < ColumnBatch.MaxRows && (next is null || IsBefore(first, next)));
            if (_heap.Count > 1) Sift(0);
        }
        if (count == 0) return false;
        Gather(gathered, count);
        for (var i = 0; i < _vectors.Length; i++) _vectors[i].Set(count, _hasNulls[i]);
        _batch.Set(count);
        return true;
    }

    public override void Dispose()
    {
        foreach (var cursor in _cursors) cursor?.Dispose();
        _arena.Dispose();
        base.Dispose();
    }

    private bool IsBefore(RunCursor left, RunCursor right)
    {
        var (one, other) = (left.Prefixes[left.Row], right.Prefixes[right.Row]);
        if (one != other) return one < other;
        var order = _prefix.IsExact ? 0 : _prefix.Compare(left.Columns, left.Row, right.Columns, right.Row);
        return order != 0 ? order < 0 : left.Index < right.Index;
    }

    private void Sift(int place)
    {
        var moved = _heap[place];
        while (true)
        {
            var child = (2 * place) + 1;
            if (child >= _heap.Count) break;
            if (child + 1 < _heap.Count && IsBefore(_heap[child + 1], _heap[child])) child++;
            if (!IsBefore(_heap[child], moved)) break;
            _heap[place] = _heap[child];
            place = child;
        }
        _heap[place] = moved;
    }

    // Text is pointed at: frames that ended stay until the next batch.
    private void Gather(int start, int end)
    {
        if (start == end) return;
        for (var c = 0; c < _vectors.Length; c++)
        {
            var vector = _vectors[c];
            var hasNulls = false;
            for (var i = 0; i < _cursors.Length; i++)
            {
                if (_cursors[i].Columns is not { Length: > 0 } columns) continue;
                _data[i] = (nint)columns[c].Data;
                _validity[i] = (nint)columns[c].Validity;
                hasNulls |= _validity[i] != 0;
            }
            switch (vector.Vector.Type.Physical)
            {
                case PhysicalType.Bit:
                    for (var i = start; i < end; i++) SetBit((ulong*)vector.Data, i, ((ulong*)_data[_from[i]])[_rows[i] >> 6] >> (_rows[i] & 63) & 1);
                    break;
                case PhysicalType.Int8: Gather((byte*)vector.Data, start, end); break;
                case PhysicalType.Int16: Gather((short*)vector.Data, start, end); break;
                case PhysicalType.Int32 or PhysicalType.Float32: Gather((int*)vector.Data, start, end); break;
                case PhysicalType.Int64 or PhysicalType.Float64: Gather((long*)vector.Data, start, end); break;
                default: Gather((Int128*)vector.Data, start, end); break;
            }
            if (!hasNulls && !_hasNulls[c]) continue;
            if (!_hasNulls[c]) new Span<byte>(vector.Validity, ColumnBatch.MaxRows / 8).Fill(0xFF);
            _hasNulls[c] = true;
            for (var i = start; i < end; i++)
            {
                var bits = (ulong*)_validity[_from[i]];
                SetBit(vector.Validity, i, bits == null ? 1 : bits[_rows[i] >> 6] >> (_rows[i] & 63) & 1);
            }
        }
    }

    private void Gather<T>(T* to, int start, int end) where T : unmanaged
    {
        for (var i = start; i < end; i++) to[i] = ((T*)_data[_from[i]])[_rows[i]];
    }

    private static void SetBit(ulong* words, int index, ulong value) =>
        words[index >> 6] = (words[index >> 6] & ~(1UL << (index & 63))) | (value << (index & 63));
}

/// <summary>A row of keys that others are compared with.</summary>
/// <param name="Prefix">Its prefix.</param>
/// <param name="Columns">Flat vectors that hold it, and stay.</param>
/// <param name="Row">Which row of them.</param>
internal sealed record SortBound(ulong Prefix, ColumnVector[] Columns, int Row);
