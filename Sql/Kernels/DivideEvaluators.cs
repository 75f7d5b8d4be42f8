using System.Numerics;
using System.Runtime.Intrinsics;
using Dataflow.Sql.Casts;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

internal readonly struct Divide<T> : IBinary<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static T Of(T left, T right) => left / right;

    public static Vector512<T> Of(Vector512<T> left, Vector512<T> right) => left / right;

    public static Vector256<T> Of(Vector256<T> left, Vector256<T> right) => left / right;

    public static Vector128<T> Of(Vector128<T> left, Vector128<T> right) => left / right;
}

/// <summary>Divides floating-point numbers; a divisor of zero is an error.</summary>
internal sealed unsafe class FloatDivideEvaluator(Evaluator[] arguments, EvaluatorContext context, int position)
    : StrictEvaluator(DataType.Double, arguments, context, position)
{
    protected override ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments)
    {
        var (left, right) = (new Operand<double>(arguments[0]), new Operand<double>(arguments[1]));
        Arithmetic.Run<double, Divide<double>>(arguments[0], arguments[1], Result.Data, Rows);
        if (arguments[1].Form != VectorForm.Constant || right[0] == 0)
        {
            // A zero gives an infinity or NaN: only then is it looked for.
            var results = (double*)Result.Data;
            for (var word = 0; word < Bits.Words(Rows); word++)
            {
                for (var live = Bits.Word(Live, word, Rows); live != 0; live &= live - 1)
                {
                    var row = (word << 6) + BitOperations.TrailingZeroCount(live);
                    if (!double.IsFinite(results[row]) && right[row] == 0) throw EvaluationError.DivideByZero($"{NumberText.Of(left[row])} / 0", Context, Position);
                }
            }
        }
        return Result.Set(Rows, HasNulls);
    }
}

/// <summary>Divides decimals, rounding half away from zero; a divisor of zero is an error.</summary>
internal sealed unsafe class DecimalDivideEvaluator(DecimalType type, Evaluator[] arguments, EvaluatorContext context, int position)
    : StrictEvaluator(type, arguments, context, position)
{
    protected override bool TakesDictionaries => true;

    protected override bool TakesNarrow => true;

    protected override ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments)
    {
        var (left, right) = (new WideOperand(arguments[0]), new WideOperand(arguments[1]));
        var digits = type.Scale - ((DecimalType)arguments[0].Type).Scale + ((DecimalType)arguments[1].Type).Scale;
        var limit = PowersOfTen.Of(type.Precision);
        for (var word = 0; word < Bits.Words(Rows); word++)
        {
            for (var live = Bits.Word(Live, word, Rows); live != 0; live &= live - 1)
            {
                var row = (word << 6) + BitOperations.TrailingZeroCount(live);
                var (a, b) = (left[row], right[row]);
                if (b == 0) throw EvaluationError.DivideByZero($"{EvaluationError.Text(a, arguments[0].Type)} / 0", Context, Position);
                var value = Quotient(a, b, digits);
                if (value >= limit || value <= -limit)
                    throw EvaluationError.OutOfRange($"{EvaluationError.Text(a, arguments[0].Type)} / {EvaluationError.Text(b, arguments[1].Type)}", type, Context, Position);
                if (type.Physical == PhysicalType.Int64) ((long*)Result.Data)[row] = (long)value;
                else ((Int128*)Result.Data)[row] = value;
            }
        }
        return Result.Set(Rows, HasNulls);
    }

    private static Int128 Quotient(Int128 a, Int128 b, int digits)
    {
        if (digits is >= 0 and <= 38)
        {
            var factor = PowersOfTen.Of(digits);
            if (Int128.Abs(a) <= Int128.MaxValue / factor) return PowersOfTen.DivideHalfUp(a * factor, b);
        }
        var value = digits >= 0
            ? PowersOfTen.DivideHalfUp((BigInteger)a * BigInteger.Pow(10, digits), b)
            : PowersOfTen.DivideHalfUp(a, (BigInteger)b * BigInteger.Pow(10, -digits));
        return BigInteger.Abs(value) < PowersOfTen.Of(38) ? (Int128)value : Int128.MaxValue;
    }
}

/// <summary>What two whole numbers give; the divisor is never zero. False if the result is out of range.</summary>
internal interface IDivision<T> where T : unmanaged
{
    static abstract bool TryOf(T left, T right, out T result);
}

/// <summary>The quotient without its fraction.</summary>
internal readonly struct WholeQuotient<T> : IDivision<T> where T : unmanaged, INumber<T>, IMinMaxValue<T>
{
    public static bool TryOf(T left, T right, out T result)
    {
        result = default;
        if (right == -T.One && left == T.MinValue) return false;
        result = left / right;
        return true;
    }
}

