using System.Numerics;
using System.Runtime.Intrinsics;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Casts;

/// <summary>How a value of one type becomes one of another. Made for a pair of types; loops are compiled for each.</summary>
internal unsafe interface IConversion<TFrom, TTo>
    where TFrom : unmanaged
    where TTo : unmanaged
{
    /// <summary>Converts a value; false if it does not fit.</summary>
    bool TryConvert(TFrom* value, out TTo result);

    /// <summary>The error for a value that does not fit.</summary>
    QueryException Error(TFrom* value, EvaluatorContext context, int position);
}

/// <summary>Converts row by row. What does not fit is an error, or null for <c>try_cast</c>.</summary>
internal sealed unsafe class ConvertEvaluator<TFrom, TTo, TConversion>(
    TConversion conversion, DataType type, bool isTry, Evaluator argument, EvaluatorContext context, int position)
    : StrictEvaluator(type, [argument], context, position)
    where TFrom : unmanaged
    where TTo : unmanaged
    where TConversion : struct, IConversion<TFrom, TTo>
{
    protected override bool TakesDictionaries => true;

    protected override ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments)
    {
        var values = new Operand<TFrom>(arguments[0]);
        var to = (TTo*)Result.Data;
        for (var word = 0; word < Bits.Words(Rows); word++)
        {
            for (var live = Bits.Word(Live, word, Rows); live != 0; live &= live - 1)
            {
                var row = (word << 6) + BitOperations.TrailingZeroCount(live);
                var value = values.At(row);
                if (conversion.TryConvert(value, out to[row])) continue;
                if (!isTry) throw conversion.Error(value, Context, Position);
                SetNull(row);
            }
        }
        return Result.Set(Rows, HasNulls);
    }
}

/// <summary>Converts numbers to a type that holds them all: every row, without a look at it.</summary>
internal sealed unsafe class WidenEvaluator<TFrom, TTo>(DataType type, Evaluator argument, EvaluatorContext context)
    : StrictEvaluator(type, [argument], context, -1)
    where TFrom : unmanaged, INumber<TFrom>
    where TTo : unmanaged, INumber<TTo>
{
    protected override ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments)
    {
        var from = (TFrom*)arguments[0].Data;
        var to = (TTo*)Result.Data;
        var i = 0;
        // The last step may read and write past the last row, which all buffers allow.
        if (Vector512.IsHardwareAccelerated && typeof(TFrom) == typeof(int) && typeof(TTo) == typeof(long))
        {
            for (; i < Rows; i += 8) Vector512.WidenLower(Vector256.Load((int*)from + i).ToVector512Unsafe()).Store((long*)to + i);
        }
        else if (Vector512.IsHardwareAccelerated && typeof(TFrom) == typeof(long) && typeof(TTo) == typeof(double))
        {
            for (; i < Rows; i += 8) Vector512.ConvertToDouble(Vector512.Load((long*)from + i)).Store((double*)to + i);
        }
        for (; i < Rows; i++) to[i] = TTo.CreateTruncating(from[i]);
        return Result.Set(Rows, HasNulls, typeof(TTo) == typeof(double) || typeof(TTo) == typeof(float) ? null : arguments[0].Bounds);
    }
}
