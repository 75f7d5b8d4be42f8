using Dataflow.Sql.Casts;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary><c>+</c>, <c>-</c>, <c>*</c> and <c>/</c> where dates, timestamps and intervals take part.</summary>
internal static class TimeArithmetic
{
    /// <summary>Types for such operands; null if none of them is a time, or they do not fit.</summary>
    public static Signature? Resolve(char sign, ValueList<Expression> arguments)
    {
        var (left, right) = (arguments[0], arguments[1]);
        return sign switch
        {
            '+' => Sum(left, right) ?? (Sum(right, left) is { } turned ? new Signature([turned.Arguments[1], turned.Arguments[0]], turned.Result) : null),
            '-' => Difference(left, right),
            '*' => Product(left.Type, right.Type) ?? (Product(right.Type, left.Type) is { } turned ? new Signature([turned.Arguments[1], turned.Arguments[0]], turned.Result) : null),
            '/' => Product(left.Type, right.Type) is { } quotient ? new Signature([quotient.Arguments[0], DataType.Double], quotient.Result) : null,
            _ => null,
        };
    }

    /// <summary>What computes a call that <see cref="Resolve"/> allowed; null if no time takes part.</summary>
    public static Evaluator? Compile(char sign, Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        var (left, right) = (call.Arguments[0].Type, call.Arguments[1].Type);
        if (left.IsNumber && right.IsNumber) return null;
        var (l, r) = (0, 1);
        // The time, or the interval that is multiplied, comes first.
        if ((sign == '+' && !IsTime(left) && IsTime(right)) || (sign == '*' && !IsInterval(left))) (l, r, left, right) = (1, 0, right, left);
        // Days are whole numbers like others.
        if (left.Kind == TypeKind.Date && right.Kind == TypeKind.Int)
        {
            return sign == '-'
                ? new IntegerEvaluator<int, Subtract<int>>("-", DataType.Date, arguments, context, call.Position.Start)
                : new IntegerEvaluator<int, Add<int>>("+", DataType.Date, arguments, context, call.Position.Start);
        }
        var factor = sign == '-' ? -1 : 1;
        return new RowEvaluator(KernelOf(sign, left, right, call.Type, l, r, factor, context), call.Type, arguments, context, call.Position.Start);
    }

    private static RowKernel KernelOf(char sign, DataType left, DataType right, DataType result, int l, int r, int factor, EvaluatorContext context)
    {
        switch (left.Kind, right.Kind)
        {
            case (TypeKind.Date, TypeKind.Date):
                return row => row.Return((row.Int(l) - (long)row.Int(r)) * TimeUnits.Day);
            case (TypeKind.Date, TypeKind.YearMonthInterval):
                return row => row.Return(AddMonths(row, row.Int(l), (long)factor * row.Int(r)));
            case (TypeKind.Date, TypeKind.DayTimeInterval):
                return row => row.Return(Days(row, row.Int(l) + (factor * (row.Long(r) / TimeUnits.Day))));
            case (TypeKind.Timestamp or TypeKind.TimestampNtz, TypeKind.YearMonthInterval):
                var zone = left.Kind == TypeKind.Timestamp ? Zone.Of(context) : Zone.Find("UTC")!;
                return row =>
                {
                    var local = zone.ToLocal(row.Long(l));
                    var day = TimeUnits.FloorDivide(local, TimeUnits.Day);
                    var moved = AddMonths(row, (int)day, (long)factor * row.Int(r));
                    row.Return(zone.ToInstant((moved * TimeUnits.Day) + local - (day * TimeUnits.Day)));
                };
            case (TypeKind.Timestamp or TypeKind.TimestampNtz, TypeKind.Timestamp or TypeKind.TimestampNtz):
                return row => row.Return(Whole(row, (Int128)row.Long(l) - row.Long(r)));
            case (TypeKind.YearMonthInterval, TypeKind.YearMonthInterval):
                return row => row.Return(Months(row, row.Int(l) + ((long)factor * row.Int(r))));
            case (TypeKind.YearMonthInterval, TypeKind.BigInt):
                return row => row.Return(Months(row, (Int128)row.Int(l) * row.Long(r)));
            case (TypeKind.DayTimeInterval, TypeKind.BigInt):
                return row => row.Return(Whole(row, (Int128)row.Long(l) * row.Long(r)));
            case (TypeKind.YearMonthInterval, TypeKind.Double):
                return row => row.Return(Months(row, Scaled(row, row.Int(l), row.Double(r), sign)));
            case (TypeKind.DayTimeInterval, TypeKind.Double):
                return row => row.Return(Whole(row, Scaled(row, row.Long(l), row.Double(r), sign)));
            default:
                // Timestamps and day-time intervals: microseconds.
                return row => row.Return(Whole(row, row.Long(l) + ((Int128)factor * row.Long(r))));
        }
    }

