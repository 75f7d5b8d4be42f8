using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

/// <summary>AND and OR of three values: a null leaves the result open, unless the other side settles it.</summary>
/// <remarks>Later operands are computed only for rows that earlier ones leave open, so that they can't fail for others.</remarks>
internal sealed unsafe class LogicEvaluator(bool isAnd, Evaluator[] operands, EvaluatorContext context) : Evaluator
{
    private readonly FlatVector _result = new(context.Arena, DataType.Boolean);
    private readonly ulong* _open = (ulong*)context.Arena.Rent(ColumnBatch.MaxRows / 8).Pointer;

    public override ColumnVector Evaluate(ColumnBatch batch)
    {
        var rows = batch.Rows;
        var words = Bits.Words(rows);
        var value = (ulong*)_result.Data;
        var valid = _result.Validity;
        var hasNulls = false;
        for (var i = 0; i < words; i++)
        {
            value[i] = isAnd ? ulong.MaxValue : 0;
            valid[i] = ulong.MaxValue;
        }
        var mask = batch.Mask;
        var saved = batch.Save();
        Bits.Copy(_open, mask, rows);
        try
        {
            foreach (var operand in operands)
            {
                var vector = operand.Evaluate(batch);
                hasNulls |= vector.Validity != null;
                for (var i = 0; i < words; i++)
                {
                    var (v, known) = Three.Word(vector, i);
                    // AND: false if one is false, true if all are true, else null; OR the other way round.
                    var settled = isAnd ? known & ~v : known & v;
                    var settledBefore = isAnd ? valid[i] & ~value[i] : valid[i] & value[i];
                    var all = settled | settledBefore;
                    valid[i] = all | (valid[i] & known);
                    value[i] = isAnd ? ~all : all;
                    _open[i] &= ~all;
                }
                batch.Set(rows, _open);
                if (batch.Alive == 0) break;
            }
        }
        finally
        {
            batch.Restore(saved);
        }
        return _result.Set(rows, hasNulls);
    }
}

/// <summary>NOT of three values.</summary>
internal sealed unsafe class NotEvaluator(Evaluator[] arguments, EvaluatorContext context) : StrictEvaluator(DataType.Boolean, arguments, context, -1)
{
    protected override ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments)
    {
        var from = (ulong*)arguments[0].Data;
        var to = (ulong*)Result.Data;
        for (var i = 0; i < Bits.Words(Rows); i++) to[i] = ~from[i];
        return Result.Set(Rows, HasNulls);
    }
}

/// <summary>Booleans of three values, a word at a time.</summary>
internal static unsafe class Three
{
    /// <summary>Values and which are known, for 64 rows of a boolean vector.</summary>
    public static (ulong Value, ulong Known) Word(ColumnVector vector, int word)
    {
        if (vector.Form == VectorForm.Constant)
            return vector.IsNullConstant ? (0, 0) : ((*vector.Data & 1) != 0 ? ulong.MaxValue : 0, ulong.MaxValue);
        if (vector.Form == VectorForm.Dictionary)
        {
            var bits = 0UL;
            var count = Math.Min(64, vector.Length - (word << 6));
            for (var i = 0; i < count; i++) bits |= vector.Dictionary!.Values.Bit((int)vector.Codes[(word << 6) + i]) ? 1UL << i : 0;
            return (bits, vector.Validity == null ? ulong.MaxValue : vector.Validity[word]);
        }
        return (((ulong*)vector.Data)[word], vector.Validity == null ? ulong.MaxValue : vector.Validity[word]);
    }

    /// <summary>mask &amp;= rows for which a boolean vector is true.</summary>
    public static void KeepTrue(ulong* mask, ColumnVector vector, int rows)
    {
        for (var i = 0; i < Bits.Words(rows); i++)
        {
            var (value, known) = Word(vector, i);
            mask[i] &= value & known;
        }
    }
}
