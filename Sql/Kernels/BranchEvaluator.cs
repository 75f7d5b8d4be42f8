using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

/// <summary>Computes several values, each for some rows, and puts them together. A branch sees only the rows that reach it.</summary>
/// <remarks>Rows that do not count are empty text and no value otherwise.</remarks>
internal abstract unsafe class BranchEvaluator(DataType type, EvaluatorContext context) : Evaluator
{
    private readonly List<(nint Mask, ColumnVector Value)> _taken = [];
    private readonly List<nint> _masks = [];
    private FlatVector? _result;
    private FlatVector? _narrow;

    protected DataType Type => type;

    /// <summary>The rows that no branch took yet.</summary>
    protected ulong* Open { get; private set; }

    public sealed override ColumnVector Evaluate(ColumnBatch batch) => Run(batch, false);

    public sealed override ColumnVector EvaluateNarrow(ColumnBatch batch) => Run(batch, type.Physical == PhysicalType.Int128);

    /// <summary>Takes rows, branch by branch, until none is open.</summary>
    protected abstract void Branch(ColumnBatch batch);

    /// <summary>Gives some open rows to a branch. The mask is the evaluator's own until the batch is done.</summary>
    protected void Take(ColumnVector value, ulong* rows, int count)
    {
        _taken.Add(((nint)rows, value));
        Bits.AndNot(Open, rows, count);
    }

    /// <summary>Computes a value for some rows only.</summary>
    protected ColumnVector For(ColumnBatch batch, ulong* rows, Evaluator evaluator)
    {
        batch.Set(batch.Rows, rows);
        return IsNarrow ? evaluator.EvaluateNarrow(batch) : evaluator.Evaluate(batch);
    }

    /// <summary>A mask for this batch, contents arbitrary.</summary>
    protected ulong* NewMask()
    {
        if (Used == _masks.Count) _masks.Add((nint)context.Arena.Rent(ColumnBatch.MaxRows / 8).Pointer);
        return (ulong*)_masks[Used++];
    }

    protected bool IsNarrow { get; private set; }

    private int Used { get; set; }

    private ColumnVector Run(ColumnBatch batch, bool narrow)
    {
        var rows = batch.Rows;
        var given = batch.Mask;
        var saved = batch.Save();
        var alive = batch.Alive;
        IsNarrow = narrow;
        Used = 0;
        _taken.Clear();
        Open = NewMask();
        Bits.Copy(Open, given, rows);
        try
        {
            Branch(batch);
        }
        finally
        {
            batch.Restore(saved);
        }

        // All rows went one way: its value is the result.
        foreach (var (mask, value) in _taken)
        {
            if (Bits.Count((ulong*)mask, rows) == alive) return value;
        }
        return Together(rows);
    }

    private ColumnVector Together(int rows)
    {
        var isNarrow = IsNarrow && _taken.TrueForAll(each => each.Value.IsNullConstant || each.Value.Type.Physical == PhysicalType.Int64);
        var result = isNarrow
            ? _narrow ??= new FlatVector(context.Arena, DataType.Decimal(DecimalType.MaxNarrowPrecision, ((DecimalType)type).Scale))
            : _result ??= new FlatVector(context.Arena, type);
        Bits.Zero(result.Validity, rows);
        if (type.Physical == PhysicalType.View) new Span<byte>(result.Data, rows * sizeof(StringView)).Clear();
        if (type.Physical == PhysicalType.Bit) Bits.Zero((ulong*)result.Data, rows);
        ValueBounds? bounds = null;
        bool known = true, hasNulls = false;
        foreach (var (mask, value) in _taken)
        {
            Blend.Copy(value, result, (ulong*)mask, rows);
            hasNulls |= value.Validity != null;
            if (value.IsNullConstant) continue;
            var own = value.Bounds ?? (value.Form == VectorForm.Dictionary ? value.Dictionary!.Values.Bounds : null);
            known &= own is not null;
            if (own is not null) bounds = bounds is null ? own : new ValueBounds(Int128.Min(bounds.Min, own.Min), Int128.Max(bounds.Max, own.Max));
        }
        return result.Set(rows, hasNulls, known ? bounds : null);
    }
}

