using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;

namespace Dataflow.Sql.Analysis;

internal sealed partial class ExpressionBinder
{
    /// <summary>Arithmetic of dates, times and intervals; null if neither operand is one.</summary>
    private Expression? Temporal(string name, Expression left, Expression right, ExpressionSyntax at)
    {
        if (!IsTemporal(left) && !IsTemporal(right)) return null;
        // A bare NULL, or text, beside a date is a number of days, or a date: as Spark, it becomes what makes the other side work.
        if (left.Type.Kind == TypeKind.Null) left = Convert(left, IsMoment(right) && name == "-" ? right.Type : IsMoment(right) ? DataType.Int : right.Type);
        if (right.Type.Kind == TypeKind.Null) right = Convert(right, IsMoment(left) ? DataType.Int : left.Type);
        if (left.Type.Kind == TypeKind.String) left = Convert(left, IsMoment(right) && name == "-" ? right.Type : DataType.Timestamp);
        if (right.Type.Kind == TypeKind.String && name == "-" && IsMoment(left)) right = Convert(right, left.Type);
        return name switch
        {
            "+" when IsMoment(left) && IsInterval(right) => AddInterval(left, right, at),
            "+" when IsInterval(left) && IsMoment(right) => AddInterval(right, left, at),
            "-" when IsMoment(left) && IsInterval(right) => AddInterval(left, Negated(right, at), at),
            "+" when IsDate(left) && right.Type.IsInteger => Scalar("date_add", [left, right], at),
            "+" when left.Type.IsInteger && IsDate(right) => Scalar("date_add", [right, left], at),
            "-" when IsDate(left) && right.Type.IsInteger => Scalar("date_sub", [left, right], at),
            "-" when IsDate(left) && IsDate(right) => Scalar("subtract_dates", [left, right], at),
            "-" when IsMoment(left) && IsMoment(right) => SubtractTimes(left, right, at),
            "+" or "-" when IsInterval(left) && left.Type == right.Type => Apply(name, [left, right], at),
            "*" when IsInterval(left) && IsFactor(right) => Scalar("multiply_interval", [left, right], at),
            "*" when IsFactor(left) && IsInterval(right) => Scalar("multiply_interval", [right, left], at),
            "/" when IsInterval(left) && IsFactor(right) => Scalar("divide_interval", [left, right], at),
            _ => throw Mismatch(name, left, right, at),
        };
    }

    private static bool IsDate(Expression expression) => expression.Type.Kind == TypeKind.Date;

    private static bool IsMoment(Expression expression) => expression.Type.Kind is TypeKind.Date or TypeKind.Timestamp or TypeKind.TimestampNtz;

    private static bool IsInterval(Expression expression) => expression.Type.Kind is TypeKind.YearMonthInterval or TypeKind.DayTimeInterval;

    private static bool IsTemporal(Expression expression) => IsMoment(expression) || IsInterval(expression);

    private static bool IsFactor(Expression expression) => expression.Type.IsNumber || expression.Type.Kind is TypeKind.String or TypeKind.Null;

    private Expression AddInterval(Expression moment, Expression interval, ExpressionSyntax at)
    {
        // A date and hours is a point in time; a date and days is a date.
        if (IsDate(moment) && interval.Type.Kind == TypeKind.DayTimeInterval && !IsWholeDays(interval)) moment = Convert(moment, DataType.Timestamp);
        return Scalar("add_interval", [moment, interval], at);
    }

    private static bool IsWholeDays(Expression interval) => interval switch
    {
        Literal { Value: long micros } => micros % TemporalText.MicrosPerDay == 0,
        Literal => true,
        Call { Function.Name: "subtract_dates" } => true,
        Call { Function.Name: "negative" } call => IsWholeDays(call.Arguments[0]),
        _ => false,
    };

    private Expression Negated(Expression interval, ExpressionSyntax at) => interval switch
    {
        Literal { Value: int months } when months != int.MinValue => new Literal(-months, interval.Type),
        Literal { Value: long micros } when micros != long.MinValue => new Literal(-micros, interval.Type),
        Literal { Value: null } => interval,
        _ => Apply("negative", [interval], at),
    };

    private Expression SubtractTimes(Expression left, Expression right, ExpressionSyntax at)
    {
        var type = TypeCoercion.Common(left.Type, right.Type)!;
        return Scalar("subtract_timestamps", [Convert(left, type), Convert(right, type)], at);
    }
}