/// <summary>What is left, with the sign of the first.</summary>
internal readonly struct Remainder<T> : IDivision<T> where T : unmanaged, INumber<T>
{
    public static bool TryOf(T left, T right, out T result)
    {
        // The least number % -1 is an overflow to the processor.
        result = right == -T.One && T.IsInteger(left) ? T.Zero : left % right;
        return true;
    }
}

/// <summary>What is left, never negative for a positive divisor.</summary>
internal readonly struct PositiveRemainder<T> : IDivision<T> where T : unmanaged, INumber<T>
{
    public static bool TryOf(T left, T right, out T result)
    {
        Remainder<T>.TryOf(left, right, out result);
        if (result < T.Zero) result = (result + right) % right;
        return true;
    }
}

/// <summary>Divides row by row; a divisor of zero is an error.</summary>
internal sealed unsafe class DivisionEvaluator<T, TDivision>(string sign, DataType type, Evaluator[] arguments, EvaluatorContext context, int position)
    : StrictEvaluator(type, arguments, context, position)
    where T : unmanaged, INumber<T>
    where TDivision : struct, IDivision<T>
{
    protected override bool TakesDictionaries => true;

    protected override ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments)
    {
        var (left, right) = (new Operand<T>(arguments[0]), new Operand<T>(arguments[1]));
        var to = (T*)Result.Data;
        for (var word = 0; word < Bits.Words(Rows); word++)
        {
            for (var live = Bits.Word(Live, word, Rows); live != 0; live &= live - 1)
            {
                var row = (word << 6) + BitOperations.TrailingZeroCount(live);
                if (right[row] == T.Zero) throw ZeroDivisor($"{left[row]} {sign} 0");
                if (!TDivision.TryOf(left[row], right[row], out to[row])) throw EvaluationError.Overflow($"{left[row]} {sign} {right[row]}", Type, Context, Position);
            }
        }
        return Result.Set(Rows, HasNulls);
    }

    private QueryException ZeroDivisor(string operation) =>
        sign == "div" ? EvaluationError.DivideByZero(operation, Context, Position) : EvaluationError.RemainderByZero(operation, Context, Position);
}

/// <summary>Remainders and whole quotients of decimals of any scales.</summary>
internal sealed unsafe class DecimalRemainderEvaluator(string name, DataType type, Evaluator[] arguments, EvaluatorContext context, int position)
    : StrictEvaluator(type, arguments, context, position)
{
    protected override bool TakesDictionaries => true;

    protected override bool TakesNarrow => true;

    protected override ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments)
    {
        var (left, right) = (new WideOperand(arguments[0]), new WideOperand(arguments[1]));
        var (leftScale, rightScale) = (((DecimalType)arguments[0].Type).Scale, ((DecimalType)arguments[1].Type).Scale);
        var scale = Math.Max(leftScale, rightScale);
        var (leftFactor, rightFactor) = ((BigInteger)PowersOfTen.Of(scale - leftScale), (BigInteger)PowersOfTen.Of(scale - rightScale));
        for (var word = 0; word < Bits.Words(Rows); word++)
        {
            for (var live = Bits.Word(Live, word, Rows); live != 0; live &= live - 1)
            {
                var row = (word << 6) + BitOperations.TrailingZeroCount(live);
                if (right[row] == 0) throw ZeroDivisor($"{EvaluationError.Text(left[row], arguments[0].Type)} {name} 0");
                var quotient = BigInteger.DivRem(left[row] * leftFactor, right[row] * rightFactor, out var rest);
                if (name == "pmod" && rest < 0) rest = (rest + (right[row] * rightFactor)) % (right[row] * rightFactor);
                var value = name == "div" ? quotient : rest;
                if (Type is DecimalType given && given.Scale < scale) value = PowersOfTen.DivideHalfUp(value, BigInteger.Pow(10, scale - given.Scale));
                if (Type.Physical == PhysicalType.Int64)
                {
                    if (value < long.MinValue || value > long.MaxValue)
                        throw EvaluationError.Overflow($"{EvaluationError.Text(left[row], arguments[0].Type)} {name} {EvaluationError.Text(right[row], arguments[1].Type)}", Type, Context, Position);
                    ((long*)Result.Data)[row] = (long)value;
                }
                else
                {
                    ((Int128*)Result.Data)[row] = (Int128)value;
                }
            }
        }
        return Result.Set(Rows, HasNulls);
    }

    private QueryException ZeroDivisor(string operation) =>
        name == "div" ? EvaluationError.DivideByZero(operation, Context, Position) : EvaluationError.RemainderByZero(operation, Context, Position);
}
