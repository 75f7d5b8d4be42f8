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
internal sealed unsafe class JoinStateReader : StateReader<JoinState>
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

    protected override void Forget(long watermark)
    {
        foreach (var side in (Side[])[_left, _right])
        {
            if (side.About.DoneBefore(watermark) is not { } done) continue;
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
        if (_validCount > 0) side.Matches.Begin(side.Keys, _valid.AsMemory(0, _validCount));
        foreach (var (start, span) in _validCount == 0 ? [] : other.Table.Spans.ToArray())
        {
            if (start != StateTable.Always && (start > to || other.Table.EndOf(start) <= from)) continue;
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

    private void Wait(Side side)
    {
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
            if ((_matched[_valid[i] >> 6] >> (_valid[i] & 63) & 1) == 0) _valid[count++] = _valid[i];
        }
        _validCount = count;
    }

    /// <summary>One side: its rows, its table, and the vectors in which its columns are given.</summary>
    private sealed class Side : IDisposable
    {
        private readonly VectorGather[] _gathers;
        private readonly FlatVector[] _stored;
        private readonly int[] _storedPositions;
        private readonly int[] _places;
        private readonly ColumnVector[] _nulls;
        private readonly Func<BatchReader> _open;
        private BatchReader? _input;

        public Side(JoinSide about, Func<BatchReader> open, TaskArena arena)
        {
            (About, _open) = (about, open);
            _storedPositions = about.Stored;
            _places = [.. Enumerable.Range(0, about.Width).Select(column => Array.IndexOf(_storedPositions, column))];
            Keys = new ColumnVector[about.Keys.Count];
            Matches = new SpanMatches(about.Layout.Keys, arena);
            MayNotBeNull = about.Time < 0 ? [.. about.Strict] : [.. about.Strict, about.Time];
            StoredColumns = new ColumnVector[_storedPositions.Length];
            Out = [.. about.Types.Take(about.Width).Select(type => new ColumnVector(type))];
            _gathers = [.. Out.Select(vector => new VectorGather(arena, vector.Type))];
            _stored = [.. _storedPositions.Select(position => new FlatVector(arena, about.Types[position]))];
            var zeros = arena.Rent(64);
            new Span<byte>(zeros.Pointer, 64).Clear();
            _nulls = [.. Out.Select(vector => new ColumnVector(vector.Type) { Form = VectorForm.Constant, Data = zeros.Pointer, Validity = (ulong*)zeros.Pointer, Length = ColumnBatch.MaxRows })];
        }

        public JoinSide About { get; }

        public StateTable Table { get; set; } = null!;

        public BatchReader Input => _input ??= _open();

        /// <summary>The columns of rows that may match.</summary>
        public int[] MayNotBeNull { get; }

        /// <summary>Finds rows of the other side.</summary>
        public SpanMatches Matches { get; }

        /// <summary>The keys of the batch.</summary>
        public ColumnVector[] Keys { get; }

        /// <summary>The columns of the batch that are stored.</summary>
        public ColumnVector[] StoredColumns { get; }

        /// <summary>What is given of the side.</summary>
        public ColumnVector[] Out { get; }

        public void Show(ColumnBatch batch)
        {
            for (var i = 0; i < Keys.Length; i++) Keys[i] = batch.Columns[About.Keys[i]];
            for (var i = 0; i < StoredColumns.Length; i++) StoredColumns[i] = batch.Columns[_storedPositions[i]];
        }

        /// <summary>Between which times rows of the other side lie that match rows of the given times.</summary>
        public (long From, long To) TimesOfOther(ReadOnlySpan<long> ofRows)
        {
            if (About.Time < 0 || ofRows.IsEmpty) return (long.MinValue, long.MaxValue);
            var (first, last) = (long.MaxValue, long.MinValue);
            foreach (var time in ofRows) (first, last) = (Math.Min(first, time), Math.Max(last, time));
            var from = About.Life!.OtherEarlier is { } earlier ? (long)Int128.Clamp((Int128)first - earlier, long.MinValue, long.MaxValue) : long.MinValue;
            var to = About.Life.OtherLater is { } later ? (long)Int128.Clamp((Int128)last + later, long.MinValue, long.MaxValue) : long.MaxValue;
            return (from, to);
        }

        /// <summary>Gives columns of a batch as they are.</summary>
        public void ShareOut(ColumnBatch batch)
        {
            for (var i = 0; i < Out.Length; i++) Out[i].Share(batch.Columns[i]);
        }

        /// <summary>Gives rows of a batch.</summary>
        public void GatherOut(ColumnBatch batch, ReadOnlySpan<ushort> rows)
        {
            for (var i = 0; i < Out.Length; i++) Out[i].Share(_gathers[i].Gather(batch.Columns[i], rows));
        }

        /// <summary>Gives rows that waited.</summary>
        public void GatherOut(StateSpan span, ReadOnlySpan<int> rows)
        {
            span.Gather(rows, _stored);
            for (var i = 0; i < Out.Length; i++) Out[i].Share(_stored[_places[i]].Vector);
        }

        /// <summary>Gives nulls.</summary>
        public void NullOut()
        {
            for (var i = 0; i < Out.Length; i++) Out[i].Share(_nulls[i]);
        }

        public void Dispose() => _input?.Dispose();
    }
}
