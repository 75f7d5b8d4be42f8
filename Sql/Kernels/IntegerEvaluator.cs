using System.Numerics;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

/// <summary>Adds, subtracts or multiplies integers; out of range is an error.</summary>
internal sealed unsafe class IntegerEvaluator<T, TBinary>(string sign, DataType type, Evaluator[] arguments, EvaluatorContext context, int position)
    : StrictEvaluator(type, arguments, context, position)
    where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    where TBinary : struct, IChecked<T>
{
    protected override ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments)
    {
        var (left, right) = (arguments[0], arguments[1]);
        var bounds = BoundsAfter.Of(sign, left.Bounds, right.Bounds);
        if (bounds is not null && bounds.Min >= Int128.CreateChecked(T.MinValue) && bounds.Max <= Int128.CreateChecked(T.MaxValue))
        {
            Arithmetic.Run<T, TBinary>(left, right, Result.Data, Rows);
            return Result.Set(Rows, HasNulls, bounds);
        }
        if (Arithmetic.RunChecked<T, TBinary>(left, right, Result.Data, Rows)) Check(left, right);
        return Result.Set(Rows, HasNulls);
    }

    private void Check(ColumnVector left, ColumnVector right)
    {
        var l = new Operand<T>(left);
        var r = new Operand<T>(right);
        for (var word = 0; word < Bits.Words(Rows); word++)
        {
            for (var live = Bits.Word(Live, word, Rows); live != 0; live &= live - 1)
            {
                var row = (word << 6) + BitOperations.TrailingZeroCount(live);
                if (TBinary.IsWrong(l[row], r[row])) throw EvaluationError.Overflow($"{l[row]} {sign} {r[row]}", Type, Context, Position);
            }
        }
    }
}

/// <summary>Combines values where nothing can go wrong: floating-point numbers, bits.</summary>
internal sealed unsafe class UncheckedEvaluator<T, TBinary>(DataType type, Evaluator[] arguments, EvaluatorContext context)
    : StrictEvaluator(type, arguments, context, -1)
    where T : unmanaged
    where TBinary : struct, IBinary<T>
{
    protected override ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments)
    {
        Arithmetic.Run<T, TBinary>(arguments[0], arguments[1], Result.Data, Rows);
        return Result.Set(Rows, HasNulls);
    }
}

/// <summary>What is known of results if something is known of operands.</summary>
internal static class BoundsAfter
{
    // Beyond this, sums and products of bounds themselves could overflow.
    private static readonly Int128 Large = Int128.One << 62;

    public static ValueBounds? Of(string sign, ValueBounds? left, ValueBounds? right)
    {
        if (left is null || right is null) return null;
        if (left.Magnitude > Large || right.Magnitude > Large) return null;
        switch (sign)
        {
            case "+": return new ValueBounds(left.Min + right.Min, left.Max + right.Max);
            case "-": return new ValueBounds(left.Min - right.Max, left.Max - right.Min);
            default:
                var (a, b, c, d) = (left.Min * right.Min, left.Min * right.Max, left.Max * right.Min, left.Max * right.Max);
                return new ValueBounds(Int128.Min(Int128.Min(a, b), Int128.Min(c, d)), Int128.Max(Int128.Max(a, b), Int128.Max(c, d)));
        }
    }
}
