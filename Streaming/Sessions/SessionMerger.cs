using System.Runtime.InteropServices;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Rows;
using Dataflow.Streaming.State;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Sessions;

/// <summary>Puts pieces of sessions together where they overlap: those that a batch brings, and those of their keys that are in state.</summary>
/// <remarks>A piece is a row of keys, start, end and states of aggregates.</remarks>
internal sealed unsafe class SessionMerger : IDisposable
{
    private readonly SessionRules _rules;
    private readonly TaskContext _context;
    private readonly TaskArena _arena;
    private readonly TaskArena _mergedArena;
    private readonly KeyTable? _keys;
    private readonly RowStore _rows;
    private readonly RowGatherer _gatherer;
    private readonly FlatVector[] _knownVectors;
    private readonly ColumnBatch _known;
    private readonly FlatVector[] _asked;
    private readonly GroupStates _merged;
    private readonly List<Piece> _pieces = [];
    private readonly int[] _numbers = new int[ColumnBatch.MaxRows];
    private readonly int[] _found = new int[ColumnBatch.MaxRows];
    private readonly ushort[] _all = [.. Enumerable.Range(0, ColumnBatch.MaxRows).Select(row => (ushort)row)];
    private readonly int _keyCount;

    public SessionMerger(SessionRules rules, TaskContext context)
    {
        var layout = rules.Layout;
        _rules = rules;
        _context = context;
        _keyCount = rules.Keys;
        _arena = new TaskArena(context, "sessions");
        _mergedArena = new TaskArena(context, "merged sessions");
        _keys = _keyCount == 0 ? null : KeyTable.For(_arena, layout.Keys);
        _rows = new RowStore(_arena, layout.Types);
        _gatherer = new RowGatherer(_arena, layout.Types);
        _asked = [.. layout.Keys.Select(type => new FlatVector(_arena, type))];
        _knownVectors = [.. layout.Types.Select(type => new FlatVector(_arena, type))];
        _known = new ColumnBatch([.. _knownVectors.Select(vector => vector.Vector)]);
        _merged = rules.Groups(_mergedArena, givesValues: false);
    }

    /// <summary>Pieces that were brought and not merged yet.</summary>
    public int Count => _pieces.Count;

    /// <summary>Takes pieces that a batch brings.</summary>
    /// <param name="columns">Keys, start, end, states.</param>
    /// <param name="rows">Which rows of them.</param>
    public void Add(ReadOnlySpan<ColumnVector> columns, ReadOnlySpan<ushort> rows)
    {
        var numbers = _numbers.AsSpan(0, rows.Length);
        numbers.Clear();
        _keys?.FindOrAdd(columns[.._keyCount], rows, numbers);
        for (var i = 0; i < rows.Length; i++)
            _pieces.Add(new Piece(numbers[i], *(long*)columns[_keyCount].ValueAt(rows[i]), *(long*)columns[_keyCount + 1].ValueAt(rows[i]), _rows.Count + i, 0, -1));
        _rows.Append(columns, rows);
        Charge();
    }

    /// <summary>Merges what was brought into a state, and forgets it.</summary>
    /// <returns>How many sessions were added or changed.</returns>
    public long MergeInto(StateTable state)
    {
        if (_pieces.Count == 0) return 0;
        TakeKnown(state);
        var pieces = CollectionsMarshal.AsSpan(_pieces);
        pieces.Sort();
        var batch = new Gathering();
        for (var first = 0; first < pieces.Length;)
        {
            _context.ThrowIfCancelled();
            var (next, end) = (first + 1, pieces[first].End);
            for (; next < pieces.Length && pieces[next].Key == pieces[first].Key && pieces[next].Start < end; next++) end = Math.Max(end, pieces[next].End);

            // One that nothing was added to stays as it is.
            if (next > first + 1 || pieces[first].Number < 0)
            {
                for (var i = first; i < next; i++)
                {
                    if (pieces[i].Number >= 0) state[pieces[i].Span].Remove(pieces[i].Number);
                    batch.Add(pieces[i].Row, pieces[first].Start, end);
                    if (batch.Count == ColumnBatch.MaxRows) Flush(batch);
                }
            }
            first = next;
        }
        Flush(batch);
        var count = 0L;
        for (var next = 0; _merged.TryGive(ref next, asStates: true, out var sessions);)
        {
            state.Add(sessions.Columns, sessions.Selection, null, _context);
            count += sessions.Alive;
        }
        _merged.Clear();
        _keys?.Clear();
        _rows.Clear();
        _pieces.Clear();
        return count;
    }

