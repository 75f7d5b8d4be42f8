using System.Runtime.Intrinsics;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

/// <summary>A function of one value of fixed width that never fails. Loops are compiled for each.</summary>
internal interface IMap<TFrom, TTo>
    where TFrom : unmanaged
    where TTo : unmanaged
{
    static abstract TTo Of(TFrom value);
}

/// <summary>Computes such a function for every row, whether it counts or not.</summary>
internal sealed unsafe class MapEvaluator<TFrom, TTo, TMap>(DataType type, Evaluator argument, EvaluatorContext context)
    : StrictEvaluator(type, [argument], context, -1)
    where TFrom : unmanaged
    where TTo : unmanaged
    where TMap : struct, IMap<TFrom, TTo>
{
    protected override ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments)
    {
        var from = (TFrom*)arguments[0].Data;
        var to = (TTo*)Result.Data;
        for (var i = 0; i < Rows; i++) to[i] = TMap.Of(from[i]);
        return Result.Set(Rows, HasNulls);
    }
}

/// <summary>The square root.</summary>
internal sealed unsafe class SquareRootEvaluator(Evaluator argument, EvaluatorContext context) : StrictEvaluator(DataType.Double, [argument], context, -1)
{
    protected override ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments)
    {
        var from = (double*)arguments[0].Data;
        var to = (double*)Result.Data;
        var i = 0;
        // The last step may read and write past the last row, which all buffers allow.
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i < Rows; i += 8) Vector512.Sqrt(Vector512.Load(from + i)).Store(to + i);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            for (; i < Rows; i += 4) Vector256.Sqrt(Vector256.Load(from + i)).Store(to + i);
        }
        for (; i < Rows; i++) to[i] = Math.Sqrt(from[i]);
        return Result.Set(Rows, HasNulls);
    }
}