/// <summary>CASE, and <c>if</c>.</summary>
internal sealed unsafe class CaseEvaluator(DataType type, (Evaluator When, Evaluator Then)[] branches, Evaluator otherwise, EvaluatorContext context)
    : BranchEvaluator(type, context)
{
    protected override void Branch(ColumnBatch batch)
    {
        var rows = batch.Rows;
        foreach (var (when, then) in branches)
        {
            if (Bits.Count(Open, rows) == 0) return;
            batch.Set(rows, Open);
            var condition = when.Evaluate(batch);
            var taken = NewMask();
            Bits.Copy(taken, Open, rows);
            Three.KeepTrue(taken, condition, rows);
            if (Bits.Count(taken, rows) > 0) Take(For(batch, taken, then), taken, rows);
        }
        if (Bits.Count(Open, rows) == 0) return;
        var rest = NewMask();
        Bits.Copy(rest, Open, rows);
        Take(For(batch, rest, otherwise), rest, rows);
    }
}

/// <summary>The first value that is not null.</summary>
internal sealed unsafe class CoalesceEvaluator(DataType type, Evaluator[] values, EvaluatorContext context) : BranchEvaluator(type, context)
{
    protected override void Branch(ColumnBatch batch)
    {
        var rows = batch.Rows;
        for (var i = 0; i < values.Length; i++)
        {
            if (Bits.Count(Open, rows) == 0) return;
            var taken = NewMask();
            Bits.Copy(taken, Open, rows);
            var value = For(batch, taken, values[i]);
            // Rows where it is null stay open, but for the last value, which settles them.
            if (i < values.Length - 1)
            {
                if (value.IsNullConstant) continue;
                if (value.Form != VectorForm.Constant) Bits.And(taken, value.Validity, rows);
            }
            Take(value, taken, rows);
        }
    }
}

/// <summary>A vector that is at hand already.</summary>
internal sealed class GivenEvaluator : Evaluator
{
    public ColumnVector? Vector { get; set; }

    public override ColumnVector Evaluate(ColumnBatch batch) => Vector!;
}

/// <summary>Null where two values are equal, else the first.</summary>
internal sealed unsafe class NullIfEvaluator(Evaluator value, GivenEvaluator given, Evaluator isEqual, EvaluatorContext context) : Evaluator
{
    private readonly ulong* _validity = (ulong*)context.Arena.Rent(ColumnBatch.MaxRows / 8).Pointer;
    private readonly Flattener _flattener = new(context.Arena);
    private ColumnVector? _result;

    public override ColumnVector Evaluate(ColumnBatch batch)
    {
        var rows = batch.Rows;
        var vector = value.Evaluate(batch);
        if (vector.Form == VectorForm.Constant) vector = _flattener.Flat(vector);
        given.Vector = vector;
        var equal = isEqual.Evaluate(batch);
        Bits.Copy(_validity, vector.Validity, rows);
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            var (same, known) = Three.Word(equal, word);
            _validity[word] &= ~(same & known);
        }
        if (_result is null || _result.Type != vector.Type) _result = new ColumnVector(vector.Type);
        _result.Share(vector);
        _result.Validity = _validity;
        return _result;
    }
}

/// <summary>The largest or the smallest of some values; nulls are passed over.</summary>
internal sealed unsafe class GreatestEvaluator(DataType type, Evaluator[] values, GivenEvaluator best, GivenEvaluator next, Evaluator isBetter, EvaluatorContext context)
    : Evaluator
{
    private readonly FlatVector _result = new(context.Arena, type);
    private readonly ulong* _take = (ulong*)context.Arena.Rent(ColumnBatch.MaxRows / 8).Pointer;

    public override ColumnVector Evaluate(ColumnBatch batch)
    {
        var rows = batch.Rows;
        if (type.Physical == PhysicalType.View) new Span<byte>(_result.Data, rows * sizeof(StringView)).Clear();
        Bits.Zero(_result.Validity, rows);
        foreach (var each in values)
        {
            var vector = each.Evaluate(batch);
            if (vector.IsNullConstant) continue;
            (next.Vector, best.Vector) = (vector, _result.Set(rows, true));
            var better = isBetter.Evaluate(batch);
            for (var word = 0; word < Bits.Words(rows); word++)
            {
                var (wins, known) = Three.Word(better, word);
                var valid = vector.Validity == null || vector.Form == VectorForm.Constant ? ulong.MaxValue : vector.Validity[word];
                _take[word] = Bits.Word(null, word, rows) & valid & ((wins & known) | ~_result.Validity[word]);
            }
            Blend.Copy(vector, _result, _take, rows);
        }
        return _result.Set(rows, true);
    }
}
