using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Joins;
using Dataflow.Sql.Rows;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Sql.Physical;

/// <summary>
/// Goes by a join's table. Where no key has two rows, columns of the left are passed on as they are and only those of the right are fetched; else
/// pairs are made, a batch at a time.
/// </summary>
internal sealed unsafe class JoinReader : BatchReader
{
    private const int Words = ColumnBatch.MaxRows / 64;

    // Of so many rows one is left: the others are no longer carried along.
    private const int PackedPart = 3;

    private readonly JoinKind _kind;
    private readonly bool _marksNulls;
    private readonly BatchReader _input;
    private readonly JoinTable _table;
    private readonly IDisposable? _owned;
    private readonly TaskArena _arena;
    private readonly Evaluator[] _keys;
    private readonly ColumnVector[] _keyVectors;
    private readonly int[] _strictKeys;
    private readonly ColumnVector[] _strictVectors;
    private readonly FilterEvaluator? _condition;
    private readonly int[] _left;
    private readonly int[] _right;
    private readonly VectorGather[] _leftGathers;
    private readonly FlatVector[] _rightVectors;
    private readonly ColumnBatch _pairs;
    private readonly ColumnBatch _result;
    private readonly FlatVector? _mark;
    private readonly ulong* _matched;
    private readonly ulong* _mask;
    private readonly ulong* _rightMatched;
    private readonly ushort[] _valid = new ushort[ColumnBatch.MaxRows];
    private readonly int[] _found = new int[ColumnBatch.MaxRows];
    private readonly int[] _rightRows = new int[ColumnBatch.MaxRows];
    private readonly int[] _pairRows = new int[ColumnBatch.MaxRows];
    private readonly ushort[] _leftRows = new ushort[ColumnBatch.MaxRows];

    // Where making pairs of the current batch goes on.
    private ColumnBatch? _batch;
    private int _validCount;
    private int _next;
    private int _chain = -1;
    private int _unmatchedRight;
    private bool _inputEnded;

    public JoinReader(JoinStep step, BatchReader input, JoinTable table, IDisposable? owned, TaskContext context)
    {
        _kind = step.Kind;
        _marksNulls = step.MarksNulls;
        _input = input;
        _table = table;
        _owned = owned;
        _arena = new TaskArena(context, "join");
        var evaluating = step.Scope.In(_arena);
        _keys = [.. step.LeftKeys.Select(key => ExpressionCompiler.Compile(key, step.Left, evaluating))];
        _keyVectors = new ColumnVector[_keys.Length];
        _strictKeys = step.StrictKeys;
        _strictVectors = new ColumnVector[_strictKeys.Length];
        _left = [.. step.PairLeft];
        _right = [.. step.PairRight];
        _leftGathers = [.. _left.Select(column => new VectorGather(_arena, step.Left[column].Type))];
        _rightVectors = [.. _right.Select(column => new FlatVector(_arena, step.Right[column].Type))];
        _pairs = new ColumnBatch([.. _left.Select(column => new ColumnVector(step.Left[column].Type)), .. _rightVectors.Select(vector => vector.Vector)]);
        ValueList<ColumnReference> both = [.. _left.Select(column => step.Left[column]), .. _right.Select(column => step.Right[column])];
        _condition = step.Condition is null ? null : ExpressionCompiler.CompileFilter(step.Condition, both, evaluating);
        if (_kind == JoinKind.Mark) _mark = new FlatVector(_arena, DataType.Boolean);
        _result = new ColumnBatch([.. step.Left.Select(column => new ColumnVector(column.Type)), .. _mark is null ? Array.Empty<ColumnVector>() : [_mark.Vector]]);
        _matched = (ulong*)_arena.Rent(Words * sizeof(ulong)).Pointer;
        _mask = (ulong*)_arena.Rent(Words * sizeof(ulong)).Pointer;
        if (_kind != JoinKind.Full) return;
        var words = (table.Rows.Numbers + 63) / 64;
        _rightMatched = (ulong*)_arena.Rent(Math.Max(8, words * sizeof(ulong))).Pointer;
        new Span<ulong>(_rightMatched, words).Clear();
    }

    private bool GivesPairs => _kind is JoinKind.Inner or JoinKind.Left or JoinKind.Full or JoinKind.Single;

    public override bool TryNext(out ColumnBatch batch)
    {
        while (true)
        {
            if (_batch is not null)
            {
                if (GivesPairs ? TryPairs(out batch) : TryMatches(out batch)) return true;
                continue;
            }
            if (_inputEnded || !_input.TryNext(out _batch!))
            {
                _inputEnded = true;
                _batch = null;
                return TryUnmatchedRight(out batch);
            }
            Begin(_batch);
        }
    }

    public override void Dispose()
    {
        _input.Dispose();
        _arena.Dispose();
        _owned?.Dispose();
        base.Dispose();
    }

