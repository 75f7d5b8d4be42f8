using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Casts;

/// <summary>Bytes as text, or text as bytes: the vector under another type.</summary>
internal sealed class SameBytesEvaluator(Evaluator argument, DataType to) : Evaluator
{
    private readonly ColumnVector _vector = new(to);

    public override bool IsConstant => argument.IsConstant;

    public override ColumnVector Evaluate(ColumnBatch batch)
    {
        _vector.Share(argument.Evaluate(batch));
        return _vector;
    }
}