    public void Dispose()
    {
        _arena.Dispose();
        _mergedArena.Dispose();
    }

    // Sessions of the same keys in state that end behind the first piece: others are not touched.
    private void TakeKnown(StateTable state)
    {
        var earliest = long.MaxValue;
        foreach (var piece in _pieces) earliest = Math.Min(earliest, piece.Start);
        var keys = _keys?.Count ?? 1;
        var columns = new ColumnVector[_keyCount];
        for (var first = 0; first < keys; first += ColumnBatch.MaxRows)
        {
            var count = Math.Min(ColumnBatch.MaxRows, keys - first);
            for (var i = 0; i < count; i++) _numbers[i] = first + i;
            for (var i = 0; i < _keyCount; i++)
            {
                _keys!.Keys[i].Gather(_numbers.AsSpan(0, count), _asked[i]);
                columns[i] = _asked[i].Vector;
            }
            foreach (var (start, span) in state.Spans)
            {
                if (state.EndOf(start) <= earliest) continue;
                span.Find(columns, _all.AsSpan(0, count), _found);
                var (rows, keysOf) = (new List<int>(), new List<int>());
                for (var i = 0; i < count; i++)
                {
                    for (var row = _found[i]; row >= 0; row = span.Next(row))
                    {
                        if (span.TimeOf(row) is not { } end || end <= earliest) continue;
                        rows.Add(row);
                        keysOf.Add(first + i);
                        if (rows.Count == ColumnBatch.MaxRows) Take(span, start, rows, keysOf);
                    }
                }
                Take(span, start, rows, keysOf);
            }
        }
    }

    private void Take(StateSpan span, long start, List<int> rows, List<int> keys)
    {
        if (rows.Count == 0) return;
        span.Gather(CollectionsMarshal.AsSpan(rows), _knownVectors);
        _known.Set(rows.Count);
        var starts = (long*)_knownVectors[_keyCount].Data;
        var ends = (long*)_knownVectors[_keyCount + 1].Data;
        for (var i = 0; i < rows.Count; i++) _pieces.Add(new Piece(keys[i], starts[i], ends[i], _rows.Count + i, start, rows[i]));
        _rows.Append(_known);
        Charge();
        rows.Clear();
        keys.Clear();
    }

    private void Flush(Gathering gathering)
    {
        if (gathering.Count == 0) return;
        var batch = _gatherer.Gather(_rows, gathering.Rows.AsSpan(0, gathering.Count));
        gathering.Starts.AsSpan(0, gathering.Count).CopyTo(new Span<long>(batch.Columns[_keyCount].Data, gathering.Count));
        gathering.Ends.AsSpan(0, gathering.Count).CopyTo(new Span<long>(batch.Columns[_keyCount + 1].Data, gathering.Count));
        _rules.Merge(_merged, batch);
        gathering.Count = 0;
    }

    private void Charge() => _arena.ChargeObjects((long)_pieces.Capacity * sizeof(Piece));

    /// <summary>Pieces that are gathered next, with start and end of their sessions.</summary>
    private sealed class Gathering
    {
        public int[] Rows { get; } = new int[ColumnBatch.MaxRows];

        public long[] Starts { get; } = new long[ColumnBatch.MaxRows];

        public long[] Ends { get; } = new long[ColumnBatch.MaxRows];

        public int Count { get; set; }

        public void Add(int row, long start, long end)
        {
            (Rows[Count], Starts[Count], Ends[Count]) = (row, start, end);
            Count++;
        }
    }

    /// <summary>A piece: the number of its key, its times, its row; and, of one in state, span and number there.</summary>
    private readonly record struct Piece(int Key, long Start, long End, int Row, long Span, int Number) : IComparable<Piece>
    {
        public int CompareTo(Piece other)
        {
            if (Key != other.Key) return Key.CompareTo(other.Key);
            return Start != other.Start ? Start.CompareTo(other.Start) : Row.CompareTo(other.Row);
        }
    }
}
