using Dataflow.Sql.Kernels;
using Dataflow.Sql.Rows;
using Dataflow.Sql.Sources;
using Dataflow.Streaming.State;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Joins;

/// <summary>
/// Joins what a batch has of two streams with what waits of both: rows of the right with the waiting rows of the left; then rows of the left with all of the right; so each
/// pair is found once. At last rows are given that found no match and will not.
/// </summary>
internal sealed unsafe partial class JoinStateReader : StateReader<JoinState>
{
    private readonly Sql.JoinKind _kind;
    private readonly Side _left;
    private readonly Side _right;
    private readonly FilterEvaluator? _condition;
    private readonly TaskArena _arena;
    private readonly ColumnBatch _pairs;
    private readonly ColumnBatch _leftOnly;
    private readonly ulong* _matched;
    private readonly ulong* _mask;
    private readonly ushort[] _valid = new ushort[ColumnBatch.MaxRows];
    private readonly ushort[] _near = new ushort[ColumnBatch.MaxRows];
    private readonly long[] _times = new long[ColumnBatch.MaxRows];
    private readonly ushort[] _batchRows = new ushort[ColumnBatch.MaxRows];
    private readonly int[] _stateRows = new int[ColumnBatch.MaxRows];
    private readonly IEnumerator<ColumnBatch> _steps;
    private int _validCount;

    public JoinStateReader(
        Sql.JoinKind kind, JoinSide left, JoinSide right, FilterEvaluator? condition, Func<BatchReader> leftInput, Func<BatchReader> rightInput, TaskArena arena,
        StateBatch batch, int partition, TaskContext context) : base(batch, partition, context)
    {
        (_kind, _condition, _arena) = (kind, condition, arena);
        _left = new Side(left, leftInput, arena);
        _right = new Side(right, rightInput, arena);
        _pairs = new ColumnBatch([.. _left.Out, .. _right.Out]);
        _leftOnly = new ColumnBatch(_left.Out);
        _matched = (ulong*)arena.Rent(ColumnBatch.MaxRows / 8).Pointer;
        _mask = (ulong*)arena.Rent(ColumnBatch.MaxRows / 8).Pointer;
        _steps = Run().GetEnumerator();
    }

    // Of semi and anti joins only rows of the left are given.
    private bool GivesPairs => _kind is not (Sql.JoinKind.Semi or Sql.JoinKind.Anti);

    private ColumnBatch Result => GivesPairs ? _pairs : _leftOnly;

    protected override JoinState Load(string folder, string[] chain, TaskContext task) => JoinState.Load(_left.About.Layout, _right.About.Layout, folder, chain, task);

    protected override bool TryGive(out ColumnBatch rows)
    {
        while (_steps.MoveNext())
        {
            rows = _steps.Current;
            if (rows.Alive > 0) return true;
        }
        rows = null!;
        return false;
    }

    protected override void Forget()
    {
        foreach (var side in (Side[])[_left, _right])
        {
            if (side.About.DoneBefore(ForgettingOf(side)) is not { } done) continue;
            foreach (var span in side.Table.Before(done))
            {
                Batch.Figures.Removed.Add(side.Table[span].Count);
                side.Table.Drop(span);
            }
        }
    }

    protected override void Close()
    {
        _steps.Dispose();
        _left.Dispose();
        _right.Dispose();
        _arena.Dispose();
    }

    private IEnumerable<ColumnBatch> Run()
    {
        (_left.Table, _right.Table) = (State.Left, State.Right);
        foreach (var (side, other) in new[] { (_right, _left), (_left, _right) })
        {
            while (side.Input.TryNext(out var batch))
            {
                foreach (var rows in Match(batch, side, other)) yield return rows;
            }
        }
        foreach (var side in new[] { _left, _right })
        {
            if (!side.About.GivesUnmatched) continue;
            foreach (var rows in Unmatched(side)) yield return rows;
        }
    }

