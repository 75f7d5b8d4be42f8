using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

/// <summary>Whether a value is null, or is not.</summary>
internal sealed unsafe class IsNullEvaluator(bool isNegated, Evaluator argument, EvaluatorContext context) : Evaluator
{
    private readonly FlatVector _result = new(context.Arena, DataType.Boolean);

    public override ColumnVector Evaluate(ColumnBatch batch)
    {
        var rows = batch.Rows;
        var vector = argument.Evaluate(batch);
        var to = (ulong*)_result.Data;
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            var valid = vector.Validity == null ? ulong.MaxValue : vector.Form == VectorForm.Constant ? vector.IsNullConstant ? 0 : ulong.MaxValue : vector.Validity[word];
            to[word] = isNegated ? valid : ~valid;
        }
        return _result.Set(rows, false);
    }
}

/// <summary>Equality that takes two nulls as equal, and is never null.</summary>
internal sealed unsafe class NullSafeEqualEvaluator(Evaluator left, Evaluator right, GivenEvaluator givenLeft, GivenEvaluator givenRight, Evaluator isEqual,
    EvaluatorContext context) : Evaluator
{
    private readonly FlatVector _result = new(context.Arena, DataType.Boolean);

    public override ColumnVector Evaluate(ColumnBatch batch)
    {
        var rows = batch.Rows;
        var (l, r) = (left.Evaluate(batch), right.Evaluate(batch));
        (givenLeft.Vector, givenRight.Vector) = (l, r);
        var equal = isEqual.Evaluate(batch);
        var to = (ulong*)_result.Data;
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            var (same, known) = Three.Word(equal, word);
            to[word] = (same & known) | (~Known(l, word) & ~Known(r, word));
        }
        return _result.Set(rows, false);
    }

    private static ulong Known(ColumnVector vector, int word)
    {
        if (vector.Validity == null) return ulong.MaxValue;
        if (vector.Form == VectorForm.Constant) return vector.IsNullConstant ? 0 : ulong.MaxValue;
        return vector.Validity[word];
    }
}
