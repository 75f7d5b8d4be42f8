using Dataflow.Sql.Physical;
using Dataflow.Sql.Sources;
using Dataflow.Streaming.State;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Sessions;

/// <summary>Reads what a batch brings to a partition of sessions, and gives those that are final; all where none is.</summary>
internal sealed unsafe class SessionReader(SessionRules rules, StateBatch batch, int partition, BatchReader input, TaskContext context)
    : TableReader(rules.Layout, batch, partition, context)
{
    // Pieces that are merged at once: what is read of a batch need not fit into memory beside the state.
    private const int MostPieces = 128 << 10;

    private readonly TaskArena _arena = new(context, "sessions given");
    private readonly ushort[] _rows = new ushort[ColumnBatch.MaxRows];
    private IEnumerator<(StateSpan Span, int[] Rows)>? _final;
    private GroupStates? _values;
    private FlatVector[] _vectors = [];
    private ColumnBatch? _gathered;
    private int _given = -1;

    protected override bool TryGive(out ColumnBatch rows)
    {
        if (_final is null)
        {
            Advance();
            _vectors = [.. rules.Layout.Types.Select(type => new FlatVector(_arena, type))];
            _gathered = new ColumnBatch([.. _vectors.Select(vector => vector.Vector)]);
            _values = rules.Groups(_arena, givesValues: true);
            _final = Final().GetEnumerator();
        }
        while (true)
        {
            if (_given >= 0)
            {
                if (_values!.TryGive(ref _given, asStates: false, out rows)) return true;
                _values.Clear();
            }
            if (!_final.MoveNext())
            {
                _given = -1;
                rows = null!;
                return false;
            }
            var (span, numbers) = _final.Current;
            span.Gather(numbers, _vectors);
            _gathered!.Set(numbers.Length);
            rules.Merge(_values!, _gathered);
            _given = 0;
        }
    }

    protected override void Forget()
    {
        if (rules.AfterMicroseconds is null) return;
        if (rules.Bound(Batch.Watermark) is { } bound) Drop(bound);
        NoteNext();
    }

    private void Drop(long bound)
    {
        var before = State.Count;
        foreach (var span in State.Before(bound)) State.Drop(span);
        foreach (var (start, span) in State.Spans)
        {
            if (start > bound) break;
            for (var row = 0; row < span.Numbers; row++)
            {
                if (span.Has(row) && span.TimeOf(row) <= bound) span.Remove(row);
            }
        }
        Batch.Figures.Removed.Add(before - State.Count);
    }

    // The earliest end of those that stay.
    private void NoteNext()
    {
        foreach (var (_, span) in State.Spans)
        {
            var next = long.MaxValue;
            for (var row = 0; row < span.Numbers; row++)
            {
                if (span.Has(row) && span.TimeOf(row) is { } end) next = Math.Min(next, end);
            }
            if (next == long.MaxValue) continue;
            Batch.Figures.NextEnd.Add(next + rules.AfterMicroseconds!.Value);
            return;
        }
    }

    protected override void Close()
    {
        input.Dispose();
        _final?.Dispose();
        _arena.Dispose();
    }

    private void Advance()
    {
        if (!input.TryNext(out var rows)) return;
        using var merger = new SessionMerger(rules, Context);
        var late = rules.Bound(Batch.LateWatermark);
        do
        {
            var left = late is { } bound ? NotLate(rows, bound) : rows.Selection;
            merger.Add(rows.Columns, left);
            if (merger.Count >= MostPieces) Batch.Figures.Updated.Add(merger.MergeInto(State));
        }
        while (input.TryNext(out rows));
        Batch.Figures.Updated.Add(merger.MergeInto(State));
    }

    // What would be a session by itself that was over before: whether it would have met another one, nobody knows any more.
    private ReadOnlySpan<ushort> NotLate(ColumnBatch rows, long bound)
    {
        var ends = rows.Columns[rules.Keys + 1];
        var count = 0;
        foreach (var row in rows.Selection)
        {
            if (*(long*)ends.ValueAt(row) > bound) _rows[count++] = row;
        }
        if (count < rows.Alive) Batch.Figures.Late.Add(rows.Alive - count);
        return _rows.AsSpan(0, count);
    }

    private IEnumerable<(StateSpan Span, int[] Rows)> Final()
    {
        var bound = rules.AfterMicroseconds is null ? long.MaxValue : rules.Bound(Batch.Watermark);
        if (bound is null) yield break;
        foreach (var (start, span) in State.Spans)
        {
            if (start > bound) yield break;
            var rows = new List<int>(ColumnBatch.MaxRows);
            for (var row = 0; row < span.Numbers; row++)
            {
                if (span.Has(row) && span.TimeOf(row) <= bound) rows.Add(row);
                if (rows.Count < ColumnBatch.MaxRows) continue;
                yield return (span, [.. rows]);
                rows.Clear();
            }
            if (rows.Count > 0) yield return (span, [.. rows]);
        }
    }
}