    // The pairs of a batch of one side; then its rows wait for those to come.
    private IEnumerable<ColumnBatch> Match(ColumnBatch batch, Side side, Side other)
    {
        side.Show(batch);
        var hopeless = Sift(batch, side);
        if (hopeless && side.About.GivesUnmatched) yield return GiveMasked(batch, side, other);
        ClearMatched();
        var (from, to) = side.TimesOfOther(_times.AsSpan(0, _validCount));
        var isWhole = false;
        foreach (var (start, span) in _validCount == 0 ? [] : other.Table.Spans.ToArray())
        {
            if (start != StateTable.Always && (start > to || other.Table.EndOf(start) <= from)) continue;
            var near = CountNear(side, start, other.Table.EndOf(start));
            if (near == 0) continue;

            // All rows, prepared once, unless half of them can be left out.
            var wasWhole = isWhole;
            isWhole = near * 2 > _validCount;
            if (!isWhole) side.Matches.Begin(side.Keys, _near.AsMemory(0, near));
            else if (!wasWhole) side.Matches.Begin(side.Keys, _valid.AsMemory(0, _validCount));
            side.Matches.GoTo(span);
            while (side.Matches.Next(_batchRows, _stateRows) is > 0 and var count)
            {
                Context.ThrowIfCancelled();
                if (Accept(batch, side, other, span, count) is { } rows) yield return rows;
            }
        }
        if (!GivesPairs && side == _left)
        {
            if (_kind == Sql.JoinKind.Semi) yield return GiveMatched(batch, side, other);
            KeepUnmatched();
        }
        Wait(side);
    }

    // Of rows that may match those whose times are near enough to a span of the other side, into _near.
    private int CountNear(Side side, long start, long end)
    {
        if (side.About.Time < 0 || start == StateTable.Always) return _validCount;
        var (from, to) = side.TimesNear(start, end);
        var count = 0;
        for (var i = 0; i < _validCount; i++)
        {
            _near[count] = _valid[i];
            if (_times[i] >= from && _times[i] <= to) count++;
        }
        return count;
    }

    // The rows of a batch that the mask has, alone.
    private ColumnBatch GiveMasked(ColumnBatch batch, Side side, Side other)
    {
        side.ShareOut(batch);
        other.NullOut();
        Result.Set(batch.Rows, _mask);
        return Result;
    }

    private ColumnBatch GiveMatched(ColumnBatch batch, Side side, Side other)
    {
        for (var i = 0; i < (batch.Rows + 63) >> 6; i++) _mask[i] = _matched[i];
        return GiveMasked(batch, side, other);
    }

    // By which watermark rows may be forgotten: of those that are given when none can match them, the batch's; of others the next batch's, as far as it is known. They would wait
    // to be forgotten in it, and whoever might match them comes too late by then.
    private long ForgettingOf(Side side) => side.About.GivesUnmatched || Batch.Next is not { } next
        ? Batch.Watermark
        : next.AtLeast((_left.About.Watermark, _left.Latest), (_right.About.Watermark, _right.Latest));

    private void Wait(Side side)
    {
        if (ReferenceEquals(side, _left)) LeaveOutDone(side);
        Batch.Figures.Updated.Add(_validCount);
        side.Table.Add(side.StoredColumns, _valid.AsSpan(0, _validCount), side.About.GivesUnmatched && GivesPairs ? _matched : null, Context);
    }

    // Rows that may match, into _valid, and their times; the mask has those that can't, as a key or the time is null. Late ones are left out.
    private bool Sift(ColumnBatch batch, Side side)
    {
        Bits.Zero(_mask, batch.Rows);
        var late = 0;
        var all = batch.Selection;
        _validCount = 0;
        foreach (var row in all)
        {
            if (HasNull(batch, side, row)) Bits.Set(_mask, row);
            else _valid[_validCount++] = row;
        }
        var hopeless = _validCount < all.Length;
        if (side.About.Time >= 0)
        {
            var (count, lateBefore) = (0, side.About.LateBefore(Batch.LateWatermark));
            StateTimes.Read(batch.Columns[side.About.Time], _valid.AsSpan(0, _validCount), _times);
            side.Note(_times.AsSpan(0, _validCount));
            for (var i = 0; i < _validCount; i++)
            {
                if (_times[i] < lateBefore) continue;
                (_times[count], _valid[count]) = (_times[i], _valid[i]);
                count++;
            }
            late = _validCount - count;
            _validCount = count;
            hopeless = hopeless && SiftHopeless(batch, side, lateBefore, ref late);
        }
        if (late > 0) Batch.Figures.Late.Add(late);
        if (late > 0 && ReferenceEquals(side, _right)) Batch.Figures.LateRight.Add(late);
        return hopeless;
    }

