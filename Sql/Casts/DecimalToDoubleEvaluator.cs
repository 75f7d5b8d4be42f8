using System.Runtime.Intrinsics;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Casts;

/// <summary>
/// Short decimals as doubles. Where values and the power of ten are exact in a double, their quotient is the nearest one; else rows are read digit by
/// digit, as the other evaluator does.
/// </summary>
internal sealed unsafe class DecimalToDoubleEvaluator(DecimalType from, Evaluator argument, Evaluator byRows, EvaluatorContext context) : Evaluator
{
    private readonly Quotients _quotients = new(from, new GivenEvaluator(), context);

    public override bool IsConstant => argument.IsConstant;

    public override ColumnVector Evaluate(ColumnBatch batch)
    {
        var vector = argument.Evaluate(batch);
        if (vector.Form != VectorForm.Flat || BoundsOf.Vector(vector, batch.Rows, batch.Mask) is not { } bounds || bounds.Magnitude > 1L << 53) return byRows.Evaluate(batch);
        _quotients.Given.Vector = vector;
        return _quotients.Evaluate(batch);
    }

    private sealed class Quotients(DecimalType from, GivenEvaluator given, EvaluatorContext context) : StrictEvaluator(DataType.Double, [given], context, -1)
    {
        private readonly double _unit = (double)PowersOfTen.Of(from.Scale);

        public GivenEvaluator Given => given;

        protected override ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments)
        {
            var values = (long*)arguments[0].Data;
            var to = (double*)Result.Data;
            var i = 0;
            if (Vector512.IsHardwareAccelerated)
            {
                // The last step may read and write past the last row, which all buffers allow.
                var unit = Vector512.Create(_unit);
                for (; i < Rows; i += 8) (Vector512.ConvertToDouble(Vector512.Load(values + i)) / unit).Store(to + i);
            }
            for (; i < Rows; i++) to[i] = values[i] / _unit;
            return Result.Set(Rows, HasNulls);
        }
    }
}
