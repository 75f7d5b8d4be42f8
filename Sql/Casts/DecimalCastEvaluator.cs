using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Casts;

/// <summary>Casts 64-bit integers and decimals to decimals that have room for all of them: no value is looked at.</summary>
internal sealed unsafe class DecimalCastEvaluator(DecimalType type, int digits, Evaluator argument, EvaluatorContext context)
    : StrictEvaluator(type, [argument], context, -1)
{
    private readonly Rescaled _rescaled = new(context.Arena);
    private readonly ColumnVector _same = new(type.Physical == PhysicalType.Int64 ? type : DataType.Decimal(DecimalType.MaxNarrowPrecision, type.Scale));

    protected override bool TakesNarrow => true;

    /// <summary>Whether every value of a type fits, and scaling it stays in 64 bits.</summary>
    public static bool Suits(DataType from, DecimalType to)
    {
        if (from.Physical != PhysicalType.Int64 || to.Scale > DecimalType.MaxNarrowPrecision) return false;
        var (precision, scale) = from is DecimalType type ? (type.Precision, type.Scale) : (19, 0);
        return to.Scale >= scale && to.Precision - to.Scale >= precision - scale && precision + to.Scale - scale <= (to.Scale == scale ? 19 : 18);
    }

    protected override ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments)
    {
        var scaled = _rescaled.Scale(arguments[0], digits, Rows);
        var bounds = digits == 0 ? arguments[0].Bounds : null;
        if (type.Physical == PhysicalType.Int64 || MayBeNarrow)
        {
            _same.Length = Rows;
            _same.Data = scaled.Data;
            _same.Validity = HasNulls ? Result.Validity : null;
            _same.Bounds = bounds;
            return _same;
        }
        Widen.Longs((long*)scaled.Data, (Int128*)Result.Data, Rows);
        return Result.Set(Rows, HasNulls, bounds);
    }
}