    // Of rows with a null in their keys those are late too whose time says so.
    private bool SiftHopeless(ColumnBatch batch, Side side, long lateBefore, ref int late)
    {
        var (times, some) = (batch.Columns[side.About.Time], false);
        foreach (var row in batch.Selection)
        {
            if (!Bits.Get(_mask, row)) continue;
            if (times.IsNull(row) || *(long*)times.ValueAt(row) >= lateBefore)
            {
                some = true;
                continue;
            }
            Bits.Clear(_mask, row);
            late++;
        }
        return some;
    }

    private static bool HasNull(ColumnBatch batch, Side side, ushort row)
    {
        foreach (var column in side.MayNotBeNull)
        {
            if (batch.Columns[column].IsNull(row)) return true;
        }
        return false;
    }

    // Pairs for which the condition is true: notes who has found a match, and gives them, or what a semi join gives of them.
    private ColumnBatch? Accept(ColumnBatch batch, Side side, Side other, StateSpan span, int count)
    {
        var leftOfState = other == _left;
        if (GivesPairs || _condition is not null)
        {
            side.GatherOut(batch, _batchRows.AsSpan(0, count));
            other.GatherOut(span, _stateRows.AsSpan(0, count));
        }
        _pairs.Set(count);
        if (_condition is not null) _pairs.Set(count, _condition.Filter(_pairs));
        if (_pairs.Alive == 0) return null;
        var given = 0;
        foreach (var pair in _pairs.Selection)
        {
            _matched[_batchRows[pair] >> 6] |= 1UL << (_batchRows[pair] & 63);
            if (GivesPairs)
            {
                if (other.About.GivesUnmatched) span.Mark(_stateRows[pair]);
            }
            else if (leftOfState && span.Has(_stateRows[pair]))
            {
                // A row of the left that waited has found its match: it is given, or will not be, and need not wait on.
                span.Remove(_stateRows[pair]);
                Batch.Figures.Removed.Add(1);
                _stateRows[given++] = _stateRows[pair];
            }
        }
        if (GivesPairs) return _pairs;
        if (_kind != Sql.JoinKind.Semi || given == 0) return null;
        other.GatherOut(span, _stateRows.AsSpan(0, given));
        _leftOnly.Set(given);
        return _leftOnly;
    }

    // Rows that waited in vain: none can come any more that would match.
    private IEnumerable<ColumnBatch> Unmatched(Side side)
    {
        if (side.About.DoneBefore(Batch.Watermark) is not { } done) yield break;
        foreach (var (start, span) in side.Table.Spans.ToArray())
        {
            if (start != StateTable.Always && start >= done) break;
            for (var next = 0; next < span.Numbers;)
            {
                var count = 0;
                for (; next < span.Numbers && count < ColumnBatch.MaxRows; next++)
                {
                    if (span.Has(next) && !span.IsMarked(next) && span.TimeOf(next) < done) _stateRows[count++] = next;
                }
                if (count == 0) continue;
                side.GatherOut(span, _stateRows.AsSpan(0, count));
                (side == _left ? _right : _left).NullOut();
                for (var i = 0; i < count; i++) span.Remove(_stateRows[i]);
                Batch.Figures.Removed.Add(count);
                Result.Set(count);
                yield return Result;
            }
        }
    }

    private void ClearMatched() => Bits.Zero(_matched, ColumnBatch.MaxRows);

    private void KeepUnmatched()
    {
        var count = 0;
        for (var i = 0; i < _validCount; i++)
        {
            if ((_matched[_valid[i] >> 6] >> (_valid[i] & 63) & 1) == 0) (_valid[count], _times[count++]) = (_valid[i], _times[i]);
        }
        _validCount = count;
    }

    // Rows of the left have met all rows of the right by now: those that would be forgotten need not wait.
    private void LeaveOutDone(Side side)
    {
        if (side.About.GivesUnmatched || side.About.DoneBefore(ForgettingOf(side)) is not { } done) return;
        var count = 0;
        for (var i = 0; i < _validCount; i++)
        {
            if (_times[i] >= done) (_valid[count], _times[count++]) = (_valid[i], _times[i]);
        }
        _validCount = count;
    }
}