    /// <summary>A day some months later, if the calendar reaches that far.</summary>
    public static int AddMonths(RowEvaluator row, int days, long months)
    {
        if (Math.Abs(months) > 6_000_000) throw OutOfRange(row, "The date");
        return CivilDate.AddMonths(days, (int)months);
    }

    private static int Days(RowEvaluator row, long days) => days is < int.MinValue or > int.MaxValue ? throw OutOfRange(row, "The date") : (int)days;

    private static int Months(RowEvaluator row, Int128 months) => months < int.MinValue || months > int.MaxValue ? throw OutOfRange(row, "The interval") : (int)months;

    private static long Whole(RowEvaluator row, Int128 micros) => micros < long.MinValue || micros > long.MaxValue ? throw OutOfRange(row, "The time") : (long)micros;

    private static Int128 Scaled(RowEvaluator row, long value, double by, char sign)
    {
        if (sign == '/' && by == 0) throw row.Error("INTERVAL_DIVIDED_BY_ZERO", "Division by zero: an interval is divided by 0. Divide by nullif(divisor, 0) for a null instead.");
        var result = Math.Round(sign == '/' ? value / by : value * by, MidpointRounding.AwayFromZero);
        return double.IsFinite(result) && Math.Abs(result) < 1e30 ? (Int128)result : throw OutOfRange(row, "The interval");
    }

    private static QueryException OutOfRange(RowEvaluator row, string what) =>
        row.Error("DATETIME_OVERFLOW", $"{what} that this operation gives is out of range. Use a smaller interval.");

    private static Signature? Sum(Expression time, Expression other)
    {
        var (left, right) = (time.Type, other.Type);
        if (left.Kind == TypeKind.Date && (right.IsInteger || right.Kind == TypeKind.Null)) return new Signature([left, DataType.Int], DataType.Date);
        if (!IsInterval(right)) return null;
        if (left == right) return new Signature([left, left], left);
        if (left.Kind == TypeKind.Null) return new Signature([right, right], right);
        if (left.Kind is TypeKind.Timestamp or TypeKind.TimestampNtz) return new Signature([left, right], left);
        if (left.Kind != TypeKind.Date) return null;
        // Whole days that stand in the text keep a date a date; anything else has a time of day.
        var staysDate = right.Kind == TypeKind.YearMonthInterval || other is Literal { Value: null or long } literal && ((long?)literal.Value ?? 0) % TimeUnits.Day == 0;
        return staysDate ? new Signature([left, right], DataType.Date) : new Signature([DataType.Timestamp, right], DataType.Timestamp);
    }

    private static Signature? Difference(Expression left, Expression right)
    {
        var (l, r) = (left.Type.Kind, right.Type.Kind);
        if (l == TypeKind.Date && r == TypeKind.Date) return new Signature([left.Type, right.Type], DataType.DayTimeInterval);
        if (l == TypeKind.String && r == TypeKind.Date) return new Signature([DataType.Date, DataType.Date], DataType.DayTimeInterval);
        if (l == TypeKind.Date && r == TypeKind.String) return new Signature([DataType.Date, DataType.Date], DataType.DayTimeInterval);
        if (IsTime(left.Type) && IsTime(right.Type)) return TypeRules.Common(left.Type, right.Type) is { } common ? new Signature([common, common], DataType.DayTimeInterval) : null;
        return Sum(left, right);
    }

    private static Signature? Product(DataType interval, DataType number)
    {
        if (!IsInterval(interval) || !(number.IsNumber || number.Kind == TypeKind.Null)) return null;
        // Exact numbers of whole ones; quotients and fractions are rounded.
        return new Signature([interval, number.IsInteger ? DataType.BigInt : DataType.Double], interval);
    }

    private static bool IsTime(DataType type) => type.Kind is TypeKind.Date or TypeKind.Timestamp or TypeKind.TimestampNtz;

    private static bool IsInterval(DataType type) => type.Kind is TypeKind.YearMonthInterval or TypeKind.DayTimeInterval;
}

/// <summary><c>add_interval</c>: what <c>time + interval</c> is.</summary>
internal sealed class AddIntervalFunction() : ScalarFunction("add_interval")
{
    public override string Usage => "add_interval(date or timestamp, interval)";

    public override string Summary => "The date or timestamp an interval later.";

    public override bool MayFail => true;

    public override string Print(ValueList<Expression> arguments) => $"({arguments[0]} + {arguments[1]})";

    public override Signature? Resolve(ValueList<Expression> arguments) =>
        arguments.Count == 2 && arguments[1].Type.Kind is TypeKind.YearMonthInterval or TypeKind.DayTimeInterval ? TimeArithmetic.Resolve('+', arguments) : null;

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) =>
        TimeArithmetic.Compile('+', call, arguments, context) ?? throw new InvalidOperationException($"{call} adds no interval. Please report this.");
}