    private void Begin(ColumnBatch batch)
    {
        for (var i = 0; i < _keys.Length; i++) _keyVectors[i] = _keys[i].Evaluate(batch);
        for (var i = 0; i < _strictKeys.Length; i++) _strictVectors[i] = _keyVectors[_strictKeys[i]];
        var valid = NotNull.Rows(_strictVectors, batch.Selection, _valid);
        _validCount = valid.Length;
        if (!valid.IsEmpty) valid.CopyTo(_valid);
        _table.Find(_keyVectors, valid, _found);
        new Span<ulong>(_matched, Words).Clear();
        _next = 0;
        _chain = _validCount > 0 ? _found[0] : -1;
    }

    // Pairs of the current batch; after the last of them, its rows without match.
    private bool TryPairs(out ColumnBatch batch)
    {
        if (_table.IsUnique && _condition is null && _next == 0 && _keys.Length > 0) return TryAligned(out batch);
        if (_next >= 0)
        {
            var count = MakePairs();
            if (count > 0)
            {
                batch = Gather(count);
                return batch.Alive > 0;
            }
            _next = -1;
        }
        var rows = _batch!;
        _batch = null;
        batch = _pairs;
        return _kind != JoinKind.Inner && TryUnmatchedLeft(rows);
    }

    // No key has two rows: columns of the left are passed on as they are, and row i of the right stands beside row i of the left; unless few rows match,
    // which are put together then.
    private bool TryAligned(out ColumnBatch batch)
    {
        var rows = _batch!;
        _batch = null;
        batch = _pairs;
        var keepsAll = _kind != JoinKind.Inner;
        var count = 0;
        for (var i = 0; i < _validCount; i++)
        {
            _leftRows[count] = _valid[i];
            _pairRows[count] = _found[i];
            count += _found[i] >= 0 ? 1 : 0;
        }
        if (count == 0 && !keepsAll) return false;
        if (_rightMatched != null)
        {
            for (var i = 0; i < count; i++) _rightMatched[_pairRows[i] >> 6] |= 1UL << (_pairRows[i] & 63);
        }
        if (!keepsAll && count * PackedPart < rows.Rows)
        {
            for (var i = 0; i < _left.Length; i++) _pairs.Columns[i].Share(_leftGathers[i].Gather(rows.Columns[_left[i]], _leftRows.AsSpan(0, count)));
            _pairRows.AsSpan(0, count).CopyTo(_rightRows);
            GatherRight(count, mayMiss: false);
            _pairs.Set(count);
            return true;
        }
        if (count < rows.Rows) _rightRows.AsSpan(0, rows.Rows).Fill(-1);
        new Span<ulong>(_mask, Words).Clear();
        for (var i = 0; i < count; i++)
        {
            var row = _leftRows[i];
            _rightRows[row] = _pairRows[i];
            _mask[row >> 6] |= 1UL << (row & 63);
        }
        for (var i = 0; i < _left.Length; i++) _pairs.Columns[i].Share(rows.Columns[_left[i]]);
        GatherRight(rows.Rows, mayMiss: keepsAll);
        _pairs.Set(rows.Rows, keepsAll ? rows.Mask : _mask);
        return _pairs.Alive > 0;
    }

    private void GatherRight(int count, bool mayMiss)
    {
        for (var i = 0; i < _rightVectors.Length; i++) _table.Rows.Gather(_right[i], _rightRows.AsSpan(0, count), _rightVectors[i], mayMiss);
    }

    private int MakePairs()
    {
        var count = 0;
        var chains = _table.Chains;
        var (next, chain) = (_next, _chain);
        while (next < _validCount && count < ColumnBatch.MaxRows)
        {
            if (chain < 0)
            {
                next++;
                if (next < _validCount) chain = _found[next];
                continue;
            }
            _leftRows[count] = _valid[next];
            _rightRows[count++] = chain;
            chain = chains != null ? chains[chain] : _table.NextOf(chain);
        }
        (_next, _chain) = (next, chain);
        return count;
    }

    private ColumnBatch Gather(int count)
    {
        // A batch may have as many pairs as there are rows in the table for each of its own.
        _arena.ThrowIfCancelled();
        var rows = _batch!;
        for (var i = 0; i < _left.Length; i++) _pairs.Columns[i].Share(_leftGathers[i].Gather(rows.Columns[_left[i]], _leftRows.AsSpan(0, count)));
        GatherRight(count, mayMiss: false);
        _pairs.Set(count);
        if (_condition is not null) _pairs.Set(count, _condition.Filter(_pairs));
        if (_kind == JoinKind.Inner || _pairs.Alive == 0) return _pairs;
        foreach (var pair in _pairs.Selection)
        {
            var row = _leftRows[pair];
            var bit = 1UL << (row & 63);
            if (_kind == JoinKind.Single && (_matched[row >> 6] & bit) != 0) throw TooManyRows();
            _matched[row >> 6] |= bit;
            if (_rightMatched != null) _rightMatched[_rightRows[pair] >> 6] |= 1UL << (_rightRows[pair] & 63);
        }
        return _pairs;
    }

    private bool TryUnmatchedLeft(ColumnBatch rows)
    {
        new Span<ulong>(_mask, Words).Clear();
        foreach (var row in rows.Selection) _mask[row >> 6] |= 1UL << (row & 63);
        for (var i = 0; i < Words; i++) _mask[i] &= ~_matched[i];
        for (var i = 0; i < _left.Length; i++) _pairs.Columns[i].Share(rows.Columns[_left[i]]);
        _rightRows.AsSpan(0, rows.Rows).Fill(-1);
        GatherRight(rows.Rows, mayMiss: true);
        _pairs.Set(rows.Rows, _mask);
        return _pairs.Alive > 0;
    }

    // Full joins only: rows of the table that nothing met.
    private bool TryUnmatchedRight(out ColumnBatch batch)
    {
        batch = _pairs;
        if (_rightMatched == null) return false;
        var count = 0;
        for (; _unmatchedRight < _table.Rows.Numbers && count < ColumnBatch.MaxRows; _unmatchedRight++)
        {
            if (_table.Rows.Has(_unmatchedRight) && (_rightMatched[_unmatchedRight >> 6] >> (_unmatchedRight & 63) & 1) == 0) _rightRows[count++] = _unmatchedRight;
        }
        if (count == 0) return false;
        for (var i = 0; i < _left.Length; i++) NullConstant(_pairs.Columns[i], count);
        GatherRight(count, mayMiss: false);
        _pairs.Set(count);
        return true;
    }

    private void NullConstant(ColumnVector vector, int rows)
    {
        new Span<ulong>(_matched, Words).Clear();
        vector.Form = VectorForm.Constant;
        vector.Length = rows;
        vector.Data = (byte*)_matched;
        vector.Validity = _matched;
    }

    // Semi, anti and mark joins: which rows of the left have a match.
    private bool TryMatches(out ColumnBatch batch)
    {
        var rows = _batch!;
        batch = _result;
        if (_condition is null)
        {
            for (var i = 0; i < _validCount; i++)
            {
                if (_found[i] >= 0) _matched[_valid[i] >> 6] |= 1UL << (_valid[i] & 63);
            }
        }
        else
        {
            MatchByCondition();
        }
        _batch = null;
        for (var i = 0; i < rows.Columns.Length; i++) _result.Columns[i].Share(rows.Columns[i]);
        if (_kind == JoinKind.Mark)
        {
            Mark(rows);
            _result.Set(rows.Rows, rows.Mask);
            return true;
        }
        new Span<ulong>(_mask, Words).Clear();
        foreach (var row in rows.Selection)
        {
            var isMatched = (_matched[row >> 6] >> (row & 63) & 1) != 0;
            var isWanted = _kind switch
            {
                JoinKind.Semi => isMatched,
                JoinKind.Anti => !isMatched,
                _ => !isMatched && !IsOpen(row),
            };
            if (isWanted) _mask[row >> 6] |= 1UL << (row & 63);
        }
        _result.Set(rows.Rows, _mask);
        return _result.Alive > 0;
    }

    // One pair that fits is enough for a row: some of each row's are looked at, and then more of those rows only that have none yet.
    private void MatchByCondition()
    {
        var open = _pairRows;
        var count = 0;
        for (var i = 0; i < _validCount; i++)
        {
            if (_found[i] >= 0) open[count++] = i;
        }
        while (count > 0)
        {
            var each = ColumnBatch.MaxRows / count;
            var pairs = 0;
            for (var i = 0; i < count; i++)
            {
                ref var chain = ref _found[open[i]];
                for (var taken = 0; taken < each && chain >= 0; taken++)
                {
                    _leftRows[pairs] = _valid[open[i]];
                    _rightRows[pairs++] = chain;
                    chain = _table.NextOf(chain);
                }
            }
            Gather(pairs);
            var left = 0;
            for (var i = 0; i < count; i++)
            {
                var row = _valid[open[i]];
                if (_found[open[i]] >= 0 && (_matched[row >> 6] >> (row & 63) & 1) == 0) open[left++] = open[i];
            }
            count = left;
        }
    }

    private void Mark(ColumnBatch rows)
    {
        var bits = (ulong*)_mark!.Data;
        var hasNulls = false;
        for (var i = 0; i < Words; i++)
        {
            bits[i] = _matched[i];
            _mark.Validity[i] = ulong.MaxValue;
        }
        if (_marksNulls)
        {
            foreach (var row in rows.Selection)
            {
                if ((_matched[row >> 6] >> (row & 63) & 1) != 0 || !IsOpen(row)) continue;
                _mark.Validity[row >> 6] &= ~(1UL << (row & 63));
                hasNulls = true;
            }
        }
        _mark.Set(rows.Rows, hasNulls);
    }

    // A row without match for which IN is null, not false: a null on either side might have been anything.
    private bool IsOpen(int row)
    {
        if (_table.Seen == 0) return false;
        if (_table.HasNullKey) return true;
        foreach (var key in _strictVectors)
        {
            if (key.IsNull(row)) return true;
        }
        return false;
    }

    private static QueryException TooManyRows() => new(
        "SCALAR_SUBQUERY_TOO_MANY_ROWS", "A subquery that stands for one value gave more than one row. Make it give one: with an aggregate, or LIMIT 1.");
}
